// parts.js is the table of all parts: a row for each, and under it the most important advice.

import { spark } from "./charts.js";
import { byId, draw, each, make, say, set, show } from "./nodes.js";
import { count, duration, percent, short, whole } from "./words.js";

/** The number of a series, null if the part does not report it. */
export function value(part, metric, label = "") {
  const found = part.samples.find((s) => s.metric === metric && (s.label ?? "") === label);
  return found ? found.value : null;
}

/** The series of a metric: [{label, value}]. */
export function series(part, metric) {
  return part.samples.filter((s) => s.metric === metric);
}

/** What tells parts apart, and is in the address while one is open. */
export function placeOf(part) {
  return `#/${encodeURIComponent(part.kind)}/${encodeURIComponent(part.name)}`;
}

/** What a part is, in a few words. */
export function kindOf(part) {
  return [part.kind, part.policy].filter(Boolean).join(" · ");
}

/** What goes wrong: loads, and requests to what is behind. */
const FAILURES = {
  loads: ["error"], store_requests: ["error"], store_calls: ["failed", "timeout"],
};

/** How much of that has failed, null if the part does not say; and which share of all. */
export function errorsOf(part) {
  const all = part.samples.filter((s) => s.metric in FAILURES);
  const sum = (of) => of.reduce((n, s) => n + s.value, 0);
  const failed = sum(all.filter((s) => FAILURES[s.metric].includes(s.label)));
  return { failed: all.length ? failed : null, share: failed / (sum(all) || 1) };
}

/** How full a part is: what it holds, its limit, and both in words. Null if it does not say. */
export function roomOf(part) {
  const pairs = [["used", "limit"], ["weight", "weight_limit"]];
  for (const [used, limit] of pairs) {
    const n = value(part, used), most = value(part, limit);
    if (n !== null && most > 0) return { share: Math.min(1, n / most), of: n, most, metric: used };
  }
  return null;
}

/** The share of errors from which on they are marked. */
const ALARMING = 0.01;

const orNone = (n, words) => (n === null || n === undefined ? "–" : words(n));

/** The columns: what is over them, and what fills a cell. */
const COLUMNS = [
  { name: "1 min", class: "number strong", title: "Hit ratio of the last minute",
    fill: (cell, p) => say(cell, percent(p.hit_ratio_1m)) },
  { name: "10 min", class: "number", title: "Hit ratio of the last ten minutes",
    fill: (cell, p) => say(cell, percent(p.hit_ratio_10m)) },
  { name: "all", class: "number", title: "Hit ratio since the part was made",
    fill: (cell, p) => say(cell, percent(p.hit_ratio)) },
  { name: "last 10 min", class: "spark", title: "Hit ratio in the last ten minutes",
    fill: fillSpark },
  { name: "entries", class: "number room", title: "Entries, and how full it is", fill: fillRoom },
  { name: "loads/s", class: "number", title: "Calls of the origin per second",
    fill: (cell, p) => say(cell, p.load_durations ? orNone(p.loads_per_second, short) : "–") },
  { name: "load p50 / p99", class: "number wide", title: "Half, and 99 %, of the loads took no longer",
    fill: (cell, p) => say(cell, p.load_durations?.count
      ? `${duration(p.load_p50_ns)} / ${duration(p.load_p99_ns)}` : "–") },
  { name: "errors", class: "number", title: "Loads and requests to the second level that failed",
    fill: fillErrors },
  { name: "saved", class: "number", title: "Hits times the mean duration of a load",
    fill: (cell, p) => say(cell, p.load_durations?.count ? duration(p.saved_ns) : "–") },
];

function fillSpark(cell, part, now) {
  if (!cell.firstChild) cell.append(draw("svg", { class: "chart", role: "img" }));
  spark(cell.firstChild, part.history, now);
}

function fillRoom(cell, part) {
  if (!cell.firstChild) cell.append(make("span"),
    make("span", { class: "gauge", "aria-hidden": "true" }), make("span", { class: "unseen" }));
  const [number, gauge, words] = cell.children, room = roomOf(part), n = value(part, "entries");
  say(number, orNone(n, (n) => (n < 1e6 ? whole(n) : short(n))));
  show(gauge, !!room);
  gauge.style.setProperty("--share", room?.share ?? 0);
  say(words, room ? `, ${percent(room.share)} full` : "");
  set(cell, "title", room ? `${percent(room.share)} of the limit is taken` : null);
}

function fillErrors(cell, part) {
  const { failed, share } = errorsOf(part);
  say(cell, orNone(failed, short));
  cell.classList.toggle("bad", share > ALARMING);
}

/** The words for the levels of advice, for those who do not see the sign. */
const LEVELS = { good: "Good: ", hint: "Hint: ", warn: "Warning: " };

/** Fills an element with an advice. */
export function fillAdvice(element, advice) {
  if (!element.firstChild) element.append(make("span", { class: "unseen" }), make("span"));
  const level = advice.level in LEVELS ? advice.level : "hint";
  set(element, "data-level", level);
  say(element.firstChild, LEVELS[level]);
  say(element.lastChild, advice.text);
}

/** Makes the heads of the columns. */
export function makeColumns() {
  for (const c of COLUMNS) byId("columns").append(make("th",
    { scope: "col", role: "columnheader", class: c.class, title: c.title }, c.name));
}

/** Shows all parts. */
export function showParts(report) {
  const now = Date.parse(report.taken);
  each(byId("parts"), {
    items: report.parts,
    key: placeOf,
    create: createRow,
    update: (body, part) => updateRow(body, part, now),
  });
  show(byId("none"), report.parts.length === 0);
  show(byId("table"), report.parts.length > 0);
  showTotals(report);
}

/** A part has two rows: its numbers, and what they say. */
function createRow(part) {
  const link = make("a", { href: placeOf(part), class: "name" });
  const head = make("th", { scope: "row", role: "rowheader" },
    link, make("span", { class: "kind" }));
  const cells = COLUMNS.map((c) =>
    make("td", { class: c.class, role: "cell", "data-name": c.name }));
  const advice = make("td", { colspan: COLUMNS.length + 1, role: "cell" },
    make("p", { class: "advice" }));
  const body = make("tbody", { role: "rowgroup" }, make("tr", { role: "row" }, head, ...cells),
    make("tr", { role: "row", class: "says" }, advice));
  body.addEventListener("click", (e) => {
    const selecting = String(getSelection()) !== "";
    if (!selecting && !e.target.closest("a")) location.hash = link.getAttribute("href");
  });
  return body;
}

function updateRow(body, part, now) {
  const [numbers, says] = body.rows;
  const [head, ...cells] = numbers.cells;
  say(head.firstChild, part.name);
  say(head.lastChild, kindOf(part));
  COLUMNS.forEach((c, i) => {
    c.fill(cells[i], part, now);
    cells[i].classList.toggle("nothing", cells[i].textContent === "–");
  });
  const advice = part.advice[0];
  show(says, !!advice);
  if (advice) fillAdvice(says.querySelector("p"), advice);
}

/** What all parts together do. */
function showTotals(report) {
  const sum = (of) => report.parts.reduce((all, p) => all + (of(p) ?? 0), 0);
  const known = report.parts.some((p) => p.requests_per_second !== null);
  say(byId("total-parts"), count(report.parts.length, "part") +
    (report.left_out ? `, ${whole(report.left_out)} more are left out` : ""));
  say(byId("total-requests"), known ? short(sum((p) => p.requests_per_second)) : "–");
  say(byId("total-loads"), known ? short(sum((p) => p.loads_per_second)) : "–");
  say(byId("total-saved"), duration(sum((p) => p.saved_ns)));
}
