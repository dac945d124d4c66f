// grid.js shows the part of the listing that is in the window, with few tiles that are used again.

import { thumb } from "./api.js";
import { Hashes } from "./hashes.js";
import { defaultSize, layout, smallestSize, thumbSize, LARGEST, THUMBS } from "./layout.js";
import { Placeholders } from "./placeholders.js";
import { Queue } from "./queue.js";
import { Scroller } from "./scroll.js";
import { calm, position } from "./words.js";

/**
 * Faster than this, in windows per second, or farther at once, in windows, nobody sees what goes by,
 * and nothing is asked for.
 */
const FAST = 5, FAR = 2;
/** The window stands still when it was not scrolled for so long, in milliseconds. */
const STILL = 60;
/** A thumbnail that comes later than this after its tile fades in, in milliseconds. */
const SUDDEN = 50;
/** Thumbnails that are asked for at a time. Browsers have six connections: two are for the rest. */
const AT_ONCE = 4;
/** How many thumbnails are kept. */
const KEPT = 300;

/**
 * @typedef {object} Tile
 * @property {HTMLAnchorElement} a
 * @property {number} index
 * @property {import("./api.js").Item} [item]
 * @property {string} url of its thumbnail
 * @property {HTMLImageElement} [img] what is shown: the thumbnail, or for now one of another size
 * @property {boolean} whole whether img is the thumbnail
 * @property {string} painted the hash that is painted behind it
 * @property {number} since when it shows this picture
 * @property {number} x
 * @property {number} y
 */

export class Grid {
  /** Position of the tile that has the focus, or would have it. */
  current = 0;
  #listing;
  #main;
  #scroller;
  #placeholders;
  #hashes;
  #queue;
  #layout = layout(1, 1, 1);
  #view = { width: 1, height: 1 };
  #wish = 0; // size of tiles, 0: what suits the window
  /** @type {Map<number, Tile>} */ #tiles = new Map();
  /** @type {Tile[]} */ #free = [];
  #seen = { first: 0, last: -1 };
  #down = true; // direction of scrolling
  #fast = false;
  #scrolled = 0; // when
  #timer = 0;
  #paused = false;

