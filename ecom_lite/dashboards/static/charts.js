// What Plotly draws: time series, bar charts and pies.

import { h } from "./dom.js";
import { fieldSettings, titleOf } from "./fields.js";
import { currencySign, format } from "./format.js";
import { color, rgba, seriesColors } from "./theme.js";

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false, showTips: false };
const MAX_TICKS = 6;
const font = () => ({ family: getComputedStyle(document.body).fontFamily, size: 12, color: color("muted") });

// Plotly draws times as UTC: move them so that they read as this browser's clock.
const toClock = (ms) => ms - new Date(ms).getTimezoneOffset() * 60000;
const fromClock = (text) => { const ms = Date.parse(`${text.replace(" ", "T")}Z`); return ms + new Date(ms).getTimezoneOffset() * 60000; };

function layout(extra) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: font(), showlegend: false, margin: { l: 8, r: 8, t: 6, b: 22 },
    hoverlabel: { bgcolor: color("card"), bordercolor: color("line"), font: { ...font(), color: color("text"), size: 12.5 }, align: "left" },
    barcornerradius: 2, ...extra,
  };
}

function axis(extra) {
  return { gridcolor: color("line"), zeroline: false, linecolor: color("line"), automargin: true, fixedrange: true, ticklabelstandoff: 6, ...extra };
}

const DAY_MS = 86400000;
const clockFormat = (span) => (span < 5 * 60000 ? "%H:%M:%S" : span < 1.5 * DAY_MS ? "%H:%M" : span < 6 * DAY_MS ? "%a %H:%M" : "%b %-d");

/** Round tick values with their texts: Plotly cannot write our units. */
function ticks(max, settings) {
  if (!(max > 0)) return { tickvals: [0], ticktext: [format(0, settings, true)], range: [0, 1] };
  const raw = max / (MAX_TICKS - 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= raw);
  const tickvals = Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, index) => index * step);
  return { tickvals, ticktext: tickvals.map((value) => format(value, settings, true)), range: [0, tickvals.at(-1) * 1.001] };
}

const chartIn = (body, make) => body.querySelector(".chart") ?? (body.replaceChildren(...[make()].flat()), body.querySelector(".chart"));

function legend(body, names, colors, hidden, redraw) {
  const items = names.map((name, index) =>
    h("button", { "aria-pressed": String(!hidden.has(name)), title: "show or hide", onclick: () => { hidden.has(name) ? hidden.delete(name) : hidden.add(name); redraw(); } },
      h("span", { class: "swatch", style: { background: colors[index] } }), name));
  body.querySelector(".legend")?.replaceChildren(...items);
}

function colorsOf(panel, names) {
  const palette = seriesColors(names.filter((name) => fieldSettings(panel, name).color?.mode !== "fixed"));
  return names.map((name) => {
    const setting = fieldSettings(panel, name).color;
    return setting?.mode === "fixed" ? color(setting.fixedColor) : palette.shift();
  });
}

