// The page: which board, what of it is asked for, and who does what when that changes. It never sends SQL.

import { readAddress, refreshesOf, writeAddress } from "./address.js";
import { h } from "./dom.js";
import { Feed } from "./feed.js";
import { drawFiring } from "./firing.js";
import { focused, side, step } from "./focus.js";
import { ago, duration } from "./format.js";
import { ClosedRows, place, rowElement, sectionsOf } from "./grid.js";
import { get } from "./http.js";
import { icon } from "./icons.js";
import { bindKeys, helpSheet } from "./keys.js";
import { boardLinks } from "./board_links.js";
import { PanelActions } from "./menu.js";
import { printable } from "./print.js";
import { Ranges, rangeWords } from "./ranges.js";
import { say } from "./say.js";
import { Screen } from "./screen.js";
import { drawStrip } from "./strip.js";
import { onThemeChange } from "./theme.js";
import { flipTheme, themeButton } from "./themes.js";
import { Variables } from "./variables.js";
import { PanelView } from "./views.js";

const TELL_MS = 1000;
const AGAIN_MS = 3000;
const HEALTH_BOARD = "pipeline-health"; // where one sees more of the strip's parts

const $ = (id) => document.getElementById(id);

/** The board on the page. */
function show(board, boards) {
  const state = readAddress(board);
  const views = new Map();
  const sections = sectionsOf(board.panels);
  const closedRows = new ClosedRows(board);
  const elements = new Map();
  let annotations = [], wasLost = false;

  const context = () => ({ timezone: board.timezone, uid: board.uid, annotations, compare: state.compare, variables: state.variables, from: state.from, to: state.to });
  const screen = new Screen(views, (panel) => {
    state.panel = panel;
    writeAddress(state, false);
  });
  const actions = new PanelActions(board, state, screen);
  const layOut = () => place(sections, elements, closedRows.ids);
  const redraw = () => views.forEach((view) => { view.resize(); view.redraw(); });

  for (const { row, panels } of sections) {
    if (row) {
      elements.set(row.id, rowElement(row, panels, closedRows.ids.has(row.id), (id) => {
        const closed = closedRows.toggle(id);
        layOut();
        feed.rowsChanged();
        return closed;
      }));
    }
    for (const panel of panels) {
      const view = new PanelView(panel, state, context, (each, close) => actions.menu(each, close), () => screen.leave());
      views.set(panel.id, view);
      elements.set(panel.id, view.element);
    }
  }
  $("title").textContent = board.title;
  $("grid").append(...elements.values());
  layOut();

  const hasSeries = [...views.values()].some((view) => view.panel.type === "timeseries");
  const canHealth = boards.some((each) => each.uid === HEALTH_BOARD);
  const feed = new Feed(board, state, views, {
    status: (status) => {
      drawStrip($("strip"), status, canHealth ? `/d/${HEALTH_BOARD}` : null);
      drawFiring($("firing"), status.firing);
    },
    annotations: (found) => {
      if (JSON.stringify(found) === JSON.stringify(annotations)) return;
      annotations = found;
      views.forEach((view) => { if (view.panel.type === "timeseries" && !view.asTable) view.redraw(); });
    },
    changed: () => location.reload(), // a new version of the board: the page begins anew
  });

  function drawBar() {
    ranges.draw();
    variables.draw();
    $("refresh").value = state.refresh;
    $("compare").hidden = !hasSeries;
    $("compare").setAttribute("aria-checked", String(state.compare));
    document.documentElement.classList.toggle("kiosk", state.kiosk);
    const links = boardLinks(board, boards, state);
    $("links").hidden = links.length === 0;
    $("links").replaceChildren(...links.map(({ title, href, blank, tooltip }) => h("a", { href, title: tooltip || null, target: blank ? "_blank" : null, rel: blank ? "noopener" : null }, title)));
  }

  /** Something else is asked for. */
  function change(patch, push = true) {
    const range = "from" in patch;
    Object.assign(state, patch);
    writeAddress(state, push);
    drawBar();
    feed.restart();
    if (range) {
      variables.load();
      say(rangeWords(state, board.timezone));
    }
  }

  const ranges = new Ranges($("ranges"), board, state, change);
  const variables = new Variables($("variables"), board, state, (name, values, push) => change({ variables: { ...state.variables, [name]: values } }, push));
  const toggleCompare = () => {
    if (!hasSeries) return;
    change({ compare: !state.compare });
    say(state.compare ? "Compared with the time before" : "No comparison");
  };
  const toggleKiosk = () => {
    state.kiosk = !state.kiosk;
    writeAddress(state, false);
    drawBar();
    say(state.kiosk ? "Only the panels: K or Escape brings the rest back" : "All is back");
  };
  const refreshNow = () => {
    feed.refresh();
    say("Asked for the newest figures");
  };
  const withPanel = (run) => () => {
    const view = screen.shown ?? focused(views);
    if (view) run(view);
    else say("Move to a panel first: j or k");
  };
  const escape = () => {
    if (screen.shown) screen.leave();
    else if (state.kiosk) toggleKiosk();
  };

  const shortcuts = [
    { keys: ["j"], shown: "j k", what: "Next panel, the one before", run: () => step(views, 1) },
    { keys: ["k"], run: () => step(views, -1) },
    { keys: ["ArrowRight"], shown: "← ↑ → ↓", what: "From a panel to the one beside it", own: true, run: () => side(views, 1, 0) },
    { keys: ["ArrowLeft"], own: true, run: () => side(views, -1, 0) },
    { keys: ["ArrowDown"], own: true, run: () => side(views, 0, 1) },
    { keys: ["ArrowUp"], own: true, run: () => side(views, 0, -1) },
    { keys: ["v"], shown: "v Enter", what: "The panel in full screen, and back", run: withPanel((view) => screen.toggle(view)) },
    { keys: ["Enter"], own: true, run: withPanel((view) => screen.toggle(view)) },
    { keys: ["t"], shown: "t", what: "The panel as a table, and back", run: withPanel((view) => actions.table(view)) },
    { keys: ["m"], shown: "m", what: "The panel's menu", run: withPanel((view) => view.more.click()) },
    { keys: ["x"], shown: "x", what: "The panel's figures as CSV", run: withPanel((view) => actions.csv(view)) },
    { keys: ["p"], shown: "p", what: "The panel as a picture", run: withPanel((view) => actions.png(view)) },
    { keys: ["l"], shown: "l", what: "Copy a link to the panel", run: withPanel((view) => actions.link(view)) },
    { keys: ["["], shown: "[ ]", what: "A shorter, a longer time range", run: () => ranges.step(-1) },
    { keys: ["]"], run: () => ranges.step(1) },
    { keys: ["z"], shown: "z", what: "Back out of a zoom", run: () => ranges.zoomBack() },
    { keys: ["c"], shown: "c", what: "Compare with the time before", run: toggleCompare },
    { keys: ["r"], shown: "r", what: "Refresh now", run: refreshNow },
    { keys: ["d"], shown: "d", what: "Dark or light", run: flipTheme },
    { keys: ["K"], shown: "K", what: "Kiosk: only the panels", run: toggleKiosk },
    { keys: ["Escape"], shown: "Esc", what: "Leave full screen or kiosk", run: escape },
    { keys: ["?"], shown: "?", what: "This sheet", run: () => help() },
  ];
  const help = helpSheet(shortcuts);
  bindKeys(shortcuts);

  const own = `as the board (${duration(board.refresh_ms / 1000, 0)})`;
  $("refresh").replaceChildren(h("option", { value: "" }, own), ...Object.keys(refreshesOf(board)).map((name) => h("option", { value: name }, name === "off" ? "off" : `every ${name.replace(/(\d)([a-z])/, "$1 $2")}`)));
  $("refresh").addEventListener("change", (event) => change({ refresh: event.target.value }));
  $("compare").addEventListener("click", toggleCompare);
  $("kiosk").append(icon("kiosk"));
  $("kiosk").addEventListener("click", toggleKiosk);
  $("updated").addEventListener("click", refreshNow);
  $("help").addEventListener("click", help);
  document.addEventListener("zoom", ({ detail }) => ranges.zoom(detail.from, detail.to));
  addEventListener("popstate", () => {
    Object.assign(state, readAddress(board));
    drawBar();
    feed.restart();
  });
  onThemeChange(redraw);
  printable(redraw, () => [board.title, rangeWords(state, board.timezone), variables.words(), new Date().toLocaleString()].filter(Boolean).join(" · "));

  setInterval(() => {
    const now = Date.now();
    feed.watch(now);
    views.forEach((view) => view.tell(now, feed.oldMs));
    const mark = $("updated");
    mark.classList.toggle("live", !feed.lost && feed.lastGood > 0 && feed.periodMs !== null);
    mark.classList.toggle("lost", feed.lost);
    const text = feed.lost ? "connection lost, trying again" : feed.lastGood ? `updated ${ago(now - feed.lastGood)}` : "connecting";
    mark.querySelector(".text").textContent = text;
    if (feed.lost !== wasLost) say(feed.lost ? "Connection lost" : "Connection is back");
    wasLost = feed.lost;
  }, TELL_MS);

  drawBar();
  feed.restart();
  variables.load();
  if (state.panel && views.has(state.panel)) screen.show(views.get(state.panel));
}

async function start() {
  themeButton($("theme"));
  const uid = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  const [boards, board] = await Promise.all([get("/api/boards"), get(`/api/boards/${encodeURIComponent(uid)}`)]);
  document.title = `${board.title} · ecom_lite`;
  $("boards").replaceChildren(...boards.map((each) => h("a", { href: `/d/${each.uid}`, "aria-current": each.uid === board.uid ? "page" : null }, each.title)));
  show(board, boards);
}

start().catch((error) => {
  console.error(error);
  $("grid").append(h("p", { class: "failed" }, `The dashboards cannot be shown: ${error.message}. Trying again.`));
  setTimeout(() => location.reload(), AGAIN_MS);
});
