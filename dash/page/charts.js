// charts.js draws: lines over time, the what-if curve, how long loads took, the life of a key.

import { draw } from "./nodes.js";
import { duration, factor, percent, short } from "./words.js";

/** Makes a drawing say what it shows, and shows it. Nothing changes if it is the same as before. */
function paint(svg, title, width, height, shapes) {
  const same = JSON.stringify([title, width, height]) + shapes.map((s) => s.outerHTML).join("");
  if (svg.drawn === same) return;
  svg.drawn = same;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  svg.replaceChildren(draw("title", {}, title), ...shapes);
}

const round = (x) => Math.round(x * 10) / 10;
const line = (points) =>
  points.map(([x, y], i) => `${i ? "L" : "M"}${round(x)} ${round(y)}`).join("");

/** Returns what maps numbers from one range to another. */
function scale(from, to, start, end) {
  return (x) => start + ((x - from) / (to - from || 1)) * (end - start);
}

/** The range of shares to show: wide enough that chance does not look like a cliff. */
function range(shares, least) {
  const low = Math.min(...shares), high = Math.max(...shares);
  const spare = Math.max(0, least - (high - low)) / 2 + 0.01;
  return [Math.max(0, low - spare), Math.min(1, high + spare)];
}

/** The intervals as runs of points without a gap: [time, hit ratio]. */
function runs(history) {
  const all = [];
  let run = null;
  for (const { t, requests, hits } of history) {
    if (requests > 0) {
      if (!run) all.push((run = []));
      run.push([t, hits / requests]);
    } else run = null;
  }
  return all;
}

function storyOf(points) {
  if (!points.length) return "No requests were seen in the last ten minutes.";
  const shares = points.map(([, share]) => share);
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  return `Hit ratio in the last ten minutes: between ${percent(low)} and ${percent(high)}, ` +
    `at last ${percent(shares.at(-1))}.`;
}

/** A small line of the hit ratio over ten minutes. */
export function spark(svg, history, now, width = 124, height = 30) {
  const all = runs(history), points = all.flat();
  const shapes = [draw("path", { class: "base", d: `M0 ${height - 1.5}H${width}` })];
  if (points.length) {
    const [low, high] = range(points.map(([, share]) => share), 0.08);
    const x = scale(now - 600_000, now, 0, width - 4), y = scale(low, high, height - 4, 4);
    for (const run of all) shapes.push(...stroke(run, x, y, height - 2));
    const [t, share] = points.at(-1);
    shapes.push(draw("circle", { class: "dot", cx: round(x(t)), cy: round(y(share)), r: 2.2 }));
  }
  paint(svg, storyOf(points), width, height, shapes);
}

/** A line and the area under it. */
function stroke(run, x, y, floor) {
  const at = run.map(([t, share]) => [Math.max(0, x(t)), y(share)]);
  const d = line(at);
  const area = `${d}L${round(at.at(-1)[0])} ${floor}L${round(at[0][0])} ${floor}Z`;
  return [draw("path", { class: "area", d: area }), draw("path", { class: "line", d })];
}

/** The hit ratio over ten minutes with axes, and how many requests there were under it. */
export function timeline(svg, history, now, width) {
  const height = 190, left = 46, right = width - 10, floor = 128, ground = 168;
  const all = runs(history), points = all.flat();
  const x = scale(now - 600_000, now, left, right);
  if (!points.length) {
    paint(svg, storyOf(points), width, 64, [text(0, 40,
      "The history begins when somebody looks, and goes on for 15 minutes after that.")]);
    return;
  }
  const [low, high] = range(points.map(([, share]) => share), 0.1);
  const y = scale(low, high, floor, 10);
  const shapes = [...shareAxis(low, high, y, left, right), ...minutes(x, now, 186)];
  for (const run of all) shapes.push(...stroke(run, x, y, floor));
  const most = Math.max(1, ...history.map((i) => i.requests));
  for (const { t, requests } of history) {
    const at = x(t), height = round((requests / most) * 28);
    if (at < left) continue;
    shapes.push(draw("rect",
      { class: "volume", x: round(at - 2), y: round(ground - height), width: 3, height }));
  }
  shapes.push(text(left - 8, ground, "requests", "end small"));
  paint(svg, storyOf(points), width, height, shapes);
}

function minutes(x, now, y) {
  return [10, 5, 0].map((ago) => text(x(now - ago * 60_000), y, ago ? `${ago} min ago` : "now",
    ago === 10 ? "" : ago ? "middle" : "end"));
}

const text = (x, y, words, classes = "") =>
  draw("text", { x: round(x), y: round(y), class: classes }, words);

/** Lines and numbers of the axis of shares. */
function shareAxis(low, high, y, left, right) {
  const wide = high - low;
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25].find((s) => wide / s <= 6) ?? 0.25;
  const shapes = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9; i++) {
    const at = y(i * step);
    shapes.push(draw("path", { class: "grid", d: `M${left} ${round(at)}H${round(right)}` }),
      text(left - 8, at + 4, `${Math.round(i * step * 100)} %`, "end"));
  }
  return shapes;
}

