// Time series by uPlot: lines and columns, stacked or not, on two axes, with thresholds, annotations and the period before.

import { h } from "./dom.js";
import { colorsOf, display, titleOf } from "./fields.js";
import { currencySign } from "./format.js";
import { join, joined, rowAt, stack, stepOf } from "./frames.js";
import { chartWithLegend, drawLegend } from "./legend.js";
import { linkOf } from "./links.js";
import { columnPaths, fillOf, linePaths } from "./paths.js";
import { fontOf, textWidth, tickDecimals, unitTicks } from "./scales.js";
import { alpha, color, thresholdSteps } from "./theme.js";
import { tickTime, zoneName } from "./time.js";
import { placeMarks, thresholdAreas, timeMarks } from "./timemarks.js";
import { showPoint, hidePoint } from "./timepoint.js";
import uPlot from "./uplot.js";

const MOST_EMPTY = 0.3; // of the range, before the axis begins where the data does
const LEAST_ZOOM_MS = 1000;
const LEAST_DRAG_PX = 6;
const TICK_PX = 42;
const plots = new Set(); // those that listen to each other's cursor

export function drawTimeseries(panel, answer, body, state, context) {
  const [chart, legend] = chartWithLegend(body, panel.options.legend);
  state.hidden ??= new Set();
  const model = modelOf(panel, answer, state.hidden, context);
  drawLegend(legend, model.all, panel.options.legend, state.hidden, () => drawTimeseries(panel, answer, body, state, context));
  const { clientWidth, clientHeight } = chart;
  const size = { width: Math.max(120, clientWidth), height: Math.max(60, clientHeight) };
  setScales(model, size.height);
  state.model = model;
  if (state.plot && state.plot.root.isConnected && state.made === model.signature) {
    if (state.plot.width !== size.width || state.plot.height !== size.height) state.plot.setSize(size);
    state.plot.setData(model.data);
  } else {
    for (const plot of plots) if (!plot.root.isConnected || plot === state.plot) (plot.destroy(), plots.delete(plot));
    state.plot = new uPlot({ ...optionsOf(panel, state, context), ...size }, model.data, chart);
    state.made = model.signature;
    plots.add(state.plot);
    state.plot.over.tabIndex = 0;
    state.plot.over.setAttribute("role", "group");
    state.plot.over.setAttribute("aria-label", "Points over time: arrow keys move along them");
    state.plot.ctx.canvas.setAttribute("role", "img");
  }
  state.plot.ctx.canvas.setAttribute("aria-label", sentence(panel, model));
  placeMarks(state.plot, model.marks);
}

export function resizeTimeseries(body, state) {
  const chart = body.querySelector(".chart");
  if (!state.plot?.root.isConnected || !chart?.clientWidth) return;
  setScales(state.model, chart.clientHeight);
  state.plot.setSize({ width: Math.max(120, chart.clientWidth), height: Math.max(60, chart.clientHeight) });
  placeMarks(state.plot, state.model.marks);
}

function sentence(panel, { all, times }) {
  const newest = all.map(({ title, values, settings }) => {
    const value = values.findLast((each) => each !== null && each !== undefined);
    return value === undefined ? null : `${title} ${display(value, settings)}`;
  }).filter(Boolean);
  const few = newest.slice(0, 4).join(", ") + (newest.length > 4 ? " and others" : "");
  return `${panel.title}: ${all.length} series, ${times.length} points${few ? `, newest ${few}` : ""}`;
}

