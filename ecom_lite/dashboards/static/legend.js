// The legend of a chart: a list or a table with calculations, whose names show and hide a series.

import { h } from "./dom.js";
import { CALCS, calcName, display } from "./fields.js";

/** Where a chart and its legend stand in a panel: [chart element, legend element], made once. */
export function chartWithLegend(body, options = {}) {
  let frame = body.querySelector(":scope > .with-legend");
  if (!frame) {
    frame = h("div", { class: "with-legend" }, h("div", { class: "chart" }), h("div", { class: "legend" }));
    body.replaceChildren(frame);
  }
  const { showLegend = true, placement = "bottom", displayMode = "list" } = options;
  const [chart, legend] = frame.children;
  legend.hidden = !showLegend || displayMode === "hidden";
  frame.classList.toggle("beside", placement === "right" && !legend.hidden);
  return [chart, legend];
}

/**
 * `items` are [{name, title, color, values, settings}]; `hidden` is the set of names that are not shown, `redraw` is called
 * when it changes. A click shows or hides one, with Ctrl or Shift that one alone.
 */
export function drawLegend(element, items, options = {}, hidden = new Set(), redraw = () => {}) {
  const { displayMode = "list", calcs = [] } = options;
  const asTable = displayMode === "table";
  const figures = (item) => calcs.map((calc) => display(CALCS[calc](item.values.map((value) => value ?? null)), calc === "count" ? {} : item.settings));
  const texts = items.map((item) => [item.title ?? item.name, item.color, hidden.has(item.name), ...figures(item)]);
  const state = JSON.stringify([asTable, calcs, texts]);
  if (element.dataset.state === state) return;
  const focused = [...element.querySelectorAll("button")].indexOf(document.activeElement);
  element.dataset.state = state;
  const toggle = (item, event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) {
      const alone = items.every((each) => hidden.has(each.name) === (each !== item));
      for (const each of items) !alone && each !== item ? hidden.add(each.name) : hidden.delete(each.name);
    } else if (!hidden.delete(item.name)) hidden.add(item.name);
    redraw();
  };
  const button = (item) => h("button", {
    type: "button", "aria-pressed": String(!hidden.has(item.name)), title: "show or hide; with Ctrl this one alone", onclick: (event) => toggle(item, event),
  }, h("span", { class: "swatch", style: { background: item.color } }), h("span", {}, item.title ?? item.name));
  if (asTable) {
    const head = h("tr", {}, h("th", { scope: "col" }, h("span", { class: "sr" }, "Series")), ...calcs.map((calc) => h("th", { scope: "col", class: "right" }, calcName(calc))));
    const rows = items.map((item) => h("tr", {}, h("td", {}, button(item)), ...figures(item).map((text) => h("td", { class: "right" }, text))));
    element.replaceChildren(h("table", {}, calcs.length ? h("thead", {}, head) : null, h("tbody", {}, ...rows)));
  } else {
    element.replaceChildren(...items.map((item) => h("span", { class: "item" }, button(item),
      ...figures(item).map((text, at) => h("span", { class: "calc" }, `${calcName(calcs[at])}: ${text}`)))));
  }
  if (focused >= 0) element.querySelectorAll("button")[focused]?.focus();
}
