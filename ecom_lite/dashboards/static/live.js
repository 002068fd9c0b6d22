// What the server sends by itself: one stream for the whole board, opened again and again when it ends.

import { questionOf } from "./address.js";

const FIRST_RETRY_MS = 1000, LONGEST_RETRY_MS = 10_000;
const OPEN_MS = 5000; // a server that is going may take a connection and never answer

export class Live {
  /** `on` has a function for each event (panel, annotations, status, tick), and `failed(times)`. Of a `beat` nobody is told. */
  constructor(on) {
    this.on = on;
    this.failures = 0;
    this.heard = 0; // when anything came
    this.source = null;
    this.timer = null;
  }

  get isOpen() {
    return this.source !== null && this.failures === 0 && this.heard > 0;
  }

  /** `panels`: the ids of those that are seen, or null for all. */
  open(uid, state, panels) {
    this.close();
    this.heard = 0;
    this.#connect(`/api/boards/${encodeURIComponent(uid)}/live?${questionOf(state)}${state.refresh ? `&refresh=${state.refresh}` : ""}${panels ? `&panels=${panels.join()}` : ""}`);
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    this.failures = 0;
  }

  /** Nothing came for `limitMs`, no beat either: a connection that is dead without having ended, as after a laptop's sleep. */
  watch(now, limitMs) {
    if (this.source && this.heard && now - this.heard > limitMs) this.#failed();
  }

  #connect(path) {
    this.path = path;
    const source = new EventSource(path);
    this.source = source;
    for (const name of ["panel", "annotations", "status", "tick", "beat"]) {
      source.addEventListener(name, (event) => {
        if (source !== this.source) return;
        this.heard = Date.now();
        this.failures = 0;
        this.on[name]?.(JSON.parse(event.data));
      });
    }
    this.timer = setTimeout(() => { if (source === this.source) this.#failed(); }, OPEN_MS);
    source.addEventListener("open", () => { if (source === this.source) clearTimeout(this.timer); });
    source.addEventListener("error", () => { if (source === this.source) this.#failed(); });
  }

  #failed() {
    // The browser's own second try knows neither a refusal nor a limit, so each try is ours.
    clearTimeout(this.timer);
    this.source.close();
    this.source = null;
    this.failures += 1;
    const wait = Math.min(FIRST_RETRY_MS * 2 ** (this.failures - 1), LONGEST_RETRY_MS);
    this.timer = setTimeout(() => this.#connect(this.path), wait * (0.8 + 0.4 * Math.random()));
    this.on.failed(this.failures);
  }
}