/** What is drawn: series of now and before over one axis of times, stacked where they are to be. */
function modelOf(panel, answer, hidden, context = {}) {
  const now = joined(panel, answer.frames);
  const names = now.series.map(({ name }) => name);
  const colors = colorsOf(panel, names);
  const firstUnit = now.series[0]?.settings.unit;
  const all = now.series.map((each, at) => {
    const { settings } = each;
    const placed = settings.custom.axisPlacement ?? "auto";
    const side = placed === "right" || (placed === "auto" && (settings.unit ?? "") !== (firstUnit ?? "")) ? "right" : "left";
    // Figures of money that people compare have their cents, all or none.
    const shown = { ...settings, decimals: settings.decimals ?? (currencySign(settings.unit) === null ? undefined : 2) };
    return { ...each, title: titleOf(panel, each.name), color: colors[at], side, kind: settings.custom.drawStyle ?? "line", settings: shown };
  });
  const visible = all.filter(({ name }) => !hidden.has(name));
  const stacking = all.find(({ settings }) => ["normal", "percent"].includes(settings.custom.stacking?.mode))?.settings.custom.stacking.mode;
  const before = previous(panel, answer, visible, stacking);
  const { times, series } = visible.length + before.length ? join([...visible, ...before]) : { times: [], series: [] };
  const drawn = series.map((each) => ({ ...each, raw: each.values, tops: each.values, bottoms: null }));
  if (stacking) {
    for (const side of ["left", "right"]) {
      const group = drawn.filter((each) => !each.before && each.side === side);
      stack(group, times.length, stacking === "percent").forEach((each, at) => Object.assign(group[at], each));
    }
  }
  const { step } = stepOf(now.times.length > 1 ? now.times : times);
  const stepMs = step || (answer.to - answer.from) / 40;
  const model = { panel, all, times, drawn, stacking, stepMs, regularTimes: now.times, answer, context };
  model.data = [times, ...drawn.map(({ tops }) => tops)];
  model.after = drawn.some(({ kind, settings }) => kind === "bars" && settings.custom.barAlignment === 1);
  Object.assign(model, rangeOf(model, answer));
  model.marks = (context.annotations ?? []).filter(({ at, end }) => (end ?? at) >= model.begins && at <= model.ends);
  model.signature = JSON.stringify([color("card"), zoneName(), drawn.map(({ name, color: shade, side, before: pale }) => [name, shade, side, pale])]);
  return model;
}

/** The range before, already moved into this one: each line pale and dashed, or one for the whole stack. */
function previous(panel, answer, visible, stacking) {
  const { times, series } = joined(panel, answer.previous ?? []);
  const known = new Map(visible.map((each) => [each.name, each]));
  const found = series.filter(({ name }) => known.has(name));
  if (stacking && found.length) {
    const values = times.map((_, at) => found.reduce((sum, each) => (each.values[at] == null ? sum : (sum ?? 0) + (stacking === "percent" ? 0 : each.values[at])), undefined));
    return stacking === "percent" ? [] : [{ ...known.get(found[0].name), name: "before", title: "Before", color: color("muted"), times, values, kind: "line", before: true }];
  }
  return found.map((each) => ({ ...known.get(each.name), title: `${known.get(each.name).title}, before`, times, values: each.values, kind: "line", before: true }));
}

/** Where the axis of times begins and ends. */
function rangeOf({ times, stepMs, drawn, after, regularTimes }, { from, to }) {
  const [first, last] = [times[0], times.at(-1)];
  let [begins, ends] = [from, to];
  if (!times.length) return { begins, ends };
  const own = regularTimes[0] ?? first;
  // A first start has minutes, a long range may have days: begin where the data begins when most of the range is empty.
  if (own - from > (to - from) * MOST_EMPTY && !drawn.some((each) => each.before)) begins = Math.max(from, own - Math.max(stepMs * 12, (last - own) * 0.15));
  if (drawn.some(({ kind }) => kind === "bars")) { // a column at an edge is shown whole
    begins = Math.min(begins, first - (after ? 0 : stepMs / 2));
    ends = Math.max(ends, last + (after ? stepMs : stepMs / 2));
  }
  return { begins, ends };
}

