// The time range: quick ones as buttons, an own one by its ends, and the way back out of a zoom.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { opens } from "./popup.js";
import { epochOf, shortTime, wallTime, zoneName } from "./zone.js";

const QUICK = [
  ["5m", "now-5m", "Last 5 minutes"], ["15m", "now-15m", "Last 15 minutes"], ["30m", "now-30m", "Last 30 minutes"], ["1h", "now-1h", "Last hour"],
  ["6h", "now-6h", "Last 6 hours"], ["24h", "now-24h", "Last 24 hours"], ["7d", "now-7d", "Last 7 days"], ["90d", "now-90d", "Last 90 days"], ["All", "all", "All that there is"],
];
const UNITS = { s: "second", m: "minute", h: "hour", d: "day", w: "week" };
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const EPOCH_MS = /^\d{1,14}$/; // more digits are no milliseconds, and perhaps no date at all
const RELATIVE = /^now(?:-(\d+)([smhdw]))?$/;

const isQuick = ({ from, to }) => to === "now" && QUICK.some(([, each]) => each === from);

function bound(text, timezone) {
  const match = RELATIVE.exec(text);
  if (match) return match[1] ? `${match[1]} ${UNITS[match[2]]}${match[1] === "1" ? "" : "s"} ago` : "now";
  return EPOCH_MS.test(text) ? shortTime(Number(text), timezone) : text;
}

/** A range in words. */
export function rangeWords({ from, to }, timezone) {
  const quick = to === "now" && QUICK.find(([, each]) => each === from);
  if (quick) return quick[2];
  const match = RELATIVE.exec(from);
  if (to === "now" && match?.[1]) return `Last ${match[1]} ${UNITS[match[2]]}s`;
  return `${bound(from, timezone)} – ${bound(to, timezone)}`;
}

/** Milliseconds since 1970, NaN for what the server does not understand either. */
function epoch(text, now) {
  const match = RELATIVE.exec(text);
  if (match) return Math.max(0, now - (match[1] ? Number(match[1]) * UNIT_MS[match[2]] : 0));
  return EPOCH_MS.test(text) ? Number(text) : NaN;
}

export class Ranges {
  /** `change({from, to})` shows another range. */
  constructor(element, board, state, change) {
    Object.assign(this, { element, board, state });
    this.zooms = []; // ranges that were zoomed into, the widest first
    this.change = (range) => change(range);
    const pick = (from) => () => this.pick({ from, to: "now" });
    this.quick = QUICK.map(([name, from, words]) => h("button", { type: "button", class: "quick", title: words, onclick: pick(from) }, name));
    this.ownWords = h("span", {}, "Own");
    this.own = h("button", { type: "button", class: "own" }, icon("clock"), this.ownWords, icon("chevron"));
    this.back = h("button", { type: "button", class: "zoomback", title: "Back to the range before the zoom (z)", onclick: () => this.zoomBack() }, icon("back"), h("span", {}, "Zoom back"));
    opens(this.own, "dialog", (close) => this.#sheet(close));
    element.replaceChildren(this.back, ...this.quick, this.own);
    this.draw();
  }

  draw() {
    const quick = isQuick(this.state);
    this.quick.forEach((button, index) => button.setAttribute("aria-pressed", String(quick && QUICK[index][1] === this.state.from)));
    this.own.classList.toggle("on", !quick);
    const words = rangeWords(this.state, this.board.timezone);
    this.ownWords.textContent = quick ? "Own" : words;
    this.own.dataset.words = words; // what it says where there is no room for the quick ones
    this.own.setAttribute("aria-label", quick ? `Own range, ${words} now` : `Own range: ${words}`);
    this.back.hidden = this.zooms.length === 0 && quick;
  }

  pick(range) {
    this.zooms = [];
    this.change(range);
  }

  /** Show a part of what is shown; `zoomBack` leads out again. */
  zoom(from, to) {
    this.zooms.push({ from: this.state.from, to: this.state.to });
    this.change({ from: String(Math.round(from)), to: String(Math.round(to)) });
  }

  zoomBack() {
    if (this.zooms.length === 0 && isQuick(this.state)) return;
    this.change(this.zooms.pop() ?? { from: this.board.from, to: this.board.to });
  }

  /** The next longer (1) or shorter (-1) quick range. */
  step(by) {
    const now = Date.now();
    const lengths = QUICK.map(([, from]) => (from === "all" ? Infinity : now - epoch(from, now)));
    const length = this.state.from === "all" ? Infinity : epoch(this.state.to, now) - epoch(this.state.from, now);
    const at = by > 0 ? lengths.findIndex((each) => each > length) : lengths.findLastIndex((each) => each < length);
    if (at >= 0) this.pick({ from: QUICK[at][1], to: "now" });
  }

  #sheet(close) {
    const { timezone } = this.board;
    const now = Date.now();
    const wall = (text, other) => (text === "all" || Number.isNaN(epoch(text, now)) ? wallTime(other, timezone) : wallTime(epoch(text, now), timezone));
    const from = h("input", { type: "datetime-local", step: "1", value: wall(this.state.from, now - UNIT_MS.d) });
    const to = h("input", { type: "datetime-local", step: "1", value: wall(this.state.to, now) });
    const wrong = h("p", { class: "wrong", role: "alert" });
    const apply = () => {
      const [begin, end] = [epochOf(from.value, timezone), epochOf(to.value, timezone)];
      if (Number.isNaN(begin) || Number.isNaN(end)) return void (wrong.textContent = "Both ends need a date and a time.");
      if (begin >= end) return void (wrong.textContent = "It must begin before it ends.");
      close();
      this.pick({ from: String(begin), to: String(end) });
    };
    const onkeydown = (event) => { if (event.key === "Enter" && event.target.matches("input")) apply(); };
    const presets = QUICK.map(([, each, words]) => h("button", { type: "button", "aria-pressed": String(isQuick(this.state) && this.state.from === each), onclick: () => { close(); this.pick({ from: each, to: "now" }); } }, words));
    return {
      element: h("div", { class: "popup range", role: "dialog", "aria-label": "Time range", onkeydown },
        h("div", { class: "presets" }, ...presets),
        h("div", { class: "ends" }, h("label", {}, "From", from), h("label", {}, "To", to), wrong, h("button", { type: "button", class: "primary", onclick: apply }, "Show this range"),
          h("small", {}, `Times in ${zoneName(timezone)}`))),
      first: from,
    };
  }
}
