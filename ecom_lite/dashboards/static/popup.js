// What opens under a button: made anew each time, in the top layer, gone with Escape or a click elsewhere.

import { h } from "./dom.js";

const EDGE_PX = 8;

/** Put `element` under `button`, or above it where there is no room; again where its size has changed. */
export function place(element, button) {
  const at = button.getBoundingClientRect();
  const { width, height } = element.getBoundingClientRect();
  const below = at.bottom + 4 + height <= innerHeight - EDGE_PX || at.top < height;
  element.style.left = `${Math.max(EDGE_PX, Math.min(at.left, innerWidth - width - EDGE_PX))}px`;
  element.style.top = `${Math.max(EDGE_PX, below ? Math.min(at.bottom + 4, innerHeight - height - EDGE_PX) : at.top - 4 - height)}px`;
}

/**
 * Open `element` under `button` and put the focus on `first`. When it closes, `closed` is called, and the focus goes back to the
 * button unless it went elsewhere. Returns a function that closes it.
 */
export function openPopup(button, element, { first = null, closed = () => {} } = {}) {
  element.setAttribute("popover", "auto");
  document.body.append(element);
  element.addEventListener("toggle", ({ newState }) => {
    if (newState === "open") return;
    const inside = element.contains(document.activeElement) || document.activeElement === document.body;
    element.remove();
    button.setAttribute("aria-expanded", "false");
    if (inside) button.focus();
    closed();
  });
  element.showPopover();
  place(element, button);
  button.setAttribute("aria-expanded", "true");
  (first ?? element.querySelector("input, button, a, [tabindex]"))?.focus();
  return () => { if (element.isConnected) element.hidePopover(); };
}

/** Let `button` open what `make` makes, and close it when it is pressed again. `make(close)` returns {element, first, closed}. */
export function opens(button, kind, make) {
  let close = null, wasOpen = false;
  button.setAttribute("aria-haspopup", kind);
  button.setAttribute("aria-expanded", "false");
  // By the time of the click, the press has already closed it as a click elsewhere.
  button.addEventListener("pointerdown", () => { wasOpen = close !== null; });
  button.addEventListener("click", () => {
    if (wasOpen) return void (wasOpen = false);
    const { element, first, closed } = make(() => close?.());
    close = openPopup(button, element, { first, closed: () => { close = null; closed?.(); } });
  });
}

/** A sheet of items for `opens`: arrows, Home and End move, letters of an item's name find it. */
export function menuOf(items, label, close) {
  const buttons = items.map(({ name, key, href, blank, run }) => {
    const inside = [h("span", {}, name), key ? h("kbd", { "aria-hidden": "true" }, key) : null];
    return href
      ? h("a", { role: "menuitem", tabindex: "-1", href, target: blank ? "_blank" : null, rel: blank ? "noopener" : null, onclick: close }, ...inside)
      : h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => { close(); run(); } }, ...inside);
  });
  const move = (to) => buttons.at(to % buttons.length).focus();
  const onkeydown = (event) => {
    const at = buttons.indexOf(document.activeElement);
    const letter = event.key.length === 1 && !event.ctrlKey && !event.metaKey ? event.key.toLowerCase() : "";
    if (event.key === "ArrowDown") move(at + 1);
    else if (event.key === "ArrowUp") move(at - 1);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(-1);
    else if (event.key === "Tab") return close();
    else if (letter && letter !== " ") [...buttons.slice(at + 1), ...buttons].find((each) => each.textContent.toLowerCase().startsWith(letter))?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return { element: h("div", { class: "popup menu", role: "menu", "aria-label": label, onkeydown }, ...buttons), first: buttons[0] };
}
