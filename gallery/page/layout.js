// layout.js decides how large the tiles are: as wished, as long as few enough are seen at once.

/** Most tiles that may be seen at once: with all the rest the page has at most 150 nodes. */
export const MOST_TILES = 48;

/** Sizes one can wish for, in pixels. */
export const SMALLEST = 64, LARGEST = 480;

/**
 * @typedef {{columns: number, rows: number, tile: number, pitch: number, left: number}} Layout
 * rows can be seen at once; tile and pitch (with the gap) in pixels; left is free on the left.
 */

/** The size that suits a window where none was wished for: three in a row on a phone. */
export function defaultSize(width) {
  return Math.max(100, Math.min(200, width / 3.4));
}

/** @returns {Layout} */
export function layout(width, view, wish) {
  let columns = Math.max(1, Math.round(width / wish));
  let found = withColumns(columns, width, view);
  while (columns > 1 && found.columns * found.rows > MOST_TILES) {
    found = withColumns(--columns, width, view);
  }
  return found;
}

function withColumns(columns, width, view) {
  const gap = width < 600 ? 2 : 4;
  const pitch = Math.floor((width + gap) / columns);
  const left = Math.floor((width + gap - pitch * columns) / 2);
  return { columns, rows: Math.floor(view / pitch) + 2, tile: pitch - gap, pitch, left };
}

/** The smallest size that a window allows. */
export function smallestSize(width, view) {
  return Math.ceil(width / layout(width, view, SMALLEST).columns);
}

/** Sizes of thumbnails for tiles, that the server makes. */
export const THUMBS = [640, 320];

/** The size of the thumbnails for tiles: slightly enlarged ones are fine, they are cut to fit. */
export function thumbSize(tile, ratio) {
  return tile * ratio <= 300 ? 320 : 640;
}
