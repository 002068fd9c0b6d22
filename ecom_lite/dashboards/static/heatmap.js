// Heat maps: one column per moment (or name), one row per series, colour by value. Also cohorts.

import { h, svg } from "./dom.js";
import { display, extent, fieldSettings, shownColumns } from "./fields.js";
import { joined, stepOf } from "./frames.js";
import { linkOf, linkedSvg } from "./links.js";
import { textWidth } from "./scales.js";
import { color, inkOn, mix } from "./theme.js";
import { areDays, fullTime, isoDay, tickTime } from "./time.js";
import { hideTip, showTip, tipContent } from "./tooltip.js";

const SCHEMES = { Blues: "blue", Greens: "green", Oranges: "orange", Reds: "red", Purples: "purple", Greys: "text" };
const FOOT = 22;
const BAR = 30;
const LEAST_TEXT = 11;
const ROUND = [1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60, 120]; // labels every so many columns

export function drawHeatmap(panel, answer, body, _state, context) {
  const { names, labels, heads, values, links } = gridOf(panel, answer, context);
  const { color: look = {}, cellValues = {}, yAxis = {}, legend = {}, cellGap = 1 } = panel.options;
  const settings = { ...fieldSettings(panel, names[0] ?? ""), ...cellValues };
  const order = names.map((_, at) => at);
  if (!yAxis.reverse) order.reverse(); // as Grafana: the first row is the lowest
  const [low, high] = extent(values.flat());
  const [min, max] = [look.min ?? low, look.max ?? high];
  const shade = shadeOf(look, min, max);
  const width = Math.max(120, body.clientWidth - 28);
  const height = Math.max(60, body.clientHeight - 14);
  const rowNames = names.map((name) => fieldSettings(panel, name).displayName || name);
  const left = Math.ceil(Math.min(width * 0.35, Math.max(0, ...rowNames.map((name) => textWidth(name))))) + 8;
  const foot = FOOT + (legend.show === false ? 0 : BAR);
  const cell = { width: (width - left) / Math.max(1, labels.length), height: (height - foot) / Math.max(1, names.length) };
  const show = panel.options.showValue !== "never";
  const cells = order.flatMap((series, row) => labels.map((_, at) => {
    const value = values[series][at];
    if (value === null || value === undefined) return null;
    const [x, y] = [left + at * cell.width, row * cell.height];
    const fill = shade(value);
    const shape = svg("rect", { class: "cell", x: x + cellGap / 2, y: y + cellGap / 2, width: Math.max(0.5, cell.width - cellGap), height: Math.max(0.5, cell.height - cellGap), fill, rx: Math.min(2, cell.width / 6) });
    const text = display(value, settings, true);
    const fits = show && cell.height >= LEAST_TEXT + 4 && textWidth(text, LEAST_TEXT) + 4 <= cell.width;
    const link = links[series]?.(at);
    return svg("g", {}, linkedSvg(link, shape, `${rowNames[series]}, ${heads[at]}: ${text}`), fits ? svg("text", { class: "in-cell", x: x + cell.width / 2, y: y + cell.height / 2 + 4, "text-anchor": "middle", fill: inkOn(fill), "font-size": LEAST_TEXT }, text) : null);
  })).filter(Boolean);
  const picture = svg("svg", { class: "heatmap", width, height, role: links.some(Boolean) ? "group" : "img", "aria-label": `${panel.title}: ${names.length} rows by ${labels.length} columns, from ${display(low, settings)} to ${display(high, settings)}` },
    ...cells, ...order.map((series, row) => svg("text", { class: "tick", x: left - 6, y: (row + 0.5) * cell.height + 4, "text-anchor": "end" }, ...titled(rowNames[series], left - 8))),
    ...labelsOf(labels, left, cell.width, names.length * cell.height + 15), ...(legend.show === false ? [] : scaleBar(left, height - BAR + 12, Math.min(220, width - left), min, max, shade, settings)));
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const [at, row] = [Math.floor((event.clientX - box.left - left) / cell.width), Math.floor((event.clientY - box.top) / cell.height)];
    const value = values[order[row]]?.[at];
    if (value === null || value === undefined) return void hideTip();
    showTip(event.clientX, event.clientY, tipContent(heads[at], [{ color: shade(value), name: rowNames[order[row]], value: display(value, settings) }]));
  });
  picture.addEventListener("pointerleave", hideTip);
  body.replaceChildren(h("div", { class: "picture" }, picture));
}

