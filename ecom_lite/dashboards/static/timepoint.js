// The point under the cursor of a time series: the tooltip with all series, and a real link where the field has one.

import { h } from "./dom.js";
import { display } from "./fields.js";
import { fullTime } from "./time.js";
import { markRow, marksNear } from "./timemarks.js";
import { hideTip, showTip, tipContent } from "./tooltip.js";

const MOST_ROWS = 24;
const DRAG_MS = 400; // a click this soon after a zoom is the end of the drag

/** Called with each move of the cursor; only the plot that the pointer or the keyboard is on shows a tooltip. */
export function showPoint(plot, state, linkAt) {
  const { model } = state;
  const { left, top, idxs } = plot.cursor;
  const here = state.byKeyboard || plot.over.matches(":hover");
  if (!here || left < 0 || !model.times.length || plot.over.querySelector(".mark:hover")) {
    if (state.tipped) hidePoint(state);
    return;
  }
  const { mode = "multi", sort = "none" } = model.panel.options.tooltip ?? {};
  const found = model.drawn.map((series, at) => ({ series, index: idxs[at + 1] }))
    .filter(({ series, index }) => index !== null && index !== undefined && series.raw[index] !== null && series.raw[index] !== undefined && !series.settings.custom.hideFrom?.tooltip);
  const nearest = found.reduce((best, each) => (best && distance(plot, best, top) <= distance(plot, each, top) ? best : each), null);
  let rows = mode === "single" ? [nearest].filter(Boolean) : [...found];
  if (sort !== "none") rows.sort((a, b) => (a.series.raw[a.index] - b.series.raw[b.index]) * (sort === "desc" ? -1 : 1));
  const more = rows.length - MOST_ROWS;
  rows = rows.slice(0, MOST_ROWS).map(({ series, index }) => ({ color: series.color, name: series.title, value: display(series.raw[index], series.settings), pale: series.before }));
  if (more > 0) rows.push({ name: `and ${more} more`, value: "", pale: true });
  rows.push(...marksNear(plot, model.marks, left).map(markRow));
  const index = nearest?.index ?? plot.cursor.idx;
  const link = nearest ? linkAt(nearest.series, nearest.index, model.times[nearest.index]) : null;
  follow(plot, state, link, left, top);
  if (mode === "none" || !rows.length) return void hideTip();
  const box = plot.over.getBoundingClientRect();
  state.tipped = true;
  showTip(box.left + left, box.top + top, tipContent(fullTime(model.times[index], model.stepMs), rows), link ? h("div", { class: "tip-link" }, link.title || "open") : null);
}

export function hidePoint(state) {
  state.tipped = false;
  if (state.anchor) state.anchor.hidden = true;
  hideTip();
}

function distance(plot, { series, index }, top) {
  const [a, b] = [series.tops[index], series.bottoms?.[index] ?? series.tops[index]].map((value) => plot.valToPos(value, series.side));
  return top >= Math.min(a, b) && top <= Math.max(a, b) ? 0 : Math.min(Math.abs(a - top), Math.abs(b - top));
}

/** A real link under the pointer: it opens by click, middle click and Enter as any other. */
function follow(plot, state, link, left, top) {
  if (!link) {
    if (state.anchor) state.anchor.hidden = true;
    return;
  }
  if (!state.anchor?.isConnected || !plot.over.contains(state.anchor)) {
    state.anchor = h("a", { class: "point-link", draggable: "false", tabindex: "-1", onclick: (event) => { if (performance.now() - (state.zoomedAt ?? -Infinity) < DRAG_MS) event.preventDefault(); } });
    plot.over.append(state.anchor);
  }
  state.anchor.hidden = false;
  state.anchor.href = link.href;
  state.anchor.target = link.target ?? "";
  state.anchor.setAttribute("aria-label", link.title || "open");
  state.anchor.style.transform = `translate(${left}px, ${top}px)`;
}