  /**
   * @param {import("./list.js").Listing} listing
   * @param {HTMLElement} main holds the tiles, and the canvas behind them
   */
  constructor(listing, main) {
    this.#listing = listing;
    this.#main = main;
    this.#scroller = new Scroller(main);
    this.#placeholders = new Placeholders(main.querySelector("canvas"));
    this.#hashes = new Hashes((known) => listing.learn(known));
    const arrived = (url) => this.#arrived(url);
    this.#queue = new Queue({ atOnce: AT_ONCE, keep: KEPT, arrived });
    window.addEventListener("scroll", () => this.#scroll(), { passive: true });
    window.addEventListener("resize", () => this.resize());
    main.addEventListener("focusin", (event) => this.#focused(event.target));
    listing.addEventListener("items", () => this.#update());
    listing.addEventListener("count", () => this.#recount());
    listing.addEventListener("moved", ({ detail }) => this.#moved(detail));
    listing.addEventListener("learned", ({ detail }) => this.#learned(detail));
  }

  /** What must stay where it is when the listing changes: the picture at the top of the view. */
  get place() {
    const { first, last } = this.#seen, count = Math.max(0, last - first + 1);
    const atTop = this.#scroller.top < 1; // new pictures are seen there
    return { id: atTop ? undefined : this.#listing.get(first)?.id, index: first, count };
  }

  /** Sizes of tiles that the window allows, and the one it has. */
  get sizes() {
    const { width, height } = this.#view;
    return { least: smallestSize(width, height), most: LARGEST, now: this.#layout.pitch };
  }

  /** Lays out tiles of another size. 0: what suits the window. */
  setSize(wish) {
    this.#wish = wish;
    this.resize();
  }

  /** Makes the tiles larger (by 1) or smaller (by -1): a column less, or more. */
  enlarge(by) {
    const { width, height } = this.#view, { least, most } = this.sizes;
    const columns = Math.max(1, layout(width, height, this.#layout.pitch).columns - by);
    this.setSize(Math.max(least, Math.min(most, width / columns)));
    return this.#wish;
  }

  /** Lays out anew for the size of the window. What was at the top stays there. */
  resize() {
    const old = this.#layout, width = this.#main.clientWidth;
    const height = Math.max(1, window.innerHeight - this.#main.offsetTop);
    this.#view = { width, height };
    const index = Math.floor(this.#scroller.top / old.pitch) * old.columns;
    const part = (this.#scroller.top % old.pitch) / old.pitch;
    this.#layout = layout(width, height, this.#wish || defaultSize(width));
    this.#main.style.setProperty("--tile", `${this.#layout.tile}px`);
    this.#recount();
    const { columns, pitch } = this.#layout;
    this.#scroller.moveTo((Math.floor(index / columns) + part) * pitch);
    this.#update();
  }

  /** Loads nothing while the lightbox is open. */
  pause() {
    this.#paused = true;
    this.#queue.pause();
    this.#hashes.stop();
  }

  resume() {
    this.#paused = false;
    this.#queue.resume();
    this.#update();
  }

  /** The thumbnail of a picture, if it has arrived. */
  thumbnail(item) {
    return this.#queue.get(this.thumbURL(item)) ?? this.#otherSize(item);
  }

  thumbURL(item) {
    return thumb(item, thumbSize(this.#layout.tile, window.devicePixelRatio));
  }

  /** Moves the focus by so many tiles; if it was scrolled out of sight, into the window. */
  move(by) {
    this.focus(this.#tiles.has(this.current) ? this.current + by : this.#seen.first);
  }

  get columns() {
    return this.#layout.columns;
  }

  /** How many tiles a page up or down is. */
  get page() {
    return Math.max(1, this.#layout.rows - 2) * this.#layout.columns;
  }

  /** The position of the picture in a tile, or -1 if it is none. */
  indexOf(a) {
    for (const [index, tile] of this.#tiles) if (tile.a === a) return index;
    return -1;
  }

  /** Gives the focus to a tile, and scrolls there if need be. */
  focus(index) {
    this.current = Math.max(0, Math.min(index, this.#listing.total - 1));
    this.reveal(this.current);
    this.#tiles.get(this.current)?.a.focus({ preventScroll: true });
  }

  /** Scrolls so that the picture is seen, and no farther. */
  reveal(index) {
    const { columns, pitch } = this.#layout;
    const y = Math.floor(index / columns) * pitch, top = this.#scroller.top;
    const least = y + pitch - this.#view.height;
    if (top > y || top < least) this.#scroller.moveTo(top > y ? y : least);
    this.#down = top < least;
    this.#still();
  }

  #scroll() {
    const now = performance.now(), moved = this.#scroller.read();
    const seconds = Math.max(8, now - this.#scrolled) / 1000;
    const windows = Math.abs(moved) / this.#view.height;
    if (moved) this.#down = moved > 0;
    this.#fast = windows > FAR || windows / seconds > FAST;
    this.#scrolled = now;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#still(), STILL);
    this.#update();
  }

  #still() {
    clearTimeout(this.#timer);
    this.#fast = false;
    this.#scroller.settle();
    this.#update();
    this.#order();
  }

  /** Shows what is seen now, and asks for what it takes. */
  #update() {
    this.#show();
    this.#load();
  }

  #show() {
    const seen = this.#range(0);
    this.#seen = seen;
    this.#release(seen);
    for (let i = seen.first; i <= seen.last; i++) this.#place(i);
    for (const tile of this.#tiles.values()) this.#put(tile);
    this.#free.forEach(empty);
    this.#offerFocus();
    this.#paintHashes();
  }

  /** The positions in the window, and so many windows above (negative) or below. */
  #range(windows) {
    const { columns, pitch } = this.#layout, { height } = this.#view, top = this.#scroller.top;
    const from = top + Math.min(0, windows) * height;
    const to = top + height + Math.max(0, windows) * height;
    return {
      first: Math.max(0, Math.floor(from / pitch) * columns),
      last: Math.min(this.#listing.total, Math.ceil(to / pitch) * columns) - 1,
    };
  }

  /** Frees the tiles that left the window; the focus must not get lost with its tile. */
  #release({ first, last }) {
    for (const [index, tile] of this.#tiles) {
      if (index >= first && index <= last) continue;
      if (tile.a === document.activeElement && index < this.#listing.total) continue;
      this.#tiles.delete(index);
      this.#free.push(tile);
    }
  }

  #place(index) {
    let tile = this.#tiles.get(index);
    if (!tile) {
      tile = this.#take(index);
      this.#tiles.set(index, tile);
    }
    this.#fill(tile, this.#listing.get(index));
  }

  /** A free tile for a position; the one that shows its picture already is best. */
  #take(index) {
    const item = this.#listing.get(index);
    const same = item ? this.#free.findIndex((t) => t.item?.id === item.id) : -1;
    const tile = same >= 0 ? this.#free.splice(same, 1)[0] : this.#free.pop() ?? newTile();
    if (!tile.a.isConnected) this.#main.append(tile.a);
    tile.index = index;
    tile.painted = "";
    return tile;
  }

  #put(tile) {
    const { columns, pitch, left } = this.#layout;
    const x = left + (tile.index % columns) * pitch;
    const y = Math.floor(tile.index / columns) * pitch + this.#scroller.shift;
    if (tile.x === x && tile.y === y) return;
    tile.x = x;
    tile.y = y;
    tile.a.style.transform = `translate(${x}px, ${y}px)`;
  }

  #fill(tile, item) {
    const url = item ? this.thumbURL(item) : "";
    if (tile.item === item && tile.url === url) return;
    this.#name(tile, item);
    if (tile.url === url) return;
    tile.url = url;
    tile.since = performance.now();
    this.#hang(tile, this.#queue.get(url));
  }

  #name(tile, item) {
    tile.item = item;
    tile.a.className = item?.hash ? "" : "plain";
    tile.a.title = item?.name ?? "";
    tile.a.ariaLabel = item ? `${item.name}, ${position(tile.index, this.#listing.total)}` : "";
    tile.a.dataset.kind = item?.kind ?? "";
    if (item) tile.a.href = `#${item.id}`;
    else tile.a.removeAttribute("href");
  }

  /** Puts a thumbnail into its tile; until it is there, one of another size, if that is. */
  #hang(tile, img) {
    tile.whole = !!img;
    tile.img = img ?? this.#otherSize(tile.item);
    tile.a.replaceChildren(...(tile.img ? [tile.img] : []));
    if (tile.img) tile.img.alt = tile.item.name;
  }

  #otherSize(item) {
    if (!item) return undefined;
    return THUMBS.map((size) => this.#queue.get(thumb(item, size))).find(Boolean);
  }

  #arrived(url) {
    const tile = [...this.#tiles.values()].find((t) => t.url === url);
    if (!tile || tile.whole) return;
    const late = !tile.img && performance.now() - tile.since > SUDDEN;
    this.#hang(tile, this.#queue.get(url));
    if (late && !this.#fast && !calm()) tile.img.animate({ opacity: [0, 1] }, 150);
  }

  /** One tile can be reached by the tabulator: the current one, or else the first that is seen. */
  #offerFocus() {
    const at = this.#tiles.has(this.current) ? this.current : this.#seen.first;
    for (const [index, { a }] of this.#tiles) {
      const tab = index === at ? 0 : -1;
      if (a.tabIndex !== tab) a.tabIndex = tab;
    }
  }

  #focused(target) {
    const index = this.indexOf(target);
    if (index >= 0) this.current = index;
    this.#offerFocus();
  }

  /** Brings the tiles into their order in the document too, for those who have it read to them. */
  #order() {
    const sorted = [...this.#tiles.entries()].sort(([a], [b]) => a - b).map(([, { a }]) => a);
    let after = this.#main.firstElementChild;
    for (const a of sorted) {
      if (after.nextElementSibling !== a && a !== document.activeElement) after.after(a);
      after = a;
    }
  }

  /** Paints the hashes of the tiles without a thumbnail, as far as they are not painted yet. */
  #paintHashes() {
    const { columns, pitch } = this.#layout, row = Math.floor(this.#seen.first / columns);
    const y = row * pitch + this.#scroller.shift;
    const anew = this.#placeholders.cover(this.#layout, row, y);
    for (const tile of this.#tiles.values()) {
      if (anew) tile.painted = "";
      this.#paintHash(tile);
    }
  }

  #paintHash(tile) {
    const { index, img, item, painted } = tile;
    const seen = index >= this.#seen.first && index <= this.#seen.last;
    if (!seen || img || !item?.hash || item.hash === painted) return;
    this.#placeholders.paint(index, item.hash);
    tile.painted = item.hash;
  }

  #load() {
    if (this.#paused) return;
    const { first, last } = this.#seen, count = last - first + 1;
    if (this.#fast) {
      this.#queue.hold(new Set(this.#urls(this.#seen)));
      this.#hashes.stop();
      return;
    }
    const ahead = this.#range(this.#down ? 1 : -1);
    const above = this.#down ? 0 : count, below = this.#down ? count : 0;
    this.#listing.want(ahead.first - above, ahead.last + below);
    this.#queue.want([
      ...this.#urls(this.#seen).map((url) => ({ url })),
      ...this.#urls(ahead).map((url) => ({ url, priority: "low" })),
    ]);
    this.#wantHashes();
  }

  /** Addresses of the thumbnails of a range, in the order in which they will be seen. */
  #urls({ first, last }) {
    const urls = [];
    for (let i = first; i <= last; i++) {
      const item = this.#listing.get(i);
      if (item) urls.push(this.thumbURL(item));
    }
    return this.#down ? urls : urls.reverse();
  }

  #wantHashes() {
    const { first, last } = this.#seen;
    const bare = ({ item, img }) => item && !item.hash && !item.error && !img;
    const any = [...this.#tiles.values()].some(bare);
    if (any) this.#hashes.want(this.#listing.query, first, last - first + 1);
    else this.#hashes.stop();
  }

  #learned({ index, item }) {
    const tile = this.#tiles.get(index);
    if (!tile || tile.item !== item) return;
    this.#name(tile, item);
    this.#paintHash(tile);
  }

  #recount() {
    const { columns, pitch } = this.#layout, { height } = this.#view;
    const rows = Math.ceil(this.#listing.total / columns);
    this.#scroller.resize(rows * pitch, height);
    this.#update();
  }

  /** Keeps the place after the listing was read anew. */
  #moved({ old, at, reset }) {
    const { columns, pitch } = this.#layout, row = (i) => Math.floor(i / columns);
    const had = this.#tiles.get(this.current)?.item?.id;
    const rows = Math.ceil(this.#listing.total / columns);
    this.#scroller.resize(rows * pitch, this.#view.height);
    if (at >= 0) this.#scroller.moveTo(this.#scroller.top + (row(at) - row(old)) * pitch);
    else if (reset) this.#scroller.moveTo(0);
    this.#rename(had);
    this.#still();
  }

  /** The tiles show other positions now; one with the focus stays with its picture. */
  #rename(had) {
    const focused = document.activeElement;
    const index = had ? this.#listing.indexOf(had) : -1;
    const current = index >= 0 ? index : this.current;
    const tiles = [...this.#tiles.values()];
    const inGrid = tiles.some(({ a }) => a === focused);
    this.current = Math.max(0, Math.min(current, this.#listing.total - 1));
    this.#tiles.clear();
    this.#free.push(...tiles);
    this.#show();
    if (inGrid) (this.#tiles.get(this.current)?.a ?? this.#main).focus({ preventScroll: true });
  }
}

/** Takes away what a tile shows that is not needed: its picture may come into another one. */
function empty(tile) {
  if (!tile.a.isConnected) return;
  tile.a.remove();
  tile.a.replaceChildren();
  Object.assign(tile, { item: undefined, url: "", img: undefined, whole: false });
}

/** @returns {Tile} */
function newTile() {
  const a = document.createElement("a");
  return { a, index: -1, url: "", whole: false, painted: "", since: 0, x: NaN, y: NaN };
}
