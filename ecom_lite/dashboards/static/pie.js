// Pies and donuts as SVG, with a table of the slices beside or below.

import { h, svg } from "./dom.js";
import { colorsOf, display, reduced } from "./fields.js";
import { linkOf, linked, linkedSvg } from "./links.js";
import { textWidth } from "./scales.js";
import { color, inkOn } from "./theme.js";
import { tipContent, withTip } from "./tooltip.js";

const NARROW = 400;
const HOLE = 0.62;
const LEAST_TEXT = 11;
const TURN = Math.PI * 2;

export function drawPie(panel, answer, body, state, context) {
  const items = reduced(panel, answer.frames);
  const colors = colorsOf(panel, items.map(({ name }) => name));
  const total = items.reduce((sum, { value }) => sum + Math.max(0, value ?? 0), 0);
  const { legend = {}, pieType = "donut" } = panel.options;
  let frame = body.querySelector(":scope > .pie");
  if (!frame) {
    frame = h("div", { class: "pie" }, h("div", { class: "chart" }), h("div", { class: "slices" }, h("table", {}, h("tbody"))));
    body.replaceChildren(frame);
  }
  const below = legend.placement === "bottom" || body.clientWidth < NARROW;
  frame.classList.toggle("below", below);
  frame.querySelector(".slices").hidden = legend.showLegend === false;
  const slices = items.map((item, at) => ({
    ...item, color: colors[at], share: total > 0 ? Math.max(0, item.value ?? 0) / total : 0, text: display(item.value, item.settings),
    link: linkOf(item.settings, { ...item, text: display(item.value, item.settings) }, context),
  }));
  fillLegend(frame, slices, legend.values ?? ["value"]);
  const chart = frame.querySelector(".chart");
  const size = Math.max(60, Math.min(chart.clientWidth, chart.clientHeight) - 4);
  chart.replaceChildren(ring(panel, slices, total, size, pieType === "donut"));
}

function fillLegend(frame, slices, values) {
  const rows = slices.map(({ name, color: shade, text, share, link }) => h("tr", {},
    h("td", {}, h("span", { class: "swatch", style: { background: shade } }), linked(link, h("span", {}, name))),
    ...values.map((each) => h("td", { class: "right" }, each === "percent" ? percent(share) : text))));
  frame.querySelector("tbody").replaceChildren(...rows);
}

const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)}%`;

function ring(panel, slices, total, size, donut) {
  const outer = size / 2;
  const inner = donut ? outer * HOLE : 0;
  const labels = panel.options.displayLabels ?? [];
  let angle = 0;
  const drawn = slices.filter(({ share }) => share > 0).map((slice) => {
    const from = angle;
    angle += slice.share * TURN;
    const shape = svg("path", { class: "slice", d: arc(from, angle, inner, outer, slice.share), fill: slice.color, "fill-rule": "evenodd", stroke: color("card"), "stroke-width": slices.length > 1 ? 1.5 : 0 });
    const text = labelOf(slice, labels, (from + angle) / 2, (inner + outer) / 2, outer - inner);
    const group = svg("g", {}, linkedSvg(slice.link, shape, `${slice.name}: ${slice.text}`), text);
    return withTip(group, () => tipContent(slice.name, [{ color: slice.color, name: percent(slice.share), value: slice.text }]));
  });
  const few = slices.slice(0, 4).map(({ name, text }) => `${name} ${text}`).join(", ");
  return svg("svg", {
    class: "ring", viewBox: `${-outer} ${-outer} ${size} ${size}`, width: size, height: size, role: slices.some(({ link }) => link) ? "group" : "img",
    "aria-label": `${panel.title}: ${slices.length} slices, ${few}${slices.length > 4 ? " and others" : ""}`,
  }, ...drawn, donut ? totalOf(total, slices[0]?.settings, inner) : null);
}

function arc(from, to, inner, outer, share) {
  const point = (angle, radius) => `${(Math.sin(angle) * radius).toFixed(2)} ${(-Math.cos(angle) * radius).toFixed(2)}`;
  if (share > 0.9999) { // an arc cannot end where it begins
    const circle = (radius) => `M ${point(0, radius)} A ${radius} ${radius} 0 1 1 ${point(Math.PI, radius)} A ${radius} ${radius} 0 1 1 ${point(0, radius)} Z`;
    return circle(outer) + (inner ? ` ${circle(inner)}` : "");
  }
  const large = to - from > Math.PI ? 1 : 0;
  const back = inner ? `L ${point(to, inner)} A ${inner} ${inner} 0 ${large} 0 ${point(from, inner)}` : "L 0 0";
  return `M ${point(from, outer)} A ${outer} ${outer} 0 ${large} 1 ${point(to, outer)} ${back} Z`;
}

/** What stands in a slice, where the slice has room for it. */
function labelOf({ share, name, text, color: shade }, labels, angle, radius, thick) {
  const words = labels.map((each) => (each === "percent" ? percent(share) : each === "name" ? name : text)).join(" ");
  const wide = textWidth(words, LEAST_TEXT + 1, 600);
  if (!words || share * TURN * radius < wide + 6 || (share < 0.9 && thick < wide * 0.55 + 6)) return null;
  return svg("text", { x: Math.sin(angle) * radius, y: -Math.cos(angle) * radius + 4, "text-anchor": "middle", class: "in-slice", fill: inkOn(shade), "font-size": LEAST_TEXT + 1 }, words);
}

/** The sum in the hole, no larger than the hole. */
function totalOf(total, settings = {}, inner) {
  const room = inner * 2 * 0.84;
  const [text, size] = [display(total, settings), display(total, settings, true)].map((each) => [each, Math.min(20, room / textWidth(each, 1, 650))]).find(([, each]) => each >= 13)
    ?? [display(total, settings, true), Math.min(20, room / textWidth(display(total, settings, true), 1, 650))];
  return size < LEAST_TEXT ? null : svg("text", { class: "total", y: size * 0.35, "text-anchor": "middle", "font-size": size.toFixed(1), fill: color("text") }, text);
}
