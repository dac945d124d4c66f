// main.js asks for the report, and shows what the address says: all parts, or one.

import { showDetail } from "./detail.js";
import { hideKeys, Lookup, Recorder, showKeys } from "./keys.js";
import { byId, say, show } from "./nodes.js";
import { makeColumns, placeOf, showParts } from "./parts.js";
import { ask, Poll } from "./server.js";
import { clock } from "./words.js";

/** Every so many reports the keys of the open part are asked for: they change slowly. */
const KEYS_EVERY = 3;

let report = null;
let open = ""; // the address of the open part, as in a link
let keysIn = 0; // reports until the keys are asked for
let keysOf = ""; // the address of the part whose keys are shown

/** The part that is open, undefined if there is none. */
const openPart = () => report?.parts.find((p) => placeOf(p) === open);

const poll = new Poll(refresh, failed);
const lookup = new Lookup(() => {
  keysIn = 0;
  poll.once();
});
const recorder = new Recorder();

/** Asks for everything that is shown. */
async function refresh(signal) {
  report = await ask({}, signal);
  showAll();
  const part = openPart();
  say(byId("trouble"), !part && open.startsWith("#/")
    ? "The part that the address names does not report now. These do." : "");
  if (!part?.inspectable || keysIn-- > 0) return;
  keysIn = KEYS_EVERY - 1;
  const detail = await ask({ cache: part.name, kind: part.kind }, signal);
  if (placeOf(detail.part) !== open) return;
  keysOf = open;
  showKeys(detail);
}

function failed(error, seconds) {
  document.body.classList.add("lost");
  const since = report ? ` What you see is of ${clock(new Date(report.taken))}.` : "";
  say(byId("trouble"), `${error.message}${since} Trying again in ${seconds} s.`);
}

/** Shows the report, as far as it is looked at. */
function showAll() {
  if (!report) return;
  document.body.classList.remove("lost", "waiting");
  say(byId("version"), report.version);
  say(byId("taken"), clock(new Date(report.taken)));
  show(byId("hashed"), report.hashes_keys);
  const part = openPart();
  show(byId("overview"), !part);
  show(byId("detail"), !!part);
  document.title = part ? `${part.name} – caches` : "Caches";
  if (!part) {
    showParts(report);
    return;
  }
  lookup.for(part, report.allows_actions);
  recorder.for(part);
  showDetail(report, part);
  if (keysOf !== open) hideKeys(); // they are another part's
}

/** Goes where the address says. */
function go() {
  const from = openPart() && open;
  open = location.hash;
  keysIn = 0;
  showAll();
  const part = openPart();
  if (part) {
    scrollTo(0, 0);
    byId("name").focus({ preventScroll: true });
  } else if (from) back(from);
  poll.once();
}

/** Puts the focus where it was before a part was opened. */
function back(from) {
  for (const link of document.querySelectorAll("#parts .name")) {
    if (link.getAttribute("href") === from) link.focus();
  }
}

function close() {
  if (openPart()) location.hash = "";
}

addEventListener("hashchange", go);
addEventListener("keydown", (e) => {
  const busy = e.target.closest("dialog") || (e.target.closest("input") && e.target.value !== "");
  if (e.key === "Escape" && !busy && !e.defaultPrevented) close();
});
addEventListener("resize", () => requestAnimationFrame(showAll));
byId("skip").addEventListener("click", (e) => {
  e.preventDefault();
  byId("main").focus();
});
byId("back").addEventListener("click", (e) => {
  e.preventDefault();
  close();
});
byId("pause").addEventListener("click", () => {
  poll.pause(!poll.paused);
  say(byId("pause"), poll.paused ? "Resume" : "Pause");
  document.body.classList.toggle("paused", poll.paused);
});
byId("detail").addEventListener("click", (e) => {
  const key = e.target.closest("button[data-key]");
  if (!key) return;
  lookup.find(key.value);
  byId("one").scrollIntoView();
  byId("key").focus({ preventScroll: true });
});

makeColumns();
open = location.hash;
poll.now();