export function drawTimeseries(panel, answer, body, state) {
  const frame = answer.frames[0];
  const names = frame.columns.slice(1).map((column) => column.name);
  const colors = colorsOf(panel, names);
  const chart = chartIn(body, () => [h("div", { class: "chart" }), h("div", { class: "legend" })]);
  state.hidden ??= new Set();
  legend(body, names, colors, state.hidden, () => drawTimeseries(panel, answer, body, state));
  const x = frame.rows.map((row) => toClock(row[0]));
  const step = x.length > 1 ? Math.min(...x.slice(1).map((each, index) => each - x[index])) : (answer.to - answer.from) / 40;
  const settings = names.map((name) => fieldSettings(panel, name));
  const stacked = settings.some((each) => each.custom.stacking?.mode === "normal");
  const shown = names.map((name, index) => ({ name, index })).filter(({ name }) => !state.hidden.has(name));
  const traces = shown.map(({ name, index }) => {
    const { custom, unit, decimals } = settings[index];
    const y = frame.rows.map((row) => row[index + 1]);
    const common = {
      x, y, name: titleOf(panel, name), yaxis: custom.axisPlacement === "right" ? "y2" : "y",
      text: y.map((value) => format(value, { unit, decimals: decimals ?? (currencySign(unit) === null ? undefined : 2) })),
      hovertemplate: "%{text}", hoverinfo: "text+name",
    };
    if (custom.drawStyle === "bars") {
      return { ...common, type: "bar", marker: { color: rgba(colors[index], (custom.fillOpacity ?? 80) / 100) }, width: step * 0.8, offset: step * (custom.barAlignment === 1 ? 0.1 : -0.4), textposition: "none" };
    }
    const points = custom.showPoints === "always" || x.length < 3;
    return {
      ...common, type: "scatter", mode: points ? "lines+markers" : "lines", line: { color: colors[index], width: custom.lineWidth ?? 2, shape: "linear" },
      marker: { size: 6, color: colors[index] }, fill: custom.fillOpacity ? "tozeroy" : "none", fillcolor: rgba(colors[index], (custom.fillOpacity ?? 0) / 150),
    };
  });
  const highest = (side) => {
    const own = shown.filter(({ index }) => (settings[index].custom.axisPlacement === "right") === (side === "right"));
    const sums = frame.rows.map((row) => (stacked ? own.reduce((sum, { index }) => sum + (row[index + 1] ?? 0), 0) : Math.max(0, ...own.map(({ index }) => row[index + 1] ?? 0))));
    return Math.max(0, ...sums);
  };
  const left = settings.find((each) => each.custom.axisPlacement !== "right") ?? {};
  const right = settings.find((each) => each.custom.axisPlacement === "right");
  // A first start has minutes, a long range may have days: begin where the data begins when most of the range is empty.
  const start = x.length && x[0] - toClock(answer.from) > (answer.to - answer.from) * 0.3 ? x[0] - Math.max(step * 12, (x.at(-1) - x[0]) * 0.15) : toClock(answer.from);
  const centred = settings.some((each) => each.custom.drawStyle === "bars" && each.custom.barAlignment !== 1);
  const bars = traces.some((trace) => trace.type === "bar") && x.length > 0;
  // A bar at an edge is shown whole.
  const begins = bars ? Math.min(Math.max(start, toClock(answer.from)), x[0] - (centred ? step / 2 : 0)) : Math.max(start, toClock(answer.from));
  const ends = bars ? Math.max(toClock(answer.to), x.at(-1) + (centred ? step / 2 : step)) : toClock(answer.to);
  Plotly.react(chart, traces, layout({
    barmode: stacked ? "stack" : "overlay", hovermode: traces.length ? "x unified" : false, dragmode: "zoom",
    xaxis: axis({ type: "date", range: [begins, ends], showgrid: false, fixedrange: false, nticks: 9, tickformat: clockFormat(ends - begins), hoverformat: step >= DAY_MS ? "%a, %b %-d" : "%b %-d, %H:%M:%S" }),
    yaxis: axis({ ...ticks(highest("left"), { unit: left.unit, decimals: null }) }),
    ...(right ? { yaxis2: axis({ ...ticks(highest("right"), { unit: right.unit }), overlaying: "y", side: "right", showgrid: false }) } : {}),
  }), CONFIG);
  if (!state.zoomable) {
    state.zoomable = true;
    chart.on("plotly_relayout", (event) => {
      if (event["xaxis.range[0]"] !== undefined) {
        const [from, to] = ["xaxis.range[0]", "xaxis.range[1]"].map((key) => Math.round(fromClock(String(event[key]))));
        if (to - from > 1000) document.dispatchEvent(new CustomEvent("zoom", { detail: { from, to } }));
      }
    });
  }
}

