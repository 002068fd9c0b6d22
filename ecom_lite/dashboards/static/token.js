// The run's token: comes in the address behind the # (which no server ever sees), is kept for this tab, and leaves the address bar.

import { stillIn } from "./session.js";
import { store, stored } from "./stored.js";

const KEY = "ecom_lite_token";
const SHAPE = /^#token=([\w-]{20,200})$/;

/** Take the token out of the address, if it is there. */
export function takeToken() {
  const found = SHAPE.exec(location.hash);
  if (!found) return false;
  store(KEY, found[1], true);
  history.replaceState(null, "", location.pathname + location.search);
  return true;
}

export function token() {
  return stored(KEY, true) ?? "";
}

export function forgetToken() {
  store(KEY, null, true);
}

/** Ask the page's server; JSON in and out. Throws an Error with its words, and `status`. */
export async function ask(path, { body, secret = false, timeout = 10000 } = {}) {
  const answer = await send(path, { body, secret, signal: AbortSignal.timeout(timeout) });
  return answer.json();
}

/** As `ask`, without reading the answer. */
export async function send(path, { body, secret = false, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (secret) headers.Authorization = `Bearer ${token()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method: body === undefined ? "GET" : "POST", headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  if (answer.ok) return answer;
  stillIn(answer);
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401 && secret) {
    forgetToken();
    document.dispatchEvent(new Event("tokenlost"));
  }
  throw Object.assign(new Error(said.error ?? `${answer.status} ${answer.statusText}`), { status: answer.status });
}
