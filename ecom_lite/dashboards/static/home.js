// The start page: how the run is, what to do next, and the buttons. It asks /api/chain again and again, and draws what has come.

import { chain, number, span } from "./chain.js";
import { h } from "./dom.js";
import { inOrder } from "./newest.js";
import { steering } from "./steer.js";
import { forgetTab, store } from "./stored.js";
import { storyTelling } from "./tell.js";
import { ask, takeToken, token } from "./token.js";

const EVERY_MS = 2000;
const STORY_MS = 700; // while it is told
const LOG_LINES = 200;
const KINDS = [["facts", "Order lines (facts)", "--blue"], ["other", "Other events: returns, profiles", "--teal"], ["duplicates", "Duplicates, taken once", "--purple"], ["dead", "Dead letters, with their reason", "--orange"], ["lost", "Lost to retention", "--red"], ["on_the_way", "On the way", "--faint"]];
const LOCKED = {
  token: "To use the buttons, open the link that `ecom_lite run` shows as “control” when it is ready; `ecom_lite status` shows it again. It carries this run’s token.",
  away: "The buttons work on the machine of the run only. From here: `ssh -L 8100:127.0.0.1:8100` to it (with its port), and open the “control” link there.",
};
const $ = (id) => document.getElementById(id);
const asksLog = inOrder();
let last = 0, lost = false, logged = "";

/** Text in which `words like this` are code. */
function words(text) {
  return text.split("`").map((part, place) => (place % 2 ? h("code", {}, part) : part));
}

function drawCount(count) {
  const left = count.sent + count.others;
  const verdict = $("verdict");
  const waits = count.on_the_way || count.lag;
  verdict.textContent = count.lost ? `${number(count.lost)} lost to retention` : waits ? `${number(Math.max(count.on_the_way, count.lag))} on the way` : left ? "It closes: each event is exactly one of these" : "Nothing was sent yet";
  verdict.dataset.closes = count.lost ? "no" : waits || !left ? "" : "yes";
  const rows = [["", "Sent by the shop", count.sent], ...(count.others ? [["", "From others", count.others]] : [])];
  const line = (color, name, value, kind) => h("tr", { class: kind ?? null }, h("th", { scope: "row" }, color ? h("span", { class: "swatch", style: { "--color": `var(${color})` } }) : null, name), h("td", {}, number(value)));
  const shown = KINDS.filter(([kind]) => count[kind] || kind === "facts");
  $("count").replaceChildren(
    ...rows.map(([color, name, value]) => line(color, name, value)), line("", "Together", left, "sum"),
    ...shown.map(([kind, name, color]) => line(color, name, count[kind])),
    ...(count.held ? [line("", "Held back on purpose, still to be sent", count.held)] : []));
  $("shares").replaceChildren(...shown.filter(([kind]) => count[kind]).map(([kind, , color]) => h("i", { style: { "--share": `${(100 * count[kind]) / Math.max(1, left)}%`, "--color": `var(${color})` } })));
}

function drawHints(hints) {
  const text = JSON.stringify(hints);
  if ($("hints").dataset.text === text) return; // so that what is being copied stays selected
  $("hints").dataset.text = text;
  $("hints").replaceChildren(...hints.map((hint) => h("li", {}, hint.text, hint.command ? h("br") : null, hint.command ? h("code", {}, hint.command) : null)));
}

function drawPages(status) {
  const pages = [
    ...status.boards.map((board) => [`/d/${board.uid}`, board.title, board.description]),
    ...Object.entries(status.pages).map(([name, url]) => [url, name, "the same boards in Grafana"]),
    ["/dbt/", "Models", "what each mart and column is: dbt's documentation"],
    ["/metrics", "Metrics", "for Prometheus; what each is: docs/metrics.md"],
    ["/ready", "Readiness", "200 where every part is well, else which is not; all routes: docs/http.md"],
  ];
  const key = JSON.stringify(pages);
  if ($("pages").dataset.key === key) return;
  $("pages").dataset.key = key;
  $("pages").replaceChildren(...pages.map(([url, name, text]) => h("li", {}, h("a", { href: url }, name), h("small", {}, text))));
  $("boards").replaceChildren(...status.boards.map((board) => h("a", { href: `/d/${board.uid}` }, board.title)));
}

