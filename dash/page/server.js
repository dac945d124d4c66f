// server.js asks the server: again and again while somebody looks, and not otherwise.

/** How often the server is asked, and how long it is waited for at most, in milliseconds. */
const EVERY = 2000, PATIENCE = 10_000, LONGEST_PAUSE = 30_000;

/** Refused is an answer of the server that says why there is no other. */
export class Refused extends Error {
  /** @param {number} status */
  constructor(status, line) {
    super(line || `the server answered with ${status}`);
    this.status = status;
  }
}

/** Lost is no answer at all, or half of one. */
export class Lost extends Error {}

/** Asks for JSON. The address is that of the page, whatever it is. */
export async function ask(query, signal) {
  const limit = AbortSignal.timeout(PATIENCE);
  const answer = await answerTo({ format: "json", ...query },
    { signal: signal ? AbortSignal.any([signal, limit]) : limit });
  try {
    return await answer.json();
  } catch {
    throw new Lost("The server broke off.");
  }
}

/** Returns a good answer, and throws Refused or Lost otherwise. */
async function answerTo(query, options) {
  let answer;
  try {
    answer = await fetch("?" + new URLSearchParams(query), options);
  } catch (error) {
    throw error.name === "AbortError" ? error : new Lost("The server does not answer.");
  }
  if (!answer.ok) throw new Refused(answer.status, await lineOf(answer));
  return answer;
}

async function lineOf(answer) {
  const text = (await answer.text()).trim();
  try {
    return JSON.parse(text).error;
  } catch {
    return text.slice(0, 500);
  }
}

/** Refreshes or deletes a key. */
export async function act(form, token) {
  const headers = { Authorization: `Bearer ${token}` };
  await answerTo({}, { method: "POST", headers, body: new URLSearchParams(form) });
}

/** Records for some seconds. Returns the file and its name. */
export async function record(part, seconds, signal) {
  const query = { cache: part.name, kind: part.kind, record: `${seconds}s` };
  const answer = await answerTo(query, { signal });
  const named = /filename="?([^";]+)/.exec(answer.headers.get("Content-Disposition") ?? "");
  return { blob: await answer.blob(), name: named?.[1] ?? "trace.gz" };
}

/** Poll asks every two seconds, less often without an answer, never while hidden or paused. */
export class Poll {
  #ask;
  #failed;
  #timer = 0;
  #paused = false;
  #failures = 0;
  /** @type {AbortController | null} */ #running = null;

  /**
   * @param {(signal: AbortSignal) => Promise<void>} ask asks, and shows what it is told
   * @param {(error: Error, seconds: number) => void} failed hears when it is tried again
   */
  constructor(ask, failed) {
    this.#ask = ask;
    this.#failed = failed;
    document.addEventListener("visibilitychange", () => this.now());
  }

  get paused() {
    return this.#paused;
  }

  pause(paused) {
    this.#paused = paused;
    this.now();
  }

  /** Asks at once if it may ask at all, and gives up what was asked before. */
  now() {
    if (this.#paused) this.#stop();
    else this.once();
  }

  /** Asks at once, also while it is paused: somebody wants to see something else. */
  once() {
    this.#stop();
    if (!document.hidden) this.#run();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
  }

  async #run() {
    const own = (this.#running = new AbortController());
    let pause = EVERY;
    try {
      await this.#ask(own.signal);
      this.#failures = 0;
    } catch (error) {
      if (own.signal.aborted) return;
      const slip = !(error instanceof Refused || error instanceof Lost);
      if (slip) reportError(error);
      pause = Math.min(EVERY * 2 ** this.#failures++, LONGEST_PAUSE);
      this.#failed(error, pause / 1000);
    }
    const goOn = this.#running === own && !this.#paused;
    if (goOn) this.#timer = setTimeout(() => this.#run(), pause);
  }
}
