// The pipeline strip: what flows from the producer to the marts, from /api/status.

import { h } from "./dom.js";
import { ago, format } from "./format.js";

const rate = (value) => (typeof value === "number" ? `${format(value, { decimals: value < 100 ? 1 : 0 })}/s` : "–");
const count = (value) => (typeof value === "number" ? format(value, { decimals: 0 }) : "–");

function step(name, value, detail, health, title) {
  return h("div", { class: "step", title: title ?? null }, h("span", { class: `dot ${health}` }), h("div", {}, h("b", {}, value), h("small", {}, `${name}${detail ? ` · ${detail}` : ""}`)));
}

/** Fill the strip; hidden as long as nothing is known. */
export function drawStrip(element, status) {
  const services = status.services ?? {};
  const health = (...names) => {
    const found = names.map((name) => services[name]).filter(Boolean);
    return found.length === 0 ? "" : found.every((service) => service.ok) ? "ok" : "bad";
  };
  const words = (name) => services[name]?.detail ?? "";
  const detail = (name, well) => (services[name] && !services[name].ok ? words(name) : well);
  const dbt = status.last_dbt_run ?? null;
  const finished = dbt?.finished_at ? Date.parse(dbt.finished_at) : NaN;
  const steps = [];
  if ("producer_rate" in status) steps.push(step("Producer", rate(status.producer_rate), detail("producer", "events sent"), health("producer"), words("producer")));
  if ("lag" in status) steps.push(step("Kafka", count(status.lag), detail("kafka", "events waiting"), health("kafka"), words("kafka")));
  if ("loader_rate" in status) steps.push(step("Loader", rate(status.loader_rate), detail("loader", "events loaded"), health("loader"), words("loader")));
  if ("facts" in status) steps.push(step("Warehouse", count(status.facts), detail("postgres", "order lines"), health("postgres"), words("postgres")));
  if ("dead_letters" in status) steps.push(step("Dead letters", count(status.dead_letters), status.dead_letters > 0 ? "see ecom_lite dead" : "none so far", status.dead_letters > 0 ? "warn" : "ok"));
  if ("last_dbt_run" in status) {
    const fine = dbt?.status === "success" || dbt?.status === "selected";
    const value = dbt ? (Number.isNaN(finished) ? dbt.status : ago(Date.now() - finished)) : "not yet";
    const said = dbt ? `${dbt.status}${typeof dbt.seconds === "number" ? `, ${format(dbt.seconds, { unit: "s" })}` : ""}` : "first run to come";
    steps.push(step("dbt", value, said, dbt ? (fine ? "ok" : dbt.status === "running" ? "" : "bad") : "", dbt?.message));
  }
  element.hidden = steps.length === 0;
  element.replaceChildren(...steps);
}
