// What is shown is in the address, under Grafana's names: from, to, var-NAME, refresh, viewPanel, kiosk; and compare.

const REFRESH_MS = { off: null, "10s": 10_000, "1m": 60_000, "5m": 300_000 };

/** The refreshes that may be picked beside the board's own: none or slower ones, as its figures are no newer than its own. */
export const refreshesOf = (board) => Object.fromEntries(Object.entries(REFRESH_MS).filter(([, ms]) => ms === null || ms > board.refresh_ms));

const list = (value) => (value === null || value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)]);

/** The state that the address asks for; what it does not say is as the board has it. */
export function readAddress(board) {
  const asked = new URL(location).searchParams;
  const variables = {};
  for (const { name, type, current } of board.variables ?? []) {
    const given = asked.getAll(`var-${name}`);
    // Only a text may be empty; of a list without a current value the server knows the first.
    variables[name] = (given.length ? given : list(current)).filter((value) => value !== "" || type === "textbox");
  }
  const refresh = asked.get("refresh") ?? "";
  return {
    from: asked.get("from") || board.from,
    to: asked.get("to") || board.to,
    compare: asked.get("compare") === "previous",
    refresh: refresh in refreshesOf(board) ? refresh : "", // "": the board's own
    panel: Number(asked.get("viewPanel")) || null,
    kiosk: asked.has("kiosk"),
    variables,
  };
}

function fillIn(asked, state) {
  asked.set("from", state.from);
  asked.set("to", state.to);
  for (const [name, values] of Object.entries(state.variables)) {
    asked.delete(`var-${name}`);
    values.forEach((value) => asked.append(`var-${name}`, value));
  }
  if (state.compare) asked.set("compare", "previous");
  else asked.delete("compare");
  return asked;
}

/** What the server's endpoints are asked with. */
export const questionOf = (state) => String(fillIn(new URLSearchParams(), state));

/** The address of what is shown, to open it again. */
export function hrefOf(state) {
  const url = new URL(location);
  const asked = fillIn(url.searchParams, state);
  for (const [name, value] of [["refresh", state.refresh], ["viewPanel", state.panel]]) {
    if (value) asked.set(name, value);
    else asked.delete(name);
  }
  asked.delete("kiosk");
  if (state.kiosk) asked.set("kiosk", "");
  url.search = String(asked).replace(/\bkiosk=(?=&|$)/, "kiosk");
  url.hash = "";
  return url.href;
}

/** Put the state into the address; `push` makes it a step that the browser's Back undoes. */
export function writeAddress(state, push) {
  const href = hrefOf(state);
  if (href !== location.href) history[push ? "pushState" : "replaceState"](null, "", href);
}
