// api.js knows the server's addresses. All are relative to the page, which may be under any prefix.

/**
 * A picture, as the server lists it. What is left out is unknown.
 * @typedef {object} Item
 * @property {string} id
 * @property {string} name
 * @property {string} [dir] folder, absent at the top
 * @property {string} v changes with the file
 * @property {string} [hash] ThumbHash in base64
 * @property {number} [w] width in pixels, orientation applied
 * @property {number} [h]
 * @property {number} [bytes]
 * @property {string} [time]
 * @property {string} kind
 * @property {string} [error] what is wrong with it
 *
 * What is listed, and in which order.
 * @typedef {{sort: string, q: string, dir: string}} Query
 */

/** An answer of the server that is an error. */
export class ServerError extends Error {}

/** The query's part of an address, without what is default. */
export function parameters({ sort, q, dir }, more = {}) {
  const p = new URLSearchParams();
  if (sort && sort !== "name") p.set("sort", sort);
  if (q) p.set("q", q);
  if (dir) p.set("dir", dir);
  for (const [name, value] of Object.entries(more)) {
    if (value !== undefined) p.set(name, value);
  }
  return p;
}

/** Asks for a window of the listing. */
export function list(query, window, signal) {
  return getJSON(`list?${parameters(query, window)}`, signal);
}

export async function folders() {
  return (await getJSON("folders")).folders ?? [];
}

export function thumb(item, size) {
  return `thumb/${item.id}?v=${encodeURIComponent(item.v)}&size=${size}`;
}

export function original(item) {
  return `original/${item.id}?v=${encodeURIComponent(item.v)}`;
}

export function download(item) {
  return `${original(item)}&download=1`;
}

async function getJSON(url, signal) {
  const response = await fetch(url, { signal });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new ServerError(answer.error || `The server answered ${response.status}.`);
}

/** Calls each with the lines of an answer in NDJSON, as they come. */
export async function eachLine(url, signal, each) {
  const response = await fetch(url, { signal });
  if (!response.ok || !response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.trim()) each(JSON.parse(line));
  }
}
