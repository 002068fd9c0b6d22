// The pipeline strip: what flows from the producer to the marts, from /api/status. Each step leads to where one sees more.

import { h } from "./dom.js";
import { ago, format } from "./format.js";

const rate = (value) => (typeof value === "number" ? `${format(value, { decimals: value < 100 ? 1 : 0 })}/s` : "–");
const count = (value) => (typeof value === "number" ? format(value, { decimals: 0 }) : "–");
const HEALTH = { ok: "well", bad: "not well", warn: "worth a look", "": "" };
const DBT = { success: "built", selected: "some models built", running: "running", error: "failed", "tests failed": "built, tests failed", "selected, tests failed": "some models built, tests failed" };
const DBT_WELL = ["success", "selected"];

/** [{name, value, detail, health, title}] of a status. */
function stepsOf(status) {
  const services = status.services ?? {};
  const of = (name, well) => {
    const service = services[name];
    if (!service) return { detail: well, health: "", title: "" };
    return { detail: service.ok ? well : service.detail, health: service.ok ? "ok" : "bad", title: service.detail };
  };
  const steps = [];
  if ("producer_rate" in status) steps.push({ name: "Producer", value: rate(status.producer_rate), ...of("producer", "events sent") });
  if ("lag" in status) steps.push({ name: "Kafka", value: count(status.lag), ...of("kafka", "events waiting") });
  if ("loader_rate" in status) steps.push({ name: "Loader", value: rate(status.loader_rate), ...of("loader", "events loaded") });
  if ("facts" in status) steps.push({ name: "Warehouse", value: count(status.facts), ...of("postgres", "order lines") });
  if ("dead_letters" in status) {
    const some = status.dead_letters > 0;
    steps.push({ name: "Dead letters", value: count(status.dead_letters), detail: some ? "see ecom_lite dead" : "none so far", health: some ? "warn" : "ok", title: "" });
  }
  if ("last_dbt_run" in status) steps.push(dbtStep(status.last_dbt_run));
  return steps;
}

function dbtStep(dbt) {
  if (!dbt) return { name: "dbt", value: "not yet", detail: "first run to come", health: "", title: "" };
  const finished = Date.parse(dbt.finished_at ?? "");
  const words = DBT[dbt.status] ?? dbt.status;
  const took = typeof dbt.seconds === "number" && dbt.status !== "running" ? ` in ${format(dbt.seconds, { unit: "s" })}` : "";
  return {
    name: "dbt", value: Number.isNaN(finished) ? words : ago(Date.now() - finished), detail: words + took,
    health: DBT_WELL.includes(dbt.status) ? "ok" : dbt.status === "running" ? "" : "bad", title: dbt.message ?? "",
  };
}

const set = (element, text) => { if (element.textContent !== text) element.textContent = text; };

function write(element, { name, value, detail, health, title }) {
  const [dot, words] = element.children;
  const said = `${name}${detail ? ` · ${detail}` : ""}`;
  dot.className = `dot ${health}`;
  set(words.children[0], value);
  set(words.children[1], said);
  set(words.children[2], HEALTH[health] ? `, ${HEALTH[health]}` : "");
  element.title = title && title !== "ready" ? title : "";
}

/** Fill the strip; hidden as long as nothing is known. Steps lead to `href` where that is given. Elements stay, so the focus does. */
export function drawStrip(element, status, href) {
  const steps = stepsOf(status);
  element.hidden = steps.length === 0;
  while (element.children.length > steps.length) element.lastElementChild.remove();
  while (element.children.length < steps.length) {
    element.append(h(href ? "a" : "div", { class: "step", href: href ?? null }, h("span", { class: "dot" }), h("div", {}, h("b", {}), h("small", {}), h("span", { class: "sr" }))));
  }
  steps.forEach((step, index) => write(element.children[index], step));
}
