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
