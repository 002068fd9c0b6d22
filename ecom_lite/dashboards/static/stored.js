// What the browser keeps for a page: with storage switched off (all site data blocked) for as long as the page is open.

const held = new Map();
const place = (ofTab) => (ofTab ? sessionStorage : localStorage);

/** The text under `key`, or null. `ofTab`: of this tab alone. */
export function stored(key, ofTab = false) {
  try {
    return place(ofTab).getItem(key);
  } catch {
    return held.get(key) ?? null;
  }
}

/** `text` null: nothing more is kept under `key`. */
export function store(key, text, ofTab = false) {
  try {
    if (text === null) place(ofTab).removeItem(key);
    else place(ofTab).setItem(key, text);
  } catch {
    held.set(key, text); // also where there is no room
  }
}

/** Nothing of this tab is kept any more. */
export function forgetTab() {
  held.clear();
  try {
    sessionStorage.clear();
  } catch {
    // There was nothing.
  }
}
