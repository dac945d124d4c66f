// toolbar.js is the line above the grid: search, folder, order, size, theme.

import { folders } from "./api.js";
import { pictures } from "./words.js";

/** How long the search waits for another letter, in milliseconds. */
const PAUSE = 180;
/** How many folders are offered at a time: each is a node of the document. */
const OFFERED = 10;

const byId = (id) => document.getElementById(id);

/** The toolbar changes what is listed, and how large. */
export class Toolbar {
  #listing;
  #grid;

  constructor(listing, grid) {
    this.#listing = listing;
    this.#grid = grid;
    this.#search();
    this.#sort();
    this.#folder();
    this.#size();
    theme(byId("theme"));
    this.#count();
    for (const type of ["count", "moved"]) listing.addEventListener(type, () => this.#count());
  }

  focusSearch() {
    byId("search").select();
    byId("search").focus();
  }

  /** Escape or Enter was pressed in a control. Escape ends the search, too. */
  leave(control, key) {
    if (control.id === "search" && key === "Escape") {
      control.value = "";
      this.#change({ q: "" });
    }
    control.blur();
  }

  /** Makes the tiles larger (1) or smaller (-1). */
  enlarge(by) {
    keep("size", this.#grid.enlarge(by));
    this.#showSize();
  }

  #search() {
    const search = byId("search");
    let timer = 0;
    search.value = this.#listing.query.q;
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#change({ q: search.value.trim() }), PAUSE);
    });
  }

  #sort() {
    const sort = byId("sort");
    sort.value = this.#listing.query.sort;
    sort.addEventListener("change", () => this.#change({ sort: sort.value }));
  }

  #change(part) {
    const query = { ...this.#listing.query, ...part };
    const same = Object.keys(query).every((k) => query[k] === this.#listing.query[k]);
    if (!same) this.#listing.refresh(query);
  }

  #folder() {
    const input = byId("folder");
    if (!input) return;
    input.value = this.#listing.query.dir;
    const offer = new Folders(input);
    input.addEventListener("focus", () => offer.open());
    input.addEventListener("blur", () => offer.close());
    input.addEventListener("input", () => this.#choose(offer.type()));
    input.addEventListener("change", () => this.#choose(offer.settle(this.#listing.query.dir)));
  }

  #choose(dir) {
    if (dir !== undefined) this.#change({ dir });
  }

  #size() {
    const size = byId("size");
    this.#grid.setSize(Number(recall("size")) || 0);
    size.addEventListener("input", () => {
      this.#grid.setSize(Number(size.value));
      keep("size", size.value);
    });
    window.addEventListener("resize", () => this.#showSize());
    this.#showSize();
  }

  #showSize() {
    const size = byId("size"), { least, most, now } = this.#grid.sizes;
    Object.assign(size, { min: least, max: most, value: now });
  }

  #count() {
    const { total, reading } = this.#listing;
    const text = pictures(total) + (reading ? ", reading…" : "");
    if (byId("count").textContent !== text) byId("count").textContent = text;
  }
}

/** Folders offers those that match what was typed; they are asked for when first needed. */
class Folders {
  #input;
  #known = null;
  #list = document.createElement("datalist");

  constructor(input) {
    this.#input = input;
    this.#list.id = input.getAttribute("list");
  }

  async open() {
    this.#input.after(this.#list);
    try {
      this.#known ??= (await folders()).map(({ dir }) => dir).filter(Boolean);
    } catch {
      this.#known = null; // asked again at the next focus
    }
    this.#offer();
  }

  close() {
    this.#list.replaceChildren();
    this.#list.remove();
    this.#known = null; // there may be others next time
  }

  /** Offers what matches. Returns the folder if it is one, "" for all, else undefined. */
  type() {
    this.#offer();
    const { value } = this.#input;
    return value === "" || this.#known?.includes(value) ? value : undefined;
  }

  /** What was typed in the end: a folder, or the first that matches, or else the old one. */
  settle(old) {
    const { value } = this.#input, match = this.#matching()[0];
    const dir = value === "" ? "" : this.#known?.includes(value) ? value : match ?? old;
    this.#input.value = dir;
    return dir;
  }

  #offer() {
    if (!this.#list.isConnected) return;
    this.#list.replaceChildren(...this.#matching().map((value) => {
      const option = document.createElement("option");
      option.value = value;
      return option;
    }));
  }

  #matching() {
    const typed = this.#input.value.toLowerCase(), found = [];
    for (const dir of this.#known ?? []) {
      if (dir.toLowerCase().includes(typed)) found.push(dir);
      if (found.length === OFFERED) break;
    }
    return found;
  }
}

const THEMES = ["system", "light", "dark"];

/** The theme follows the system until somebody chooses another. */
function theme(button) {
  let now = THEMES.includes(recall("theme")) ? recall("theme") : "system";
  function show() {
    if (now === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = now;
    button.ariaLabel = `Theme: ${now}`;
    button.title = `Theme: ${now}`;
    keep("theme", now);
  }
  button.addEventListener("click", () => {
    now = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    show();
  });
  show();
}

/** What was chosen last time; storage may be forbidden. */
function recall(name) {
  try {
    return localStorage.getItem(`larder.gallery.${name}`);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(`larder.gallery.${name}`, value);
  } catch {
    // then it is for this time only
  }
}
