// Single keys for all that the page can do, from one list, which the help sheet shows too.

import { h } from "./dom.js";
import { store, stored } from "./stored.js";

const OFF = "ecom_lite.keys"; // "off" where a viewer has switched single keys off
const TYPING = "input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]";

export const keysOff = () => stored(OFF) === "off";

/**
 * `shortcuts`: [{keys: ["j"], shown: "j", what: "next panel", run, own}]. With `own`, only while a panel itself has the focus, so
 * that arrows still scroll the page and Enter still presses buttons.
 */
export function bindKeys(shortcuts) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (!(target instanceof Element) || target.matches(TYPING) || document.querySelector("dialog[open], .popup:popover-open")) return;
    const found = shortcuts.find(({ keys, own }) => keys.includes(event.key) && (!own || target.matches(".panel")));
    if (!found || (keysOff() && event.key.length === 1 && event.key !== "?")) return;
    event.preventDefault();
    found.run();
  });
}

/** The sheet with all keys; made when it is first asked for. */
export function helpSheet(shortcuts) {
  let dialog = null;
  const make = () => {
    const single = h("input", { type: "checkbox" });
    single.checked = !keysOff();
    single.addEventListener("change", () => store(OFF, single.checked ? "on" : "off"));
    const line = ({ shown, what }) => h("tr", {}, h("th", { scope: "row" }, ...shown.split(" ").map((key) => h("kbd", {}, key))), h("td", {}, what));
    dialog = h("dialog", { class: "help", "aria-labelledby": "help-title" },
      h("h2", { id: "help-title" }, "Keys"),
      h("table", {}, h("tbody", {}, ...shortcuts.filter(({ shown }) => shown).map(line))),
      h("p", {}, "Drag over a chart to zoom into a part of its time."),
      h("label", {}, single, "Single keys do something"),
      h("button", { type: "button", class: "primary", autofocus: "", onclick: () => dialog.close() }, "Close"));
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.body.append(dialog);
  };
  return () => {
    if (!dialog) make();
    dialog.showModal();
  };
}
