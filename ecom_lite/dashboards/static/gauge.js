// Gauges: a value on an arc from min to max, with its thresholds around it; and bars of single values.

import { h, svg } from "./dom.js";
import { colorOf, display, extent, reduced } from "./fields.js";
import { linkOf, linked, linkedSvg } from "./links.js";
import { textWidth } from "./scales.js";
import { color, continuous, gradient, isContinuous, textColor, thresholdSteps } from "./theme.js";

const FROM = -2.1; // radians from the top
const TO = 2.1;
const RADIUS = 82;
const THICK = 16;
const SHAPE = 200 / 166; // width by height
const LARGEST = 300; // pixels
const NAME = 24;
const NARROW = 420; // pixels, below which a bar's name stands above it

const defaultMax = (settings) => (settings.unit === "percentunit" ? 1 : 100);

export function drawGauge(panel, answer, body, _state, context) {
  const items = reduced(panel, answer.frames);
  const named = items.length > 1;
  const [width, height] = [body.clientWidth - 28, body.clientHeight - 16];
  // As many beside each other as make them largest.
  const fits = items.map((_, at) => {
    const [across, down] = [at + 1, Math.ceil(items.length / (at + 1))];
    return { across, size: Math.min(width / across - 6, (height / down - (named ? NAME : 4)) * SHAPE, LARGEST) };
  });
  const { across, size } = fits.reduce((best, each) => (each.size > best.size ? each : best), { across: 1, size: 0 });
  const gauges = items.map((item) => gaugeOf(panel, item, named, Math.max(40, size), context));
  body.replaceChildren(h("div", { class: "gauges", style: { "grid-template-columns": `repeat(${across}, 1fr)` } }, ...gauges));
}

function gaugeOf(panel, { name, value, settings, ...at }, named, size, context) {
  const [min, max] = [settings.min ?? 0, settings.max ?? defaultMax(settings)];
  const angle = (each) => FROM + (Math.max(0, Math.min(1, (each - min) / (max - min || 1)))) * (TO - FROM);
  const text = display(value, settings);
  const shade = colorOf(settings, value, name, [min, max]);
  const link = linkOf(settings, { ...at, text }, context);
  const steps = settings.thresholds && panel.options.showThresholdMarkers !== false ? thresholdSteps(settings, min, max) : [];
  const marks = steps.map((step, index) => arc(Math.max(FROM, angle(Math.max(min, step.value))), angle(Math.min(max, steps[index + 1]?.value ?? max)), RADIUS + 7, 4, step.color)).filter(Boolean);
  const label = svg("text", { class: "gauge-value", y: 12, "text-anchor": "middle", "font-size": Math.min(36, 112 / textWidth(text, 1, 650)).toFixed(1), fill: textColor(shade) }, text);
  const ends = panel.options.showThresholdLabels && size > 170 ? [[FROM, min], [TO, max]].map(([place, each]) =>
    svg("text", { class: "tick", x: Math.sin(place) * RADIUS, y: -Math.cos(place) * RADIUS + 22, "text-anchor": "middle" }, display(each, { ...settings, mappings: [] }, true))) : [];
  const picture = svg("svg", {
    class: "gauge", viewBox: "-100 -98 200 166", width: size.toFixed(0), height: (size / SHAPE).toFixed(0), role: link ? "group" : "img", "aria-label": `${named ? name : panel.title}: ${text}, of ${display(min, settings)} to ${display(max, settings)}`,
  }, arc(FROM, TO, RADIUS - THICK / 2, THICK, color("track")), typeof value === "number" ? arc(FROM, angle(value), RADIUS - THICK / 2, THICK, shade) : null, ...marks, ...ends, linkedSvg(link, label, name));
  return h("div", { class: "gauge-tile" }, picture, named ? h("div", { class: "gauge-name" }, name) : null);
}

function arc(from, to, radius, thick, stroke) {
  if (!(to - from > 0.001)) return null;
  const point = (angle) => `${(Math.sin(angle) * radius).toFixed(2)} ${(-Math.cos(angle) * radius).toFixed(2)}`;
  return svg("path", { d: `M ${point(from)} A ${radius} ${radius} 0 ${to - from > Math.PI ? 1 : 0} 1 ${point(to)}`, fill: "none", stroke, "stroke-width": thick });
}

export function drawBargauge(panel, answer, body, _state, context) {
  const items = reduced(panel, answer.frames);
  const [, most] = extent(items.map(({ value }) => value));
  const upright = panel.options.orientation === "vertical";
  const solid = panel.options.displayMode === "basic";
  const rows = items.map((item) => {
    const { name, value, settings } = item;
    const [min, max] = [settings.min ?? Math.min(0, value ?? 0), settings.max ?? Math.max(most, 1e-9)];
    const share = Math.max(0, Math.min(1, ((value ?? min) - min) / (max - min || 1)));
    const text = display(value, settings);
    const mode = settings.color?.mode;
    const shade = colorOf(settings, value, name, [min, max]);
    // A gradient shows the part of the scale that the bar covers.
    const [from, to] = isContinuous(mode) && !solid ? [gradient(settings.color)[0], continuous(mode, share)] : [shade, shade];
    const fill = h("div", { class: "fill", style: { "--share": `${share * 100}%`, "--from": from, "--to": to } });
    const link = linkOf(settings, { ...item, text }, context);
    const number = panel.options.valueMode === "hidden" ? null : h("div", { class: "number", style: panel.options.valueMode === "color" && mode === "thresholds" ? { color: textColor(shade) } : {} }, text);
    return h("div", { class: "row", role: "listitem" }, h("div", { class: "name" }, linked(link, h("span", {}, name))),
      h("div", { class: panel.options.showUnfilled === false ? "track bare" : "track", "aria-hidden": "true" }, fill), number);
  });
  const scrolled = body.querySelector(".bars")?.scrollTop ?? 0;
  const bars = h("div", { class: `bars${upright ? " upright" : body.clientWidth < NARROW ? " stacked" : ""}`, role: "list", "aria-label": panel.title }, ...rows);
  body.replaceChildren(bars);
  bars.scrollTop = scrolled;
}
