// The picture of the chain: a box for each part, placed by home.css, and lines between them, measured from where the boxes stand.

import { h, svg } from "./dom.js";

const WORDS = { ok: "well", warn: "look", busy: "busy", bad: "not well", off: "" };
const NARROW = matchMedia("(max-width: 1180px)");
// From which side of a box to which side of the next, in the wide layout and in the narrow one.
const WAYS = {
  "shop kafka": ["r l", "b t"], "kafka load": ["r l", "b t"], "load warehouse": ["r l", "b t"], "warehouse marts": ["r l", "b t"],
  "marts boards": ["r l", "b t"], "kafka spark": ["t l", "r l"], "spark warehouse": ["r t", "r r"], "load dead": ["b l", "r l"],
};
const ROUND = 10;
const SMALL = 1000; // records that wait: not worth a colour

export const number = (value, digits = 0) => new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);
export const rate = (value) => `${number(value, value < 10 ? 1 : 0)}/s`;

export function span(seconds) {
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

function labels(edge) {
  const found = [];
  if ("rate" in edge) found.push([rate(edge.rate), ""]);
  if ("lag" in edge) found.push([`lag ${number(edge.lag)}`, edge.lag > SMALL ? "high" : "low"]);
  if ("delay_ms" in edge) found.push([`${number(edge.delay_ms)} ms`, "low"]);
  if ("watermark_s" in edge) found.push([`mark −${span(edge.watermark_s)}`, "low"]);
  if ("at" in edge) found.push([`${span(Math.max(0, (Date.now() - Date.parse(edge.at)) / 1000))} old`, "low"]);
  return found;
}

function box(node, onPick) {
  const content = [
    h("span", { class: "name" }, h("span", {}, node.title), h("span", { class: "state" }, WORDS[node.state] ?? "")),
    node.value === null || node.value === undefined ? null : h("span", { class: "value" }, number(node.value, 1)),
    h("span", { class: "unit" }, node.unit),
    node.detail && node.state !== "ok" ? h("span", { class: "detail" }, node.detail) : null,
    node.restarts ? h("span", { class: "again" }, `restarted ${node.restarts}×`) : null,
  ];
  const attributes = { class: "node", "data-node": node.id, "data-state": node.state };
  return node.log ? h("button", { ...attributes, type: "button", title: `Show the log of ${node.log}`, onclick: () => onPick(node.log) }, ...content) : h("div", attributes, ...content);
}

function port(rect, side, origin) {
  const x = rect.left - origin.left, y = rect.top - origin.top;
  return { l: [x, y + rect.height / 2], r: [x + rect.width, y + rect.height / 2], t: [x + rect.width / 2, y], b: [x + rect.width / 2, y + rect.height] }[side];
}

/** The line's path, where its labels stand, and which way it ends. */
function route([x1, y1], [x2, y2], way, width) {
  const [from, to] = way.split(" ");
  if (way === "r r") {
    const x = width + 12;
    return { path: `M${x1} ${y1} H${x - ROUND} Q${x} ${y1} ${x} ${y1 + ROUND} V${y2 - ROUND} Q${x} ${y2} ${x - ROUND} ${y2} H${x2}`, label: [x - 6, y2 - 18, "end"], ends: "l" };
  }
  if (from === "r" && to === "l") return { path: `M${x1} ${y1} H${x2}`, label: [(x1 + x2) / 2, (y1 + y2) / 2, "middle"], ends: "r" };
  if (from === "b" && to === "t") return { path: `M${x1} ${y1} V${y2}`, label: [x1 + 10, (y1 + y2) / 2, "start"], ends: "d" };
  if (to === "l") {
    const turn = from === "t" ? ROUND : -ROUND;
    return { path: `M${x1} ${y1} V${y2 + turn} Q${x1} ${y2} ${x1 + ROUND} ${y2} H${x2}`, label: [(x1 + x2) / 2, y2, "middle"], ends: "r" };
  }
  return { path: `M${x1} ${y1} H${x2 - ROUND} Q${x2} ${y1} ${x2} ${y1 + ROUND} V${y2}`, label: [(x1 + x2) / 2, y1, "middle"], ends: "d" };
}

function arrow([x, y], ends, flowing) {
  const tip = { r: `${x},${y} ${x - 7},${y - 4} ${x - 7},${y + 4}`, l: `${x},${y} ${x + 7},${y - 4} ${x + 7},${y + 4}`, d: `${x},${y} ${x - 4},${y - 7} ${x + 4},${y - 7}` };
  return svg("polygon", { points: tip[ends], class: flowing ? "flowing" : null });
}

function texts([x, y, anchor], words, between) {
  // Beside a line that goes down both stand to its right; else one above it and one below.
  const places = anchor === "middle" ? [y - 7, y + 17] : words.length > 1 ? [y - 4, y + 12] : [y + 4];
  return words.map(([word, kind], row) => svg("text", { x, y: places[row] ?? y, "text-anchor": anchor, class: kind || null, "data-between": between }, word));
}

/** The chain in an element: `draw(status)` again and again. `onPick(part)` is told of a click on a part with a log. */
export function chain(element, said, onPick) {
  let now = null;
  function lines() {
    if (!now) return;
    const origin = element.getBoundingClientRect();
    const picture = svg("svg", { class: "edges", "aria-hidden": "true" });
    for (const edge of now.edges) {
      const between = `${edge.from} ${edge.to}`, way = WAYS[between]?.[NARROW.matches ? 1 : 0];
      const [from, to] = [edge.from, edge.to].map((id) => element.querySelector(`[data-node="${id}"]`));
      if (!way || !from || !to) continue;
      const [start, end] = way.split(" ").map((side, place) => port((place ? to : from).getBoundingClientRect(), side, origin));
      const right = to.getBoundingClientRect();
      const widest = Math.max(...[...element.querySelectorAll(".node")].map((one) => one.getBoundingClientRect().right)) - origin.left;
      const { path, label, ends } = route(start, end, way, right.width ? widest : 0);
      const flowing = edge.rate > 0;
      picture.append(svg("path", { d: path, class: flowing ? "flowing" : null }), arrow(end, ends, flowing), ...texts(label, labels(edge), between));
    }
    element.querySelector(".edges")?.remove();
    element.append(picture);
  }
  new ResizeObserver(lines).observe(element);
  return (status) => {
    now = status;
    const kept = document.activeElement?.closest?.("[data-node]")?.dataset.node;
    element.replaceChildren(...status.nodes.map((node) => box(node, onPick)));
    if (kept) element.querySelector(`button[data-node="${kept}"]`)?.focus();
    lines();
    const named = Object.fromEntries(status.nodes.map((node) => [node.id, node.title]));
    said.textContent = status.edges.filter((edge) => labels(edge).length).map((edge) => `${named[edge.from]} to ${named[edge.to]}: ${labels(edge).map(([word]) => word).join(", ")}.`).join(" ");
  };
}
