// Single figures: large, coloured by their field, with a line of what they were, against the period before.

import { h, svg } from "./dom.js";
import { colorOf, display, extent, reduced } from "./fields.js";
import { ago, format } from "./format.js";
import { linkOf, linked } from "./links.js";
import { textWidth } from "./scales.js";
import { inkOn, textColor } from "./theme.js";

const TWEEN_MS = 700;
const LARGEST = 38;
const SMALLEST = 13;
const SENTENCE = 22; // characters from which a text wraps
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Let a number run to its new value, so that a live figure looks alive. */
function run(element, from, to, write) {
  element.tween = null;
  if (typeof from !== "number" || typeof to !== "number" || from === to || calm.matches || document.hidden) return void write(to);
  const begin = performance.now();
  element.tween = begin;
  const frame = (now) => {
    if (element.tween !== begin) return;
    const share = Math.max(0, Math.min(1, (now - begin) / TWEEN_MS));
    write(share === 1 ? to : from + (to - from) * (1 - (1 - share) ** 3));
    if (share < 1) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

function sparkline(values, stroke) {
  const known = values.filter((value) => typeof value === "number");
  if (known.length < 2) return null;
  const low = Math.min(0, ...known);
  const span = Math.max(...known) - low || 1;
  const points = known.map((value, index) => `${((index / (known.length - 1)) * 100).toFixed(2)},${(38 - ((value - low) / span) * 34).toFixed(2)}`);
  return svg("svg", { class: "spark", viewBox: "0 0 100 40", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("polygon", { points: `0,40 ${points.join(" ")} 100,40`, fill: stroke, opacity: 0.13 }),
    svg("polyline", { points: points.join(" "), fill: "none", stroke, opacity: 0.75, "stroke-width": 1.5, "vector-effect": "non-scaling-stroke", "stroke-linejoin": "round" }));
}

export function drawStat(panel, answer, body, state, context) {
  const items = reduced(panel, answer.frames);
  const { graphMode = "none", colorMode = "value", textMode = "auto" } = panel.options;
  const earlier = answer.previous ? reduced(panel, answer.previous) : [];
  state.values ??= [];
  const spread = panel.options.orientation === "vertical" ? "stats upright" : "stats";
  const grid = body.querySelector(":scope > .stats") ?? h("div", {});
  if (grid.childElementCount !== items.length) grid.replaceChildren(...items.map(() => h("div", { class: "stat" }, h("div", { class: "figure" }, h("div", { class: "stat-name" }), h("div", { class: "value" }), h("div", { class: "change" })))));
  grid.className = spread;
  if (!grid.isConnected) body.replaceChildren(grid);
  const many = items.length > 1;
  items.forEach((item, at) => {
    const tile = grid.children[at];
    const shade = colorMode === "none" ? "" : colorOf(item.settings, item.value, item.name, extent(item.all));
    const filled = colorMode.startsWith("background");
    const [name, number, change] = tile.querySelector(".figure").children;
    name.textContent = textMode === "value" || textMode === "none" || (textMode === "auto" && !many) ? "" : item.name;
    number.hidden = textMode === "name" || textMode === "none";
    tile.classList.toggle("filled", filled);
    tile.classList.toggle("alone", graphMode !== "area" && !many);
    tile.style.background = filled ? shade : "";
    tile.style.color = filled ? inkOn(shade) : "";
    number.style.color = filled || !shade ? "" : textColor(shade);
    const text = display(item.value, item.settings);
    const link = linkOf(item.settings, { ...item, text }, context);
    fit(tile, number, text, grid, items.length);
    const target = link ? linkIn(number, link) : (number.querySelector("a") && number.replaceChildren(), number);
    const since = item.settings.unit === "dateTimeFromNow" && typeof item.value === "number" ? String(item.value) : null;
    for (const each of [number, target]) delete each.dataset.since;
    if (since) target.dataset.since = since;
    run(number, since ? null : state.values[at], item.value, (value) => { target.textContent = value === item.value ? text : display(value, item.settings); });
    state.values[at] = item.value;
    change.textContent = changeOf(item, earlier[at]);
    tile.querySelector(".spark")?.remove();
    const spark = graphMode === "area" ? sparkline(item.all, filled ? inkOn(shade) : shade) : null;
    if (spark) tile.prepend(spark);
  });
}

function linkIn(number, link) {
  let anchor = number.querySelector("a");
  if (!anchor) number.replaceChildren(anchor = linked(link, ""));
  anchor.href = link.href;
  anchor.title = link.title;
  return anchor;
}

/** The largest size at which the text is not cut; a sentence wraps. */
function fit(tile, number, text, grid, count) {
  const room = (tile.clientWidth || grid.clientWidth / count) - 2;
  const wraps = text.length > SENTENCE && /\s/.test(text);
  number.classList.toggle("words", wraps);
  if (room <= 0) return;
  const size = wraps ? Math.max(SMALLEST, Math.min(20, Math.sqrt((room * Math.max(24, tile.clientHeight)) / text.length) * 1.15)) : Math.max(SMALLEST, Math.min(LARGEST, (room / textWidth(text, 100, 650)) * 97));
  number.style.fontSize = `${size.toFixed(1)}px`;
}

// What says how long ago something was goes on by itself.
setInterval(() => {
  if (!document.hidden) for (const each of document.querySelectorAll("[data-since]")) each.textContent = ago(Date.now() - Number(each.dataset.since));
}, 1000);

/** How the figure stands to that of the period before, in signs and words. */
function changeOf({ value, settings }, earlier) {
  if (!earlier || typeof value !== "number" || typeof earlier.value !== "number") return "";
  const was = display(earlier.value, settings);
  if (earlier.value === 0) return `before: ${was}`;
  const share = (value - earlier.value) / Math.abs(earlier.value);
  const sign = share > 0 ? "▲" : share < 0 ? "▼" : "=";
  return `${sign} ${format(Math.abs(share), { unit: "percentunit", decimals: Math.abs(share) < 0.1 ? 1 : 0 })}, before: ${was}`;
}

