// pictures.js decides which picture the lightbox loads next, and in which size.

import { original, thumb } from "./api.js";
import { Queue } from "./queue.js";
import { calm } from "./words.js";

/** Sizes that the server makes for the lightbox. */
const SIZES = [1280, 2048];
/** What browsers show by themselves; other originals come as pictures that the server made. */
const SHOWN = new Set(["jpeg", "png", "gif", "webp", "avif", "bmp"]);
/** Originals with more pixels than this are not shown whole: browsers fail at some point. */
const MOST_PIXELS = 120e6;
/** Neighbours with more bytes than this are not loaded ahead, if it is the original. */
const MOST_AHEAD = 16 << 20;
/** The last pictures that are instant on the way back; more for those ahead. */
const LAST = 10, AHEAD = 2, AHEAD_FAST = 4;
/** A picture that arrives within this is fast, in milliseconds. */
const FAST = 120;

/** The address of a picture for so many pixels on its longer side. */
export function source(item, pixels) {
  if (item.kind === "gif" && !calm() && !item.error) return original(item);
  const own = Math.max(item.w ?? 0, item.h ?? 0) || pixels; // more there is not
  const size = SIZES.find((s) => s * 1.1 >= Math.min(pixels, own));
  if (!size && isShown(item)) return original(item);
  return thumb(item, size ?? SIZES.at(-1));
}

function isShown({ kind, error, w = 0, h = 0 }) {
  return SHOWN.has(kind) && !error && w * h > 0 && w * h <= MOST_PIXELS;
}

/** Pictures loads the asked one first, and its neighbours in the direction of travel after it. */
export class Pictures {
  #queue;
  #arrived;
  #asked = "";
  #neighbours = [];
  #typical = 1000; // milliseconds until a picture arrived, lately

  /** @param {(url: string, img: HTMLImageElement) => void} arrived hears of the asked one */
  constructor(arrived) {
    this.#arrived = arrived;
    const keep = LAST + AHEAD_FAST + 2;
    this.#queue = new Queue({ atOnce: 2, keep, arrived: (url, ms) => this.#end(url, ms) });
  }

  /** The picture of an address if it is there: then it is instant. */
  get(url) {
    return this.#queue.get(url);
  }

  /** How many pictures ahead are worth loading. */
  get depth() {
    return this.#typical < FAST ? AHEAD_FAST : AHEAD;
  }

  /** Loads a picture before all else, and then its neighbours, the next one first. */
  ask(url, neighbours) {
    this.#asked = url;
    this.#neighbours = neighbours.map((n) => ({ url: n, priority: "low" }));
    if (this.#queue.get(url)) this.#queue.want(this.#neighbours);
    else this.#queue.want([{ url, priority: "high" }]);
  }

  /** Gives up all that is under way. */
  stop() {
    this.#asked = "";
    this.#queue.want([]);
  }

  /** Neighbours are loaded once the asked one has come; all are decoded before they are shown. */
  async #end(url, ms) {
    this.#typical += (ms - this.#typical) / 3;
    if (url === this.#asked) this.#queue.want(this.#neighbours);
    const img = this.#queue.get(url);
    await img.decode().catch(() => {}); // a picture that was changed meanwhile is none
    if (url === this.#asked) this.#arrived(url, img);
  }
}

/** The positions around one that are worth loading, in the direction of travel, nearest first. */
export function around(index, direction, depth) {
  const ahead = Array.from({ length: depth }, (_, i) => index + direction * (i + 1));
  return [...ahead, index - direction];
}

/** Whether a neighbour may be loaded ahead. */
export function isLight(item, url) {
  return !url.startsWith("original/") || (item.bytes ?? 0) <= MOST_AHEAD;
}
