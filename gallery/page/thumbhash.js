// thumbhash.js decodes ThumbHashes: the lowest frequencies of a picture in some 25 bytes.
// The format is by Evan Wallace: https://evanw.github.io/thumbhash/

/** @typedef {{dc: number, ac: number[], nx: number, ny: number}} Channel */

/** Longest side of what is decoded, in pixels. */
const SIDE = 24;

/**
 * Decodes a hash in base64, or returns null if it is not one.
 * @returns {{width: number, height: number, rgba: Uint8ClampedArray} | null}
 */
export function decode(base64) {
  const bytes = fromBase64(base64);
  const header = bytes && bytes.length >= 5 ? read(bytes) : null;
  return header ? paint(header) : null;
}

function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return null;
  }
}

/** Reads the header and the four channels: lightness, yellow-blue, red-green, alpha. */
function read(b) {
  const low = b[0] | (b[1] << 8) | (b[2] << 16), high = b[3] | (b[4] << 8);
  const alpha = low >> 23 === 1, wide = high >> 15 === 1;
  if (alpha && b.length < 6) return null;
  const long = alpha ? 5 : 7, short = high & 7;
  const nx = Math.max(3, wide ? long : short), ny = Math.max(3, wide ? short : long);
  const next = nibbles(b, alpha ? 6 : 5);
  return {
    ratio: (wide ? long : short || 1) / (wide ? short || 1 : long),
    l: channel((low & 63) / 63, nx, ny, ((low >> 18) & 31) / 31, next),
    p: channel(((low >> 6) & 63) / 31.5 - 1, 3, 3, (((high >> 3) & 63) / 63) * 1.25, next),
    q: channel(((low >> 12) & 63) / 31.5 - 1, 3, 3, (((high >> 9) & 63) / 63) * 1.25, next),
    a: alpha ? channel((b[5] & 15) / 15, 5, 5, (b[5] >> 4) / 15, next) : null,
  };
}

/** Returns the numbers of four bits each that follow a position, as -1 to 1. */
function nibbles(bytes, from) {
  let i = from * 2;
  return () => {
    const byte = bytes[i >> 1] ?? 0x77;
    return ((i++ & 1 ? byte >> 4 : byte & 15) / 7.5) - 1;
  };
}

/** @returns {Channel} */
function channel(dc, nx, ny, scale, next) {
  const ac = [];
  eachFrequency(nx, ny, () => ac.push(next() * scale));
  return { dc, ac, nx, ny };
}

/** The frequencies that are kept: a triangle of the low ones, but for the mean. */
function eachFrequency(nx, ny, call) {
  for (let y = 0; y < ny; y++) {
    for (let x = y ? 0 : 1; x * ny < nx * (ny - y); x++) call(x, y);
  }
}

function paint({ ratio, l, p, q, a }) {
  const width = ratio > 1 ? SIDE : Math.max(1, Math.round(SIDE * ratio));
  const height = ratio > 1 ? Math.max(1, Math.round(SIDE / ratio)) : SIDE;
  const [L, P, Q, A] = [l, p, q, a].map((c) => c && plane(c, width, height));
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const blue = L[i] - (2 / 3) * P[i];
    const red = (3 * L[i] - blue + Q[i]) / 2;
    rgba.set([red * 255, (red - Q[i]) * 255, blue * 255, A ? A[i] * 255 : 255], i * 4);
  }
  return { width, height, rgba };
}

/** The inverse cosine transform of a channel. */
function plane({ dc, ac, nx, ny }, width, height) {
  const out = new Float32Array(width * height).fill(dc);
  const across = cosines(nx, width), down = cosines(ny, height);
  let i = 0;
  eachFrequency(nx, ny, (fx, fy) => {
    const weight = 2 * ac[i++];
    for (let y = 0, at = 0; y < height; y++) {
      const row = weight * down[fy][y];
      for (let x = 0; x < width; x++) out[at++] += row * across[fx][x];
    }
  });
  return out;
}

function cosines(frequencies, size) {
  return Array.from({ length: frequencies }, (_, f) =>
    Float32Array.from({ length: size }, (_, x) => Math.cos((Math.PI / size) * (x + 0.5) * f)));
}
