// The board's variables as pickers: one value or several of a list, All, or any text. What is picked stands in the address.

import { h } from "./dom.js";
import { get } from "./http.js";
import { icon } from "./icons.js";
import { inOrder } from "./newest.js";
import { opens, place } from "./popup.js";
import { questionOf } from "./address.js";

const ALL = "$__all";
const SETTLE_MS = 500; // several ticks in a row are one change
const SHOWN = 200; // options at once: the search finds the others
const SEARCH_FROM = 8;
const BUSY_MS = 2000;
const LONGEST = 200;

export class Variables {
  /** `change(name, values, push)` shows other values; `push` false: not as a step that Back undoes. */
  constructor(element, board, state, change) {
    Object.assign(this, { element, board, state, change });
    this.options = {};
    this.asks = inOrder();
    this.pickers = new Map();
    this.sheets = new Set(); // of pickers that are open: what fills them anew
    for (const variable of board.variables ?? []) {
      if (variable.hide !== 2) element.append(variable.type === "textbox" ? this.#text(variable) : this.#list(variable));
    }
    element.hidden = element.childElementCount === 0;
    this.draw();
  }

  /** Ask which values there are; they may be others in another range. */
  async load() {
    if (!(this.board.variables ?? []).some(({ type }) => type !== "textbox")) return;
    clearTimeout(this.timer);
    const news = this.asks();
    let options;
    try {
      options = await get(`/api/boards/${encodeURIComponent(this.board.uid)}/variables?${questionOf(this.state)}`);
    } catch (error) {
      if (error.busy) this.timer = setTimeout(() => this.load(), BUSY_MS);
      return; // the pickers keep what they had; the panels tell what is wrong
    }
    if (!news()) return;
    this.options = options;
    for (const { name, includeAll, type } of this.board.variables) {
      const values = this.state.variables[name];
      const first = this.options[name]?.[0];
      if (type !== "textbox" && !includeAll && first && (values.length === 0 || values[0] === "")) this.change(name, [first.value], false);
    }
    this.draw();
    this.sheets.forEach((fillAnew) => fillAnew());
  }

  draw() {
    for (const [name, write] of this.pickers) write(this.state.variables[name] ?? []);
  }

  /** The picked values in words, for print. */
  words() {
    return (this.board.variables ?? []).filter(({ hide }) => hide !== 2).map((variable) => `${variable.label}: ${this.#words(variable)}`).join(" · ");
  }

  #words({ name, type }) {
    const values = this.state.variables[name] ?? [];
    if (type === "textbox") return values[0] || "any";
    if (values.length === 0 || values.includes(ALL)) return "All";
    const text = (value) => this.options[name]?.find((option) => option.value === value)?.text ?? value;
    return values.length <= 2 ? values.map(text).join(", ") : `${text(values[0])} and ${values.length - 1} more`;
  }

  #text({ name, label, hide }) {
    const input = h("input", { type: "text", maxlength: LONGEST, size: "10", placeholder: "any", autocomplete: "off", spellcheck: "false", "aria-label": hide === 1 ? label : null });
    input.addEventListener("change", () => this.change(name, [input.value.trim()]));
    this.pickers.set(name, (values) => { if (document.activeElement !== input || input.value === "") input.value = values[0] ?? ""; });
    return h("label", { class: "variable", "data-variable": name }, hide === 1 ? null : h("span", {}, label), input);
  }

  #list(variable) {
    const { name, label, hide } = variable;
    const words = h("b", {});
    const button = h("button", { type: "button" }, hide === 1 ? null : h("span", {}, label), words, icon("chevron"));
    opens(button, "dialog", (close) => this.#sheet(variable, button, close));
    this.pickers.set(name, () => {
      words.textContent = this.#words(variable);
      button.setAttribute("aria-label", `${label}: ${words.textContent}`);
    });
    return h("div", { class: "variable", "data-variable": name }, button);
  }

  #sheet(variable, button, close) {
    const { name, label, multi, includeAll } = variable;
    let picked = new Set(this.state.variables[name] ?? []);
    let timer = null;
    const send = () => {
      clearTimeout(timer);
      if (timer !== null) this.change(name, [...picked]);
      timer = null;
    };
    const list = h("div", { class: "options" });
    const count = h("p", { class: "more" });
    const pick = (value, on) => {
      if (!multi || value === ALL) picked = new Set([value]);
      else {
        picked.delete(ALL);
        if (on) picked.add(value);
        else picked.delete(value);
        if (picked.size === 0) picked = new Set([includeAll ? ALL : value]);
      }
      clearTimeout(timer);
      timer = setTimeout(send, SETTLE_MS);
      list.querySelectorAll("input").forEach((input) => { input.checked = picked.has(input.value); });
    };
    const line = ({ text, value }) => {
      const input = h("input", { type: multi ? "checkbox" : "radio", name: `pick-${name}`, value });
      input.checked = picked.has(value);
      input.addEventListener("change", () => pick(value, input.checked));
      // A click on a single value is a choice; the arrow keys only move through them.
      if (!multi) input.addEventListener("click", (event) => { if (event.detail > 0) close(); });
      return h("label", {}, input, h("span", {}, text === "" ? "(empty)" : text));
    };
    const search = h("input", { type: "search", placeholder: "Search", "aria-label": `Search ${label}`, autocomplete: "off" });
    const fill = () => {
      const options = this.options[name] ?? [], wanted = search.value.trim().toLowerCase();
      search.hidden = options.length < SEARCH_FROM;
      const all = [...(includeAll ? [{ text: "All", value: ALL }] : []), ...options, ...[...picked].filter((value) => value !== ALL && value !== "" && !options.some((each) => each.value === value)).map((value) => ({ text: `${value} (not in the list)`, value }))];
      const found = all.filter(({ text }) => String(text).toLowerCase().includes(wanted));
      list.replaceChildren(...found.slice(0, SHOWN).map(line));
      count.textContent = all.length === 0 ? "No values yet." : found.length === 0 ? "No value has this in it." : found.length > SHOWN ? `${found.length - SHOWN} more: type a part of its name.` : "";
    };
    const first = () => (search.hidden ? list.querySelector("input:checked") ?? list.querySelector("input") : search);
    search.addEventListener("input", fill);
    fill();
    const onkeydown = (event) => {
      if (event.key === "Enter") {
        if (event.target === search && !multi) list.querySelector("input")?.click();
        else if (event.target.matches("input[type=checkbox]")) event.target.click();
        else close();
        event.preventDefault();
      }
    };
    const element = h("div", { class: "popup pick", role: "dialog", "aria-label": label, onkeydown }, search,
      h("div", { role: multi ? "group" : "radiogroup", "aria-label": label }, list), count);
    const fillAnew = () => {
      const at = document.activeElement, inList = list.contains(at);
      if (timer === null) picked = new Set(this.state.variables[name] ?? []);
      fill();
      if (inList) ([...list.querySelectorAll("input")].find(({ value }) => value === at.value) ?? first())?.focus();
      else if (at === button) first()?.focus(); // there was nothing in it that could have the focus
      place(element, button);
    };
    this.sheets.add(fillAnew);
    return { element, first: first(), closed: () => { this.sheets.delete(fillAnew); send(); } };
  }
}
