// The colours of series: twenty that are told apart in either theme, and which name has which.

// By distance in OKLab: each at least 0.12 from any other and 3:1 from the card it stands on; the first eight are the named ones.
const DARK = [
  "#5b9df5", "#35c5b4", "#f5a04c", "#a98bf5", "#ee79b5", "#ecc94e", "#58c473", "#f0695f", "#877733", "#946492",
  "#268499", "#e5c0fc", "#a4d8fe", "#ffbeb9", "#6766d8", "#c24173", "#1f8f29", "#a66355", "#9853be", "#a9ba78",
];
const LIGHT = [
  "#2f76e0", "#0f9e8e", "#e07b12", "#7c58de", "#d14d93", "#b98d06", "#1e9a48", "#d8392f", "#554704", "#613460",
  "#035160", "#9f7cb4", "#5693bd", "#bd7671", "#3c319f", "#850344", "#075811", "#703327", "#651c88", "#6e7c3c",
];
const KEPT = "ecom_lite.colours"; // in localStorage: what a name was given holds over a reload
const MOST_KEPT = 500;
const NAMED = 8;

const slots = new Map(read());

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]").filter(([name, slot]) => typeof name === "string" && slot >= 0 && slot < DARK.length);
  } catch {
    return [];
  }
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify([...slots].slice(-MOST_KEPT)));
  } catch {
    // Without storage a name keeps its colour as long as the page is open.
  }
}

/** FNV-1a: the same name begins at the same place on every machine. */
function hash(name) {
  let value = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) value = Math.imul(value ^ name.charCodeAt(at), 0x01000193) >>> 0;
  return value;
}

/**
 * Colours for names that stand together: [{slot, round}]. A name keeps the slot it was given; a new one takes the place of its
 * hash among the first eight, or the next that none of its company has, then one of the other twelve. More names than slots
 * go round again (`round` 1, 2, ...).
 */
export function slotsOf(names) {
  const used = Array(DARK.length).fill(0);
  const known = new Set(names);
  for (const name of known) if (slots.has(name)) used[slots.get(name)] += 1;
  const fresh = [...known].filter((name) => !slots.has(name)).sort((a, b) => hash(a) - hash(b) || (a < b ? -1 : 1));
  for (const name of fresh) {
    const least = Math.min(...used);
    const free = [[0, NAMED], [NAMED, DARK.length]].find(([from, to]) => used.slice(from, to).includes(least));
    const [from, size] = [free[0], free[1] - free[0]];
    let slot = from + (hash(name) % size);
    while (used[slot] > least) slot = from + ((slot - from + 1) % size);
    used[slot] += 1;
    slots.set(name, slot);
  }
  if (fresh.length) keep();
  const rounds = Array(DARK.length).fill(0);
  const found = new Map();
  for (const name of [...slots.keys()].filter((each) => known.has(each))) { // whoever came first keeps the plain colour
    const slot = slots.get(name);
    found.set(name, { slot, round: rounds[slot] });
    rounds[slot] += 1;
  }
  return names.map((name) => found.get(name));
}

export const seriesBase = (slot, dark) => (dark ? DARK : LIGHT)[slot];
