// One drawing per panel type. `draw` is called with each new answer and updates what is there.

import { drawBarchart } from "./bars.js";
import { reachable } from "./dom.js";
import { drawBargauge, drawGauge } from "./gauge.js";
import { drawHeatmap } from "./heatmap.js";
import { drawPie } from "./pie.js";
import { drawStat } from "./stat.js";
import { drawTable } from "./table.js";
import { drawText } from "./text.js";
import { color } from "./theme.js";
import { setZone } from "./time.js";
import { drawTimeline } from "./timeline.js";
import { drawTimeseries, resizeTimeseries } from "./timeseries.js";

export { toPng, toTable } from "./export.js";

const DRAWINGS = {
  stat: drawStat,
  gauge: drawGauge,
  timeseries: drawTimeseries,
  barchart: drawBarchart,
  piechart: drawPie,
  table: drawTable,
  heatmap: drawHeatmap,
  bargauge: drawBargauge,
  "state-timeline": drawTimeline,
  text: drawText,
};
const LIVELY = ["timeseries", "stat"]; // these update what stands there by themselves
const FOCUSABLE = "a[href], button, [tabindex]";
const drawn = new WeakMap(); // body -> what stands in it

/**
 * Draw `answer` into `body`; `state` is the panel's own memory between calls, `context` what the board knows: {timezone, uid,
 * annotations, compare, variables, from, to}. A row has nothing to draw.
 */
export function draw(panel, answer, body, state, context = {}) {
  const drawing = DRAWINGS[panel.type];
  if (!drawing) return;
  setZone(context.timezone);
  const made = drawn.get(body);
  const news = LIVELY.includes(panel.type) ? null : JSON.stringify([answer.frames, answer.previous, answer.from, answer.to, color("card"), context]);
  if (news !== null && made && made.news === news && stands(made, body)) return;
  const focused = body.contains(document.activeElement) ? [...body.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement) : -1;
  drawing(panel, answer, body, state, context);
  reachable(...body.querySelectorAll(".slices, .bars, .legend, .scrolls, .prose, .scroll"));
  if (focused >= 0 && !body.contains(document.activeElement)) body.querySelectorAll(FOCUSABLE)[focused]?.focus({ preventScroll: true });
  drawn.set(body, { panel, answer, state, context, news, root: body.firstElementChild, width: body.clientWidth, height: body.clientHeight });
}

const stands = ({ root, width, height }, body) => root?.parentNode === body && width === body.clientWidth && height === body.clientHeight;

/** Fit what stands in `body` to its size of now. */
export function resize(body) {
  const made = drawn.get(body);
  if (!made || made.root?.parentNode !== body || !body.clientWidth || stands(made, body)) return;
  if (made.panel.type === "timeseries") {
    resizeTimeseries(body, made.state);
    Object.assign(made, { width: body.clientWidth, height: body.clientHeight });
  } else draw(made.panel, made.answer, body, made.state, made.context);
}
