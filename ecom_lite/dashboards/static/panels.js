// One drawing per panel type. `draw` is called with each new answer and updates what is there.

import { drawBarchart, drawPie, drawTimeseries, resizeChart } from "./charts.js";
import { h, svg } from "./dom.js";
import { fieldSettings, reduced, titleOf, valueSettings } from "./fields.js";
import { format } from "./format.js";
import { alpha, color, gradient, threshold } from "./theme.js";

const TWEEN_MS = 700;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Let a number run to its new value, so that a live figure looks alive. */
function run(element, from, to, write) {
  if (from === undefined || from === null || from === to || calm.matches || document.hidden) return void write(to);
  const begin = performance.now();
  element.tween = begin;
  const frame = (now) => {
    if (element.tween !== begin) return;
    const share = Math.min(1, (now - begin) / TWEEN_MS);
    write(share === 1 ? to : from + (to - from) * (1 - (1 - share) ** 3));
    if (share < 1) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

function colorOf(settings, value) {
  const mapped = (settings.mappings ?? []).map((mapping) => mapping.options[value]?.color).find(Boolean);
  if (mapped) return color(mapped);
  return settings.color?.mode === "thresholds" ? threshold(settings.thresholds?.steps, value) : color(settings.color?.fixedColor ?? "text");
}

function sparkline(values, stroke) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return null;
  const low = Math.min(0, ...known);
  const span = Math.max(...known) - low || 1;
  const points = known.map((value, index) => `${((index / (known.length - 1)) * 100).toFixed(2)},${(38 - ((value - low) / span) * 34).toFixed(2)}`);
  return svg("svg", { class: "spark", viewBox: "0 0 100 40", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("polygon", { points: `0,40 ${points.join(" ")} 100,40`, fill: stroke, opacity: 0.13 }),
    svg("polyline", { points: points.join(" "), fill: "none", stroke, opacity: 0.75, "stroke-width": 1.5, "vector-effect": "non-scaling-stroke", "stroke-linejoin": "round" }));
}

function drawStat(panel, answer, body, state) {
  const item = reduced(panel, answer.frames[0])[0];
  const settings = fieldSettings(panel, item.field);
  const shade = colorOf(settings, item.value);
  let number = body.querySelector(".value");
  if (!number) {
    number = h("div", { class: "value" });
    body.replaceChildren(h("div", { class: panel.options.graphMode === "area" ? "stat" : "stat alone" }, number));
  }
  number.style.color = shade;
  number.style.setProperty("--chars", String(Math.max(6, format(item.value, settings).length)));
  run(number, state.value, item.value, (value) => { number.textContent = format(value, settings); });
  state.value = item.value;
  body.querySelector(".spark")?.remove();
  const spark = panel.options.graphMode === "area" ? sparkline(item.all, shade) : null;
  if (spark) body.prepend(spark);
}

function drawBargauge(panel, answer, body) {
  const items = reduced(panel, answer.frames[0]);
  const max = Math.max(...items.map((item) => item.value ?? 0), 1e-9);
  const rows = items.flatMap((item) => {
    const settings = valueSettings(panel, item);
    const [from, to] = gradient(settings.color);
    const share = `${Math.max(0, Math.min(1, (item.value ?? 0) / (settings.max ?? max))) * 100}%`;
    return [
      h("div", { class: "name", title: item.name }, item.name),
      h("div", { class: "track" }, h("div", { class: "fill", style: { "--share": share, "--from": from, "--to": to } })),
      h("div", { class: "number" }, format(item.value, settings)),
    ];
  });
  keepScroll(body, ".bars", h("div", { class: "bars" }, ...rows));
}

function drawTable(panel, answer, body) {
  const { columns, rows } = answer.frames[0];
  const settings = columns.map((column) => fieldSettings(panel, column.name));
  const most = columns.map((_, index) => Math.max(...rows.map((row) => (typeof row[index] === "number" ? row[index] : 0)), 1e-9));
  const right = (index) => columns[index].kind === "number" && settings[index].custom.cellOptions?.type !== "gauge";
  const head = columns.map((column, index) => h("th", { class: right(index) ? "right" : null, scope: "col", style: settings[index].custom.width ? { width: `${settings[index].custom.width}px` } : {} }, titleOf(panel, column.name)));
  const lines = rows.map((row) => h("tr", {}, ...row.map((value, index) => cell(value, columns[index], settings[index], most[index], right(index)))));
  keepScroll(body, ".scroll", h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...lines))));
}

function cell(value, column, settings, most, right) {
  const text = column.kind === "time" ? format(value, { unit: "dateTimeAsIso" }) : format(value, settings);
  const kind = settings.custom.cellOptions?.type ?? "auto";
  if (kind === "gauge") {
    const share = `${((value ?? 0) / (settings.max ?? most)) * 100}%`;
    return h("td", {}, h("div", { class: "meter" }, h("i", { style: { "--share": share, "--color": colorOf(settings, value) } }), h("span", {}, text)));
  }
  const shade = kind === "auto" ? null : colorOf(settings, value);
  const style = kind === "color-text" ? { color: shade } : kind === "color-background" ? { background: alpha(shade, 0.25) } : {};
  return h("td", { class: right ? "right" : null, style, title: text }, text);
}

function drawText(panel, _answer, body) {
  const blocks = String(panel.options.content ?? "").split(/\n{2,}/);
  body.replaceChildren(h("div", { class: "prose" }, ...blocks.map((block) => (block.startsWith("#") ? h("h3", {}, block.replace(/^#+\s*/, "")) : h("p", {}, block)))));
}

function keepScroll(body, selector, fresh) {
  const top = body.querySelector(selector)?.scrollTop ?? 0;
  body.replaceChildren(fresh);
  fresh.scrollTop = top;
}

const DRAWINGS = {
  stat: drawStat,
  timeseries: drawTimeseries,
  barchart: drawBarchart,
  piechart: (panel, answer, body) => drawPie(panel, reduced(panel, answer.frames[0]), body),
  table: drawTable,
  bargauge: drawBargauge,
  text: drawText,
};

/** Draw `answer` into `body`; `state` is the panel's own memory between calls. */
export function draw(panel, answer, body, state) {
  DRAWINGS[panel.type](panel, answer, body, state);
}

export const resize = resizeChart;
