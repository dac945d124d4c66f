// queue.js loads images in the order in which they are wanted, few at a time, and keeps the last.

/** @typedef {{url: string, priority?: "high" | "low" | "auto"}} Load */

/** How long an image is left alone that could not be loaded, in milliseconds. */
const RETRY = 2000;

/**
 * Queue is told again and again what is wanted, in order. What is not wanted any more is cancelled:
 * the browser closes the request, and the server stops decoding.
 */
export class Queue {
  #atOnce;
  #keep;
  #arrived;
  /** @type {Load[]} */ #wanted = [];
  /** @type {Map<string, HTMLImageElement>} */ #loading = new Map();
  /** @type {Map<string, HTMLImageElement>} */ #kept = new Map(); // last used last
  #failed = new Set();
  #paused = false;

  /**
   * @param {{atOnce: number, keep: number, arrived: (url: string, ms: number) => void}} options
   * atOnce bounds the requests, keep the images that are kept.
   */
  constructor({ atOnce, keep, arrived }) {
    this.#atOnce = atOnce;
    this.#keep = keep;
    this.#arrived = arrived;
  }

  /** Loads these, the first one first, and nothing else. @param {Load[]} loads */
  want(loads) {
    this.#wanted = loads.filter(({ url }) => !this.#kept.has(url));
    this.#cancelAllBut(new Set(this.#wanted.map(({ url }) => url)));
    this.#start();
  }

  /** Starts nothing, and cancels all but these. @param {Set<string>} urls */
  hold(urls) {
    this.#wanted = [];
    this.#cancelAllBut(urls);
  }

  /** The image of an address if it is there, ready to be shown. */
  get(url) {
    const img = this.#kept.get(url);
    if (!img) return undefined;
    this.#kept.delete(url);
    this.#kept.set(url, img);
    return img;
  }

  get idle() {
    return this.#loading.size === 0;
  }

  /** Cancels what is under way, and starts nothing until resume. */
  pause() {
    this.#paused = true;
    this.#cancelAllBut(new Set());
  }

  resume() {
    this.#paused = false;
    this.#start();
  }

  #start() {
    if (this.#paused) return;
    for (const load of this.#wanted) {
      if (this.#loading.size >= this.#atOnce) return;
      if (this.#isDue(load.url)) this.#load(load);
    }
  }

  #isDue(url) {
    return !this.#loading.has(url) && !this.#kept.has(url) && !this.#failed.has(url);
  }

  #load({ url, priority = "auto" }) {
    const img = new Image();
    const begun = performance.now();
    img.decoding = "async";
    img.fetchPriority = priority;
    img.draggable = false;
    img.onload = () => this.#end(url, () => {
      this.#remember(url, img);
      this.#arrived(url, performance.now() - begun);
    });
    img.onerror = () => this.#end(url, () => this.#putOff(url));
    this.#loading.set(url, img);
    img.src = url;
  }

  #end(url, then) {
    release(this.#loading.get(url));
    this.#loading.delete(url);
    then();
    this.#start();
  }

  #remember(url, img) {
    this.#kept.set(url, img);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#keep) return;
      this.#kept.delete(oldest);
    }
  }

  #putOff(url) {
    this.#failed.add(url);
    setTimeout(() => {
      this.#failed.delete(url);
      this.#start();
    }, RETRY);
  }

  #cancelAllBut(urls) {
    for (const [url, img] of this.#loading) {
      if (urls.has(url)) continue;
      release(img);
      img.removeAttribute("src");
      this.#loading.delete(url);
    }
  }
}

function release(img) {
  img.onload = img.onerror = null;
}
