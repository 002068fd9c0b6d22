// How a series is traced on uPlot's canvas: lines of Grafana's kinds, columns that may stand on one another, their filling.

import { alpha } from "./theme.js";
import uPlot from "./uplot.js";

const LINES = {
  linear: () => uPlot.paths.linear(),
  smooth: () => uPlot.paths.spline(),
  stepBefore: () => uPlot.paths.stepped({ align: -1 }),
  stepAfter: () => uPlot.paths.stepped({ align: 1 }),
};

export const linePaths = ({ lineInterpolation = "linear" }) => LINES[lineInterpolation]();

/** Columns of the series at `at` of the model of now. */
export function columnPaths(current, at) {
  return (plot, _, first, last) => {
    const { times, drawn, stepMs } = current();
    const { tops, bottoms, settings, side } = drawn[at];
    const wide = stepMs * (settings.custom.barWidthFactor ?? 0.8);
    const from = settings.custom.barAlignment === 1 ? (stepMs - wide) / 2 : settings.custom.barAlignment === -1 ? -stepMs + (stepMs - wide) / 2 : -wide / 2;
    const shape = new Path2D();
    const { left: edge, width: room } = plot.bbox;
    for (let index = first; index <= last; index += 1) {
      const [top, bottom] = [tops[index], bottoms?.[index] ?? 0];
      if (top === null || top === undefined || top === bottom) continue;
      const left = Math.round(plot.valToPos(times[index] + from, "x", true));
      const right = Math.round(plot.valToPos(times[index] + from + wide, "x", true));
      if (right < edge || left > edge + room) continue;
      const [a, b] = [plot.valToPos(top, side, true), plot.valToPos(bottom, side, true)];
      shape.rect(left, Math.min(a, b), Math.max(1, right - left), Math.max(1, Math.abs(a - b)));
    }
    return { stroke: null, fill: shape, clip: null, band: null, gaps: null, flags: 0 };
  };
}

/** What a series is filled with: nothing, a colour, or one that fades towards the axis. */
export function fillOf({ color, settings, kind }, share) {
  if (!(share > 0)) return undefined;
  if (kind === "bars" || settings.custom.gradientMode !== "opacity") return alpha(color, share);
  return (plot) => {
    const { top, height } = plot.bbox;
    if (!Number.isFinite(top + height)) return alpha(color, share);
    const fade = plot.ctx.createLinearGradient(0, top, 0, top + height);
    fade.addColorStop(0, alpha(color, Math.min(1, share * 2.2)));
    fade.addColorStop(1, alpha(color, share * 0.2));
    return fade;
  };
}
