// The few signs on buttons. Each button says in words what it does; its sign is for the eyes only.

import { svg } from "./dom.js";

const PATHS = {
  info: "M8 7.2v4.3M8 4.7v.1M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0Z",
  more: "M3 8h.1M8 8h.1M13 8h.1",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  chevron: "M4 6l4 4 4-4",
  clock: "M8 4.2V8l2.6 1.6M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0Z",
  back: "M6.5 3.5L2.5 7.5l4 4M2.8 7.5h6.4a4 4 0 0 1 0 8",
  kiosk: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  link: "M6.5 3H3v10h10V9.5M9 2.5h4.5V7M13.2 2.8L7.5 8.5",
  system: "M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0ZM8 2v12M8 3.4a4.6 4.6 0 0 1 0 9.2M8 5.6a2.4 2.4 0 0 1 0 4.8",
  dark: "M13.6 9.6A6 6 0 1 1 6.4 2.4a4.8 4.8 0 0 0 7.2 7.2Z",
  light: "M8 4.8a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.4ZM8 1v1.4M8 13.6V15M1 8h1.4M13.6 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
};

export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" },
    svg("path", { d: PATHS[name], fill: "none", stroke: "currentColor", "stroke-width": name === "more" ? 2.6 : 1.5, "stroke-linecap": "round", "stroke-linejoin": "round" }));
}
