// Colours: Grafana's names for them, one colour per series name on the whole page, both themes.

const CLASSIC = ["blue", "teal", "orange", "purple", "pink", "yellow", "green", "red"];
const CONTINUOUS = { "continuous-BlPu": ["blue", "purple"], "continuous-GrYlRd": ["green", "red"] };
const given = new Map();
const listeners = [];

/** What a colour name is in the theme of now; other CSS colours stay what they are. */
export function color(name) {
  const base = String(name).replace(/^(dark|semi-dark|light|super-light)-/, "");
  return getComputedStyle(document.documentElement).getPropertyValue(`--${base}`).trim() || name;
}

/** The classic palette's colours for these names: a name keeps its colour in every panel. */
export function seriesColors(names) {
  for (const name of [...names].sort()) {
    if (!given.has(name)) given.set(name, CLASSIC[given.size % CLASSIC.length]);
  }
  return names.map((name) => color(given.get(name)));
}

/** The two ends of a bar's gradient for a field's colour setting. */
export function gradient(mode) {
  if (CONTINUOUS[mode?.mode]) return CONTINUOUS[mode.mode].map(color);
  const one = color(mode?.fixedColor ?? "blue");
  return [one, one];
}

/** The colour of the threshold that `value` has passed. */
export function threshold(steps, value) {
  const passed = (steps ?? []).filter((step) => step.value === null || step.value === undefined || value >= step.value);
  return color(passed.at(-1)?.color ?? "blue");
}

export function alpha(hex, share) {
  return `color-mix(in srgb, ${hex} ${Math.round(share * 100)}%, transparent)`;
}

/** The same for Plotly, which knows rgba only. */
export function rgba(hex, share) {
  const number = parseInt(hex.slice(1), 16);
  return `rgba(${(number >> 16) & 255}, ${(number >> 8) & 255}, ${number & 255}, ${share})`;
}

export function onThemeChange(listener) {
  listeners.push(listener);
}

document.addEventListener("themechange", () => listeners.forEach((listener) => listener())); // scheme.js says so