function drawLocks(status) {
  const why = !status.here ? "away" : token() ? "" : "token";
  for (const id of ["controls", "story-controls", "log-controls"]) $(id).disabled = why !== "";
  const line = $("locked");
  line.hidden = !why;
  if (line.dataset.why !== why) line.replaceChildren(...(why ? words(LOCKED[why]) : []));
  line.dataset.why = why;
  if (why && logged) showLog("");
}

function drawParts(parts) {
  const names = Object.keys(parts).filter((name) => !["schema", "topics", "boards", "minutes"].includes(name));
  const select = $("log-part");
  if (select.dataset.names === names.join()) return;
  const kept = select.value;
  select.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
  if (names.includes(kept)) select.value = kept;
  select.dataset.names = names.join();
}

function showLog(part) {
  logged = part;
  $("log").hidden = !part;
  $("log-show").textContent = part ? "Hide" : "Show";
  $("log-show").setAttribute("aria-expanded", String(Boolean(part)));
  if (part) $("log-part").value = part;
  return part ? readLog() : null;
}

async function readLog() {
  const part = logged, log = $("log"), news = asksLog();
  let text;
  try {
    const found = await ask(`/api/logs/${encodeURIComponent(part)}?lines=${LOG_LINES}`, { secret: true });
    text = found.lines.join("\n") || "(empty)";
  } catch (error) {
    text = error.message;
  }
  if (part !== logged || !news() || log.textContent === text) return;
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 20;
  log.textContent = text;
  if (atEnd || log.scrollTop === 0) log.scrollTop = log.scrollHeight;
}

function tick() {
  const mark = $("updated");
  mark.classList.toggle("live", !lost && last > 0);
  mark.classList.toggle("lost", lost);
  const age = Math.round((Date.now() - last) / 1000);
  mark.querySelector(".text").textContent = lost ? "connection lost, trying again" : last ? (age < 4 ? "live" : `updated ${age} s ago`) : "connecting";
}

function drawAll(status, parts) {
  const boards = status.nodes.find((node) => node.id === "boards");
  Object.assign(boards, { value: status.boards.length, unit: "dashboards" });
  for (const draw of parts) draw(status);
  $("headline").textContent = status.state === "running" ? `Your warehouse, live for ${span(status.uptime_s)}` : `The run is ${status.state}`;
  drawCount(status.count);
  drawHints(status.hints);
  drawPages(status);
  drawParts(status.parts);
  drawLocks(status);
  $("logout").hidden = !status.login;
}

/** scheme.js applies what is picked; without it the system's preference holds, and there is nothing to pick. */
function pickScheme() {
  const root = document.documentElement;
  if (!root.dataset.theme) return;
  $("scheme").hidden = false;
  $("scheme").onclick = () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    store("ecom_lite.theme", theme);
    document.dispatchEvent(new CustomEvent("themepicked", { detail: theme }));
  };
}

async function logOut() {
  await fetch("/logout", { method: "POST" }).catch(() => null);
  forgetTab();
  location.assign("/login");
}

function start() {
  takeToken();
  pickScheme();
  const pick = (part) => {
    if ($("log-controls").disabled) return;
    showLog(part);
    $("log").scrollIntoView({ block: "nearest" });
    $("log").focus({ preventScroll: true });
  };
  const parts = [chain($("chain"), $("said"), pick), steering()];
  const hear = storyTelling();
  let status = null;
  async function poll() {
    let telling = false;
    if (!document.hidden) {
      try {
        status = await ask("/api/chain");
        lost = false;
        last = Date.now();
        drawAll(status, parts);
        telling = await hear();
        if (logged) await readLog();
      } catch (error) {
        lost = error instanceof TypeError || error.name === "TimeoutError";
        $("alarm").hidden = lost || error.status === 401;
        $("alarm").textContent = error.message;
      }
      tick();
    }
    setTimeout(poll, telling ? STORY_MS : EVERY_MS);
  }
  const again = () => status && drawLocks(status);
  window.addEventListener("hashchange", () => takeToken() && again());
  document.addEventListener("tokenlost", again);
  $("log-show").onclick = () => showLog(logged ? "" : $("log-part").value);
  $("log-part").onchange = () => logged && showLog($("log-part").value);
  $("logout").onclick = logOut;
  setInterval(tick, 1000);
  poll();
}

start();
