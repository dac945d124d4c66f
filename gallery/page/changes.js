// changes.js asks the server now and then whether the listing has changed.

import { ServerError, list } from "./api.js";

/** How often, in milliseconds: while the folder is read, and otherwise. */
const READING = 250, OTHERWISE = 2000;

/**
 * Watches for changes as long as the page is seen.
 * @param {import("./list.js").Listing} listing
 * @param {(text: string) => void} say hears what is wrong, or "" when all is well again
 */
export function watch(listing, say) {
  let timer = 0, failed = false;

  async function ask() {
    try {
      const answer = await list(listing.query, { from: 0, count: 0 });
      if (failed) recover();
      else listing.noticed(answer);
    } catch (error) {
      fail(error);
    }
    next();
  }

  function recover() {
    failed = false;
    say("");
    listing.refresh();
  }

  function fail(error) {
    failed = true;
    say(error instanceof ServerError ? error.message : "The server does not answer; trying again.");
  }

  function next() {
    clearTimeout(timer);
    if (document.hidden) return;
    timer = setTimeout(ask, listing.reading && !failed ? READING : OTHERWISE);
  }

  listing.addEventListener("failed", ({ detail }) => fail(detail));
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) ask();
  });
  next();
}
