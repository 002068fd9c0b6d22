// One panel in the whole window (`viewPanel` in the address, as in Grafana), and where the browser allows it on the whole screen.

const AROUND = ".skip, header.bar, .toolbar, .strip";

export class Screen {
  /** `changed(panelId or null)` when another panel fills the window, or none. */
  constructor(views, changed) {
    this.views = views;
    this.changed = changed;
    this.shown = null;
    document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement) this.leave(); });
  }

  toggle(view) {
    if (this.shown) return this.leave();
    this.show(view);
    // Without it, it fills the window. Who has left it before the screen was there leaves that, too.
    document.documentElement.requestFullscreen?.().then(() => this.shown || document.exitFullscreen()).catch(() => {});
  }

  show(view) {
    this.#mark(view);
    view.element.focus();
    this.changed(view.panel.id);
  }

  leave() {
    const view = this.shown;
    if (!view) return;
    this.#mark(null);
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    view.element.focus();
    view.element.scrollIntoView({ block: "nearest" });
    this.changed(null);
  }

  #mark(view) {
    this.shown = view;
    document.documentElement.classList.toggle("viewing", view !== null);
    for (const element of document.querySelectorAll(AROUND)) element.inert = view !== null;
    for (const child of document.getElementById("grid").children) {
      child.inert = view !== null && child !== view.element;
      child.classList.toggle("viewed", child === view?.element);
    }
  }
}
