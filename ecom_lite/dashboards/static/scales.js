// Axes: round ticks, and how wide a text is.

const measurer = document.createElement("canvas").getContext("2d");
let family;

export const fontOf = (size, weight = 400) => `${weight} ${size}px ${(family ??= getComputedStyle(document.body).fontFamily)}`;

/** The width of a text in pixels. */
export function textWidth(text, size = 12, weight = 400) {
  measurer.font = fontOf(size, weight);
  return measurer.measureText(text).width;
}

/** Round values over low..high, about `count` of them: {values, step, low, high}. The ends are ticks unless they are fixed. */
export function niceTicks(low, high, count = 5, fixed = {}) {
  if (!(high > low)) [low, high] = low === 0 ? [0, 1] : [Math.min(0, low), Math.max(0, high)];
  const raw = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= raw * 0.9999);
  const from = fixed.low ?? Math.floor(low / step + 1e-9) * step;
  const to = fixed.high ?? Math.ceil(high / step - 1e-9) * step;
  const values = [];
  for (let at = Math.ceil(from / step - 1e-9); at * step <= to + step * 1e-9; at += 1) values.push(Number((at * step).toPrecision(12)));
  return { values, step, low: from, high: to };
}

const SIXTIES = [[86400, 2], [3600, 2], [60, 2], [1, 0]]; // seconds of a unit, and from how many of them on it counts

/** Ticks that are round in their unit: of bytes in 1024s, of times in minutes, hours, days. */
export function unitTicks(unit, low, high, count, fixed = {}) {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const scale = { s: 1, ms: 1000, m: 1 / 60, h: 1 / 3600 }[unit];
  let base = 1;
  if (unit === "bytes" || unit === "binBps") base = size > 0 ? 1024 ** Math.max(0, Math.floor(Math.log(size) / Math.log(1024))) : 1;
  else if (scale && size / scale >= 60) base = SIXTIES.find(([seconds, times]) => size / scale >= seconds * times)[0] * scale;
  if (base === 1) return niceTicks(low, high, count, fixed);
  const over = (value) => (value === undefined || value === null ? undefined : value / base);
  const ticks = niceTicks(low / base, high / base, count, { low: over(fixed.low), high: over(fixed.high) });
  return { values: ticks.values.map((value) => value * base), step: ticks.step * base, low: ticks.low * base, high: ticks.high * base };
}

/** Decimals that tell ticks `step` apart, null where the unit knows better. */
export function tickDecimals(step, unit = "none") {
  const size = unit === "percentunit" ? step * 100 : step;
  if (!["none", "short", "locale", "percent", "percentunit"].includes(unit) && !unit.startsWith("suffix:")) return null;
  const places = Math.max(0, -Math.floor(Math.log10(size) + 1e-9));
  return Math.abs(size * 10 ** places - Math.round(size * 10 ** places)) > 1e-6 ? places + 1 : places;
}

/** A text in lines that are at most `width` wide, broken between words; null when a word or the lines are too many. */
export function wrapped(text, width, size, lines) {
  const found = [""];
  for (const word of String(text).split(/\s+/)) {
    const longer = found.at(-1) ? `${found.at(-1)} ${word}` : word;
    if (textWidth(longer, size) <= width) found[found.length - 1] = longer;
    else if (textWidth(word, size) <= width && found.length < lines) found.push(word);
    else return null;
  }
  return found;
}
