// Where panels stand: Grafana's grid, in which a row panel that is closed takes its panels' room away.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { store, stored } from "./stored.js";

/** [{row, panels}]: what stands above the first row panel (row null), then each row panel with what belongs to it. */
export function sectionsOf(panels) {
  const sections = [{ row: null, panels: [] }];
  for (const panel of panels) {
    if (panel.type === "row") sections.push({ row: panel, panels: [...(panel.panels ?? [])] });
    else sections.at(-1).panels.push(panel);
  }
  return sections;
}

const bottom = (panels) => Math.max(...panels.map(({ grid }) => grid.y + grid.h));
const top = (panels) => Math.min(...panels.map(({ grid }) => grid.y));

function set(element, x, y, w, rows) {
  for (const [name, value] of [["--x", x + 1], ["--y", y + 1], ["--w", w], ["--h", rows]]) element.style.setProperty(name, value);
}

/** Places every element (`elements`: by panel id) with the rows of `closed` (a set of ids) closed. */
export function place(sections, elements, closed) {
  let y = 0;
  for (const { row, panels } of sections) {
    if (row) set(elements.get(row.id), 0, y++, 24, 1);
    const hidden = row !== null && closed.has(row.id);
    for (const panel of panels) {
      const element = elements.get(panel.id);
      element.hidden = hidden;
      if (!hidden) set(element, panel.grid.x, y + panel.grid.y - top(panels), panel.grid.w, panel.grid.h);
    }
    if (!hidden && panels.length) y += bottom(panels) - top(panels);
  }
}

/** The head of a row panel: its title is the button that opens and closes it. */
export function rowElement(row, panels, isClosed, toggle) {
  const button = h("button", { type: "button", "aria-expanded": String(!isClosed), "aria-controls": panels.map(({ id }) => `panel-${id}`).join(" ") },
    icon("chevron"), h("span", {}, row.title), h("small", {}, `${panels.length} panel${panels.length === 1 ? "" : "s"}`));
  button.addEventListener("click", () => button.setAttribute("aria-expanded", String(!toggle(row.id))));
  return h("section", { class: "row", "data-panel": row.id, "data-type": "row", "aria-label": row.title }, h("h2", {}, button));
}

/** Which rows are closed: as the board has them, then as this tab's viewer left them. */
export class ClosedRows {
  constructor(board) {
    this.key = `ecom_lite.rows.${board.uid}`;
    const own = board.panels.filter((panel) => panel.type === "row" && panel.collapsed).map((panel) => panel.id);
    const left = stored(this.key, true);
    this.ids = new Set(left ? left.split(",").map(Number) : own);
  }

  /** Returns whether the row is closed now. */
  toggle(id) {
    if (!this.ids.delete(id)) this.ids.add(id);
    store(this.key, [...this.ids].join(",") || "0", true);
    return this.ids.has(id);
  }
}
