// Bar charts as SVG: upright or lying, grouped or stacked, with labels that can always be read.

import { h, svg } from "./dom.js";
import { colorOf, colorsOf, colorsOfValues, display, extent, shownColumns } from "./fields.js";
import { stack, stepOf } from "./frames.js";
import { chartWithLegend, drawLegend } from "./legend.js";
import { linkOf, linkedSvg } from "./links.js";
import { textWidth, tickDecimals, unitTicks, wrapped } from "./scales.js";
import { color, isContinuous } from "./theme.js";
import { areDays, isoDay, tickTime } from "./time.js";
import { tipContent, withTip } from "./tooltip.js";

const TEXT = 12;
const LINE = 15;
const LEAST_BAR = 3;
const LEAST_BAND = 20;
const WIDEST_LABEL = 0.45; // of a lying chart

export function drawBarchart(panel, answer, body, state, context) {
  const [chart, legend] = chartWithLegend(body, panel.options.legend);
  state.hidden ??= new Set();
  const model = modelOf(panel, answer, state.hidden);
  drawLegend(legend, model.fields, panel.options.legend, state.hidden, () => drawBarchart(panel, answer, body, state, context));
  if (!model.labels.length) return void chart.replaceChildren(h("div", { class: "note" }, "No data"));
  const size = { width: Math.max(120, chart.clientWidth), height: Math.max(60, chart.clientHeight) };
  const upright = panel.options.orientation !== "horizontal" && uprightLayout(model, size);
  const layout = upright || lyingLayout(model, size);
  chart.classList.toggle("scrolls", layout.height > size.height);
  const most = model.labels.map((label, at) => `${label} ${model.shown.map((field) => display(field.values[at], field.settings)).join(" / ")}`);
  const linked = model.fields.some(({ settings }) => settings.links?.length);
  const picture = svg("svg", {
    width: layout.width, height: layout.height, role: linked ? "group" : "img",
    "aria-label": `${panel.title}: ${model.labels.length} bars of ${model.fields.map(({ title }) => title).join(", ")}; ${most.slice(0, 3).join(", ")}`,
  }, ...gridOf(model, layout), ...barsOf(panel, model, layout, context));
  chart.replaceChildren(picture);
}

function modelOf(panel, answer, hidden) {
  const frame = answer.frames[0];
  const { xField, colorByField, stacking = "none" } = panel.options;
  const columns = shownColumns(panel, frame);
  const label = columns.find(({ name }) => name === xField) ?? columns.find(({ kind }) => kind === "string") ?? columns.find(({ kind }) => kind === "time") ?? columns[0];
  const names = columns.filter(({ kind, index }) => kind === "number" && index !== label?.index);
  const colors = colorsOf(panel, names.map(({ name }) => name));
  const before = answer.previous?.[0];
  const fields = names.map((column, at) => {
    const values = frame.rows.map((row) => row[column.index]);
    const by = colorByField ? colorsBy(panel, frame, columns.find(({ name }) => name === colorByField)) : column.settings.color?.mode === "thresholds" || isContinuous(column.settings.color?.mode)
      ? values.map((value) => colorOf(column.settings, value, column.name, extent(values))) : null;
    return { ...column, title: column.settings.displayName || column.name, values, color: colors[at], colors: by, before: before && label ? beforeOf(frame, before, label.index, column.index) : null };
  });
  const shown = fields.filter(({ name }) => !hidden.has(name));
  const piles = stacking === "none" ? null : stack(shown, frame.rows.length, stacking === "percent");
  const ends = piles ? piles.flatMap(({ tops, bottoms }) => [...tops, ...bottoms]) : shown.flatMap(({ values, before: earlier }) => [...values, ...(earlier ?? [])]);
  const [low, high] = extent(ends);
  const first = shown[0]?.settings ?? {};
  const settings = stacking === "percent" ? { unit: "percentunit" } : first;
  return { frame, labels: label ? textsOf(frame, label) : [], fields, shown, piles, settings, options: panel.options, low: Math.min(0, first.min ?? low, low), high: Math.max(0, first.max ?? high, high) };
}

function beforeOf(frame, before, label, column) {
  const earlier = new Map(before.rows.map((row) => [String(row[label]), row[column]]));
  return frame.rows.map((row) => earlier.get(String(row[label])) ?? null);
}

function textsOf(frame, { index, kind, settings }) {
  const values = frame.rows.map((row) => row[index]);
  if (kind !== "time") return values.map((value) => display(value, settings));
  const { step } = stepOf(values);
  return values.map((value) => (areDays(values) ? isoDay(value).slice(5) : tickTime(value, step)));
}

