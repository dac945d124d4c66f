// words.js puts numbers into words.

/** A narrow space at which no line breaks, between numbers and their units. */
const SPACE = "\u202f";
const NONE = "–";

/** 12345.6 as 12 346, with spaces at which no line breaks. */
export function whole(n) {
  if (!Number.isFinite(n)) return NONE;
  return n.toFixed(0).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
}

/** A number with all that it says: 12 345 or 0.9312. */
export function exact(n) {
  if (Number.isInteger(n)) return whole(n);
  return String(Number(n.toPrecision(12)));
}

/** A number in three digits: 0.42, 4.2, 42, 4.2 k, 42 M. */
export function short(n) {
  if (!Number.isFinite(n)) return NONE;
  const units = ["", "k", "M", "G", "T"];
  let i = 0;
  for (; Math.abs(n) >= (i ? 999.5 : 9999.5) && i < units.length - 1; i++) n /= 1000;
  return (i ? digits(n) : n >= 100 ? whole(n) : digits(n)) + (i ? SPACE + units[i] : "");
}

function digits(n) {
  if (n === 0 || Number.isInteger(n)) return String(n);
  if (n < 0.01) return "<0.01";
  return n.toFixed(n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2);
}

/** A share from 0 to 1 as 93.4 %. What is not all is never called 100 %, nor what is some 0 %. */
export function percent(share) {
  if (share === null || share === undefined) return NONE;
  let text = (share * 100).toFixed(1);
  if (share < 1 && text === "100.0") text = "99.9";
  if (share > 0 && text === "0.0") text = "<0.1";
  return text + SPACE + "%";
}

/** A difference of two shares as +2.2 points. */
export function points(difference) {
  const text = Math.abs(difference * 100).toFixed(1);
  if (text === "0.0") return "the same";
  return `${difference < 0 ? "−" : "+"}${text} ${text === "1.0" ? "point" : "points"}`;
}

/** The units of time from a nanosecond up: their length in nanoseconds, their sign. */
const TIMES = [[1, "ns"], [1e3, "µs"], [1e6, "ms"], [1e9, "s"]];

/** Nanoseconds as 1.24 ms, 3 min 12 s, 4 h 5 min, 3 d 2 h. */
export function duration(ns) {
  if (!Number.isFinite(ns)) return NONE;
  if (ns < 0) return "−" + duration(-ns);
  if (ns === 0) return "0" + SPACE + "s";
  const seconds = ns / 1e9;
  if (seconds >= 59.5) return long(Math.round(seconds));
  const [length, sign] = TIMES.findLast(([length]) => ns >= length * 0.9995) ?? TIMES[0];
  const n = ns / length;
  return (Number.isInteger(n) ? String(n) : n.toPrecision(n >= 9.995 ? 3 : 2)) + SPACE + sign;
}

/** The units from a second up: how many of the next smaller one they are, their sign. */
const LONG = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function long(seconds) {
  const i = LONG.findIndex(([length]) => seconds >= length);
  if (i < 0) return "0" + SPACE + "s";
  const [length, sign] = LONG[i];
  const first = Math.floor(seconds / length) + SPACE + sign;
  const next = LONG[i + 1];
  const rest = next && Math.floor((seconds % length) / next[0]);
  return rest ? `${first} ${rest}${SPACE}${next[1]}` : first;
}

/** 12345678 as 11.8 MiB. */
export function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return (i ? digits(n) : String(n)) + SPACE + units[i];
}

/** A time of day, and the day where it is not today. */
export function clock(date) {
  const today = date.toDateString() === new Date().toDateString();
  return (today ? "" : date.toLocaleDateString() + " ") + date.toLocaleTimeString();
}

/** 1 part, 2 parts. */
export function count(n, one, many = one + "s") {
  return `${whole(n)} ${n === 1 ? one : many}`;
}

/** A factor of a size: ¼×, 1×, 1.5×. */
export function factor(f) {
  const known = { 0.125: "⅛", 0.25: "¼", 0.5: "½", 0.75: "¾" };
  return (known[f] ?? String(Number(f.toPrecision(3)))) + "×";
}

/** What series mean, in plain words: by metric and label. */
export const MEANINGS = {
  requests: {
    hit: "it was there, and fresh",
    stale: "it was there, stale, and served",
    negative: "known that the origin has no such thing",
    revalidated: "the origin said that it still holds",
    coalesced: "waited for a load that ran already",
    miss: "had to be loaded, or was not found",
    bypass: "no cache may answer it",
    failed: "the origin failed, and nothing was there",
  },
  misses: {
    new: "never seen before, or long ago",
    evicted: "had to leave for room: more room helps",
    expired: "its time was up: a longer TTL helps",
    deleted: "somebody had deleted it",
    failed: "its last load failed, or was not to be kept",
  },
  evictions: {
    room: "another one needed the room",
    expired: "its time was up",
    replaced: "it was set again: the old value left",
    deleted: "somebody deleted it",
    tag: "somebody deleted one of its tags",
    cleared: "all were thrown away",
  },
};

/** What the state of a key means. */
export const STATES = {
  absent: "It is not there.",
  fresh: "It is there, and served without asking the origin.",
  due: "It is there and fresh; the next hit refreshes it ahead of time.",
  stale: "It is there, stale, and may still be served.",
  kept: "It is stale, and kept only in case the origin fails.",
  negative: "It is remembered that the origin has no such thing.",
};
