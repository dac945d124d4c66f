// lightbox.js shows one picture in the whole window, and goes from one to the next.

import { download } from "./api.js";
import { follow } from "./gestures.js";
import { Pictures, around, isLight, source } from "./pictures.js";
import { Queue } from "./queue.js";
import { Stage } from "./stage.js";
import { bytes, number, position } from "./words.js";

/** Who goes on within this (or holds the key) flies past, in milliseconds. */
const FLYING = 120;
/** Who stops for this long has landed: the picture is loaded. */
const LANDED = 160;
/** How many thumbnails are kept of those flown past. */
const KEPT = 40;
/** A swipe is longer than this, in pixels, or faster, in pixels per millisecond. */
const SWIPE = 60, SWIFT = 0.5;

/**
 * Lightbox is a modal dialog over the grid. Events: "shown" (detail: item), "left" (the reader
 * wants to close it).
 */
export class Lightbox extends EventTarget {
  index = -1;
  #item;
  #listing;
  #grid;
  #template;
  #dialog = null;
  #part = {};
  #stage;
  #pictures = new Pictures((url, img) => this.#arrived(url, img));
  #thumbnails = new Queue({ atOnce: 1, keep: KEPT, arrived: (_, ms) => this.#flown(ms) });
  #url = ""; // of the picture that is asked for
  #pixels = 0; // for how many on its longer side
  #direction = 1;
  #stepped = 0; // when
  #pace = 100; // milliseconds between the last steps
  #delay = 200; // milliseconds until a thumbnail came, lately
  #aim = -1; // position of the thumbnail under way
  #landing = 0;

  constructor(listing, grid, template) {
    super();
    this.#listing = listing;
    this.#grid = grid;
    this.#template = template;
    listing.addEventListener("items", () => this.isOpen && !this.#item && this.#show());
    listing.addEventListener("moved", (event) => this.isOpen && this.#moved(event.detail));
    listing.addEventListener("learned", ({ detail }) => this.#learned(detail));
    window.addEventListener("resize", () => this.#resized());
  }

  get isOpen() {
    return !!this.#dialog?.open;
  }

  get id() {
    return this.#item?.id;
  }

  /** What must stay shown when the listing changes. */
  get place() {
    return { id: this.#item?.id, index: this.index, count: 40 };
  }

  /** Opens at a position, or goes there. */
  open(index) {
    if (!this.isOpen) this.#open();
    this.#direction = 1;
    this.#go(index);
  }

  #open() {
    this.#dialog ??= this.#build();
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    this.#dialog.focus();
    this.#grid.pause();
  }

  /** Closes it. The grid goes on where the reader was, with the focus there. */
  close() {
    if (!this.#dialog?.isConnected) return;
    clearTimeout(this.#landing);
    this.#pictures.stop();
    this.#thumbnails.want([]);
    this.#dialog.close();
    this.#dialog.remove();
    this.#url = "";
    this.#item = undefined;
    this.#grid.resume();
    this.#grid.focus(this.index);
  }

  #build() {
    const dialog = this.#template.content.querySelector("dialog").cloneNode(true);
    for (const e of dialog.querySelectorAll("[class]")) this.#part[e.classList[0]] = e;
    const { previous, next, zoom, details, full, close } = this.#part;
    this.#stage = new Stage(this.#part.stage);
    previous.onclick = () => this.step(-1);
    next.onclick = () => this.step(1);
    zoom.onclick = () => this.#toggle(window.innerWidth / 2, window.innerHeight / 2);
    details.onclick = () => this.#tell();
    full.onclick = () => fullScreen();
    close.onclick = () => this.#leave();
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#leave();
    });
    dialog.addEventListener("close", () => this.#closedByBrowser() && this.#leave());
    follow(dialog, this.#gestures());
    return dialog;
  }

  /** Browsers close dialogs by themselves at times. The event comes late: it may be open again. */
  #closedByBrowser() {
    return this.#dialog.isConnected && !this.#dialog.open;
  }

  #leave() {
    this.#emit("left");
  }

  #gestures() {
    const zoomed = () => this.#stage.scale > 1;
    return {
      zoom: (factor, x, y) => this.#zoom(() => this.#stage.zoomAt(factor, x, y)),
      drag: (dx, dy, whole) => (zoomed() ? this.#stage.pan(dx, dy) : this.#lean(whole)),
      drop: (whole) => zoomed() || this.#drop(whole),
      doubleTap: (x, y) => this.#toggle(x, y),
      tap: (event) => this.#tap(event),
    };
  }

  /** A click beside the picture closes. Fingers miss it too easily. */
  #tap({ pointerType, target }) {
    if (pointerType === "mouse" && target === this.#dialog) this.#leave();
  }

  /** The picture follows a finger; a mouse does not swipe. */
  #lean({ x, y, mouse }) {
    if (mouse) return;
    if (Math.abs(x) > Math.abs(y)) this.#stage.lean(x, 0);
    else this.#stage.lean(0, Math.max(0, y));
  }

  /** A swipe to the side goes on, one down closes. */
  #drop({ x, y, ms, mouse }) {
    if (mouse) return;
    const far = (d) => d > SWIPE || (d > SWIPE / 3 && d / ms > SWIFT);
    if (y > Math.abs(x) && far(y)) this.#leave();
    else if (Math.abs(x) > Math.abs(y) && far(Math.abs(x))) this.step(x < 0 ? 1 : -1);
    else this.#stage.enter(0, x);
  }

  /** Handles a key. Returns whether it meant something. @param {KeyboardEvent} event */
  key(event) {
    const onButton = event.target.closest?.("button, a");
    if (onButton && (event.key === "Enter" || event.key === " ")) return false;
    const doer = this.#keys[event.key];
    doer?.(event);
    return !!doer;
  }

  #keys = {
    ArrowLeft: (event) => this.step(-1, event.repeat),
    ArrowRight: (event) => this.step(1, event.repeat),
    PageUp: (event) => this.step(-1, event.repeat),
    PageDown: (event) => this.step(1, event.repeat),
    " ": (event) => this.step(event.shiftKey ? -1 : 1, event.repeat),
    ArrowUp: () => this.#stage.pan(0, 80),
    ArrowDown: () => this.#stage.pan(0, -80),
    Home: () => this.#jump(0, 1),
    End: () => this.#jump(this.#listing.total - 1, -1),
    "+": () => this.#zoom(() => this.#stage.zoom(1.5)),
    "=": () => this.#zoom(() => this.#stage.zoom(1.5)),
    "-": () => this.#zoom(() => this.#stage.zoom(1 / 1.5)),
    "0": () => this.#zoom(() => this.#stage.zoom(0)),
    i: () => this.#tell(),
    d: () => this.#part.download.click(),
  };

