// Tables: columns as wide as their values need, so that none is cut; cards where a screen is too narrow for all of them.

import { h } from "./dom.js";
import { CALCS, colorOf, display, extent, shownColumns } from "./fields.js";
import { linkOf, linked } from "./links.js";
import { textWidth } from "./scales.js";
import { alpha, inkOn, isContinuous, textColor } from "./theme.js";
import { areDays, isoDay, isoTime } from "./time.js";

const MOST_ROWS = 500; // drawn; the panel's table view and CSV have all
const PAD = 18;
const GUTTER = 12; // kept for a scroll bar (drawing.css): whether rows wrap is known only when they are drawn
const SORT = 14; // room for the arrow
const LEAST_TEXT = 64;
const WIDEST_TEXT = 300;
const LINES = [2, 3, 5]; // of a text in a cell, before a table becomes cards
const METER = 40; // the least a bar in a cell is wide
const METER_WANTED = 80;
const MEASURED = 60; // longest texts of a column that are measured

export function drawTable(panel, answer, body, state, context) {
  const frame = answer.frames[0];
  const columns = columnsOf(panel, frame);
  state.sort ??= initialSort(panel, columns);
  const order = sorted(frame.rows, columns, state.sort);
  const shown = order.slice(0, MOST_ROWS);
  const room = body.clientWidth - 28 - GUTTER;
  const widths = LINES.reduce((found, lines) => found ?? widthsOf(columns, shown, room, lines), null);
  const redraw = () => drawTable(panel, answer, body, state, context);
  const top = body.querySelector(".scroll")?.scrollTop ?? 0;
  const cellAt = (column, row) => cell(column, frame, row, context);
  const content = widths ? grid(panel, columns, shown, widths, state, redraw, cellAt, frame) : cards(columns, shown, cellAt);
  const notes = [order.length > shown.length ? `${shown.length} of ${order.length.toLocaleString("en-US")} rows` : null, frame.cut ? "the query gave more rows than are kept" : null].filter(Boolean);
  body.replaceChildren(h("div", { class: "scroll", role: "region", "aria-label": panel.title }, content), ...(notes.length ? [h("div", { class: "footnote" }, notes.join("; "))] : []));
  body.querySelector(".scroll").scrollTop = top;
}

function columnsOf(panel, frame) {
  return shownColumns(panel, frame).map((column) => {
    const values = frame.rows.map((row) => row[column.index]);
    const { settings, kind } = column;
    const days = kind === "time" && !settings.unit && areDays(values);
    const cellType = settings.custom.cellOptions?.type ?? "auto";
    const gauge = cellType === "gauge";
    const align = settings.custom.align && settings.custom.align !== "auto" ? settings.custom.align : kind === "number" && !gauge ? "right" : "left";
    const write = (value) => (kind === "time" && value !== null && !settings.unit ? (days ? isoDay(value) : isoTime(value)) : display(value, settings));
    return { ...column, title: settings.displayName || column.name, values, write, cellType, gauge, align, figure: kind === "number" || kind === "time", extent: extent(values) };
  });
}

function initialSort(panel, columns) {
  const wanted = panel.options.sortBy?.[0];
  const index = wanted ? columns.findIndex(({ title, name }) => title === wanted.displayName || name === wanted.displayName) : -1;
  return index < 0 ? { index: null } : { index, desc: Boolean(wanted.desc) };
}

/** Numbers of the frame's rows in the order shown: [row]. */
function sorted(rows, columns, { index, desc }) {
  const order = rows.map((_, at) => at);
  const column = columns[index];
  if (!column) return order;
  const compare = (a, b) => {
    const [x, y] = [column.values[a], column.values[b]];
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1; // nothing comes last
    const way = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
    return desc ? -way : way;
  };
  return order.sort(compare);
}

