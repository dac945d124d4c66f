// bars.js shows shares of a whole as tables with a bar in each row, and tables of numbers.

import { byId, each, make, say, set, show } from "./nodes.js";
import { series, value } from "./parts.js";
import { count, exact, MEANINGS, percent, points, whole } from "./words.js";

/** Makes the row of a table of bars: what it is, how much, the share with its bar. */
function createBar() {
  return make("tr", {}, make("th", { scope: "row" }, make("b"), make("small")),
    make("td", { class: "number" }), make("td", { class: "number share" }));
}

function updateBar(row, { name, words, number, share, text, own, data }) {
  const [head, amount, part] = row.cells;
  say(head.firstChild, name);
  say(head.lastChild, words ?? "");
  say(amount, number);
  say(part, text ?? percent(share));
  set(amount, "data-value", data === undefined ? null : String(data));
  row.style.setProperty("--share", Math.max(0, Math.min(1, share || 0)));
  row.classList.toggle("own", !!own);
}

/**
 * Shows the series of a metric as shares of their sum, the largest first.
 * @param {string} id of the section: its table is #id-bars, its text #id-none
 */
export function showShares(id, part, metric, nothing) {
  const all = series(part, metric);
  const sum = all.reduce((n, s) => n + s.value, 0);
  show(byId(id), all.length > 0);
  show(byId(`${id}-bars`), sum > 0);
  say(byId(`${id}-none`), sum > 0 ? "" : nothing);
  const items = all.filter((s) => s.value > 0).sort((a, b) => b.value - a.value);
  each(byId(`${id}-bars`).tBodies[0], {
    items,
    key: (s) => s.label ?? "",
    create: createBar,
    update: (row, s) => updateBar(row, { name: s.label, words: MEANINGS[metric]?.[s.label],
      number: whole(s.value), data: s.value, share: s.value / sum }),
  });
  say(byId(`${id}-lead`), sum > 0 ? `${whole(sum)} since it was made.` : "");
}

/** Shows policies as bars, against the cache's own. */
export function showPolicies(c) {
  const known = !!c && c.policies.length > 1;
  show(byId("policy"), known);
  if (!known) return;
  const own = c.policies.find((p) => p.policy === c.policy);
  const [best] = c.policies;
  say(byId("policy-lead"), policyLead(own, best));
  each(byId("policy-bars").tBodies[0], {
    items: c.policies,
    key: (p) => p.policy,
    create: createBar,
    update: (row, p) => updateBar(row, {
      name: p.policy, words: p === own ? "the one in use" : "", number: percent(p.ratio),
      share: p.ratio, text: p === own || !own ? "" : points(p.ratio - own.ratio), own: p === own,
    }),
  });
}

function policyLead(own, best) {
  if (!own) return `${best.policy} does best with this traffic.`;
  const gain = best.ratio - own.ratio;
  if (best === own || gain < 0.005) return `No: ${own.policy} is as good as any of these here.`;
  return `${best.policy} would hit ${points(gain).slice(1)} more often than ${own.policy} here.`;
}

/** What the numbers mean: asked once, when the first part is opened. */
let meanings = null;

async function askMeanings() {
  meanings = [];
  try {
    meanings = await (await fetch("?file=metrics.json")).json();
  } catch {
    meanings = null; // the next one who opens a part asks again
  }
}

/** Shows all numbers of a part, each with its meaning. */
export async function showNumbers(part) {
  if (meanings === null) await askMeanings();
  const order = new Map((meanings ?? []).map((m, i) => [m.Name, { ...m, i }]));
  const rank = (s) => order.get(s.metric)?.i ?? order.size;
  const items = [...part.samples, ...ofLoads(part)].sort((a, b) => rank(a) - rank(b));
  say(byId("numbers-count"), count(items.length, "number"));
  each(byId("numbers-rows"), {
    items,
    key: (s) => `${s.metric} ${s.label ?? ""}`,
    create: () => make("tr", {}, make("th", { scope: "row" }, make("code")),
      make("td"), make("td", { class: "number" }), make("td", { class: "help" })),
    update: (row, s) => updateNumber(row, s, order.get(s.metric)),
  });
}

/** How many loads there were and how long they took, as other tools show a histogram. */
function ofLoads({ load_durations: h }) {
  return h ? [{ metric: "load_duration", label: "count", value: h.count },
    { metric: "load_duration", label: "sum", value: h.sum }] : [];
}

function updateNumber(row, s, meaning) {
  const [name, label, number, help] = row.cells;
  set(row, "data-metric", s.metric);
  set(row, "data-label", s.label ?? "");
  say(name.firstChild, s.metric);
  say(label, s.label ?? "");
  const unit = meaning?.Unit && s.label !== "count" ? "\u202f" + sign(meaning.Unit) : "";
  say(number, exact(s.value) + unit);
  set(number, "data-value", String(s.value));
  say(help, meaning?.Help ?? "");
}

const sign = (unit) => ({ seconds: "s", bytes: "B", ratio: "" })[unit] ?? unit;

/** Whether a part says how it answered requests. */
export function hasRequests(part) {
  return value(part, "requests", "hit") !== null || series(part, "requests").length > 0;
}