export function drawBarchart(panel, answer, body, state) {
  const frame = answer.frames[0];
  const { orientation, xField, colorByField } = panel.options;
  const label = Math.max(0, frame.columns.findIndex((column) => column.name === xField));
  const fields = frame.columns.map((column, index) => ({ ...column, index })).filter((column) => column.kind === "number");
  const flat = orientation === "horizontal";
  const labels = frame.rows.map((row) => String(row[label]));
  const names = fields.map((field) => field.name);
  const chart = chartIn(body, () => [h("div", { class: "chart" }), h("div", { class: "legend" })]);
  state.hidden ??= new Set();
  const colors = colorByField ? seriesColors(labels) : colorsOf(panel, names);
  if (panel.options.legend?.showLegend) legend(body, names, colors, state.hidden, () => drawBarchart(panel, answer, body, state));
  const shown = fields.map((field, at) => ({ ...field, at })).filter((field) => !state.hidden.has(field.name));
  const max = Math.max(0, ...frame.rows.flatMap((row) => shown.map((field) => row[field.index] ?? 0)));
  const traces = shown.map((field) => {
    const settings = fieldSettings(panel, field.name);
    const values = frame.rows.map((row) => row[field.index]);
    const text = values.map((value) => format(value, settings, true));
    return {
      type: "bar", name: titleOf(panel, field.name), orientation: flat ? "h" : "v", x: flat ? values : labels, y: flat ? labels : values, text, textposition: "outside",
      cliponaxis: false, textfont: { color: color("text"), size: 12 }, hoverinfo: "skip", marker: { color: colorByField ? colors : colors[field.at], opacity: 0.9, cornerradius: 3 },
    };
  });
  // Plotly stacks the groups of a horizontal chart from below.
  if (flat) traces.reverse();
  const settings = fieldSettings(panel, names[0]);
  const value = axis({ ...ticks(max * 1.08, settings), showgrid: true });
  const category = axis({ type: "category", showgrid: false, categoryorder: "array", categoryarray: flat ? [...labels].reverse() : labels, tickfont: { ...font(), color: color("text"), size: 12.5 }, tickangle: flat ? 0 : "auto" });
  Plotly.react(chart, traces, layout({
    barmode: "group", bargap: 1 - (panel.options.groupWidth ?? 0.7), bargroupgap: 0.08, hovermode: false, dragmode: false, barcornerradius: 3,
    xaxis: flat ? value : category, yaxis: flat ? category : value, margin: { l: 8, r: flat ? 34 : 8, t: flat ? 4 : 16, b: 22 },
  }), CONFIG);
}

export function drawPie(panel, items, body) {
  const names = items.map((item) => item.name);
  const colors = colorsOf(panel, names);
  const total = items.reduce((sum, item) => sum + (item.value ?? 0), 0);
  const settings = fieldSettings(panel, items[0]?.field);
  const chart = chartIn(body, () => h("div", { class: "pie" }, h("div", { class: "chart" }), h("table", {}, h("tbody"))));
  const text = items.map((item) => format(item.value, settings));
  body.querySelector("tbody").replaceChildren(...items.map((item, index) =>
    h("tr", {}, h("td", {}, h("span", { class: "swatch", style: { background: colors[index] } }), item.name), h("td", { class: "right" }, text[index]))));
  Plotly.react(chart, [{
    type: "pie", labels: names, values: items.map((item) => item.value), text, hole: panel.options.pieType === "donut" ? 0.62 : 0, sort: false, direction: "clockwise",
    textinfo: "percent", textposition: "inside", insidetextorientation: "horizontal", textfont: { color: "#fff", size: 12.5 },
    marker: { colors, line: { color: color("card"), width: 2 } }, hovertemplate: "<b>%{label}</b><br>%{text} · %{percent}<extra></extra>",
  }], layout({
    margin: { l: 4, r: 4, t: 4, b: 4 }, uniformtext: { mode: "hide", minsize: 11 },
    annotations: panel.options.pieType === "donut" ? [{ text: `<b>${format(total, settings, total >= 10000)}</b>`, showarrow: false, font: { ...font(), size: 19, color: color("text") } }] : [],
  }), CONFIG);
}

export function resizeChart(body) {
  const chart = body.querySelector(".js-plotly-plot");
  if (chart?.offsetParent) Plotly.Plots.resize(chart);
}
