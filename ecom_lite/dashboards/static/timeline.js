// State timelines: one lane per series, one block as long as a state lasts.

import { h, svg } from "./dom.js";
import { colorOf, display, extent, titleOf } from "./fields.js";
import { joined, rowAt } from "./frames.js";
import { linkOf, linkedSvg } from "./links.js";
import { textWidth } from "./scales.js";
import { duration } from "./format.js";
import { inkOn } from "./theme.js";
import { fullTime, tickTime, timeTicks } from "./time.js";
import { tipContent, withTip } from "./tooltip.js";

const FOOT = 22;
const LEAST_TEXT = 11;

export function drawTimeline(panel, answer, body, _state, context) {
  const { times, series } = joined(panel, answer.frames, ["number", "string", "boolean"]);
  const { showValue = "auto", mergeValues = true, rowHeight = 0.9, legend = {} } = panel.options;
  const lanes = series.map((each) => ({ ...each, title: titleOf(panel, each.name), blocks: blocksOf(times, each.values, answer.to, mergeValues) }));
  const seen = new Map();
  for (const { blocks, settings, name, values } of lanes) {
    for (const block of blocks) {
      block.text = display(block.value, settings);
      block.color = stateColor(settings, block.value, name, values);
      seen.set(block.text, block.color);
    }
  }
  const key = legend.showLegend === false ? null : h("div", { class: "legend" }, ...[...seen].map(([text, shade]) => h("span", { class: "item" }, h("span", { class: "swatch", style: { background: shade } }), text)));
  const holder = h("div", { class: "chart" });
  body.replaceChildren(h("div", { class: "with-legend" }, holder, ...(key ? [key] : [])));
  const [width, height] = [Math.max(120, holder.clientWidth), Math.max(40, holder.clientHeight)];
  const left = Math.ceil(Math.min(width * 0.35, Math.max(0, ...lanes.map(({ title }) => textWidth(title))))) + 10;
  const lane = Math.max(16, (height - FOOT) / Math.max(1, lanes.length));
  const tall = Math.max(height, lane * lanes.length + FOOT);
  holder.classList.toggle("scrolls", tall > height);
  const along = (ms) => left + (Math.max(0, Math.min(1, (ms - answer.from) / (answer.to - answer.from)))) * (width - left - 2);
  const ticks = timeTicks(answer.from, answer.to, Math.max(2, Math.floor((width - left) / 90)));
  const shapes = lanes.flatMap(({ title, blocks, settings, frame, column }, at) => [
    svg("text", { class: "label", x: left - 8, y: (at + 0.5) * lane + 4, "text-anchor": "end" }, title),
    ...blocks.filter(({ from, to }) => to > answer.from && from < answer.to).map(({ from, to, value, text, color: shade }) => {
      const [x, right] = [along(from), along(to)];
      const shape = svg("rect", { class: "block", x, y: at * lane + (lane * (1 - rowHeight)) / 2, width: Math.max(1, right - x - 0.5), height: lane * rowHeight, rx: 2, fill: shade });
      const fits = showValue !== "never" && lane * rowHeight >= LEAST_TEXT + 3 && textWidth(text, LEAST_TEXT) + 8 <= right - x;
      const link = settings.links?.length ? linkOf(settings, { frame, row: rowAt(frame, from), column, text, time: from }, context) : null;
      const group = svg("g", {}, linkedSvg(link, shape, `${title}: ${text}`), fits ? svg("text", { class: "in-cell", x: x + 5, y: (at + 0.5) * lane + 4, "font-size": LEAST_TEXT, fill: inkOn(shade) }, text) : null);
      return withTip(group, () => tipContent(title, [{ color: shade, name: text, value: duration((to - from) / 1000, 0) }, { name: `from ${fullTime(from)}`, value: "", pale: true }]));
    }),
  ]);
  const linked = lanes.some(({ settings }) => settings.links?.length);
  const now = lanes.map(({ title, blocks }) => (blocks.length ? `${title} ${blocks.at(-1).text}` : null)).filter(Boolean).slice(0, 4).join(", ");
  holder.replaceChildren(svg("svg", { width, height: tall, role: linked ? "group" : "img", "aria-label": `${panel.title}: ${lanes.length} series over time${now ? `, newest ${now}` : ""}` }, ...shapes,
    ...ticks.values.map((ms) => svg("text", { class: "tick", x: along(ms), y: tall - 5, "text-anchor": along(ms) > width - 30 ? "end" : "middle" }, tickTime(ms, ticks.step)))));
}

function stateColor(settings, value, name, values) {
  const mode = settings.color?.mode ?? "palette-classic";
  return colorOf({ ...settings, color: { ...settings.color, mode } }, value, mode.startsWith("palette") ? String(value) : name, extent(values));
}

/** Blocks of one state: {from, to, value}. A null ends one; the last lasts until the range's end. */
function blocksOf(times, values, end, merge) {
  const blocks = [];
  times.forEach((time, at) => {
    const value = values[at];
    if (value === undefined) return;
    const open = blocks.at(-1);
    if (open && open.to === null) {
      if (merge && open.value === value) return;
      open.to = time;
    }
    if (value !== null) blocks.push({ from: time, to: null, value });
  });
  const last = blocks.at(-1);
  if (last && last.to === null) last.to = Math.max(last.from, end);
  return blocks;
}
