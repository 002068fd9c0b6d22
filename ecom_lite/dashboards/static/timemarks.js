// What is drawn over and under the series: thresholds as lines and areas, annotations as vertical lines with a mark to touch.

import { h } from "./dom.js";
import { alpha, color, thresholdSteps } from "./theme.js";
import { tipContent, withTip } from "./tooltip.js";
import { fullTime } from "./time.js";

const AREA = 0.1;
const NEAR_PX = 5;

const styled = ({ drawn }) => drawn.find(({ settings, before }) => !before && (settings.custom.thresholdsStyle?.mode ?? "off") !== "off");

/** Before the series: the areas of the thresholds, the spans of annotations that last. */
export function thresholdAreas(plot, model) {
  const { ctx, bbox } = plot;
  const series = styled(model);
  ctx.save();
  if (series && series.settings.custom.thresholdsStyle.mode.includes("area")) {
    const steps = thresholdSteps(series.settings, model[series.side].low, model[series.side].high);
    steps.forEach(({ value, color: shade }, at) => {
      const [top, bottom] = [steps[at + 1]?.value ?? Infinity, value].map((each) => clamp(each === Infinity ? bbox.top : each === -Infinity ? bbox.top + bbox.height : plot.valToPos(each, series.side, true), bbox));
      if (shade === "transparent" || bottom <= top) return;
      ctx.fillStyle = alpha(shade, AREA);
      ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    });
  }
  for (const mark of model.marks) {
    if (!mark.end || mark.end === mark.at) continue;
    const [left, right] = [mark.at, mark.end].map((at) => Math.max(bbox.left, Math.min(bbox.left + bbox.width, plot.valToPos(at, "x", true))));
    ctx.fillStyle = alpha(color(mark.color || "blue"), 0.12);
    ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
  }
  ctx.restore();
}

const clamp = (y, { top, height }) => Math.max(top, Math.min(top + height, y));

/** After the series: threshold lines and annotations. */
export function timeMarks(plot, model) {
  const { ctx, bbox } = plot;
  const series = styled(model);
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  const mode = series?.settings.custom.thresholdsStyle.mode ?? "off";
  if (series && mode !== "area") {
    ctx.setLineDash(mode.startsWith("dashed") ? [8 * devicePixelRatio, 5 * devicePixelRatio] : []);
    for (const { value, color: shade } of thresholdSteps(series.settings, model[series.side].low, model[series.side].high)) {
      const y = Math.round(plot.valToPos(value, series.side, true));
      if (!Number.isFinite(value) || shade === "transparent" || y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.strokeStyle = shade;
      line(ctx, bbox.left, y, bbox.left + bbox.width, y);
    }
  }
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const mark of model.marks) {
    ctx.strokeStyle = alpha(color(mark.color || "blue"), 0.8);
    for (const at of [mark.at, mark.end]) {
      const x = Math.round(plot.valToPos(at ?? NaN, "x", true));
      if (x >= bbox.left && x <= bbox.left + bbox.width) line(ctx, x, bbox.top, x, bbox.top + bbox.height);
    }
  }
  ctx.restore();
  placeMarks(plot, model.marks);
}

function line(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

const sentence = ({ name, text, at }) => `${[name, text].filter(Boolean).join(": ")}, ${fullTime(at)}`;

/** A small mark at the foot of each annotation, for the pointer and the keyboard. */
export function placeMarks(plot, marks) {
  const state = JSON.stringify([marks.map(({ at, text, color: shade }) => [Math.round(plot.valToPos(at, "x")), text, shade]), color("card")]);
  if (plot.over.dataset.marks === state) return;
  plot.over.dataset.marks = state;
  plot.over.querySelectorAll(".mark").forEach((each) => each.remove());
  for (const mark of marks) {
    const left = plot.valToPos(mark.at, "x");
    if (left < -1 || left > plot.over.clientWidth + 1) continue;
    const button = h("button", { type: "button", class: "mark", "aria-label": sentence(mark), style: { left: `${left}px`, color: color(mark.color || "blue") } });
    button.addEventListener("mousedown", (event) => event.stopPropagation());
    plot.over.append(withTip(button, () => tipContent(null, [markRow(mark)])));
  }
}

export const markRow = (mark) => ({ color: color(mark.color || "blue"), name: [mark.name, mark.text].filter(Boolean).join(": "), value: fullTime(mark.at), pale: true });

/** The annotations that a place on the plot is close to. */
export function marksNear(plot, marks, left) {
  const when = plot.posToVal(left, "x");
  return marks.filter(({ at, end }) => Math.abs(plot.valToPos(at, "x") - left) <= NEAR_PX || (end && at <= when && when <= end));
}
