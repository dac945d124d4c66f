// scroll.js maps positions in a listing of any length to those that a browser can scroll to.

/** Browsers bound the height of an element to some ten million pixels; this is safe in all. */
const TALLEST = 8_000_000;
/** Near both ends of what is taller a pixel is a pixel, so that nobody gets stuck. */
const EDGE = 1_000_000;

/** Where in the listing a position of the scroll bar is. Both are at most these. */
export function toListing(y, most, mostReal) {
  if (most <= mostReal || y <= EDGE) return y;
  if (y >= mostReal - EDGE) return most - (mostReal - y);
  return EDGE + ((y - EDGE) * (most - 2 * EDGE)) / (mostReal - 2 * EDGE);
}

/** The reverse of toListing. */
export function toBar(y, most, mostReal) {
  if (most <= mostReal || y <= EDGE) return y;
  if (y >= most - EDGE) return mostReal - (most - y);
  return EDGE + ((y - EDGE) * (mostReal - 2 * EDGE)) / (most - 2 * EDGE);
}

/**
 * Scroller tells where in the listing the window is. Small moves are taken pixel by pixel, large
 * ones (the scroll bar was dragged) by proportion; so both work in listings that are too tall.
 */
export class Scroller {
  /** Position in the listing of the window's top, in pixels. */
  top = 0;
  #element;
  #height = 0;
  #view = 0;
  #y = 0; // of the window, when it was read last

  /** @param {HTMLElement} element gets the height of the listing, as far as possible. */
  constructor(element) {
    this.#element = element;
  }

  resize(height, view) {
    this.#height = height;
    this.#view = view;
    this.#element.style.height = `${Math.min(height, TALLEST)}px`;
    this.top = Math.min(this.top, this.#most);
  }

  /** What is added to a position in the listing to get one in the element. */
  get shift() {
    return this.#y - this.top;
  }

  /** Reads where the window is after it was scrolled. Returns by how much, in pixels. */
  read() {
    const old = this.top, y = window.scrollY, moved = y - this.#y;
    const near = Math.abs(moved) < 2 * this.#view && y > 0 && y < this.#mostReal;
    this.top = near ? this.#within(old + moved) : toListing(y, this.#most, this.#mostReal);
    this.#y = y;
    return this.top - old;
  }

  moveTo(top) {
    this.top = this.#within(top);
    this.settle();
  }

  /** Brings the scroll bar to where it belongs, after small moves; nothing seems to move. */
  settle() {
    const y = Math.round(toBar(this.top, this.#most, this.#mostReal));
    if (y !== Math.round(window.scrollY)) window.scrollTo({ top: y, behavior: "instant" });
    this.#y = window.scrollY;
    if (this.#most <= this.#mostReal) this.top = this.#y;
  }

  get #most() {
    return Math.max(0, this.#height - this.#view);
  }

  get #mostReal() {
    return Math.max(0, Math.min(this.#height, TALLEST) - this.#view);
  }

  #within(top) {
    return Math.max(0, Math.min(top, this.#most));
  }
}
