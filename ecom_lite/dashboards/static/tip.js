// A panel's description: under its info button, while that is pointed at, has the focus, or was tapped.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const tip = h("div", { class: "tip", "aria-hidden": "true", popover: "manual" });

function show(button, text) {
  if (!tip.isConnected) document.body.append(tip);
  tip.textContent = text;
  tip.showPopover();
  const at = button.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(at.left + at.width / 2 - width / 2, innerWidth - width - 8))}px`;
  tip.style.top = `${at.bottom + 6 + height > innerHeight ? at.top - 6 - height : at.bottom + 6}px`;
}

export const hideTip = () => { if (tip.matches(":popover-open")) tip.hidePopover(); };

/** The button, and the same text for screen readers. */
export function infoButton(title, text, id) {
  const open = () => show(button, text);
  const button = h("button", {
    type: "button", class: "info", "aria-label": `About ${title || "this panel"}`, "aria-describedby": id,
    onpointerenter: open, onpointerleave: () => { if (document.activeElement !== button) hideTip(); },
    onfocus: open, onblur: hideTip, onclick: open,
    onkeydown: (event) => { if (event.key === "Escape" && tip.matches(":popover-open")) { hideTip(); event.stopPropagation(); } },
  }, icon("info"));
  return [button, h("span", { id, hidden: "" }, text)];
}

addEventListener("scroll", hideTip, { passive: true, capture: true });
