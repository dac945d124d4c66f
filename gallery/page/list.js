// list.js holds the part of the listing around what is seen, and asks for more when it is needed.

import { list } from "./api.js";

/** How many pictures are asked for beyond what is missing, and how many are held at most. */
const MARGIN = 60, MOST = 500, HELD = 4000;

/**
 * Listing knows how many pictures there are, and those around what is seen.
 * Events: "items" (more are known), "moved" (the listing changed; detail: {old, id, at, reset}),
 * "count" (total or reading changed), "learned" (detail: {index, item}), "failed" (detail: error).
 */
export class Listing extends EventTarget {
  generation = -1;
  total = 0;
  reading = false;
  /** @type {() => {id?: string, index: number, count: number}} says what must stay in its place. */
  place = () => ({ index: 0, count: MARGIN });

  /** @type {Map<number, import("./api.js").Item>} */ #items = new Map();
  #asked = []; // windows under way: {first, last, abort}
  #refresh = null; // AbortController of the refresh under way
  #again = false; // something changed while it was

  constructor(first, query) {
    super();
    this.query = query;
    this.#take(first);
  }

  /** The picture at a position, or undefined if it is not known (yet). */
  get(index) {
    return this.#items.get(index);
  }

  /** The position of a picture that is held, or -1. */
  indexOf(id) {
    for (const [index, item] of this.#items) if (item.id === id) return index;
    return -1;
  }

  /** Asks for what is missing between two positions; gives up windows that are far from there. */
  want(first, last) {
    first = Math.max(0, first);
    last = Math.min(this.total - 1, last);
    this.#asked = this.#asked.filter((w) => overlaps(w, first, last) || w.abort.abort());
    const missing = this.#missing(first, last);
    if (missing && !this.#refresh) this.#ask(missing);
  }

  #missing(first, last) {
    const unknown = (i) => !this.#items.has(i) && !this.#asked.some((w) => overlaps(w, i, i));
    while (first <= last && !unknown(first)) first++;
    while (last >= first && !unknown(last)) last--;
    return first <= last ? { first, last } : null;
  }

  async #ask({ first, last }) {
    const from = Math.max(0, first - MARGIN);
    const count = Math.min(MOST, last + MARGIN - from);
    const window = { first: from, last: from + count - 1, abort: new AbortController() };
    this.#asked.push(window);
    try {
      this.#answer(await list(this.query, { from, count }, window.abort.signal));
    } catch (error) {
      this.#fail(error, window.abort.signal);
    } finally {
      this.#asked = this.#asked.filter((w) => w !== window);
    }
  }

  #answer(answer) {
    if (answer.generation !== this.generation) {
      this.refresh();
      return;
    }
    this.#hold(answer);
    this.#emit("items");
  }

  /** Hears from a poll how the listing is. */
  noticed({ generation, total, reading }) {
    if (generation !== this.generation) this.refresh();
    else if (total !== this.total || !!reading !== this.reading) {
      Object.assign(this, { total, reading: !!reading });
      this.#emit("count");
    }
  }

  /** Asks anew for what is seen, after a change of the folder or of the query. */
  async refresh(query = this.query) {
    if (this.#refresh && query === this.query) {
      this.#again = true;
      return;
    }
    this.#refresh?.abort();
    const abort = (this.#refresh = new AbortController());
    this.#again = false;
    const reset = query !== this.query;
    this.query = query;
    try {
      const old = this.place();
      const answer = await list(query, around(old, reset), abort.signal);
      this.#refresh = null;
      this.#take(answer);
      this.#emit("moved", { old: old.index, id: old.id, at: answer.at ?? -1, reset });
      this.#emit("count");
    } catch (error) {
      this.#fail(error, abort.signal);
    }
    if (this.#refresh === abort) this.#refresh = null;
    if (this.#again && !this.#refresh) this.refresh();
  }

  /** Looks for a picture anywhere in the listing; its position becomes known, or is -1. */
  async locate(id, signal) {
    const answer = await list(this.query, { from: 0, count: MARGIN * 2, at: id }, signal);
    if (answer.at >= 0 && answer.generation === this.generation) this.#hold(answer);
    else if (answer.at >= 0) this.#take(answer);
    return answer.at ?? -1;
  }

  /** Adds to a picture what became known of it later. */
  learn({ id, v, ...more }) {
    const index = this.indexOf(id);
    const item = this.#items.get(index);
    if (!item || item.v !== v) return;
    Object.assign(item, more);
    this.#emit("learned", { index, item });
  }

  /** Asks again for one picture, of which more is known by now: the server has looked into it. */
  async study(index) {
    try {
      const { items } = await list(this.query, { from: index, count: 1 });
      for (const item of items) this.learn(item);
    } catch {
      // then it is shown without
    }
  }

  #take(answer) {
    for (const w of this.#asked.splice(0)) w.abort.abort();
    this.#items.clear();
    this.generation = answer.generation;
    this.#hold(answer);
  }

  #hold({ total, reading, from, items }) {
    Object.assign(this, { total, reading: !!reading });
    (items ?? []).forEach((item, i) => this.#items.set(from + i, item));
    if (this.#items.size > HELD) this.#forget(from);
  }

  /** Forgets what is farthest from a position. */
  #forget(near) {
    const far = [...this.#items.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near));
    for (const index of far.slice(0, this.#items.size - HELD / 2)) this.#items.delete(index);
  }

  #fail(error, signal) {
    if (!signal.aborted) this.#emit("failed", error);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function overlaps(window, first, last) {
  return window.first <= last && first <= window.last;
}

/** The window to ask for so that a place can be kept. */
function around({ id, index, count }, reset) {
  const from = reset ? 0 : Math.max(0, index - MARGIN);
  return { from, count: Math.min(MOST, 2 * (count + MARGIN)), at: id };
}
