// main.js wires the page: the listing feeds grid and lightbox, keys go to whom they concern.

import { watch } from "./changes.js";
import { Grid } from "./grid.js";
import { showHelp } from "./help.js";
import { Lightbox, fullScreen } from "./lightbox.js";
import { Listing } from "./list.js";
import { Place } from "./place.js";
import { Toolbar } from "./toolbar.js";

const byId = (id) => document.getElementById(id);

tidy();
const place = new Place();
const listing = new Listing(first(), place.query);
const grid = new Grid(listing, byId("grid"));
const toolbar = new Toolbar(listing, grid);
const lightbox = new Lightbox(listing, grid, byId("lightbox"));
const note = { wrong: "" };

listing.place = () => (lightbox.isOpen ? lightbox.place : grid.place);
listing.addEventListener("moved", () => place.listed(listing.query));
for (const type of ["moved", "count"]) listing.addEventListener(type, tellEmpty);
lightbox.addEventListener("shown", ({ detail }) => place.showing(detail.id));
lightbox.addEventListener("left", () => {
  lightbox.close();
  place.left();
});
place.onchange = follow;
byId("grid").addEventListener("click", click);
byId("keys").addEventListener("click", showHelp);
document.addEventListener("keydown", key);
watch(listing, say);
tellEmpty();
follow(place.id);

/** Removes what the document needs no more, and blank text: it would count as nodes. */
function tidy() {
  for (const e of document.querySelectorAll("noscript, [rel=modulepreload]")) e.remove();
  removeBlanks(document);
  for (const template of document.querySelectorAll("template")) removeBlanks(template.content);
}

function removeBlanks(root) {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), blank = [];
  while (texts.nextNode()) if (!texts.currentNode.data.trim()) blank.push(texts.currentNode);
  for (const text of blank) text.remove();
}

/** The listing that came with the page. */
function first() {
  const { textContent } = byId("first");
  byId("first").remove();
  return JSON.parse(textContent);
}

/** Opens what the address says, or closes the lightbox. */
async function follow(id) {
  if (!id) return lightbox.close();
  if (lightbox.isOpen && lightbox.id === id) return;
  const index = await find(id);
  if (place.id !== id) return;
  if (index >= 0) lightbox.open(index);
  else sayFor(6000, "That picture is not here.");
}

/** The position of a picture, -1 if it is not there; while the folder is read it may still come. */
async function find(id) {
  for (;;) {
    const held = listing.indexOf(id);
    const index = held >= 0 ? held : await listing.locate(id).catch(() => -1);
    if (index >= 0 || !listing.reading || place.id !== id) return index;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function click(event) {
  const a = event.target.closest("a");
  if (!a || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(grid.indexOf(a));
}

function open(index) {
  if (index < 0) return;
  place.opened(listing.get(index)?.id ?? "");
  lightbox.open(index);
}

const gridKeys = {
  ArrowLeft: () => grid.move(-1),
  ArrowRight: () => grid.move(1),
  ArrowUp: () => grid.move(-grid.columns),
  ArrowDown: () => grid.move(grid.columns),
  PageUp: () => grid.move(-grid.page),
  PageDown: () => grid.move(grid.page),
  Home: () => grid.focus(0),
  End: () => grid.focus(listing.total - 1),
  Enter: (event) => open(grid.indexOf(event.target)),
  " ": (event) => open(grid.indexOf(event.target)),
  "+": () => toolbar.enlarge(1),
  "=": () => toolbar.enlarge(1),
  "-": () => toolbar.enlarge(-1),
  "/": () => toolbar.focusSearch(),
};

/** A key goes to the lightbox if it is open, else to the grid, unless somebody types. */
function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog.help[open]")) return;
  const typing = event.target.closest?.("input, select");
  if (typing) {
    if (event.key !== "Escape" && event.key !== "Enter") return;
    event.preventDefault(); // Escape would clear any field of a search
    toolbar.leave(typing, event.key);
    return;
  }
  if (common(event.key) || (lightbox.isOpen ? lightbox.key(event) : inGrid(event))) {
    event.preventDefault();
  }
}

function common(name) {
  if (name === "?") showHelp();
  else if (name === "f") fullScreen();
  return name === "?" || name === "f";
}

function inGrid(event) {
  const presses = event.key === " " || event.key === "Enter";
  const doer = gridKeys[event.key];
  if (!doer || (presses && grid.indexOf(event.target) < 0)) return false;
  doer(event);
  return true;
}

/** Says what is wrong, or that nothing is. */
function say(text) {
  note.wrong = text;
  tellEmpty();
}

/** Says something for a while, in milliseconds. */
function sayFor(ms, text) {
  say(text);
  setTimeout(() => note.wrong === text && say(""), ms);
}

/** The line at the bottom: what is wrong, or why there is nothing to be seen. */
function tellEmpty() {
  const { total, reading, query } = listing;
  const empty = total > 0 || reading ? "" : query.q || query.dir
    ? "Nothing matches." : "There are no pictures here.";
  const text = note.wrong || empty;
  if (byId("note").textContent !== text) byId("note").textContent = text;
  byId("note").className = total > 0 || !text ? "" : "empty";
}
