// Asks the page's own server. An error says what the server said, and whether nobody answered (`lost`) or too many asked (`busy`).

import { stillIn } from "./session.js";

const TIMEOUT_MS = 30000;
const UNAVAILABLE = 503;

/** The JSON at `path`. */
export async function get(path, timeoutMs = TIMEOUT_MS) {
  let response, body;
  try {
    response = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(timeoutMs) });
    body = await response.json();
  } catch (error) {
    if (response && error instanceof SyntaxError) throw new Error(`${path.split("?")[0]}: ${response.status} ${response.statusText}, no JSON`);
    throw Object.assign(new Error("No connection to ecom_lite"), { lost: true });
  }
  if (response.ok) return body;
  stillIn(response);
  throw Object.assign(new Error(body.error ?? `${response.status} ${response.statusText}`), { busy: response.status === UNAVAILABLE });
}
