// What a panel's JSON says of each field: defaults, then overrides; what a value is shown as; how frames become single values.

import { format } from "./format.js";
import { color, continuous, isContinuous, seriesColors, threshold } from "./theme.js";

const patterns = new Map();

/** A Grafana pattern: `/text/flags`, or plain text that must match as a whole. */
export function pattern(text) {
  if (!patterns.has(text)) {
    const [, source, flags] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [null, `^(?:${text})$`, ""];
    patterns.set(text, new RegExp(source, flags.replace("g", "")));
  }
  return patterns.get(text);
}

const MATCHERS = {
  byName: (wanted, name) => wanted === name,
  byRegexp: (wanted, name) => pattern(wanted).test(name),
};

const overridesOf = (panel, name) => (panel.fieldConfig?.overrides ?? []).filter(({ matcher }) => MATCHERS[matcher.id]?.(matcher.options, name));

/** The settings of one field: {unit, decimals, color, min, max, custom: {...}, ...}. */
export function fieldSettings(panel, name) {
  const { defaults = {} } = panel.fieldConfig ?? {};
  const settings = { ...defaults, custom: { ...defaults.custom } };
  for (const override of overridesOf(panel, name)) {
    for (const { id, value } of override.properties) {
      if (id.startsWith("custom.")) settings.custom[id.slice(7)] = value;
      else settings[id] = value;
    }
  }
  return settings;
}

export function titleOf(panel, name) {
  return fieldSettings(panel, name).displayName || name;
}

/** What the value mappings make of a value: {text, color}, or null. */
function mapped(settings, value) {
  for (const { type, options } of settings.mappings ?? []) {
    if (type === "value" && options[String(value)]) return options[String(value)];
    if (type === "range" && typeof value === "number" && value >= (options.from ?? -Infinity) && value <= (options.to ?? Infinity)) return options.result;
    if (type === "regex" && typeof value === "string" && pattern(options.pattern).test(value)) return options.result;
    if (type === "special" && special(options.match, value)) return options.result;
  }
  return null;
}

function special(match, value) {
  const none = value === null || value === undefined;
  return match === "null" || match === "null+nan" ? none : match === "empty" ? value === "" : match === "true" ? value === true : match === "false" ? value === false : false;
}

/** A value as text: its mapping, the field's text for nothing, or the number in its unit. */
export function display(value, settings, compact = false) {
  const text = mapped(settings, value)?.text;
  if (text !== undefined && text !== "") return text;
  if ((value === null || value === undefined) && settings.noValue) return settings.noValue;
  return format(value, settings, compact);
}

/** The colour of a value by its field's settings; `name` is what the palette goes by, `[low, high]` the values around it. */
export function colorOf(settings, value, name = "", [low, high] = [0, 100]) {
  const own = mapped(settings, value)?.color;
  if (own) return color(own);
  const mode = settings.color?.mode ?? "thresholds";
  const [min, max] = [settings.min ?? low, settings.max ?? high];
  if (mode === "thresholds") return settings.thresholds ? threshold(settings, value, min, max) : color("text");
  if (isContinuous(mode)) return continuous(mode, max > min ? ((value ?? min) - min) / (max - min) : 1);
  if (mode.startsWith("palette-classic")) return seriesColors([name])[0];
  return color(settings.color?.fixedColor ?? "text");
}

/** One colour per name: what the field has fixed, else the palette's. */
export function colorsOf(panel, names) {
  const settings = names.map((name) => fieldSettings(panel, name));
  const palette = seriesColors(names.filter((_, at) => settings[at].color?.mode !== "fixed"));
  return settings.map((each) => (each.color?.mode === "fixed" ? color(each.color.fixedColor) : palette.shift()));
}

