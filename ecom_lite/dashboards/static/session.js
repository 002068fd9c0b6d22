// Where the viewer's log-in has ended: the server says so with 401 and the header X-Log-In, and the log-in page leads back here.

const UNAUTHORIZED = 401;
const ENDED = "Your session has ended: log in again";

/** Throws, and goes to the log-in page, where `response` says that who looks has to log in. */
export function stillIn(response) {
  const form = response.headers.get("X-Log-In");
  if (response.status !== UNAUTHORIZED || !form) return;
  location.assign(`${form}?next=${encodeURIComponent(location.pathname + location.search)}`);
  throw Object.assign(new Error(ENDED), { status: UNAUTHORIZED });
}
