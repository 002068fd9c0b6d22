// Colours: Grafana's names for them in the theme of now, mixtures of them, one colour per series name on the whole page.

import { seriesBase, slotsOf } from "./palette.js";

const CONTINUOUS = {
  "continuous-BlPu": ["blue", "purple"],
  "continuous-GrYlRd": ["green", "yellow", "red"],
  "continuous-RdYlGr": ["red", "yellow", "green"],
  "continuous-BlYlRd": ["blue", "yellow", "red"],
  "continuous-YlRd": ["yellow", "red"],
  "continuous-YlBl": ["yellow", "blue"],
  "continuous-blues": ["track", "blue"],
  "continuous-greens": ["track", "green"],
  "continuous-reds": ["track", "red"],
  "continuous-purples": ["track", "purple"],
};
const SHADES = { "super-light-": ["#ffffff", 0.45], "light-": ["#ffffff", 0.25], "semi-dark-": ["#000000", 0.15], "dark-": ["#000000", 0.3] };
const ROUNDS = [0, 0.38, -0.34, 0.62, -0.58]; // how a palette that goes round again differs: lighter, darker
const [INK, PAPER] = ["#0b0e13", "#ffffff"];
const LEAST_RATIO = 4.5; // WCAG AA
const listeners = [];
const root = getComputedStyle(document.documentElement);
const named = new Map();
let painter;

/** What a colour name is in the theme of now; other CSS colours stay what they are. */
export function color(name) {
  const asked = String(name);
  if (!named.has(asked)) named.set(asked, resolve(asked));
  return named.get(asked);
}

function resolve(asked) {
  const prefix = Object.keys(SHADES).find((each) => asked.startsWith(each)) ?? "";
  const base = root.getPropertyValue(`--${asked.slice(prefix.length)}`).trim();
  if (!base) return asked;
  return prefix ? mix(base, ...SHADES[prefix]) : base;
}

/** Red, green and blue of any CSS colour, 0 to 255. */
function channels(css) {
  if (/^#[0-9a-f]{6}$/i.test(css)) return [1, 3, 5].map((at) => parseInt(css.slice(at, at + 2), 16));
  painter ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  painter.clearRect(0, 0, 1, 1);
  painter.fillStyle = "#888888";
  painter.fillStyle = css;
  painter.fillRect(0, 0, 1, 1);
  return [...painter.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

const hex = (parts) => `#${parts.map((part) => Math.round(Math.max(0, Math.min(255, part))).toString(16).padStart(2, "0")).join("")}`;

/** `share` of `other` in `one`. */
export function mix(one, other, share) {
  const [a, b] = [channels(one), channels(other)];
  return hex(a.map((part, at) => part + (b[at] - part) * share));
}

export function alpha(css, share) {
  return `rgba(${channels(css).join(", ")}, ${Math.round(share * 1000) / 1000})`;
}

function luminance(css) {
  const [r, g, b] = channels(css).map((part) => ((part / 255) <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white, whichever is read more easily on `css`. */
export const inkOn = (css) => (ratio(css, INK) > ratio(css, PAPER) ? INK : PAPER);

const ratio = (one, other) => {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
};

/** A colour as text on a card: moved towards the text's own until it can be read. */
export function textColor(css) {
  let shade = css;
  for (let share = 0.1; share < 1 && ratio(shade, color("card")) < LEAST_RATIO; share += 0.1) shade = mix(css, color("text"), share);
  return shade;
}

const isDark = () => luminance(color("card")) < 0.5;

/** The palette's colours for these names: a name keeps its colour in every panel, and in this browser over a reload. */
export function seriesColors(names) {
  const dark = isDark();
  return slotsOf(names).map(({ slot, round }) => {
    const base = seriesBase(slot, dark);
    const shift = ROUNDS[round % ROUNDS.length];
    return shift === 0 ? base : mix(base, shift > 0 ? "#ffffff" : "#000000", Math.abs(shift));
  });
}

export const isContinuous = (mode) => mode in CONTINUOUS;

/** The colour at `share` (0 to 1) of a continuous mode. */
export function continuous(mode, share) {
  const stops = CONTINUOUS[mode].map(color);
  const at = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const left = Math.min(Math.floor(at), stops.length - 2);
  return mix(stops[left], stops[left + 1], at - left);
}

/** The two ends of a bar's gradient for a field's colour setting. */
export function gradient(setting) {
  if (isContinuous(setting?.mode)) return [continuous(setting.mode, 0), continuous(setting.mode, 1)];
  const one = color(setting?.fixedColor ?? "blue");
  return [one, one];
}

/** The steps of a field's thresholds as [{value, color}] in order, their values absolute. */
export function thresholdSteps(settings, min = 0, max = 100) {
  const { steps = [], mode } = settings.thresholds ?? {};
  const absolute = (value) => (mode === "percentage" ? min + ((max - min) * value) / 100 : value);
  return steps.map((step) => ({ value: step.value === null || step.value === undefined ? -Infinity : absolute(step.value), color: color(step.color) }))
    .sort((a, b) => a.value - b.value);
}

/** The colour of the threshold that `value` has passed. */
export function threshold(settings, value, min, max) {
  const passed = thresholdSteps(settings, min, max).filter((step) => value !== null && value !== undefined ? value >= step.value : step.value === -Infinity);
  return passed.at(-1)?.color ?? color("blue");
}

export function onThemeChange(listener) {
  listeners.push(listener);
}

document.addEventListener("themechange", () => { // scheme.js says so
  named.clear();
  listeners.forEach((listener) => listener());
});