function colorsBy(panel, frame, column) {
  if (!column) return null;
  const values = frame.rows.map((row) => row[column.index]);
  if (column.kind === "number") return values.map((value) => colorOf(column.settings, value, column.name, extent(values)));
  return colorsOfValues(panel, values.map(String)).map((shade, at) => (column.settings.mappings ? colorOf({ ...column.settings, color: { mode: "fixed", fixedColor: shade } }, values[at]) : shade));
}

const valueText = (model, field, at) => display(field.values[at], field.settings, true);
const lanes = ({ shown, piles }) => (piles ? 1 : Math.max(1, shown.length));

function axisOf(model, room, tick) {
  const ticks = unitTicks(model.settings.unit, model.low, model.high, Math.max(1, Math.min(6, Math.floor(room / tick))));
  const decimals = tickDecimals(ticks.step, model.settings.unit);
  return { ...ticks, texts: ticks.values.map((value) => display(value, { ...model.settings, mappings: [], decimals }, true)) };
}

/** Upright bars, or null where a label would not fit under its bar. */
function uprightLayout(model, { width, height }) {
  const count = model.labels.length;
  const showing = model.options.showValue !== "never";
  const axis = axisOf(model, height - 60, 42);
  const left = Math.ceil(Math.max(...axis.texts.map((text) => textWidth(text)))) + 8;
  const band = (width - left - 4) / count;
  if (band / lanes(model) < LEAST_BAR * 2) return null;
  const lines = model.labels.map((label) => wrapped(label, band - 6, TEXT, 3));
  if (lines.includes(null)) return null;
  const under = showing && model.low < 0 ? LINE : 0; // for the numbers of negative bars
  const foot = Math.max(...lines.map((each) => each.length)) * LINE + 8 + under;
  const head = showing ? 18 : 8;
  if (height - foot - head < 40) return null;
  return { upright: true, width, height, axis, lines, band, left, right: 4, head, foot, under, lane: (band * (model.options.groupWidth ?? 0.7)) / lanes(model), thick: model.options.barWidth ?? 0.97 };
}

/** Lying bars, as many as there are: what does not fit is scrolled to. */
function lyingLayout(model, { width, height }) {
  const count = model.labels.length;
  const axis0 = axisOf(model, width * 0.55, 80);
  const showing = model.options.showValue !== "never" && lanes(model) * 13 < Math.max(LEAST_BAND, (height - 24) / count) * 1.2;
  const values = showing ? Math.max(...model.shown.flatMap((field) => field.values.map((_, at) => textWidth(valueText(model, field, at)))), 0) + 8 : 10;
  const wide = Math.max(...model.labels.map((label) => textWidth(label, TEXT)));
  const room = Math.min(wide, width * WIDEST_LABEL) + 1;
  const lines = model.labels.map((label) => wrapped(label, room, TEXT, 2) ?? [shortened(label, room)]);
  const tall = Math.max(LEAST_BAND, Math.max(...lines.map((each) => each.length)) * LINE + 4, lanes(model) * 9 + 6);
  const band = Math.max(tall, (height - 24) / count);
  return {
    upright: false, width, height: Math.max(height, band * count + 24), axis: axis0, lines, band, left: Math.ceil(room) + 10, right: Math.ceil(values), head: 2, foot: 22,
    lane: (Math.min(band, 64) * (model.options.groupWidth ?? 0.7)) / lanes(model), thick: model.options.barWidth ?? 0.97, showing,
  };
}

function shortened(text, width) {
  let kept = text;
  while (kept.length > 1 && textWidth(`${kept}…`) > width) kept = kept.slice(0, -1);
  return `${kept}…`;
}

function gridOf(model, layout) {
  const { axis, width, height, left, right, head, foot, upright } = layout;
  const along = scaleOf(layout);
  return axis.values.flatMap((value, at) => {
    const place = along(value);
    const stroke = value === 0 ? color("faint") : color("line");
    return upright
      ? [svg("line", { x1: left, x2: width - right, y1: place, y2: place, stroke }), svg("text", { x: left - 6, y: place + 4, "text-anchor": "end", class: "tick" }, axis.texts[at])]
      : [svg("line", { x1: place, x2: place, y1: head, y2: height - foot, stroke }), svg("text", { x: place, y: height - 6, "text-anchor": place + textWidth(axis.texts[at]) / 2 > width ? "end" : "middle", class: "tick" }, axis.texts[at])];
  });
}

