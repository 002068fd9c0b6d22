// Numbers and times as people read them: Grafana's units.

import { isoTime } from "./time.js";

const whole = (decimals) => new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
const cache = new Map();

function fixed(value, decimals) {
  if (!cache.has(decimals)) cache.set(decimals, whole(decimals));
  return cache.get(decimals).format(value);
}

function sensible(value, decimals) {
  if (decimals !== undefined && decimals !== null) return decimals;
  const size = Math.abs(value);
  return Number.isInteger(value) || size >= 1000 ? 0 : size >= 10 ? 1 : 2;
}

function scaled(value, decimals, prefix = "") {
  const sign = value < 0 ? "-" : "";
  const size = Math.abs(value);
  for (const [limit, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]]) {
    if (size >= limit) {
      const part = size / limit;
      return `${sign}${prefix}${fixed(part, part >= 100 || Number.isInteger(part) ? 0 : 1)}${letter}`;
    }
  }
  return `${sign}${prefix}${fixed(size, decimals)}`;
}

const PER_SECOND = { cps: "c/s", ops: "ops/s", reqps: "req/s", rps: "rd/s", wps: "wr/s", rowsps: "rows/s" };

/** Bytes with a binary (1024) or decimal (1000) prefix: `1.5 MiB`, `2 MB`. */
function bytes(value, decimals, base, suffix = "") {
  const letters = base === 1024 ? ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] : ["B", "kB", "MB", "GB", "TB", "PB"];
  const size = Math.abs(value);
  const power = size < base ? 0 : Math.min(letters.length - 1, Math.floor(Math.log(size) / Math.log(base)));
  const part = value / base ** power;
  const places = decimals ?? (power === 0 || Math.abs(part) >= 100 || Number.isInteger(part) ? 0 : 1);
  return `${fixed(part, places)} ${letters[power]}${suffix}`;
}

/** Seconds as one or two units: `0.21 s`, `42 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. */
export function duration(seconds, decimals) {
  const size = Math.abs(seconds);
  if (size === 0) return "0 s";
  if (size < 0.001) return `${fixed(seconds * 1e6, 0)} µs`;
  if (size < 1) return `${fixed(seconds * 1000, 0)} ms`;
  if (size < 60) return `${fixed(seconds, sensible(seconds, decimals))} s`;
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const at = units.findIndex(([length]) => size >= length);
  const [length, name] = units[at];
  const rest = units[at + 1] ? Math.floor((size % length) / units[at + 1][0]) : 0;
  return `${seconds < 0 ? "-" : ""}${Math.floor(size / length)} ${name}${rest ? ` ${rest} ${units[at + 1][1]}` : ""}`;
}

/** The sign of a unit that is a currency, null of another one: `currencyUSD`, `currency:€`. */
export function currencySign(unit = "") {
  return unit === "currencyUSD" ? "$" : unit.startsWith("currency:") ? unit.slice(9) : null;
}

/** A value with its unit. `compact` is for axes, where room is short. */
export function format(value, { unit = "none", decimals } = {}, compact = false) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean" && unit.startsWith("bool")) return format(Number(value), { unit });
  if (typeof value !== "number") return String(value);
  // Money has cents or none, never one digit of them.
  const sign = currencySign(unit);
  const money = sign !== null && (decimals === undefined || decimals === null);
  const places = money ? (Math.abs(value) >= 1000 || value === 0 ? 0 : 2) : sensible(value, decimals);
  if (unit.startsWith("suffix:")) return `${fixed(value, places)}${unit.slice(7)}`;
  if (sign !== null) {
    return compact ? scaled(value, value !== 0 && Math.abs(value) < 10 ? 2 : 0, sign) : `${value < 0 ? "-" : ""}${sign}${fixed(Math.abs(value), places)}`;
  }
  switch (unit) {
    case "percentunit": return `${fixed(value * 100, decimals ?? 1)}%`;
    case "percent": return `${fixed(value, decimals ?? 1)}%`;
    case "ms": return duration(value / 1000, decimals);
    case "s": return duration(value, decimals);
    case "m": return duration(value * 60, decimals);
    case "h": return duration(value * 3600, decimals);
    case "d": return `${fixed(value, places)} ${value === 1 ? "day" : "days"}`;
    case "dateTimeAsIso": return isoTime(value);
    case "dateTimeFromNow": return ago(Date.now() - value);
    case "bytes": return bytes(value, decimals, 1024);
    case "decbytes": return bytes(value, decimals, 1000);
    case "binBps": return bytes(value, decimals, 1024, "/s");
    case "Bps": return bytes(value, decimals, 1000, "/s");
    case "bool": return value ? "True" : "False";
    case "bool_yes_no": return value ? "Yes" : "No";
    case "cps": case "ops": case "reqps": case "rps": case "wps": case "rowsps":
      return `${compact ? scaled(value, Math.min(places, 2)) : fixed(value, places)} ${PER_SECOND[unit]}`;
    default: return compact ? scaled(value, Math.min(places, 2)) : fixed(value, places);
  }
}

/** How long ago, in words. */
export function ago(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return seconds < 2 ? "just now" : `${duration(seconds, 0)} ago`;
}
