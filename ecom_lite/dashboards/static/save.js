// Hands a panel's figures to a person: as a file, as a picture, as a link.

import { h } from "./dom.js";

const FORMULA = /^[=+\-@\t\r]/;

/** A table as CSV (RFC 4180). Text that a spreadsheet would take for a formula gets an apostrophe before it. */
export function csvOf(columns, rows) {
  const field = (value) => {
    if (value === null || value === undefined) return "";
    const text = typeof value === "string" && FORMULA.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

const TIME = /^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?$/;

/** `raw` with its times, which are numbers there, as ISO 8601: days as days, moments in UTC. `rows` are the same as shown. */
export function plainTimes(raw, rows) {
  return raw.map((row, at) => row.map((value, index) => {
    const match = typeof value === "number" && TIME.exec(rows[at][index]);
    return match ? (match[1] ? new Date(value).toISOString() : match[0]) : value;
  }));
}

/** A file's name that every system takes. */
export function fileName(board, panel, ending) {
  const plain = (text) => text.normalize("NFKD").replace(/[^\w]+/g, "-").replace(/^-|-$/g, "").toLowerCase();
  return `${plain(board.uid)}-${plain(panel.title) || panel.id}-${new Date().toISOString().slice(0, 16).replace(/\D/g, "")}.${ending}`;
}

export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name, hidden: "" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Puts the text on the clipboard. Pages of another machine over plain http have none: then the old way. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "sr" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("the browser allows no copying here");
  }
}
