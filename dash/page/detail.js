// detail.js is one part in all its numbers.

import { hasRequests, showNumbers, showPolicies, showShares } from "./bars.js";
import { curve, durations, timeline } from "./charts.js";
import { byId, each, make, say, set, show } from "./nodes.js";
import { errorsOf, fillAdvice, kindOf, placeOf, roomOf, value } from "./parts.js";
import { bytes, count, duration, factor, percent, points, short, whole } from "./words.js";

/** Shows a part, and the links to its neighbours. */
export function showDetail(report, part) {
  say(byId("name"), part.name);
  say(byId("kind"), kindOf(part));
  say(byId("note"), part.note ?? "");
  showNeighbours(report, part);
  showAdvice(part);
  showWorth(part, Date.parse(report.taken));
  showCurve(part);
  showPolicies(part.curve);
  showShares("misses", part, "misses", "Nothing was missed since the cache observes itself.");
  showShares("left", part, "evictions", "Nothing has left yet.");
  showShares("requests", part, "requests", "Nobody has asked yet.");
  showLoads(part);
  for (const id of ["keys", "loads-keys", "one"]) show(byId(id), part.inspectable);
  showNumbers(part);
}

function showNeighbours(report, part) {
  const i = report.parts.indexOf(part), n = report.parts.length;
  for (const [id, by] of [["before", -1], ["after", 1]]) {
    const other = report.parts[(i + by + n) % n];
    show(byId(id), n > 1);
    set(byId(id), "href", placeOf(other));
    set(byId(id), "aria-label", `${by < 0 ? "Previous" : "Next"} part: ${other.name}`);
  }
}

function showAdvice(part) {
  show(byId("advice"), part.advice.length > 0);
  each(byId("advice-list"), {
    items: part.advice,
    key: (a) => a.about + a.text.replace(/[\d.,]+/g, "0"),
    create: () => make("li", { class: "advice" }),
    update: fillAdvice,
  });
}

/** What a cache is worth: its ratios, what it spares, what it takes. */
function showWorth(part, now) {
  const asked = hasRequests(part);
  say(byId("worth-title"), asked ? "Is it worth its memory?" : "What does it hold?");
  each(byId("worth-facts"), {
    items: [...(asked ? ratioFacts(part) : []), ...roomFacts(part)],
    key: ([name]) => name,
    create: () => make("div", {}, make("dt"), make("dd"), make("small")),
    update: (div, [name, text, small]) => {
      say(div.children[0], name);
      say(div.children[1], text);
      say(div.children[2], small ?? "");
    },
  });
  show(byId("timeline-box"), asked);
  if (asked) timeline(byId("timeline"), part.history, now, byId("timeline-box").clientWidth);
}

function ratioFacts(part) {
  const lately = (ratio) => [percent(ratio), ratio === null ? "not watched yet" : ""];
  const sum = part.samples.reduce((n, s) => n + (s.metric === "requests" ? s.value : 0), 0);
  return [
    ["Hit ratio", percent(part.hit_ratio), "since it was made"],
    ["Last 10 min", ...lately(part.hit_ratio_10m)],
    ["Last minute", ...lately(part.hit_ratio_1m)],
    ["Requests/s", part.requests_per_second === null ? "–" : short(part.requests_per_second),
      `${short(sum)} in all`],
    ["Time saved", part.load_durations?.count ? duration(part.saved_ns) : "–",
      "hits × mean load"],
  ];
}

function roomFacts(part) {
  const entries = value(part, "entries"), room = roomOf(part), facts = [];
  if (entries !== null) facts.push(["Entries", entries < 1e6 ? whole(entries) : short(entries)]);
  if (!room) return facts;
  const words = room.metric === "used" ? bytes : short;
  facts.push([room.metric === "used" ? "Bytes" : "Full", percent(room.share),
    `${words(room.of)} of ${words(room.most)}`]);
  return facts;
}

/** The what-if curve, and the same as a table. */
function showCurve(part) {
  const c = part.curve;
  show(byId("size"), part.curved);
  show(byId("size-box"), !!c);
  show(byId("size-table-box"), !!c);
  say(byId("size-lead"), sizeLead(part));
  if (!c) return;
  curve(byId("curve"), c, byId("size-box").clientWidth);
  const here = c.points.find((p) => p.factor === 1)?.ratio ?? c.ratio;
  each(byId("size-rows"), {
    items: c.points,
    key: (p) => String(p.factor),
    create: () => make("tr", {}, make("th", { scope: "row" }),
      ...[1, 2, 3].map(() => make("td", { class: "number" }))),
    update: (row, p) => {
      [factor(p.factor), whole(p.size), percent(p.ratio), p.factor === 1 ? "you are here" :
        points(p.ratio - here)].forEach((text, i) => say(row.cells[i], text));
    },
  });
  say(byId("size-foot"), `Estimated from ${short(c.seen)} requests: ${percent(c.rate)} of the ` +
    `keys are watched. Measured now: ${percent(c.ratio)}.`);
}

function sizeLead({ curved, curve: c }) {
  if (!c) return curved ? "Not known yet: either the cache does not observe itself " +
    "(Options.Observe), or it has seen too few requests." : "";
  const at = (f) => c.points.find((p) => p.factor === f)?.ratio;
  const [half, here, twice] = [0.5, 1, 2].map(at);
  if ([half, here, twice].includes(undefined)) return "";
  return `Half the size: ${points(half - here)}. Twice the size: ${points(twice - here)}.`;
}

/** What loads cost. */
function showLoads(part) {
  const h = part.load_durations;
  show(byId("loads"), !!h);
  if (!h) return;
  show(byId("durations-box"), h.count > 0);
  say(byId("loads-lead"), h.count === 0 ? "Nothing was loaded yet." : loadsLead(part, h));
  if (h.count > 0) durations(byId("durations"), part, byId("durations-box").clientWidth);
}

function loadsLead(part, h) {
  const now = part.loads_per_second;
  const rate = now === null ? "" : `, ${short(now)} per second now`;
  const { failed } = errorsOf(part);
  return `${count(h.count, "load")}${rate}; on average ${duration(part.load_mean_ns)}` +
    `${failed ? `; ${count(failed, "error")}` : ""}.`;
}
