// The theme a viewer picks: dark, light, or the system's. scheme.js applies it, on every page of ours.

import { icon } from "./icons.js";
import { say } from "./say.js";
import { store, stored } from "./stored.js";

const KEY = "ecom_lite.theme";
const NEXT = { system: "dark", dark: "light", light: "system" };
const WORDS = { system: "as the system", dark: "dark", light: "light" };

const picked = () => {
  const found = stored(KEY);
  return found === "dark" || found === "light" ? found : "system";
};

function pick(theme) {
  store(KEY, theme === "system" ? null : theme);
  document.dispatchEvent(new CustomEvent("themepicked", { detail: theme }));
  say(`Theme: ${WORDS[theme]}`);
}

/** From dark to light or back. */
export const flipTheme = () => pick(document.documentElement.dataset.theme === "dark" ? "light" : "dark");

/** A button that goes through the three. */
export function themeButton(button) {
  const draw = () => {
    button.replaceChildren(icon(picked()));
    button.setAttribute("aria-label", `Theme: ${WORDS[picked()]}`);
    button.title = `Theme: ${WORDS[picked()]} (d)`;
  };
  button.addEventListener("click", () => pick(NEXT[picked()]));
  document.addEventListener("themepicked", draw);
  draw();
}