/** The same for names that are values of a column: only what an override says of a name goes before the palette. */
export function colorsOfValues(panel, names) {
  const own = names.map((name) => overridesOf(panel, name).flatMap(({ properties }) => properties).findLast(({ id, value }) => id === "color" && value.mode === "fixed")?.value);
  const palette = seriesColors(names.filter((_, at) => !own[at]));
  return own.map((each) => (each ? color(each.fixedColor) : palette.shift()));
}

const known = (values) => values.filter((value) => value !== null && value !== undefined);
const numbers = (values) => known(values).filter((value) => typeof value === "number");
const least = (values) => values.reduce((a, b) => (b < a ? b : a), Infinity);
const most = (values) => values.reduce((a, b) => (b > a ? b : a), -Infinity);
const some = (values, make) => (values.length ? make(values) : null);

export const CALCS = {
  lastNotNull: (values) => known(values).at(-1) ?? null,
  last: (values) => values.at(-1) ?? null,
  firstNotNull: (values) => known(values)[0] ?? null,
  first: (values) => values[0] ?? null,
  sum: (values) => numbers(values).reduce((total, value) => total + value, 0),
  max: (values) => some(numbers(values), most),
  min: (values) => some(numbers(values), least),
  mean: (values) => some(numbers(values), (each) => CALCS.sum(each) / each.length),
  count: (values) => values.length,
  range: (values) => some(numbers(values), (each) => most(each) - least(each)),
  diff: (values) => some(numbers(values), (each) => each.at(-1) - each[0]),
};
const CALC_NAMES = { lastNotNull: "Last", last: "Last", firstNotNull: "First", first: "First", sum: "Total", max: "Max", min: "Min", mean: "Mean", count: "Count", range: "Range", diff: "Change" };

export const calcName = (calc) => CALC_NAMES[calc] ?? calc;

/** Columns that are drawn: those that no override hides. */
export function shownColumns(panel, frame) {
  return frame.columns.map((column, index) => ({ ...column, index, settings: fieldSettings(panel, column.name) }))
    .filter(({ settings }) => !settings.custom.hidden && !settings.custom.hideFrom?.viz);
}

function valueColumns(panel, frame) {
  const wanted = panel.options.reduceOptions?.fields ?? "";
  const columns = shownColumns(panel, frame);
  if (wanted === "") return columns.filter(({ kind }) => kind === "number" || kind === "boolean");
  return columns.filter(({ name }) => name === wanted || pattern(wanted).test(name));
}

/**
 * Single values of all frames: one per value column, or with `values: true` one per row, named by its first text.
 * [{name, field, value, settings, all, frame, row, column}]
 */
export function reduced(panel, frames) {
  const { calcs = ["lastNotNull"], values = false, limit = Infinity } = panel.options.reduceOptions ?? {};
  return frames.flatMap((frame) => {
    const columns = valueColumns(panel, frame);
    if (!values) {
      return columns.map(({ name, index, settings }) => {
        const all = frame.rows.map((row) => row[index]);
        return { name: settings.displayName || name, field: name, value: CALCS[calcs[0]](all), settings, all, frame, row: frame.rows.length - 1, column: index };
      });
    }
    if (!columns.length) return [];
    const { name: field, index } = columns[0];
    const label = shownColumns(panel, frame).find(({ kind }) => kind === "string")?.index ?? -1;
    return frame.rows.slice(0, limit).map((row, at) => {
      const name = label < 0 ? field : String(row[label]);
      return { name: label < 0 ? titleOf(panel, name) : name, field, value: row[index], settings: valueSettings(panel, name, field), all: [row[index]], frame, row: at, column: index };
    });
  });
}

/** The settings of one reduced value: its own name counts (a row's text), then its column's. */
function valueSettings(panel, name, field) {
  const base = fieldSettings(panel, field);
  for (const override of overridesOf(panel, name)) for (const { id, value } of override.properties) if (!id.startsWith("custom.")) base[id] = value;
  return base;
}

/** The lowest and highest of some values, for colours by share. */
export const extent = (values) => some(numbers(values), (each) => [least(each), most(each)]) ?? [0, 1];
