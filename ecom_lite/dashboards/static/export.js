// A panel to take away: its figures as a table, its picture as PNG.

import { display, fieldSettings, titleOf } from "./fields.js";
import { joined } from "./frames.js";
import { color } from "./theme.js";
import { areDays, isoDay, isoTime } from "./time.js";

const SERIES = ["timeseries", "state-timeline"];
const SCALE = 2;

/** {columns: [titles], rows: [[texts]], raw: [[values]]} of what a panel shows; hidden columns stay hidden. */
export function toTable(panel, answer) {
  const frames = answer?.frames ?? [];
  if (SERIES.includes(panel.type) && frames.length) {
    const { times, series } = joined(panel, frames, ["number", "string", "boolean"]);
    const kept = times.map((_, at) => at).filter((at) => series.some(({ values }) => values[at] !== null && values[at] !== undefined));
    const raw = kept.map((at) => [times[at], ...series.map(({ values }) => values[at] ?? null)]);
    return { columns: ["Time", ...series.map(({ name }) => titleOf(panel, name))], raw, rows: raw.map(([time, ...values]) => [isoTime(time), ...values.map((value, at) => (value === null ? "" : display(value, series[at].settings)))]) };
  }
  const columns = (frames[0]?.columns ?? []).map((column, index) => ({ ...column, index, settings: fieldSettings(panel, column.name) })).filter(({ settings }) => !settings.custom.hidden);
  const raw = (frames[0]?.rows ?? []).map((row) => columns.map(({ index }) => row[index]));
  const days = columns.map(({ kind }, at) => kind === "time" && areDays(raw.map((row) => row[at])));
  const text = (value, at) => (value === null ? "" : columns[at].kind === "time" ? (days[at] ? isoDay(value) : isoTime(value)) : display(value, columns[at].settings));
  return { columns: columns.map(({ name }) => titleOf(panel, name)), raw, rows: raw.map((row) => row.map(text)) };
}

const LOOK = [
  "display", "position", "left", "top", "right", "bottom", "width", "height", "min-width", "min-height", "max-width", "max-height", "margin", "padding", "box-sizing", "overflow",
  "flex-direction", "flex-wrap", "flex-grow", "flex-shrink", "flex-basis", "align-items", "align-self", "justify-content", "gap", "grid-template-columns", "grid-template-rows", "grid-column", "grid-row",
  "color", "background-color", "background-image", "border-top", "border-right", "border-bottom", "border-left", "border-radius", "border-collapse", "table-layout", "vertical-align", "opacity", "transform",
  "font-family", "font-size", "font-weight", "font-style", "font-variant-numeric", "letter-spacing", "line-height", "text-align", "text-anchor", "white-space", "overflow-wrap", "text-decoration",
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "list-style",
];
const KEPT = ["viewBox", "d", "points", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "width", "height", "preserveAspectRatio", "vector-effect", "colspan", "span"];
const SVG = "http://www.w3.org/2000/svg";
const XHTML = "http://www.w3.org/1999/xhtml";

const escaped = (text) => text.replace(/[&<>"]/g, (each) => `&#${each.charCodeAt(0)};`).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "");

/** An element as markup that needs no style sheet: what it looks like now is written into it. */
function frozen(node) {
  if (node.nodeType === Node.TEXT_NODE) return escaped(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE || node.hidden || node.matches("button.mark, .point-link, .trouble, title")) return "";
  const computed = getComputedStyle(node);
  if (computed.display === "none") return "";
  const style = escaped(LOOK.map((name) => `${name}:${computed.getPropertyValue(name)}`).join(";"));
  if (node instanceof HTMLCanvasElement) return `<img src="${node.toDataURL()}" style="${style}"/>`;
  const tag = node.tagName.toLowerCase();
  const space = tag === "svg" ? ` xmlns="${SVG}"` : "";
  const attributes = KEPT.filter((name) => node.hasAttribute(name)).map((name) => ` ${name}="${escaped(node.getAttribute(name))}"`).join("");
  const name = node.namespaceURI === XHTML && ["button", "a"].includes(tag) ? "span" : tag; // a button's own look is not ours
  const before = getComputedStyle(node, "::before");
  const drawn = before.content !== "none" && before.content !== "normal" ? `<span style="${escaped(LOOK.map((each) => `${each}:${before.getPropertyValue(each)}`).join(";"))}"></span>` : "";
  return `<${name}${space}${attributes} style="${style}">${drawn}${[...node.childNodes].map(frozen).join("")}</${name}>`;
}

/** The panel as it stands, with its title, as a PNG of twice its size. */
export async function toPng(panel, body) {
  const { offsetWidth: width, offsetHeight: bodyHeight } = body;
  const head = 34;
  const height = bodyHeight + head;
  const { fontFamily } = getComputedStyle(document.body);
  const markup = `<svg xmlns="${SVG}" width="${width}" height="${height}"><rect width="100%" height="100%" fill="${color("card")}"/>`
    + `<text x="14" y="23" font-family="${escaped(fontFamily)}" font-size="14" font-weight="600" fill="${color("text")}">${escaped(panel.title)}</text>`
    + `<foreignObject x="0" y="${head}" width="${width}" height="${bodyHeight}"><div xmlns="${XHTML}">${frozen(body)}</div></foreignObject></svg>`;
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(markup)}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * SCALE;
  canvas.height = height * SCALE;
  const ink = canvas.getContext("2d");
  ink.scale(SCALE, SCALE);
  ink.drawImage(picture, 0, 0);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture cannot be written"))), "image/png"));
}
