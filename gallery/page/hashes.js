// hashes.js asks for the ThumbHashes that the listing did not know, for what is seen at the moment.

import { eachLine, parameters } from "./api.js";

/** How long what is seen must stand still, in milliseconds: most thumbnails are faster. */
const PATIENCE = 150;

export class Hashes {
  #learn;
  #abort = null;
  #timer = 0;
  #asked = ""; // what was asked for last; not again until it changes

  /** @param {(known: object) => void} learn hears of each hash */
  constructor(learn) {
    this.#learn = learn;
  }

  /** Asks for the window, and for nothing else any more. */
  want(query, from, count) {
    const url = `hashes?${parameters(query, { from, count })}`;
    if (url === this.#asked) return;
    this.stop();
    this.#asked = url;
    this.#timer = setTimeout(() => this.#read(url), PATIENCE);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
    this.#asked = "";
  }

  async #read(url) {
    const abort = (this.#abort = new AbortController());
    try {
      await eachLine(url, abort.signal, this.#learn);
    } catch {
      // Given up, or the server is gone: the thumbnails come without.
    }
  }
}
