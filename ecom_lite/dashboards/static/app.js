// The page: which board, which time range, and asking for each panel's data again and again. It never sends SQL.

import { h } from "./dom.js";
import { ago } from "./format.js";
import { draw, resize } from "./panels.js";
import { drawStrip } from "./strip.js";
import { onThemeChange } from "./theme.js";

const RANGES = [["5m", "now-5m"], ["15m", "now-15m"], ["30m", "now-30m"], ["1h", "now-1h"], ["6h", "now-6h"], ["24h", "now-24h"], ["7d", "now-7d"], ["90d", "now-90d"], ["All", "all"]];
const STATUS_MS = 2000;
const TIMEOUT_MS = 30000;
const BUSY_MS = 2000;

const $ = (id) => document.getElementById(id);
const views = [];
let board, range, lastGood = 0, lost = false;

async function get(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.error ?? `${response.status} ${response.statusText}`), { busy: response.status === 503 });
  return body;
}

function makeView(panel) {
  const body = h("div", { class: "body" });
  const { x, y, w, h: rows } = panel.grid;
  const element = h("section", {
    class: "panel", "data-panel": panel.id, "data-type": panel.type, "data-state": "loading", "aria-label": panel.title,
    style: { "grid-column": `${x + 1} / span ${w}`, "grid-row": `${y + 1} / span ${rows}`, "--h": String(rows) },
  }, h("h2", { title: panel.description }, panel.title), body);
  body.append(h("div", { class: "note" }, h("div", { class: "spinner" })));
  new ResizeObserver(() => resize(body)).observe(body);
  return { panel, element, body, memory: {}, answer: null, busy: false };
}

function show(view, state, message = "") {
  const { element, body } = view;
  element.querySelector(".trouble")?.remove();
  element.dataset.state = state;
  if (state === "drawn") return;
  // A panel that has data keeps it, with one line on what is wrong now.
  if (state === "error" && view.answer) return void element.append(h("div", { class: "trouble", title: message }, message));
  view.answer = null;
  view.memory = {};
  body.replaceChildren(h("div", { class: "note" }, state === "waiting" ? h("div", { class: "spinner" }) : null, h("div", {}, message)));
}

async function refreshView(view) {
  if (view.busy) return;
  view.busy = true;
  const asked = range;
  try {
    const answer = view.panel.hasData ? await get(`/api/boards/${board.uid}/panels/${view.panel.id}?from=${asked.from}&to=${asked.to}`) : { state: "ok", frames: [] };
    lost = false;
    lastGood = Date.now();
    if (asked !== range) return;
    if (answer.state !== "ok") return void show(view, answer.state, answer.message);
    if (!view.answer) view.body.replaceChildren();
    view.answer = answer;
    draw(view.panel, answer, view.body, view.memory);
    show(view, "drawn");
  } catch (error) {
    lost ||= error instanceof TypeError || error.name === "TimeoutError";
    if (error.busy) setTimeout(refreshView, BUSY_MS, view);
    if (asked === range) show(view, "error", error instanceof TypeError ? "No connection to ecom_lite" : error.message);
  } finally {
    view.busy = false;
    if (asked !== range) refreshView(view);
  }
}

const refresh = () => { if (!document.hidden) views.forEach(refreshView); };

function setRange(from, to = "now") {
  range = { from, to };
  const address = new URL(location);
  address.searchParams.set("from", from);
  address.searchParams.set("to", to);
  history.replaceState(null, "", address);
  drawRanges();
  refresh();
}

function drawRanges() {
  const known = RANGES.some(([, from]) => from === range.from) && range.to === "now";
  const buttons = RANGES.map(([name, from]) => h("button", { "aria-pressed": String(known && range.from === from), onclick: () => setRange(from) }, name));
  if (!known) buttons.push(h("button", { "aria-pressed": "true", title: "back to the board's own range", onclick: () => setRange(board.from, board.to) }, "Zoomed ✕"));
  $("ranges").replaceChildren(...buttons);
}

function tick() {
  const mark = $("updated");
  mark.classList.toggle("live", !lost && lastGood > 0);
  mark.classList.toggle("lost", lost);
  mark.querySelector(".text").textContent = lost ? "connection lost, trying again" : lastGood ? `updated ${ago(Date.now() - lastGood)}` : "connecting";
}

async function pollStatus() {
  if (!document.hidden) {
    try {
      drawStrip($("strip"), await get("/api/status"));
    } catch {
      // The panels tell when the connection is lost; the strip keeps what it has.
    }
  }
  setTimeout(pollStatus, STATUS_MS);
}

async function start() {
  const uid = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  const [boards, found] = await Promise.all([get("/api/boards"), get(`/api/boards/${encodeURIComponent(uid)}`)]);
  board = found;
  document.title = `${board.title} · ecom_lite`;
  $("boards").replaceChildren(...boards.map((each) => h("a", { href: `/d/${each.uid}`, "aria-current": each.uid === board.uid ? "page" : null }, each.title)));
  views.push(...board.panels.map(makeView));
  $("grid").replaceChildren(...views.map((view) => view.element));
  const asked = new URL(location).searchParams;
  range = { from: asked.get("from") ?? board.from, to: asked.get("to") ?? board.to };
  drawRanges();
  refresh();
  setInterval(refresh, board.refresh_ms);
  setInterval(tick, 500);
  pollStatus();
  document.addEventListener("visibilitychange", refresh);
  document.addEventListener("zoom", ({ detail }) => setRange(String(detail.from), String(detail.to)));
  onThemeChange(() => views.filter((view) => view.answer).forEach((view) => draw(view.panel, view.answer, view.body, view.memory)));
}

start().catch((error) => $("grid").replaceChildren(h("p", { class: "lost" }, `The dashboards cannot be shown: ${error.message}. Trying again.`)) ?? setTimeout(() => location.reload(), 3000));