/** The what-if curve: the hit ratio at other sizes, and where the cache is on it. */
export function curve(svg, c, width) {
  const height = 250, left = 46, right = width - 18, floor = 200;
  const factors = c.points.map((p) => Math.log2(p.factor));
  const x = scale(Math.min(...factors, -1), Math.max(...factors, 1), left, right);
  const [low, high] = range([...c.points.map((p) => p.ratio), c.ratio], 0.1);
  const y = scale(low, high, floor, 14);
  const here = c.points.find((p) => p.factor === 1)?.ratio ?? c.ratio;
  const shapes = shareAxis(low, high, y, left, right);
  if (c.points.length) shapes.push(...stroke(c.points.map((p, i) => [factors[i], p.ratio]), x, y, floor));
  for (const [i, p] of c.points.entries()) {
    const at = x(factors[i]);
    if (p.factor !== 1) shapes.push(draw("circle",
      { class: "point", cx: round(at), cy: round(y(p.ratio)), r: 3 }));
    if (shown(p.factor, width)) shapes.push(
      text(at, floor + 20, factor(p.factor), "middle strong"),
      text(at, floor + 37, short(p.size), "middle"));
  }
  shapes.push(...marker(x(0), y(here), floor));
  const story = c.points.map((p) => `${factor(p.factor)}: ${percent(p.ratio)}`).join(", ");
  paint(svg, `Hit ratio at other sizes. You are at 1×, ${short(c.size)}. ${story}.`,
    width, height, shapes);
}

/** Octaves are labelled, on narrow screens every second one. */
function shown(f, width) {
  const octave = Math.log2(f);
  return Number.isInteger(octave) && (width > 420 || octave % 2 === 0 || octave === 3);
}

/** You are here: a line down, a dot, and words where a curve that rises leaves room. */
function marker(x, y, floor) {
  const under = y < floor - 34;
  return [
    draw("path", { class: "here", d: `M${round(x)} ${floor}V${round(y)}` }),
    draw("circle", { class: "halo", cx: round(x), cy: round(y), r: 9 }),
    draw("circle", { class: "spot", cx: round(x), cy: round(y), r: 5 }),
    under ? text(x + 12, y + 24, "you are here", "strong")
      : text(x - 8, y - 16, "you are here", "strong end"),
  ];
}

/** How long loads took: a bar for each quarter of an octave, the median, the 99th percentile. */
export function durations(svg, part, width) {
  const { load_durations: h, load_p50_ns: p50, load_p99_ns: p99 } = part;
  const height = 150, floor = 116, left = 6, right = width - 6;
  const first = h.buckets[0].index - 3, last = h.buckets.at(-1).index + 3;
  const x = scale(first, last, left, right);
  const most = Math.max(...h.buckets.map((b) => b.count));
  const wide = Math.max(1.5, x(1) - x(0) - 1.5);
  const shapes = h.buckets.map((b) => {
    const tall = round((b.count / most) * 84);
    return draw("rect", { class: "bar", x: round(x(b.index - 1)), y: floor - tall,
      width: round(wide), height: tall });
  });
  shapes.push(draw("path", { class: "axis", d: `M${left} ${floor + 0.5}H${right}` }),
    ...decades(x, first, last, floor));
  const mark = (ns, share, down) => {
    const at = x(Math.log2(ns / 1e9) * 4);
    shapes.push(...quantile(at, floor, `${share} ≤ ${duration(ns)}`, at < width * 0.7, down));
  };
  mark(p50, "half", 0);
  mark(p99, "99 %", 15);
  paint(svg, `${short(h.count)} loads: half took at most ${duration(p50)}, ` +
    `99 % at most ${duration(p99)}.`, width, height, shapes);
}

function quantile(x, floor, words, rightwards, down) {
  return [draw("path", { class: "here", d: `M${round(x)} ${floor}V${6 + down}` }),
    text(x + (rightwards ? 6 : -6), 14 + down, words, rightwards ? "strong" : "strong end")];
}

/** Marks on a logarithmic axis of times, at 1, 2 and 5 where there is room. */
function decades(x, first, last, floor) {
  const shapes = [];
  let end = -Infinity; // of the last words
  for (let e = -6; e <= 3; e++) {
    for (const digit of [1, 2, 5]) {
      const place = Math.log2(digit * 10 ** e) * 4, at = x(place);
      if (place < first || place > last || at < end + 56) continue;
      end = at;
      shapes.push(draw("path", { class: "axis", d: `M${round(at)} ${floor}v5` }),
        text(at, floor + 20, duration(digit * 10 ** (e + 9)), "middle"));
    }
  }
  return shapes;
}

/** The life of an entry: fresh until its TTL is over, then stale until it leaves; and now. */
export function life(svg, l, width) {
  const height = 58, age = l.age_ns ?? 0, fresh = Math.max(0, age + (l.ttl_ns ?? 0));
  const end = Math.max(age + (l.leaves_ns ?? 0), fresh, age, 1);
  const x = scale(0, end, 1, width - 1);
  const bar = (from, to, classes) => draw("rect", { class: classes, x: round(x(from)), y: 22,
    width: round(Math.max(0, x(to) - x(from))), height: 10, rx: 3 });
  const now = x(age), centred = now > 40 && now < width - 40;
  const side = centred ? "middle" : now < width / 2 ? "" : "end";
  paint(svg, `Loaded ${duration(age)} ago, ${l.forever ? "fresh without end" :
    l.ttl_ns > 0 ? `fresh for ${duration(l.ttl_ns)} more` : "no longer fresh"}.`, width, height, [
    bar(0, end, "late"), bar(0, l.forever ? end : Math.min(fresh, end), "fresh"),
    bar(0, Math.min(age, l.forever ? end : fresh), "past"),
    draw("path", { class: "now", d: `M${round(now)} 17v20` }),
    text(now, 12, "now", `strong ${side}`), text(1, 52, "loaded"),
    text(width - 1, 52, l.forever ? "no end" : `gone after ${duration(end)}`, "end"),
  ]);
}
