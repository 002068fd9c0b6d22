// What can be done with one panel: its menu, and the same by keys.

import { hrefOf } from "./address.js";
import { addressOf } from "./board_links.js";
import { toPng } from "./panels.js";
import { menuOf } from "./popup.js";
import { copy, csvOf, download, fileName, plainTimes } from "./save.js";
import { say } from "./say.js";

/** Runs what may fail, and says so. */
async function tried(what, run) {
  try {
    say(await run());
  } catch (error) {
    say(`${what} failed: ${error.message}`);
  }
}

export class PanelActions {
  /** `screen.toggle(view)` fills the window with a panel, or leaves it; `screen.shown` is the panel that does. */
  constructor(board, state, screen) {
    Object.assign(this, { board, state, screen });
  }

  table(view) {
    if (!view.answer || !view.canTable) return say(`${view.panel.title}: no figures to show as a table`);
    say(view.toggleTable() ? `${view.panel.title}: as a table` : `${view.panel.title}: as it is drawn`);
  }

  csv(view) {
    if (!view.answer || !view.canTable) return say(`${view.panel.title}: no figures to save`);
    return tried("CSV", () => {
      const { columns, rows, raw } = view.table();
      download(new Blob([csvOf(columns, plainTimes(raw, rows))], { type: "text/csv;charset=utf-8" }), fileName(this.board, view.panel, "csv"));
      return `${view.panel.title}: CSV with ${raw.length} row${raw.length === 1 ? "" : "s"} saved`;
    });
  }

  png(view) {
    return tried("PNG", async () => {
      download(await toPng(view.panel, view.body), fileName(this.board, view.panel, "png"));
      return `${view.panel.title}: picture saved`;
    });
  }

  link(view) {
    return tried("Copying", async () => {
      await copy(hrefOf({ ...this.state, panel: view.panel.id, kiosk: false }));
      return `${view.panel.title}: link copied`;
    });
  }

  /** The menu, for `opens`. */
  menu(view, close) {
    const full = this.screen.shown === view;
    const figures = view.answer && view.canTable;
    const items = [
      { name: full ? "Leave full screen" : "Full screen", key: "v", run: () => this.screen.toggle(view) },
      figures ? { name: view.asTable ? "View as drawn" : "View as table", key: "t", run: () => this.table(view) } : null,
      figures ? { name: "Download CSV", key: "x", run: () => this.csv(view) } : null,
      view.answer && !view.asTable ? { name: "Download PNG", key: "p", run: () => this.png(view) } : null,
      { name: "Copy link", key: "l", run: () => this.link(view) },
      ...(view.panel.links ?? []).map((link) => ({ name: link.title || link.url, href: addressOf(link, this.state), blank: link.targetBlank })).filter((link) => link.href),
    ];
    return menuOf(items.filter(Boolean), `Menu of ${view.panel.title || "this panel"}`, close);
  }
}
