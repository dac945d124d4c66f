// place.js keeps the page's address up to date, so that it can be kept as a bookmark and sent on:
// ?q=&sort=&dir= for what is listed, #id for the picture that is open.

import { parameters } from "./api.js";

/** Browsers complain of an address that changes too often, so it waits, in milliseconds. */
const PAUSE = 300;

export class Place {
  /** @type {(id: string) => void} hears of a picture to open, or of "" */
  onchange = () => {};
  /** @type {import("./api.js").Query} */ query;
  #timer = 0;

  constructor() {
    const p = new URLSearchParams(location.search), get = (name) => p.get(name) ?? "";
    this.query = { sort: get("sort") || "name", q: get("q"), dir: get("dir") };
    window.addEventListener("popstate", () => {
      clearTimeout(this.#timer);
      if (!this.id) history.scrollRestoration = "auto";
      this.onchange(this.id);
    });
  }

  /** The picture that the address names, or "". */
  get id() {
    return location.hash.slice(1);
  }

  /**
   * A picture was opened: the back button will close it. The browser must not scroll back then: the
   * grid goes to the picture that was seen last.
   */
  opened(id) {
    history.scrollRestoration = "manual";
    history.pushState({ opened: true }, "", this.#address(id));
  }

  /** Another picture is shown. */
  showing(id) {
    clearTimeout(this.#timer);
    if (id !== this.id) this.#timer = setTimeout(() => this.#replace(id), PAUSE);
  }

  /** The lightbox was closed without the back button. */
  left() {
    clearTimeout(this.#timer);
    if (history.state?.opened) history.back();
    else this.#replace("");
  }

  /** Something else is listed. */
  listed(query) {
    if (query === this.query) return;
    this.query = query;
    this.#replace(this.id);
  }

  #replace(id) {
    history.replaceState(history.state, "", this.#address(id));
  }

  #address(id) {
    const query = String(parameters(this.query));
    return location.pathname + (query && `?${query}`) + (id && `#${id}`);
  }
}
