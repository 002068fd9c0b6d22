// Frames as time series: all frames of an answer joined over time, with a gap wherever the figures stopped.

import { shownColumns } from "./fields.js";

const GAP_STEPS = 2.5; // a hole of more than this many steps is a stop
const LOOSE_STEPS = 12; // where the steps differ by themselves
const REGULAR_SHARE = 0.6;

/** The usual distance of two times, and whether most are of it. */
export function stepOf(times) {
  if (times.length < 2) return { step: 0, regular: false };
  const steps = times.slice(1).map((each, at) => each - times[at]).filter((each) => each > 0).sort((a, b) => a - b);
  const step = steps[steps.length >> 1] ?? 0;
  const near = steps.filter((each) => each > step * 0.5 && each < step * 1.5).length;
  return { step, regular: near >= steps.length * REGULAR_SHARE };
}

/** Which row of a frame has this time: a series' values may be more than its rows (where it stopped), or fewer. */
export function rowAt(frame, time) {
  const column = frame.columns.findIndex(({ kind }) => kind === "time");
  return frame.rows.findIndex((row) => row[column] === time);
}

/** Series of one frame: [{name, settings, column, frame, times, values}] with null where a line must not go through. */
function seriesOf(panel, frame, kinds) {
  const at = frame.columns.findIndex((column) => column.kind === "time");
  if (at < 0) return [];
  const rows = frame.rows.filter((row) => row[at] !== null);
  const times = rows.map((row) => row[at]);
  return shownColumns(panel, frame).filter(({ kind, index }) => index !== at && kinds.includes(kind)).map(({ name, settings, index }) => {
    const values = rows.map((row) => row[index]);
    const { spanNulls, insertNulls } = settings.custom;
    if (spanNulls === true) return { name, settings, column: index, frame, times, values: values.map((value) => value ?? undefined) };
    return { name, settings, column: index, frame, ...withGaps(times, values, typeof insertNulls === "number" ? insertNulls : spanNulls) };
  });
}

function withGaps(times, values, limitMs) {
  const { step, regular } = stepOf(times);
  const limit = typeof limitMs === "number" && limitMs > 0 ? limitMs : step * (regular ? GAP_STEPS : LOOSE_STEPS);
  const cuts = new Set();
  for (let at = 1; at < times.length; at += 1) if (limit > 0 && times[at] - times[at - 1] > limit) cuts.add(at);
  if (!cuts.size) return { times, values };
  const [longer, holed] = [[], []];
  times.forEach((time, at) => {
    if (cuts.has(at)) {
      longer.push(times[at - 1] + Math.min(step, limit));
      holed.push(null);
    }
    longer.push(time);
    holed.push(values[at]);
  });
  return { times: longer, values: holed };
}

/**
 * All series over one axis of times: {times, series: [{name, settings, column, frame, values}]}. A value is undefined where
 * only another series has that time, null where this one stopped.
 */
export function joined(panel, frames, kinds = ["number"]) {
  const all = frames.flatMap((frame) => seriesOf(panel, frame, kinds));
  if (!all.length) return { times: [], series: [] };
  return join(all);
}

export function join(all) {
  const first = all[0].times;
  if (all.every(({ times }) => times === first || (times.length === first.length && times.every((time, at) => time === first[at])))) {
    return { times: first, series: all };
  }
  const times = [...new Set(all.flatMap((each) => each.times))].sort((a, b) => a - b);
  const place = new Map(times.map((time, at) => [time, at]));
  const series = all.map((each) => {
    const values = Array(times.length).fill(undefined);
    each.times.forEach((time, at) => { values[place.get(time)] = each.values[at]; });
    return { ...each, times, values };
  });
  return { times, series };
}

/** Bottom and top of each series in a stack: positive ones upwards, negative ones downwards; shares of 1 with `percent`. */
export function stack(series, length, percent) {
  const [up, down, total] = [new Float64Array(length), new Float64Array(length), new Float64Array(length)];
  if (percent) for (const { values } of series) values.forEach((value, at) => { total[at] += Math.abs(value ?? 0); });
  return series.map(({ values }) => {
    const [bottoms, tops] = [Array(length), Array(length)];
    for (let at = 0; at < length; at += 1) {
      const value = values[at];
      const side = value < 0 ? down : up;
      bottoms[at] = side[at];
      if (value === null || value === undefined) {
        tops[at] = value;
        continue;
      }
      side[at] += percent ? (total[at] ? value / total[at] : 0) : value;
      tops[at] = side[at];
    }
    return { bottoms, tops };
  });
}