/** Pixels for each column, or null when they do not fit beside each other. */
function widthsOf(columns, shown, room, lines) {
  const asked = columns.map((column) => {
    const texts = shown.map((row) => column.write(column.values[row])).sort((a, b) => b.length - a.length).slice(0, MEASURED);
    const wide = (each) => textWidth(each, 14) + PAD;
    const head = Math.max(...column.title.split(/\s+/).map((word) => textWidth(word, 12, 550))) + PAD + SORT;
    const natural = Math.max(head, ...texts.map(wide));
    const given = column.settings.custom.width;
    const least = column.settings.custom.minWidth ?? 0;
    if (column.gauge) return { min: Math.max(head, natural + METER), wanted: Math.max(given ?? 0, natural + METER_WANTED), grows: 4 };
    if (column.figure) return { min: natural, wanted: Math.max(natural, Math.min(least, natural * 1.5)), grows: given ? 0.5 : 1 };
    const longest = Math.max(head, LEAST_TEXT, (natural / lines) * 1.12, ...texts.flatMap((text) => text.split(/\s+/)).map(wide));
    return { min: Math.min(natural, longest, WIDEST_TEXT), wanted: Math.max(Math.min(natural, longest, WIDEST_TEXT), Math.min(given ?? natural, natural, WIDEST_TEXT)), grows: given ? 0.5 : 2 };
  });
  const sum = (key) => asked.reduce((total, each) => total + each[key], 0);
  if (sum("min") > room) return null;
  for (const group of [(at) => columns[at].gauge, () => true]) { // bars give way before texts wrap
    const over = sum("wanted") - room;
    const slack = asked.reduce((total, each, at) => total + (group(at) ? each.wanted - each.min : 0), 0);
    if (over > 0 && slack > 0) asked.forEach((each, at) => { if (group(at)) each.wanted -= (each.wanted - each.min) * Math.min(1, over / slack); });
  }
  const wanted = sum("wanted");
  const grows = sum("grows");
  return asked.map((each) => each.wanted + ((room - wanted) * each.grows) / grows);
}

function grid(panel, columns, shown, widths, state, redraw, cellAt, frame) {
  const heads = columns.map((column, index) => {
    const active = state.sort.index === index;
    const button = h("button", { type: "button", onclick: () => { state.sort = active ? (state.sort.desc ? { index: null } : { index, desc: true }) : { index, desc: false }; redraw(); } },
      column.title, active ? h("span", { class: "arrow", "aria-hidden": "true" }, state.sort.desc ? " ▾" : " ▴") : null);
    return h("th", { scope: "col", class: column.align === "left" ? null : column.align, "aria-sort": active ? (state.sort.desc ? "descending" : "ascending") : null }, button);
  });
  const lines = shown.map((row) => h("tr", {}, ...columns.map((column) => cellAt(column, row))));
  return h("table", { class: "fixed" }, h("colgroup", {}, ...widths.map((width) => h("col", { style: { width: `${width.toFixed(1)}px` } }))),
    panel.options.showHeader === false ? null : h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...lines), footer(panel, columns, frame));
}

function footer(panel, columns, frame) {
  const { show = false, reducer = ["sum"], fields = "" } = panel.options.footer ?? {};
  if (!show) return null;
  const wanted = ({ kind, name }) => kind === "number" && (!fields || !fields.length || [fields].flat().includes(name));
  return h("tfoot", {}, h("tr", {}, ...columns.map((column, at) => h("td", { class: column.align === "left" ? null : column.align },
    wanted(column) ? column.write(CALCS[reducer[0]](column.values)) : at === 0 ? `${frame.rows.length} rows` : ""))));
}

function cell(column, frame, row, context) {
  const value = column.values[row];
  const text = column.write(value);
  const link = linkOf(column.settings, { frame, row, column: column.index, text }, context);
  const side = column.align === "left" ? null : column.align;
  if (column.gauge) {
    const [low, high] = [column.settings.min ?? Math.min(0, column.extent[0]), column.settings.max ?? column.extent[1]];
    const share = Math.max(0, Math.min(1, ((value ?? low) - low) / (high - low || 1)));
    return h("td", {}, h("div", { class: "meter" }, h("i", { style: { "--share": `${share * 100}%`, "--color": colorOf(column.settings, value, column.name, [low, high]) } }), linked(link, h("span", {}, text))));
  }
  const shade = column.cellType === "auto" ? null : colorOf(column.settings, value, column.name, column.extent);
  const style = column.cellType === "color-text" ? { color: textColor(shade) } : column.cellType === "color-background" && shade ? backgroundOf(column, value, shade) : {};
  return h("td", { class: side, style }, linked(link, document.createTextNode(text)));
}

/** A continuous colour is read as such, the others tint. */
function backgroundOf({ settings }, value, shade) {
  if (value === null) return {};
  return isContinuous(settings.color?.mode) ? { background: shade, color: inkOn(shade) } : { background: alpha(shade, 0.28) };
}

/** One card a row: its first text as a heading, then names and values. */
function cards(columns, shown, cellAt) {
  const head = Math.max(0, columns.findIndex(({ figure }) => !figure));
  const inner = (column, row) => [...cellAt(column, row).childNodes];
  return h("ul", { class: "cards" }, ...shown.map((row) => h("li", {}, h("div", { class: "card-head" }, ...inner(columns[head], row)),
    h("dl", {}, ...columns.filter((_, at) => at !== head).map((column) => {
      const made = cellAt(column, row);
      return h("div", {}, h("dt", {}, column.title), h("dd", { style: { color: made.style.color, background: made.style.background } }, ...made.childNodes));
    })))));
}
