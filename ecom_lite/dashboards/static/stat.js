// Single figures: large, coloured by their field, with a line of what they were, against the period before.

import { h, svg } from "./dom.js";
import { colorOf, display, extent, reduced } from "./fields.js";
import { ago, format } from "./format.js";
import { linkOf, linked } from "./links.js";
import { textWidth, wrapped } from "./scales.js";
import { inkOn, textColor } from "./theme.js";

const TWEEN_MS = 700;
const LARGEST = 38;
const SMALLEST = 13;
const LARGEST_WORDS = 20;
const SENTENCE = 22; // characters from which a text wraps
const WORDS = 10; // the same where figures stand beside each other
const WORDS_PX = 14;
const GAP = 14;
const LEAST_BESIDE = 17; // pixels, below which figures stand below each other
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
  const texts = items.map((item) => display(item.value, item.settings));
  const named = textMode !== "value" && textMode !== "none" && (textMode !== "auto" || many);
  const sizes = many ? sizesBeside(items, texts, named, grid, spread) : null;
  grid.classList.toggle("listed", many && !sizes);
  body.closest(".panel")?.toggleAttribute("data-wide", many || words(texts[0] ?? "", SENTENCE)); // a phone gives it a whole line
  items.forEach((item, at) => {
    const tile = grid.children[at];
    const shade = colorMode === "none" ? "" : colorOf(item.settings, item.value, item.name, extent(item.all));
    const filled = colorMode.startsWith("background");
    const [name, number, change] = tile.querySelector(".figure").children;
    name.textContent = named ? item.name : "";
    number.hidden = textMode === "name" || textMode === "none";
    tile.classList.toggle("filled", filled);
    tile.classList.toggle("alone", graphMode !== "area" && !many);
    tile.style.background = filled ? shade : "";
    tile.style.color = filled ? inkOn(shade) : "";
    number.style.color = filled || !shade ? "" : textColor(shade);
    const text = texts[at];
    const link = linkOf(item.settings, { ...item, text }, context);
    tile.style.flexGrow = sizes ? sizes[at].width.toFixed(0) : "";
    if (many) {
      number.classList.toggle("words", Boolean(sizes?.[at].words));
      number.style.fontSize = sizes ? `${sizes[at].size.toFixed(1)}px` : "";
    } else fit(tile, number, text, graphMode === "area");
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

/** A number is none, be it with a sign or a currency's code (`CHF`, then a blank that does not break) before it, a unit behind it. */
const words = (text, from) => text.length > from && /\s/.test(text) && !/^[-+–]?[^\d\s]{0,4}\u00a0?[\d.,]+ ?\S*$/.test(text);

/** Sizes and shares of width of figures beside each other, all numbers alike; null where they would be too small. */
function sizesBeside(items, texts, named, grid, spread) {
  const room = grid.clientWidth - GAP * (items.length - 1);
  const upright = spread !== "stats";
  const height = Math.max(20, (grid.clientHeight / (upright ? items.length : 1)) - (named ? 34 : 12));
  const name = (at) => (named ? Math.max(...items[at].name.split(/\s+/).map((word) => textWidth(word, 13))) + 2 : 0);
  const asWords = texts.map((text) => words(text, WORDS));
  const wide = (at, size) => Math.max(name(at), asWords[at] ? Math.min(textWidth(texts[at], WORDS_PX, 550) + 2, 120) : textWidth(texts[at], size, 650) * 1.02 + 2);
  for (let size = Math.min(LARGEST, height); size >= LEAST_BESIDE; size -= 1) {
    const widths = texts.map((_, at) => wide(at, size));
    const needed = upright ? Math.max(...widths) : widths.reduce((sum, each) => sum + each, 0);
    if (needed <= room) return widths.map((width, at) => ({ width, words: asWords[at], size: asWords[at] ? WORDS_PX : size }));
  }
  return null;
}

/** The largest size at which the text is not cut; a sentence wraps. */
function fit(tile, number, text, overLine) {
  const room = tile.clientWidth - 2;
  const height = Math.max(24, tile.clientHeight) * (overLine ? 0.52 : 0.85);
  const wraps = words(text, SENTENCE);
  number.classList.toggle("words", wraps);
  if (room <= 0) return;
  const size = wraps ? sizeOfWords(text, room, tile.clientHeight) : Math.max(SMALLEST, Math.min(LARGEST, Math.max(20, height), (room / textWidth(text, 100, 650)) * 97));
  number.style.fontSize = `${size.toFixed(1)}px`;
}

// What says how long ago something was goes on by itself.
setInterval(() => {
  if (!document.hidden) for (const each of document.querySelectorAll("[data-since]")) each.textContent = ago(Date.now() - Number(each.dataset.since));
}, 1000);

/** The largest size at which a sentence stands in its tile as a whole. */
function sizeOfWords(text, room, height) {
  for (let size = LARGEST_WORDS; size > SMALLEST; size -= 1) {
    const lines = wrapped(text, room * 0.92, size, 12); // they are bolder than measured
    if (lines && lines.length * size * 1.32 <= height) return size;
  }
  return SMALLEST;
}

/** How the figure stands to that of the period before, in signs and words. */
function changeOf({ value, settings }, earlier) {
  if (!earlier || typeof value !== "number" || typeof earlier.value !== "number") return "";
  const was = display(earlier.value, settings);
  if (earlier.value === 0) return `before: ${was}`;
  const share = (value - earlier.value) / Math.abs(earlier.value);
  const sign = share > 0 ? "▲" : share < 0 ? "▼" : "=";
  return `${sign} ${format(Math.abs(share), { unit: "percentunit", decimals: Math.abs(share) < 0.1 ? 1 : 0 })}, before: ${was}`;
}

