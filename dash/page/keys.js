// keys.js shows single keys: which matter, what is known of one, and what may be done to it.

import { life } from "./charts.js";
import { byId, each, make, say, show } from "./nodes.js";
import { act, ask, record } from "./server.js";
import { clock, count, duration, exact, percent, short, STATES, whole } from "./words.js";

/** A key in a table: a button that looks it up, and what went wrong with it. */
function createKey(cells) {
  const button = make("button", { type: "button", class: "key", "data-key": "" });
  const numbers = Array.from({ length: cells }, () => make("td", { class: "number" }));
  return make("tr", {}, make("th", { scope: "row" }, button, make("small")), ...numbers);
}

function updateKey(row, { key, error }) {
  const [button, trouble] = row.cells[0].children;
  say(button, key === "" ? "(empty)" : key);
  button.value = key;
  button.title = key.length > 40 ? key : "";
  say(trouble, error ?? "");
}

/** Fills a table of keys; texts returns those of the cells beside the key. */
function showTable(id, items, cells, texts) {
  show(byId(`${id}-table`), items.length > 0);
  show(byId(`${id}-none`), items.length === 0);
  each(byId(`${id}-table`).tBodies[0], {
    items,
    key: (k) => k.key + (k.at ?? ""),
    create: () => createKey(cells),
    update: (row, k) => {
      updateKey(row, k);
      texts(k).forEach((text, i) => say(row.cells[i + 1], text));
    },
  });
}

/** How many keys are shown of each order. */
const SHOWN = 10;

/** Hides the keys that matter until they are known. */
export function hideKeys() {
  for (const id of ["keys", "loads-keys"]) show(byId(id), false);
}

/** Shows the keys that matter. */
export function showKeys(detail) {
  for (const id of ["keys", "loads-keys"]) show(byId(id), true);
  const { hits, lost, weight } = detail.top;
  showTable("hits", hits.slice(0, SHOWN), 2,
    (k) => [`≈ ${short(k.hits ?? 0)}`, percent(k.share ?? 0)]);
  showTable("lost", lost.slice(0, SHOWN), 2,
    (k) => [duration(k.lost_ns ?? 0), whole(k.loads ?? 0)]);
  showTable("weight", weight.slice(0, SHOWN), 1, (k) => [whole(k.weight ?? 0)]);
  showTable("slowest", detail.slowest.slice(0, SHOWN), 2,
    (l) => [duration(l.took_ns), clock(new Date(l.at))]);
}

/** Lookup asks about one key, and changes it where that is allowed. */
export class Lookup {
  #part = null;
  #key = "";
  #token = ""; // in the memory of this page alone
  #changed;

