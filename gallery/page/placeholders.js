// placeholders.js paints ThumbHashes: those of the grid into one canvas behind all tiles.

import { decode } from "./thumbhash.js";

/** The canvas has fewer pixels than it covers: nothing in it is sharp. */
const SCALE = 0.5;
/** How many decoded hashes are kept. */
const KEPT = 500;

/** @type {Map<string, HTMLCanvasElement | null>} decoded hashes, last used last */
const decoded = new Map();

/** A small canvas with a decoded hash, or null. */
export function placeholder(hash) {
  if (!hash) return null;
  const canvas = decoded.has(hash) ? decoded.get(hash) : toCanvas(decode(hash));
  decoded.delete(hash);
  decoded.set(hash, canvas);
  if (decoded.size > KEPT) decoded.delete(decoded.keys().next().value);
  return canvas;
}

function toCanvas(picture) {
  if (!picture) return null;
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  const data = new ImageData(picture.rgba, picture.width, picture.height);
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas;
}

/** Paints a hash over a whole canvas, or clears it. */
export function paintOver(canvas, hash) {
  const from = placeholder(hash);
  canvas.width = from?.width ?? 1;
  canvas.height = from?.height ?? 1;
  if (from) canvas.getContext("2d").drawImage(from, 0, 0);
}

/** Placeholders is the canvas behind the grid. */
export class Placeholders {
  #canvas;
  #context;
  #layout = null;
  #row = -1;
  #clean = true;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
  }

  /** Covers other rows, or a grid laid out anew. Returns whether all must be painted again. */
  cover(layout, row, y) {
    this.#canvas.style.transform = `translate(${layout.left}px, ${y}px)`;
    if (layout === this.#layout && row === this.#row) return false;
    if (layout !== this.#layout) this.#resize(layout);
    else this.clear();
    this.#row = row;
    return true;
  }

  #resize(layout) {
    const width = layout.columns * layout.pitch, height = layout.rows * layout.pitch;
    this.#layout = layout;
    this.#canvas.width = width * SCALE;
    this.#canvas.height = height * SCALE;
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    this.#context.setTransform(SCALE, 0, 0, SCALE, 0, 0);
    this.#context.imageSmoothingQuality = "low";
    this.#clean = true;
  }

  clear() {
    if (!this.#clean) this.#context.clearRect(0, 0, 1e5, 1e5);
    this.#clean = true;
  }

  /** Paints a hash where the picture at a position will be, cut to a square. */
  paint(index, hash) {
    const from = placeholder(hash);
    if (!from) return;
    const { columns, pitch, tile } = this.#layout;
    const x = (index % columns) * pitch;
    const y = (Math.floor(index / columns) - this.#row) * pitch;
    const side = Math.min(from.width, from.height);
    const left = (from.width - side) / 2, top = (from.height - side) / 2;
    this.#context.clearRect(x, y, tile, tile);
    this.#context.drawImage(from, left, top, side, side, x, y, tile, tile);
    this.#clean = false;
  }
}
