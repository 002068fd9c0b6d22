// The one tooltip of the page: in the browser's top layer, so that no panel cuts it and full screen does not hide it.

import { h } from "./dom.js";

const APART = 14;
let tip;

/** Show `content` beside the point (x, y) of the window. */
export function showTip(x, y, ...content) {
  if (!tip) {
    tip = h("div", { class: "tip", role: "tooltip", popover: "manual" });
    document.body.append(tip);
    addEventListener("scroll", hideTip, { passive: true, capture: true });
  }
  tip.replaceChildren(...content.flat().filter(Boolean));
  if (!tip.matches(":popover-open")) tip.showPopover();
  const { offsetWidth: width, offsetHeight: height } = tip;
  const left = x + APART + width > innerWidth - 4 ? x - APART - width : x + APART;
  const top = y + APART + height > innerHeight - 4 ? y - APART - height : y + APART;
  tip.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
  tip.style.top = `${Math.max(4, Math.min(top, innerHeight - height - 4))}px`;
}

export function hideTip() {
  if (tip?.matches(":popover-open")) tip.hidePopover();
}

/** A heading and rows of [{color, name, value, pale}] as a tooltip's content. */
export function tipContent(heading, rows) {
  return [
    heading ? h("div", { class: "tip-head" }, heading) : null,
    h("div", { class: "tip-rows" }, ...rows.flatMap(({ color, name, value, pale }) => [
      color ? h("span", { class: "swatch", style: { background: color } }) : h("span"),
      h("span", { class: pale ? "pale" : null }, name),
      h("span", { class: pale ? "right pale" : "right" }, value),
    ])),
  ];
}

/** Show what `make` gives while the pointer or the keyboard's focus is on `element`. */
export function withTip(element, make) {
  element.addEventListener("pointermove", (event) => showTip(event.clientX, event.clientY, make()));
  element.addEventListener("pointerleave", hideTip);
  element.addEventListener("focusin", () => {
    if (!element.matches(":focus-visible, :has(:focus-visible)")) return;
    const box = element.getBoundingClientRect();
    showTip(box.left + box.width / 2, box.top, make());
  });
  element.addEventListener("focusout", hideTip);
  return element;
}
