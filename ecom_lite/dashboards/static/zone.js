// Wall-clock times in the board's time zone: for own ranges, which people type as they read their clock.

export const zoneOf = (timezone) => (!timezone || timezone === "browser" ? undefined : timezone === "utc" ? "UTC" : timezone);

/** The zone's name for people. */
export const zoneName = (timezone) => zoneOf(timezone) ?? Intl.DateTimeFormat().resolvedOptions().timeZone;

/** `2026-11-27T10:00:00` in that zone. */
export function wallTime(epochMs, timezone) {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zoneOf(timezone), dateStyle: "short", timeStyle: "medium" });
  return parts.format(epochMs).replace(" ", "T");
}

/** Milliseconds since 1970 of such a time; NaN where it is none. */
export function epochOf(wall, timezone) {
  const asUtc = Date.parse(`${wall.length === 16 ? `${wall}:00` : wall}Z`);
  if (Number.isNaN(asUtc)) return NaN;
  const offset = (at) => Date.parse(`${wallTime(at, timezone)}Z`) - at;
  // The offset of the guess may be that of the other side of a change of the clocks: the second look has the right one.
  return asUtc - offset(asUtc - offset(asUtc));
}

/** A moment as short as it can be told: `10:30`, with the date where it is not today's, and the year where it is not this one. */
export function shortTime(epochMs, timezone) {
  const timeZone = zoneOf(timezone);
  const [wall, now] = [epochMs, Date.now()].map((at) => wallTime(at, timezone));
  const year = wall.slice(0, 4) === now.slice(0, 4) ? {} : { year: "numeric" };
  const date = new Intl.DateTimeFormat("en-GB", { timeZone, day: "numeric", month: "short", ...year }).format(epochMs);
  const time = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" }).format(epochMs);
  return wall.slice(0, 10) === now.slice(0, 10) ? time : `${date} ${time}`;
}