/** Rows, columns and values of the answer: over time where there is a time, else by the first column. */
function gridOf(panel, answer, context) {
  const frame = answer.frames[0];
  const columns = shownColumns(panel, frame);
  const axis = columns.find(({ kind }) => kind === "time") ?? columns.find(({ kind }) => kind === "string") ?? columns[0];
  const linkFor = ({ settings, index, at }) => (settings.links?.length ? (row) => linkOf(settings, { frame: at ?? frame, row, column: index }, context) : null);
  if (axis?.kind === "time" && answer.frames.length > 1) {
    const { times, series } = joined(panel, answer.frames);
    return { names: series.map(({ name }) => name), ...timesOf(times), values: series.map(({ values }) => values), links: [] };
  }
  const others = columns.filter(({ kind, index }) => kind === "number" && index !== axis?.index);
  const along = frame.rows.map((row) => row[axis?.index]);
  const texts = axis?.kind === "time" ? timesOf(along) : { labels: along.map((value) => display(value, axis.settings)), heads: along.map((value) => `${axis.name} ${display(value, axis.settings)}`) };
  return { names: others.map(({ name }) => name), ...texts, values: others.map(({ index }) => frame.rows.map((row) => row[index])), links: others.map(linkFor) };
}

function timesOf(times) {
  const { step } = stepOf(times);
  const days = areDays(times);
  return { labels: times.map((ms) => (days ? isoDay(ms).slice(5) : tickTime(ms, step))), heads: times.map((ms) => (days ? isoDay(ms) : fullTime(ms, step))) };
}

function shadeOf({ scheme = "Blues", reverse = false, mode, fill, steps = 64 }, min, max) {
  const full = color(mode === "opacity" ? fill ?? "blue" : SCHEMES[scheme] ?? "blue");
  const faint = mix(color("card"), full, 0.12);
  return (value) => {
    const share = max > min ? (value - min) / (max - min) : 1;
    const stepped = Math.round(Math.max(0, Math.min(1, share)) * (steps - 1)) / (steps - 1);
    return mix(faint, full, reverse ? 1 - stepped : stepped);
  };
}

function shortened(text, room) {
  let kept = text;
  while (kept.length > 2 && textWidth(kept) > room) kept = `${kept.slice(0, -2)}…`;
  return kept;
}

function titled(text, room) {
  const kept = shortened(text, room);
  return kept === text ? [text] : [svg("title", {}, text), kept];
}

/** As many labels as stand beside each other without touching. */
function labelsOf(labels, left, wide, y) {
  const most = Math.max(1, ...labels.map((label) => textWidth(label))) + 12;
  const least = Math.max(1, Math.ceil(most / wide));
  const every = ROUND.find((each) => each >= least) ?? least;
  return labels.map((label, at) => (at % every === 0 && left + (at + 0.5) * wide + most / 2 - 6 <= left + labels.length * wide + 4
    ? svg("text", { class: "tick", x: left + (at + 0.5) * wide, y, "text-anchor": "middle" }, label) : null)).filter(Boolean);
}

function scaleBar(left, y, width, min, max, shade, settings) {
  const parts = Array.from({ length: 24 }, (_, at) => svg("rect", { x: left + (at * width) / 24, y, width: width / 24 + 0.5, height: 6, fill: shade(min + ((max - min) * at) / 23) }));
  return [...parts, svg("text", { class: "tick", x: left, y: y + 18 }, display(min, settings, true)), svg("text", { class: "tick", x: left + width, y: y + 18, "text-anchor": "end" }, display(max, settings, true))];
}