/** Ticks and range of the two value axes, for a plot of this height. */
function setScales(model, height) {
  for (const side of ["left", "right"]) {
    const own = model.drawn.filter((each) => each.side === side);
    let [low, high] = [Infinity, -Infinity];
    for (const { tops, bottoms } of own) {
      for (const values of bottoms ? [tops, bottoms] : [tops]) for (const value of values) if (value != null) [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
    if (low > high) [low, high] = [0, 0];
    const fromZero = own.some(({ kind, settings, bottoms }) => kind === "bars" || bottoms || settings.custom.fillOpacity);
    const given = (key) => own.map(({ settings }) => settings[key]).find((value) => value !== undefined && value !== null);
    const soft = (key) => own.map(({ settings }) => settings.custom[key]).find((value) => value !== undefined && value !== null);
    const steps = own.flatMap(({ settings }) => (thresholdMode(settings) === "off" ? [] : thresholdSteps(settings))).map((step) => step.value).filter(Number.isFinite);
    for (const value of steps) if (value > 0 && value <= high * 2) high = Math.max(high, value); // a target that is near is seen
    if (fromZero || low === high) [low, high] = [Math.min(0, low), Math.max(0, high)];
    [low, high] = [Math.min(low, soft("axisSoftMin") ?? low), Math.max(high, soft("axisSoftMax") ?? high)];
    const settings = own.find((each) => !each.before)?.settings ?? {};
    const fixed = { low: given("min"), high: given("max") };
    if (model.stacking === "percent") Object.assign(fixed, { low: 0, high: 1 });
    const unit = model.stacking === "percent" ? "percentunit" : settings.unit;
    const ticks = unitTicks(unit, fixed.low ?? low, Math.max(high, fixed.low ?? -Infinity), Math.max(1, Math.min(6, Math.floor((height - 30) / TICK_PX))), fixed);
    const texts = ticks.values.map((value) => display(value, { unit, decimals: tickDecimals(ticks.step, unit) }, true));
    const log = own.length > 0 && settings.custom?.scaleDistribution?.type === "log";
    model[side] = { ...ticks, texts, settings, unit, own, log, lowest: Math.max(1e-9, Math.min(...own.flatMap(({ tops }) => tops.filter((value) => value > 0)), high || 1)) };
  }
}

const thresholdMode = (settings) => settings.custom?.thresholdsStyle?.mode ?? "off";

function optionsOf(panel, state, context) {
  const current = () => state.model;
  const { drawn } = current();
  const axis = { stroke: color("muted"), font: fontOf(12), labelFont: fontOf(12), labelSize: 18, gap: 5, ticks: { show: false }, border: { show: false } };
  const valueAxis = (side) => ({
    ...axis, scale: side, side: side === "left" ? 3 : 1, label: current()[side].settings.custom?.axisLabel || null,
    show: current()[side].own.length > 0 && current()[side].settings.custom?.axisPlacement !== "hidden",
    grid: { show: side === "left" || !current().left.own.length, stroke: color("line"), width: 1 },
    size: (_, texts) => Math.ceil(Math.max(0, ...(texts ?? []).map((text) => textWidth(text ?? "")))) + 10,
    ...(current()[side].log
      ? { values: (_, splits) => splits.map((value) => (value === null ? "" : display(value, { unit: current()[side].unit }, true))) }
      : { splits: () => current()[side].values, values: () => current()[side].texts }),
  });
  const scale = (side) => (current()[side].log
    ? { distr: 3, range: () => [10 ** Math.floor(Math.log10(current()[side].lowest)), 10 ** Math.ceil(Math.log10(Math.max(current()[side].high, current()[side].lowest * 10)))] }
    : { range: () => [current()[side].low, current()[side].high] });
  const zone = zoneName();
  return {
    ms: 1, padding: [8, current().right.own.length ? 0 : 20, 0, 0], legend: { show: false },
    tzDate: zone ? (ms) => uPlot.tzDate(new Date(ms), zone) : (ms) => new Date(ms),
    scales: { x: { time: true, range: () => [current().begins, current().ends] }, left: scale("left"), right: scale("right") },
    axes: [
      { ...axis, grid: { show: false }, ticks: { show: true, size: 4, stroke: color("line"), width: 1 }, size: 28, space: 76, values: timeTexts },
      valueAxis("left"), valueAxis("right"),
    ],
    series: [{}, ...drawn.map((each, at) => seriesOptions(each, at, current))],
    bands: bandsOf(current()),
    cursor: {
      drag: { x: true, y: false, setScale: false, dist: LEAST_DRAG_PX }, y: false, bind: { dblclick: () => null },
      sync: { key: `ecom_lite ${context?.uid ?? ""}`, scales: ["x", null], setSeries: false, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
      dataIdx: (_, at, index, when) => indexAt(current(), at, index, when),
      points: { show: (_, at) => (drawn[at - 1].kind === "bars" ? h("span", { hidden: "" }) : undefined), size: 8, width: 2, stroke: color("card"), fill: (_, at) => drawn[at - 1].color },
    },
    hooks: {
      drawClear: [(plot) => thresholdAreas(plot, current())],
      draw: [(plot) => timeMarks(plot, current())],
      setCursor: [(plot) => showPoint(plot, state, pointLink(panel, context))],
      setSelect: [(plot) => zoom(plot, state)],
      ready: [(plot) => watchKeys(plot, state)],
    },
  };
}

function seriesOptions(series, at, current) {
  const { custom } = series.settings;
  const bars = series.kind === "bars";
  const width = bars ? 0 : series.before ? 1.5 : custom.lineWidth ?? 2;
  const always = !bars && !series.before && (custom.showPoints === "always" || series.kind === "points");
  const few = () => current().times.length < 3;
  return {
    scale: series.side, stroke: series.before ? alpha(series.color, 0.65) : series.color, width,
    dash: series.before ? [5, 4] : custom.lineStyle?.fill === "dash" ? custom.lineStyle.dash ?? [8, 6] : undefined,
    fill: series.before ? undefined : fillOf(series, bars ? (custom.fillOpacity ?? 80) / 100 : (custom.fillOpacity ?? 0) / 140),
    paths: bars ? columnPaths(current, at) : series.kind === "points" ? () => null : linePaths(custom),
    spanGaps: custom.spanNulls === true,
    points: {
      show: () => !bars && (always || few()), size: always ? custom.pointSize ?? 6 : 6, width: 0, fill: series.color, stroke: series.color,
      filter: (_, __, show) => (bars || show ? null : lonely(current().drawn[at].tops)),
    },
  };
}

/** Texts of the axis of times, without one that would stand over its edge. */
function timeTexts(plot, splits, _, __, step) {
  const room = plot.width - plot.bbox.left / devicePixelRatio;
  return splits.map((ms) => {
    const text = tickTime(ms, step);
    return plot.valToPos(ms, "x") + textWidth(text) / 2 > room ? "" : text;
  });
}

/** Points with no neighbour, which no line would show. */
function lonely(values) {
  const found = [];
  const none = (value) => value === null || value === undefined;
  for (let at = 0; at < values.length; at += 1) {
    if (none(values[at])) continue;
    let [left, right] = [at - 1, at + 1];
    while (values[left] === undefined && left >= 0) left -= 1;
    while (values[right] === undefined && right < values.length) right += 1;
    if (none(values[left]) && none(values[right])) found.push(at);
  }
  return found.length ? found : null;
}

/** Areas of a stack stand on the one below; `fillBelowTo` fills down to another line. */
function bandsOf({ drawn }) {
  const bands = [];
  drawn.forEach((series, at) => {
    if (series.before || series.kind === "bars") return;
    const below = series.bottoms ? drawn.findLastIndex((each, other) => other < at && !each.before && each.side === series.side && each.bottoms) : -1;
    if (below >= 0 && series.settings.custom.fillOpacity) bands.push({ series: [at + 1, below + 1] });
    const target = drawn.findIndex((each) => !each.before && each.name === series.settings.custom.fillBelowTo);
    if (target >= 0) bands.push({ series: [at + 1, target + 1], fill: alpha(series.color, (series.settings.custom.fillOpacity || 20) / 140) });
  });
  return bands;
}

/** Which of a series' values the cursor means: the column that it stands on, or the series' own time that is nearest. */
function indexAt({ times, data, after, stepMs }, at, index, when) {
  let found = index;
  if (after) while (found > 0 && times[found] > when) found -= 1;
  const values = data[at];
  if (values[found] !== undefined) return found;
  for (const step of [1, 2, 3]) for (const other of [found - step, found + step]) if (values[other] !== undefined && Math.abs(times[other] - times[found]) <= stepMs) return other;
  return null;
}

const pointLink = (panel, context) => (series, index, time) =>
  series.before ? null : linkOf(series.settings, { frame: series.frame, column: series.column, row: rowAt(series.frame, time), text: display(series.raw[index], series.settings), series: series.title, time }, context);

function zoom(plot, state) {
  const { left, width } = plot.select;
  if (width < LEAST_DRAG_PX) return;
  const [from, to] = [left, left + width].map((at) => Math.round(plot.posToVal(at, "x")));
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  state.zoomedAt = performance.now();
  hidePoint(state);
  if (to - from > LEAST_ZOOM_MS) document.dispatchEvent(new CustomEvent("zoom", { detail: { from, to } }));
}

/** Arrow keys walk over the points, Enter follows the point's link. */
function watchKeys(plot, state) {
  plot.over.addEventListener("keydown", (event) => {
    const { times } = state.model;
    if (event.target !== plot.over || !times.length) return;
    if (event.key === "Enter" && state.anchor?.href) return void state.anchor.click();
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape" || !step) return void (event.key === "Escape" && hidePoint(state));
    event.preventDefault();
    event.stopPropagation();
    const last = times.length - 1;
    state.at = Math.max(0, Math.min(last, (plot.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step));
    state.byKeyboard = true;
    plot.setCursor({ left: plot.valToPos(times[state.at], "x") + (state.model.after ? 1 : 0), top: plot.over.clientHeight / 2 });
  });
  plot.over.addEventListener("blur", () => { state.byKeyboard = false; hidePoint(state); });
  plot.over.addEventListener("pointerenter", () => { state.byKeyboard = false; });
  plot.over.addEventListener("pointerleave", () => hidePoint(state));
}
