// Keeps the panels fed: by the server's stream, by asking every so often where that fails, by asking once where refreshes are off.

import { questionOf, refreshesOf } from "./address.js";
import { get } from "./http.js";
import { Live } from "./live.js";
import { inOrder } from "./newest.js";

const STATUS_MS = 2000;
const BUSY_MS = 2000;
const PROBE_MS = 5000;
const FAILURES = 3; // of the stream, after which the panels are asked for
const OLD_REFRESHES = 2.5;
const LEAST_OLD_MS = 10_000;

export class Feed {
  /** `views`: a Map of PanelView by id. `on`: status(status), annotations(list), changed() when the board itself is another one. */
  constructor(board, state, views, on) {
    Object.assign(this, { board, state, views, on });
    this.lost = false;
    this.lastGood = 0;
    this.round = 0; // answers to what was asked before the last change are not shown
    this.asksAnnotations = inOrder();
    this.asksStatus = inOrder();
    this.live = new Live({
      panel: (answer) => {
        this.#good();
        const view = views.get(answer.id);
        if (!view) return;
        view.streamed = true;
        view.asks()();
        view.show(answer);
      },
      annotations: (list) => {
        this.asksAnnotations()();
        on.annotations(list);
      },
      status: (status) => {
        this.asksStatus()();
        on.status(status);
      },
      tick: () => {
        this.#good();
        for (const view of this.#shown()) {
          if (view.streamed) view.confirm();
          else this.#ask(view);
        }
      },
      failed: (times) => this.#streamFailed(times),
    });
    document.addEventListener("visibilitychange", () => (document.hidden ? this.stop() : this.restart()));
  }

  /** Milliseconds between two refreshes; null when they are off. */
  get periodMs() {
    return this.state.refresh === "" ? this.board.refresh_ms : refreshesOf(this.board)[this.state.refresh];
  }

  /** From which age on figures are old; null when nobody expects new ones. */
  get oldMs() {
    return this.periodMs === null ? null : Math.max(OLD_REFRESHES * this.periodMs, LEAST_OLD_MS);
  }

  /** Begin again: at first, and after what is asked for has changed. A hidden page asks for nothing and holds no connection. */
  restart() {
    this.stop();
    this.round += 1;
    if (document.hidden) return;
    this.views.forEach((view) => {
      view.streamed = false;
      if (!view.panel.hasData) view.show({ state: "ok", frames: [] });
    });
    if (this.periodMs !== null) this.#openStream();
    else this.#poll();
    this.#askStatus();
  }

  stop() {
    this.live.close();
    clearInterval(this.panelTimer);
    clearInterval(this.statusTimer);
    this.panelTimer = this.statusTimer = null;
  }

  /** Ask for all panels now. */
  refresh() {
    this.#shown().forEach((view) => this.#ask(view));
    this.#askAnnotations();
  }

  /** A row was opened or closed: what is seen is asked for, and nothing else. */
  rowsChanged() {
    this.#showUnseen();
    if (this.periodMs !== null && !document.hidden) this.#openStream();
  }

  #openStream() {
    const shown = this.#shown();
    const all = [...this.views.values()].filter((view) => view.panel.hasData).length;
    this.live.open(this.board.uid, this.state, shown.length < all ? shown.map((view) => view.panel.id) : null);
  }

  /** Those that were out of sight, as in a row that was just opened. */
  #showUnseen() {
    for (const view of [...this.views.values()].filter((each) => !each.closed && !each.answer)) {
      if (view.kept) view.show(view.kept);
      else if (view.panel.hasData) this.#ask(view);
      else view.show({ state: "ok", frames: [] });
    }
  }

  /** To be called every second. */
  watch(now) {
    this.live.watch(now, OLD_REFRESHES * this.periodMs + LEAST_OLD_MS);
  }

  #shown() {
    return [...this.views.values()].filter((view) => !view.closed && view.panel.hasData);
  }

  #good() {
    this.lost = false;
    this.lastGood = Date.now();
    if (this.panelTimer) this.#stopPolling();
  }

  #poll() {
    this.refresh();
    if (this.periodMs !== null) this.panelTimer = setInterval(() => this.refresh(), this.periodMs);
    this.statusTimer = setInterval(() => this.#askStatus(), STATUS_MS);
  }

  #stopPolling() {
    if (!this.live.isOpen) return;
    clearInterval(this.panelTimer);
    clearInterval(this.statusTimer);
    this.panelTimer = this.statusTimer = null;
  }

  async #streamFailed(times) {
    const round = this.round;
    try {
      const found = await get(`/api/boards/${encodeURIComponent(this.board.uid)}`, PROBE_MS);
      if (JSON.stringify(found) !== JSON.stringify(this.board)) return this.on.changed();
    } catch (error) {
      if (this.live.isOpen) return; // it is back meanwhile
      this.lost ||= Boolean(error.lost);
      if (round === this.round) this.views.forEach((view) => { if (view.panel.hasData) view.fail(error.message); });
    }
    if (round !== this.round || this.live.isOpen) return;
    if (times >= FAILURES && !this.panelTimer) this.#poll();
    else if (!this.lost) this.refresh();
  }

  async #ask(view) {
    if (view.busy) return;
    view.busy = true;
    const round = this.round, news = view.asks();
    try {
      const answer = await get(`/api/boards/${encodeURIComponent(this.board.uid)}/panels/${view.panel.id}?${questionOf(this.state)}`);
      this.#good();
      if (round === this.round && news()) view.show(answer);
    } catch (error) {
      this.lost ||= Boolean(error.lost);
      if (error.busy) setTimeout(() => this.#ask(view), BUSY_MS);
      if (round === this.round && news()) view.fail(error.message);
    } finally {
      view.busy = false;
      if (round !== this.round && !this.live.source) this.#ask(view); // the stream brings it else
    }
  }

  async #askAnnotations() {
    if (!this.board.annotations?.length) return;
    const round = this.round, news = this.asksAnnotations();
    try {
      const found = await get(`/api/boards/${encodeURIComponent(this.board.uid)}/annotations?${questionOf(this.state)}`);
      if (round === this.round && news()) this.on.annotations(found);
    } catch {
      // The panels tell when the connection is lost; the lines in them stay as they are.
    }
  }

  async #askStatus() {
    const news = this.asksStatus();
    try {
      const status = await get("/api/status");
      if (news()) this.on.status(status);
      if (this.lost && this.periodMs === null) { // it is back, and nothing else asks
        this.lost = false;
        this.refresh();
      }
    } catch {
      // The panels tell when the connection is lost; the strip keeps what it has.
    }
  }
}
