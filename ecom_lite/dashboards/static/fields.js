// What a panel's JSON says of each field: defaults, then overrides by name; and how a frame becomes values to show.

/** The settings of one field: {unit, decimals, color, min, max, custom: {...}, ...}. */
export function fieldSettings(panel, name) {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const settings = { ...defaults, custom: { ...defaults.custom } };
  for (const override of overrides) {
    if (override.matcher.options !== name) continue;
    for (const { id, value } of override.properties) {
      if (id.startsWith("custom.")) settings.custom[id.slice(7)] = value;
      else settings[id] = value;
    }
  }
  return settings;
}

export function titleOf(panel, name) {
  return fieldSettings(panel, name).displayName ?? name;
}

const CALCS = {
  lastNotNull: (values) => values.filter((value) => value !== null).at(-1) ?? null,
  last: (values) => values.at(-1) ?? null,
  sum: (values) => values.reduce((total, value) => total + (value ?? 0), 0),
  max: (values) => Math.max(...values.filter((value) => value !== null)),
  min: (values) => Math.min(...values.filter((value) => value !== null)),
  mean: (values) => CALCS.sum(values) / Math.max(1, values.filter((value) => value !== null).length),
};

const isNumber = (column) => column.kind === "number";

/** Single values of a frame: one per number column, or with `values: true` one per row, named by its first text. */
export function reduced(panel, frame) {
  const { calcs = ["lastNotNull"], values = false } = panel.options.reduceOptions ?? {};
  const numbers = frame.columns.map((column, index) => ({ ...column, index })).filter(isNumber);
  if (values) {
    const label = frame.columns.findIndex((column) => column.kind === "string");
    return frame.rows.map((row) => ({ name: label < 0 ? numbers[0].name : String(row[label]), field: numbers[0].name, value: row[numbers[0].index] }));
  }
  return numbers.map(({ name, index }) => {
    const all = frame.rows.map((row) => row[index]);
    return { name, field: name, value: CALCS[calcs[0]](all), all };
  });
}

/** The settings of one reduced value: its own name counts (a row's text), then its column's. */
export function valueSettings(panel, item) {
  const own = (panel.fieldConfig?.overrides ?? []).some((override) => override.matcher.options === item.name);
  return fieldSettings(panel, own ? item.name : item.field);
}