  /** @param {() => void} changed is called after a key was refreshed or deleted */
  constructor(changed) {
    this.#changed = changed;
    byId("lookup").addEventListener("submit", (e) => {
      e.preventDefault();
      this.find(byId("key").value);
    });
    for (const button of byId("changes").querySelectorAll("button")) {
      button.addEventListener("click", () => this.#confirm(button.value));
    }
    byId("confirm").addEventListener("close", () => this.#confirmed());
  }

  /** Begins with another part, or the same one in a later state. */
  for(part, allowsActions) {
    const other = this.#part?.name !== part.name || this.#part?.kind !== part.kind;
    this.#part = part;
    show(byId("changes"), allowsActions);
    if (!other) return;
    byId("key").value = "";
    show(byId("life"), false);
    say(byId("found"), "");
  }

  /** Asks about a key, and shows what is known. */
  async find(key) {
    const part = this.#part;
    byId("key").value = key;
    if (key === "") return;
    say(byId("found"), "Looking …");
    try {
      const l = await ask({ cache: part.name, kind: part.kind, key });
      if (this.#part?.name !== part.name) return;
      this.#key = key;
      this.#show(l);
    } catch (error) {
      show(byId("life"), false);
      say(byId("found"), error.message);
    }
  }

  #show(l) {
    const [first, ...why] = l.why?.length ? l.why : [STATES[l.state] ?? `Its state is ${l.state}.`];
    say(byId("found"), first);
    show(byId("life"), true);
    say(byId("life-key"), l.key);
    say(byId("life-state"), l.state);
    byId("life-state").dataset.state = l.state;
    const alive = l.age_ns > 0 && l.state !== "absent";
    byId("life-line").toggleAttribute("hidden", !alive);
    if (alive) life(byId("life-line"), l, byId("life").clientWidth);
    show(byId("life-words"), why.length > 0);
    each(byId("life-why"), { items: why, key: (w) => w, create: () => make("li"), update: say });
    each(byId("life-facts"), { items: factsOf(l), key: ([name]) => name,
      create: () => make("div", {}, make("dt"), make("dd")),
      update: (div, [name, text]) => {
        say(div.firstChild, name);
        say(div.lastChild, text);
      } });
  }

  #confirm(what) {
    const dialog = byId("confirm");
    dialog.what = what;
    dialog.returnValue = "";
    say(byId("confirm-what"), what === "delete" ? "Delete this key?" : "Load this key anew?");
    say(byId("confirm-key"), this.#key);
    show(byId("confirm-token"), this.#token === "");
    say(byId("confirm-yes"), what === "delete" ? "Delete" : "Refresh");
    dialog.showModal();
  }

  async #confirmed() {
    const dialog = byId("confirm"), token = byId("token").value;
    byId("token").value = "";
    if (dialog.returnValue !== "yes") return;
    this.#token ||= token;
    const { name: cache, kind } = this.#part, key = this.#key;
    say(byId("found"), "Asking …");
    try {
      await act({ cache, kind, key, do: dialog.what }, this.#token);
      await this.find(key);
      say(byId("found"), dialog.what === "delete" ? "It was deleted." : "It was refreshed.");
      this.#changed();
    } catch (error) {
      if (error.status === 403) this.#token = "";
      say(byId("found"), error.message);
    }
  }
}

/** What is known of a key: names and texts. */
function factsOf(l) {
  const last = l.last_load;
  const facts = [
    ["Loaded", l.age_ns && `${duration(l.age_ns)} ago`],
    ["Fresh for", l.forever ? "ever" : l.ttl_ns && (l.ttl_ns > 0 ? duration(l.ttl_ns) :
      `not since ${duration(-l.ttl_ns)}`)],
    ["Gone in", !l.forever && l.leaves_ns && duration(l.leaves_ns)],
    ["Hits", l.hits && `≈ ${whole(l.hits)}`],
    ["Loads remembered", l.loads && whole(l.loads)],
    ["Its load took", l.took_ns && duration(l.took_ns)],
    ["Last load", last && `${clock(new Date(last.at))}, ${duration(last.took_ns)}` +
      (last.error ? `: ${last.error}` : "")],
    ["Weight", l.weight && exact(l.weight)],
    ["Tags", l.tags?.join(", ")],
    ["Why it is not there", l.missed],
    ["In the second level", l.in_store !== undefined && inStore(l)],
  ];
  return facts.filter(([, text]) => text);
}

function inStore(l) {
  if (!l.in_store) return "no";
  return l.store_ttl_ns ? `yes, for ${duration(l.store_ttl_ns)}` : "yes";
}

/** Recorder records requests of the open part, and hands out the file. */
export class Recorder {
  #part = null;
  /** @type {AbortController | null} */ #running = null;

  constructor() {
    for (const button of byId("record").querySelectorAll("button[value]")) {
      button.addEventListener("click", () => this.#record(Number(button.value)));
    }
    byId("record-stop").addEventListener("click", () => this.#running?.abort());
  }

  for(part) {
    this.#part = part;
    // Only a part that observes itself tells why it misses, and can be recorded.
    show(byId("record"), part.inspectable && part.samples.some((s) => s.metric === "misses"));
  }

  async #record(seconds) {
    if (this.#running) return;
    this.#running = new AbortController();
    const stop = this.#countDown(seconds);
    try {
      const { blob, name } = await record(this.#part, seconds, this.#running.signal);
      save(blob, name);
      say(byId("record-says"), `Saved as ${name}: larder sim reads it.`);
    } catch (error) {
      say(byId("record-says"), error.name === "AbortError" ? "Not recorded." : error.message);
    }
    stop();
    this.#running = null;
  }

  #countDown(seconds) {
    const began = Date.now(), name = this.#part.name;
    const tell = () => {
      const left = Math.ceil(seconds - (Date.now() - began) / 1000);
      say(byId("record-says"), left > 0 ? `Recording ${name}: ${count(left, "second")} left`
        : "Making the file …");
    };
    const timer = setInterval(tell, 500);
    const running = (on) => {
      show(byId("record-stop"), on);
      for (const b of byId("record").querySelectorAll("button[value]")) b.disabled = on;
    };
    tell();
    running(true);
    return () => {
      clearInterval(timer);
      running(false);
    };
  }
}

function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
