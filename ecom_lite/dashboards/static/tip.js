// A panel's description: under its info button, while that is pointed at, has the focus, or was tapped.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { hideTip, showTip } from "./tooltip.js";

/** The button, and the same text for screen readers. */
export function infoButton(title, text, id) {
  let shown = false;
  const open = () => {
    const { left, bottom } = button.getBoundingClientRect();
    showTip(left, bottom - 8, h("div", { class: "about" }, text));
    shown = true;
  };
  const close = () => {
    if (shown) hideTip();
    shown = false;
  };
  const button = h("button", {
    type: "button", class: "info", "aria-label": `About ${title || "this panel"}`, "aria-describedby": id,
    onpointerenter: open, onpointerleave: () => { if (document.activeElement !== button) close(); },
    onfocus: open, onblur: close, onclick: open,
    onkeydown: (event) => {
      if (event.key !== "Escape" || !shown) return;
      close();
      event.stopPropagation();
    },
  }, icon("info"));
  return [button, h("span", { id, hidden: "" }, text)];
}
