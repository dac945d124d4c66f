// stage.js shows one picture in the lightbox: fitted into the window, zoomed, moved.

import { paintOver } from "./placeholders.js";
import { calm } from "./words.js";

/** How far one can zoom beyond the picture's own pixels. */
const BEYOND = 4;

/** Stage holds what is known of a picture: its hash, its thumbnail over that, itself over both. */
export class Stage {
  #element;
  #canvas;
  #low;
  #img = null;
  #size = { w: 1, h: 1 }; // fitted into the window, in pixels
  #pixels = 0; // longer side of the picture itself, 0: unknown
  #zoom = { scale: 1, x: 0, y: 0 };

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
    this.#canvas = element.querySelector("canvas");
    this.#low = element.querySelector("img");
  }

  get scale() {
    return this.#zoom.scale;
  }

  /** Pixels of the screen on the longer side, as zoomed now. */
  get pixels() {
    return Math.max(this.#size.w, this.#size.h) * this.#zoom.scale * window.devicePixelRatio;
  }

  /**
   * Shows what is there of a picture at once. If that is nothing, the last one stays, dimmed.
   * @param {HTMLImageElement} [thumbnail]
   */
  set(item, thumbnail) {
    const nothing = !item.hash && !thumbnail;
    this.#element.classList.toggle("waiting", nothing && !!this.#img);
    this.#zoom = { scale: 1, x: 0, y: 0 };
    this.#pixels = Math.max(item.w ?? 0, item.h ?? 0);
    if (nothing && this.#img) {
      this.#move(0, 0);
      return;
    }
    this.#img?.remove();
    this.#img = null;
    this.#element.classList.remove("whole");
    paintOver(this.#canvas, item.hash);
    this.showLow(thumbnail);
    this.#fit(item.w ? { w: item.w, h: item.h } : natural(thumbnail));
  }

  /** Shows the thumbnail, enlarged, until the picture comes. */
  showLow(thumbnail) {
    if (thumbnail) this.#low.src = thumbnail.src;
    else this.#low.removeAttribute("src");
    this.#low.hidden = !thumbnail;
    if (thumbnail) this.#element.classList.remove("waiting");
  }

  /** Shows the picture itself. @param {HTMLImageElement} img */
  show(img, item) {
    img.decoding = "sync"; // it is decoded already, and must not blink
    img.alt = item.name;
    this.#img?.remove();
    this.#img = img;
    this.#element.append(img);
    this.#element.classList.add("whole");
    this.#element.classList.remove("waiting");
    this.#pixels ||= Math.max(img.naturalWidth, img.naturalHeight);
    this.#fit(item.w ? { w: item.w, h: item.h } : natural(img));
  }

  /** Fits the picture into the window again: one of both has another size than was thought. */
  resized(item) {
    this.#pixels = Math.max(item.w ?? 0, item.h ?? 0) || this.#pixels;
    this.#fit(item.w ? { w: item.w, h: item.h } : natural(this.#img));
  }

  #fit(size) {
    const { w, h } = size ?? { w: window.innerWidth, h: window.innerHeight };
    const room = Math.min(window.innerWidth / w, window.innerHeight / h);
    const ratio = size ? Math.min(room, this.#pixels ? 1 : room) : room;
    this.#size = { w: Math.max(1, w * ratio), h: Math.max(1, h * ratio) };
    this.#element.style.width = `${this.#size.w}px`;
    this.#element.style.height = `${this.#size.h}px`;
    this.#move(0, 0);
  }

  /** How far one can zoom: some way beyond the picture's own pixels. */
  get #most() {
    const own = this.#pixels / Math.max(this.#size.w, this.#size.h);
    return Math.max(BEYOND, own * BEYOND);
  }

  /** Zooms by a factor; what is at a point of the window stays there. */
  zoomAt(factor, x, y) {
    const { scale: old } = this.#zoom;
    const scale = Math.max(1, Math.min(old * factor, this.#most));
    const dx = x - window.innerWidth / 2, dy = y - window.innerHeight / 2;
    this.#zoom.scale = scale;
    this.#zoom.x = dx - ((dx - this.#zoom.x) * scale) / old;
    this.#zoom.y = dy - ((dy - this.#zoom.y) * scale) / old;
    this.#move(0, 0);
  }

  /** Zooms by a factor at the middle. */
  zoom(factor) {
    this.zoomAt(factor, window.innerWidth / 2, window.innerHeight / 2);
  }

  /** Between the whole picture and its own pixels (or twice, if these are few). */
  toggle(x, y) {
    const own = this.#pixels / window.devicePixelRatio / Math.max(this.#size.w, this.#size.h);
    this.zoomAt(this.scale > 1 ? 0 : Math.max(2, own), x, y);
  }

  pan(dx, dy) {
    this.#move(dx, dy);
  }

  /** Lets the picture follow a finger before it is known where to. */
  lean(x, y) {
    this.#element.style.transform = `translate(${x}px, ${y}px)`;
  }

  /** Ends leaning, or enters from a side (-1: left, 1: right). */
  enter(side, from = side * 80) {
    this.#move(0, 0);
    if (calm() || !from) return;
    const transform = [`translateX(${from}px)`, "none"];
    this.#element.animate({ transform }, { duration: 160, easing: "ease-out" });
  }

  #move(dx, dy) {
    const z = this.#zoom, { w, h } = this.#size;
    z.x = within(z.x + dx, (w * z.scale - window.innerWidth) / 2);
    z.y = within(z.y + dy, (h * z.scale - window.innerHeight) / 2);
    this.#element.style.transform = `translate(${z.x}px, ${z.y}px) scale(${z.scale})`;
  }
}

function within(x, most) {
  return Math.max(-Math.max(0, most), Math.min(x, Math.max(0, most)));
}

function natural(img) {
  return img?.naturalWidth ? { w: img.naturalWidth, h: img.naturalHeight } : null;
}