function scaleOf({ axis, width, height, left, right, head, foot, upright }) {
  const share = (value) => (value - axis.low) / (axis.high - axis.low || 1);
  return upright ? (value) => height - foot - share(value) * (height - head - foot) : (value) => left + share(value) * (width - left - right);
}

function barsOf(panel, model, layout, context) {
  const { upright, band, left, lane, thick, head, height, width, right, foot } = layout;
  const along = scaleOf(layout);
  const count = lanes(model);
  return model.labels.map((label, at) => {
    const begins = (upright ? left : head) + band * at + (band - lane * count) / 2;
    const parts = [upright
      ? svg("rect", { x: left + band * at, y: head, width: band, height: height - head - foot, fill: "transparent" })
      : svg("rect", { x: 0, y: head + band * at, width, height: band, fill: "transparent" })];
    parts.push(labelOf(layout, at, label));
    const texts = [];
    model.shown.forEach((field, index) => {
      const value = field.values[at];
      if (value === null || value === undefined) return;
      const [from, to] = model.piles ? [model.piles[index].bottoms[at], model.piles[index].tops[at]] : [0, value];
      const [a, b] = [along(from), along(to)];
      const cross = begins + (model.piles ? 0 : lane * index) + (lane * (1 - thick)) / 2;
      const long = Math.max(value === 0 ? 0 : 1, Math.abs(a - b));
      const box = upright ? { x: cross, y: Math.min(a, b), width: lane * thick, height: long } : { x: Math.min(a, b), y: cross, width: long, height: lane * thick };
      const link = linkOf(field.settings, { frame: model.frame, row: at, column: field.index, text: display(value, field.settings) }, context);
      const shape = svg("rect", { class: "bar", ...box, rx: model.piles ? 0 : Math.min(3, lane / 3), fill: field.colors?.[at] ?? field.color, "fill-opacity": (field.settings.custom.fillOpacity ?? 85) / 100 });
      parts.push(linkedSvg(link, shape, `${label}, ${field.title}: ${display(value, field.settings)}`));
      if (field.before?.[at] != null && !model.piles) parts.push(beforeMark(upright, along(field.before[at]), cross, lane * thick));
      if (!model.piles) texts.push(...numberOf(model, layout, field, at, { a, b, cross }));
    });
    const rows = model.shown.flatMap((field) => [
      { color: field.colors?.[at] ?? field.color, name: field.title, value: display(field.values[at], field.settings) },
      ...(field.before?.[at] != null ? [{ name: `${field.title}, before`, value: display(field.before[at], field.settings), pale: true }] : []),
    ]);
    return withTip(svg("g", {}, ...parts, ...texts), () => tipContent(label, rows));
  });
}

function labelOf({ upright, band, left, head, height, foot, under, lines }, at, label) {
  const [x, y] = upright ? [left + band * (at + 0.5), height - foot + under + LINE] : [left - 10, head + band * (at + 0.5) + 4 - ((lines[at].length - 1) * LINE) / 2];
  return svg("text", { class: "label", "text-anchor": upright ? "middle" : "end" }, lines[at].join(" ") === label ? null : svg("title", {}, label),
    ...lines[at].map((each, line) => svg("tspan", { x, y: y + line * LINE }, each)));
}

/** The number at a bar's end, where it fits at a size that can be read. */
function numberOf(model, layout, field, at, { a, b, cross }) {
  const { upright, lane, showing, band } = layout;
  if (model.options.showValue === "never") return [];
  const text = valueText(model, field, at);
  const size = [TEXT, 11].find((each) => (upright ? textWidth(text, each) <= Math.max(lane, lanes(model) === 1 ? band - 2 : 0) : showing && lane >= each));
  if (!size) return [];
  const negative = field.values[at] < 0;
  const earlier = field.before?.[at] != null ? [scaleOf(layout)(field.before[at])] : [];
  return [upright
    ? svg("text", { class: "number", x: cross + lane / 2, y: negative ? Math.max(a, b, ...earlier) + 13 : Math.min(a, b, ...earlier) - 5, "text-anchor": "middle", "font-size": size }, text)
    : svg("text", { class: "number", x: Math.max(a, b, ...earlier) + 5, y: cross + lane / 2 + size * 0.34, "font-size": size }, text)];
}

function beforeMark(upright, place, cross, thick) {
  return upright
    ? svg("line", { class: "before", x1: cross, x2: cross + thick, y1: place, y2: place, stroke: color("text") })
    : svg("line", { class: "before", x1: place, x2: place, y1: cross, y2: cross + thick, stroke: color("text") });
}
