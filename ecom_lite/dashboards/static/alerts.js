// Draws how the alerts stand. `alerts` is the list that /api/alerts answers with; the styles are in alerts.css.
import { h } from "./dom.js";
import { stillIn } from "./session.js";

const ORDER = ["firing", "pending", "unknown", "ok"];
const WORDS = { firing: "fires", pending: "out of bounds", unknown: "not judged", ok: "ok" };

export async function loadAlerts() {
  const answer = await fetch("/api/alerts");
  stillIn(answer);
  if (!answer.ok) throw new Error(`/api/alerts answered ${answer.status}`);
  return answer.json();
}

/** Replaces what is in `element`: a line that sums up, and a list, those that fire first. */
export function drawAlerts(element, alerts) {
  const sorted = [...alerts].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.rule.localeCompare(b.rule));
  element.classList.add("alerts");
  element.dataset.firing = sorted.filter((alert) => alert.state === "firing").length;
  element.replaceChildren(h("p", { class: "sum" }, sum(sorted)), h("ul", {}, ...sorted.map(line)));
}

function sum(alerts) {
  if (!alerts.length) return "No alert was evaluated yet.";
  const count = (state) => alerts.filter((alert) => alert.state === state).length;
  const firing = count("firing");
  const parts = [firing ? `${firing} of ${alerts.length} alerts ${firing === 1 ? "fires" : "fire"}` : `None of ${alerts.length} alerts fires`];
  const unknown = count("unknown");
  if (unknown) parts.push(`${unknown} ${unknown === 1 ? "is" : "are"} not judged: why is beside ${unknown === 1 ? "it" : "each"}`);
  return `${parts.join("; ")}.`;
}

function line(alert) {
  const board = /^[\w-]+$/.test(alert.board) ? h("a", { href: `/d/${alert.board}` }, "board") : null;
  return h("li", { "data-state": alert.state, "data-severity": alert.severity, "data-rule": alert.rule },
    h("b", {}, alert.title), h("span", { class: "state" }, WORDS[alert.state] ?? alert.state),
    h("span", { class: "told" }, alert.problem || alert.told), h("time", { datetime: alert.since }, `since ${since(alert.since)}`),
    alert.state === "firing" ? h("span", { class: "todo" }, ...words(alert.what_to_do)) : null, board);
}

/** Text in which `words like this` are code. */
function words(text) {
  return text.split("`").map((part, place) => (place % 2 ? h("code", {}, part) : part));
}

function since(iso) {
  return new Date(iso).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
}
