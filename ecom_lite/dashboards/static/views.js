// One panel on the page: its head, what it shows now (figures, a table of them, or a sentence), and how old that is.

import { h } from "./dom.js";
import { duration } from "./format.js";
import { icon } from "./icons.js";
import { addressOf } from "./board_links.js";
import { inOrder } from "./newest.js";
import { opens } from "./popup.js";
import { draw, resize, toTable } from "./panels.js";
import { infoButton } from "./tip.js";

const waiting = () => h("div", { class: "spinner" });

export class PanelView {
  /** `context()` is what `draw` is told of the page; `menu(view, close)` makes the panel's menu. */
  constructor(panel, state, context, menu, leave) {
    this.panel = panel;
    this.context = context;
    this.memory = {};
    this.answer = null; // what is drawn
    this.asTable = false;
    this.at = 0; // when what is shown was last known to be so
    this.busy = false;
    this.streamed = false;
    this.asks = inOrder();
    this.kept = null; // an answer that came while nobody could see it
    this.body = h("div", { class: "body" }, h("div", { class: "note" }, waiting()));
    this.age = h("span", { class: "age", hidden: "" });
    const more = h("button", { type: "button", class: "more", "aria-label": `Menu of ${panel.title || "this panel"}` }, icon("more"));
    opens(more, "menu", (close) => menu(this, close));
    this.more = more;
    const links = (panel.links ?? []).map((link) => ({ ...link, href: addressOf(link, state) })).filter((link) => link.href);
    this.element = h("section", {
      class: "panel", id: `panel-${panel.id}`, "data-panel": panel.id, "data-type": panel.type, "data-state": "loading", "aria-label": panel.title || panel.type, tabindex: "-1",
    },
    h("div", { class: panel.title ? "head" : "head bare" }, panel.title ? h("h2", {}, panel.title) : null, this.age,
      h("span", { class: "tools" },
        ...(panel.description ? infoButton(panel.title, panel.description, `about-${panel.id}`) : []),
        ...links.map((link) => h("a", { class: "link", href: link.href, target: link.targetBlank ? "_blank" : null, rel: link.targetBlank ? "noopener" : null, title: link.title, "aria-label": link.title }, icon("link"))),
        more,
        h("button", { type: "button", class: "leave", "aria-label": "Leave full screen", onclick: leave }, icon("close")))),
    this.body);
    new ResizeObserver(() => this.resize()).observe(this.body);
  }

  get state() {
    return this.element.dataset.state;
  }

  /** Nobody sees it: its row is closed. */
  get closed() {
    return this.element.hidden;
  }

  resize() {
    if (this.answer && !this.asTable) resize(this.body);
  }

  /** Show what the server answered; in a row that is closed, when that opens. */
  show(answer) {
    this.kept = this.closed ? answer : null;
    if (this.closed) return;
    if (answer.state === "error") return this.fail(answer.message);
    this.at = Date.now();
    if (answer.state !== "ok") return this.#note(answer.state, answer.message);
    if (!this.answer) this.body.replaceChildren();
    this.answer = answer;
    this.redraw();
  }

  /** It could not be asked for, or not be computed. What was drawn stays, with one line on what is wrong now. */
  fail(message) {
    this.#trouble(message);
    if (!this.answer) this.#note("error", message);
    else this.element.dataset.state = "error";
  }

  /** The server says that nothing changed. */
  confirm() {
    if (this.state !== "error" && this.state !== "loading") this.at = Date.now();
  }

  redraw() {
    if (!this.answer) return;
    try {
      if (this.asTable) this.#table();
      else draw(this.panel, this.answer, this.body, this.memory, this.context());
    } catch (error) {
      console.error(`panel ${this.panel.id}:`, error);
      return this.fail(`cannot be drawn: ${error.message}`);
    }
    this.#trouble("");
    this.element.dataset.state = "drawn";
  }

  /** Its figures as a table, or back; returns whether it is a table now. */
  toggleTable() {
    if (!this.answer || !this.canTable) return false;
    this.asTable = !this.asTable;
    this.memory = {};
    this.body.replaceChildren();
    this.redraw();
    return this.asTable;
  }

  get canTable() {
    return this.panel.hasData;
  }

  /** {columns, rows, raw} of what is shown. */
  table() {
    return toTable(this.panel, this.answer);
  }

  /** Dim what is older than `limitMs` (null: nothing is too old) and say how old it is. */
  tell(now, limitMs) {
    const age = now - this.at;
    const old = limitMs !== null && this.at > 0 && age > limitMs && this.panel.hasData;
    this.element.classList.toggle("old", old);
    this.age.hidden = !old;
    if (old) this.age.textContent = `${duration(Math.floor(age / 1000), 0)} old`;
  }

  #trouble(message) {
    let line = this.element.querySelector(".trouble");
    if (!message || !this.answer) return void line?.remove();
    if (!line) this.element.append((line = h("div", { class: "trouble" })));
    if (line.textContent !== message) line.textContent = message;
  }

  #note(state, message) {
    this.#trouble("");
    this.answer = null;
    this.memory = {};
    this.element.dataset.state = state;
    this.body.replaceChildren(h("div", { class: "note" }, state === "waiting" ? waiting() : null, h("div", {}, message)));
  }

  #table() {
    const { columns, rows, raw } = this.table();
    const right = columns.map((_, index) => raw.length > 0 && raw.every((row) => row[index] === null || typeof row[index] === "number"));
    const cell = (text, index) => h("td", { class: right[index] ? "right" : null }, text);
    const top = this.body.querySelector(".scroll")?.scrollTop ?? 0;
    const fresh = h("div", { class: "scroll figures", tabindex: "0", role: "group", "aria-label": `${this.panel.title}, figures` }, h("table", {},
      h("thead", {}, h("tr", {}, ...columns.map((title, index) => h("th", { scope: "col", class: right[index] ? "right" : null }, title)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell))))));
    this.body.replaceChildren(fresh);
    fresh.scrollTop = top;
  }
}