  #jump(index, direction) {
    this.#direction = direction;
    this.#go(index);
  }

  /** Goes to the next picture (1) or the one before (-1). */
  step(by, held = false) {
    const index = this.index + by;
    if (index < 0 || index >= this.#listing.total) {
      this.#stage.enter(0, -by * 30);
      return;
    }
    const now = performance.now(), since = now - this.#stepped;
    this.#stepped = now;
    this.#pace = Math.min(500, since);
    this.#direction = by;
    this.#go(index, held || since < FLYING);
    if (!held) this.#stage.enter(by);
  }

  #go(index, flying = false) {
    this.index = index;
    this.#show(flying);
  }

  #show(flying = false) {
    clearTimeout(this.#landing);
    const item = (this.#item = this.#listing.get(this.index));
    const far = 40 * this.#direction;
    this.#listing.want(this.index - 10 + Math.min(0, far), this.index + 10 + Math.max(0, far));
    this.#tellPosition();
    if (!item) return;
    this.#stage.set(item, this.#thumbnail(item));
    this.#tellName();
    this.#zoomed();
    const img = this.#choose();
    if (img) this.#stage.show(img, item);
    if (flying && !img) this.#fly();
    else this.#ask();
    this.#emit("shown", item);
  }

  /** Chooses the size of the picture for the window. Returns it if it is there. */
  #choose() {
    this.#pixels = this.#stage.pixels;
    this.#url = source(this.#item, this.#pixels);
    return this.#pictures.get(this.#url);
  }

  #ask() {
    const { depth } = this.#pictures;
    this.#thumbnails.want([]);
    this.#pictures.ask(this.#url, this.#neighbours(depth));
  }

  #neighbours(depth) {
    const items = around(this.index, this.#direction, depth).map((i) => this.#listing.get(i));
    return items.filter(Boolean).map((item) => [item, source(item, fitted(item))])
      .filter(([item, url]) => isLight(item, url)).map(([, url]) => url);
  }

  #thumbnail(item) {
    return this.#grid.thumbnail(item) ?? this.#thumbnails.get(this.#grid.thumbURL(item));
  }

  /** While the key is held, thumbnails are loaded where the reader will be when they come. */
  #fly() {
    this.#pictures.stop();
    this.#landing = setTimeout(() => this.#ask(), LANDED);
    const passed = (this.#aim - this.index) * this.#direction < 0;
    if (!this.#thumbnails.idle && !passed) return;
    this.#aim = this.index + this.#direction * Math.ceil(this.#delay / this.#pace);
    const item = this.#listing.get(this.#aim);
    this.#thumbnails.want(item ? [{ url: this.#grid.thumbURL(item), priority: "high" }] : []);
  }

  #flown(ms) {
    this.#delay += (ms - this.#delay) / 3;
    const thumbnail = this.#item && this.#thumbnail(this.#item);
    if (thumbnail) this.#stage.showLow(thumbnail);
  }

  #arrived(url, img) {
    if (!this.#item || url !== this.#url) return;
    this.#stage.show(img, this.#item);
    if (!this.#item.w) this.#listing.study(this.index);
  }

  #toggle(x, y) {
    this.#zoom(() => this.#stage.toggle(x, y));
  }

  /** Zooms, and asks for more pixels if it takes more. */
  #zoom(change) {
    if (!this.#item) return;
    change();
    this.#zoomed();
    clearTimeout(this.#landing);
    this.#landing = setTimeout(() => this.#sharpen(), LANDED);
  }

  /** Asks for more pixels if the picture covers more of the screen than it was asked for. */
  #sharpen() {
    if (!this.isOpen || !this.#item || this.#stage.pixels <= this.#pixels) return;
    const img = this.#choose();
    if (img) this.#stage.show(img, this.#item);
    this.#ask();
  }

  #zoomed() {
    const zoomed = this.#stage.scale > 1;
    this.#part.zoom.ariaPressed = String(zoomed);
    this.#dialog.classList.toggle("zoomed", zoomed);
  }

  #resized() {
    if (!this.isOpen || !this.#item) return;
    this.#stage.resized(this.#item);
    this.#sharpen();
  }

  #tellPosition() {
    this.#part.position.textContent = position(this.index, this.#listing.total);
    this.#part.previous.disabled = this.index <= 0;
    this.#part.next.disabled = this.index >= this.#listing.total - 1;
  }

  #tellName() {
    const { name, kind, error } = this.#item;
    const note = kind === "video" ? "a video: download it to watch" : error;
    this.#part.name.textContent = note ? `${name} (${note})` : name;
    this.#part.download.href = download(this.#item);
    this.#part.info.textContent = describe(this.#item);
  }

  #tell() {
    const { info, details } = this.#part;
    info.hidden = !info.hidden;
    details.ariaPressed = String(!info.hidden);
  }

  /** The listing was read anew: the same picture stays, or what took its place. */
  #moved({ id, at }) {
    const shown = this.#item;
    if (!this.#listing.total) {
      this.#leave();
      return;
    }
    const index = at >= 0 && id === shown?.id ? at : Math.min(this.index, this.#listing.total - 1);
    this.index = index;
    const item = this.#listing.get(index);
    if (item && item.id === shown?.id && item.v === shown.v) {
      this.#item = item;
      this.#tellPosition();
    } else {
      this.#show();
    }
  }

  #learned({ item }) {
    if (!this.isOpen || item !== this.#item) return;
    this.#tellName();
    this.#resized();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Pixels of the screen on the longer side of a picture that is fitted into the window. */
function fitted({ w, h }) {
  const { innerWidth, innerHeight, devicePixelRatio } = window;
  if (!w) return Math.max(innerWidth, innerHeight) * devicePixelRatio;
  const ratio = Math.min(innerWidth / w, innerHeight / h, 1);
  return Math.max(w, h) * ratio * devicePixelRatio;
}

function describe({ name, dir, w, h, bytes: size, time, kind, error }) {
  return [
    name,
    dir && `in ${dir}`,
    w && `${number(w)} × ${number(h)} pixels, ${((w * h) / 1e6).toFixed(1)} megapixels`,
    size !== undefined && bytes(size),
    time && new Date(time).toLocaleString(),
    kind,
    error,
  ].filter(Boolean).join("\n");
}

export function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  else document.documentElement.requestFullscreen?.().catch(() => {});
}
