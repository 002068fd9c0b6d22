// Times as the board's zone reads them: on axes, in tooltips, in tables.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
let zone; // undefined: this browser's

const formats = new Map();

/** `browser`, `utc` or an IANA name, as the board's JSON has it. */
export function setZone(timezone) {
  const asked = !timezone || timezone === "browser" ? undefined : timezone === "utc" ? "UTC" : timezone;
  if (asked === zone) return;
  zone = asked;
  formats.clear();
}

export const zoneName = () => zone;

function written(ms, key, options) {
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", ...options }));
  return formats.get(key).format(ms);
}

const two = "2-digit";
const clock = (ms, seconds) => written(ms, seconds ? "hms" : "hm", { hour: two, minute: two, ...(seconds ? { second: two } : {}) });
const day = (ms) => written(ms, "day", { month: "short", day: "numeric" });

/** A tick's text, for ticks that are `stepMs` apart; midnight is the day that begins. */
export function tickTime(ms, stepMs) {
  if (stepMs < MINUTE) return clock(ms, true);
  if (stepMs < DAY) return clock(ms, false) === "00:00" ? day(ms) : clock(ms, false);
  if (stepMs < 27 * DAY) return day(ms);
  return written(ms, "month", { month: "short", year: "numeric" });
}

/** A whole time for people: a day where the values are days apart. Midnight in UTC is then that day of UTC, wherever one looks. */
export function fullTime(ms, stepMs = 0) {
  const whole = { weekday: "short", month: "short", day: "numeric", year: "numeric" };
  if (stepMs >= DAY) return ms % DAY === 0 ? written(ms, "full day of UTC", { ...whole, timeZone: "UTC" }) : written(ms, "full day", whole);
  return `${written(ms, "weekday", { weekday: "short", month: "short", day: "numeric" })}, ${clock(ms, stepMs < MINUTE)}`;
}

/** `2026-11-27 12:40:00` in the board's zone. */
export function isoTime(ms) {
  const parts = (zoned) => written(ms, "iso", zoned);
  const [date, time] = parts({ year: "numeric", month: two, day: two, hour: two, minute: two, second: two }).split(", ");
  const [month, dayOfMonth, year] = date.split("/");
  return `${year}-${month}-${dayOfMonth} ${time}`;
}

/** True for values that are days, which PostgreSQL's `date` gives as midnight in UTC. */
export const areDays = (values) => values.length > 0 && values.every((value) => value === null || value % DAY === 0) && values.some((value) => value !== null);

export const isoDay = (ms) => new Date(ms).toISOString().slice(0, 10);

const STEPS = [1, 2, 5, 10, 15, 30].map((each) => each * SECOND).concat(
  [1, 2, 5, 10, 15, 30].map((each) => each * MINUTE), [1, 2, 3, 6, 12].map((each) => each * HOUR), [1, 2, 4, 7, 14, 30, 90, 180, 365].map((each) => each * DAY));

/** What the zone's clock is ahead of UTC at a moment, in ms. */
function offset(ms) {
  const [date, time] = isoTime(ms).split(" ");
  return Date.parse(`${date}T${time}Z`) - Math.floor(ms / SECOND) * SECOND;
}

/** At most `count` round times from..to: {values, step}. Those of hours and days are round beyond a change of the clocks, too. */
export function timeTicks(from, to, count) {
  const step = STEPS.find((each) => (to - from) / each <= count) ?? STEPS.at(-1);
  const ahead = offset(from);
  const moment = (wall) => wall - (step > HOUR ? offset(wall - offset(wall - ahead)) : ahead);
  const values = [];
  for (let wall = Math.ceil((from + ahead) / step) * step; moment(wall) <= to; wall += step) values.push(moment(wall));
  return { values, step };
}
