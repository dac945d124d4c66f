// gestures.js tells from pointers and the wheel whether somebody drags, pinches, taps or zooms.

/** A pointer that moved less than this has tapped, in pixels. */
const SLACK = 8;
/** Two taps within this are one double tap, in milliseconds. */
const DOUBLE = 300;

/**
 * What is done; positions are those of the window, in pixels.
 * @typedef {object} Doer
 * @property {(factor: number, x: number, y: number) => void} zoom
 * @property {(dx: number, dy: number, whole: Way) => void} drag by a step, of a whole way
 * @property {(whole: Way) => void} drop a drag has ended
 * @property {(x: number, y: number) => void} doubleTap
 * @property {(event: PointerEvent) => void} tap
 */

/**
 * The way of a pointer since it went down: how far, how long, and whether it is a mouse.
 * @typedef {{x: number, y: number, ms: number, mouse: boolean}} Way
 */

/** Follows the pointers over an element. @param {HTMLElement} element @param {Doer} doer */
export function follow(element, doer) {
  const one = new Pointers(element, doer);
  element.addEventListener("pointerdown", (event) => one.down(event));
  element.addEventListener("pointermove", (event) => one.move(event));
  element.addEventListener("pointerup", (event) => one.up(event));
  element.addEventListener("pointercancel", (event) => one.up(event));
  element.addEventListener("wheel", (event) => wheel(event, doer), { passive: false });
}

/** The wheel zooms at the pointer; on a touchpad, which reports pinching with Ctrl, faster. */
function wheel(event, doer) {
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
  const speed = event.ctrlKey ? 0.01 : 0.002;
  doer.zoom(Math.exp(-event.deltaY * lines * speed), event.clientX, event.clientY);
}

class Pointers {
  #element;
  #doer;
  /** @type {Map<number, {x: number, y: number}>} */ #at = new Map();
  #start = { x: 0, y: 0, ms: 0 };
  #dragged = false;
  #tapped = { x: 0, y: 0, ms: -DOUBLE };

  constructor(element, doer) {
    this.#element = element;
    this.#doer = doer;
  }

  down(event) {
    if (event.button !== 0) return;
    this.#at.set(event.pointerId, at(event));
    if (this.#at.size > 1) return;
    this.#start = { ...at(event), ms: event.timeStamp };
    this.#dragged = false;
  }

  move(event) {
    const old = this.#at.get(event.pointerId);
    if (!old) return;
    if (this.#at.size === 2) this.#pinch(event);
    else this.#drag(event, old);
    if (this.#dragged) this.#at.set(event.pointerId, at(event));
  }

  #drag(event, old) {
    const way = this.#way(event);
    if (!this.#dragged && Math.hypot(way.x, way.y) < SLACK) return;
    this.#seize(event);
    this.#doer.drag(event.clientX - old.x, event.clientY - old.y, way);
  }

  #pinch(event) {
    const other = [...this.#at].find(([id]) => id !== event.pointerId)[1];
    const old = this.#at.get(event.pointerId), now = at(event);
    const factor = distance(now, other) / Math.max(1, distance(old, other));
    this.#seize(event);
    this.#doer.zoom(factor, (now.x + other.x) / 2, (now.y + other.y) / 2);
    this.#start = { ...now, ms: event.timeStamp };
    this.#doer.drag((now.x - old.x) / 2, (now.y - old.y) / 2, this.#way(event));
  }

  /** @returns {Way} */
  #way({ clientX, clientY, timeStamp, pointerType }) {
    const { x, y, ms } = this.#start;
    return { x: clientX - x, y: clientY - y, ms: timeStamp - ms, mouse: pointerType === "mouse" };
  }

  /** From now on it is a drag: it goes on outside of the element, and clicks no button. */
  #seize(event) {
    this.#dragged = true;
    if (!this.#element.hasPointerCapture(event.pointerId)) {
      this.#element.setPointerCapture(event.pointerId);
    }
  }

  up(event) {
    if (!this.#at.delete(event.pointerId)) return;
    const left = this.#at.values().next().value;
    if (left) this.#start = { ...left, ms: event.timeStamp };
    else if (this.#dragged) this.#drop(event);
    else if (event.type === "pointerup") this.#tap(event);
  }

  #drop(event) {
    const way = this.#way(event), lost = event.type !== "pointerup";
    this.#doer.drop(lost ? { ...way, x: 0, y: 0 } : way);
  }

  #tap(event) {
    if (event.target.closest("button, a")) return;
    const now = { ...at(event), ms: event.timeStamp }, last = this.#tapped;
    const double = now.ms - last.ms < DOUBLE && distance(now, last) < 40;
    this.#tapped = double ? { x: 0, y: 0, ms: -DOUBLE } : now;
    if (double) this.#doer.doubleTap(now.x, now.y);
    else this.#doer.tap(event);
  }
}

function at(event) {
  return { x: event.clientX, y: event.clientY };
}

function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
