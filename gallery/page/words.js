// words.js puts numbers into words, and knows what the reader prefers.

/** 100000 as 100 000, with spaces at which no line breaks. */
export function number(n) {
  return String(n).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
}

export function position(index, total) {
  return `${number(index + 1)} of ${number(total)}`;
}

export function pictures(n) {
  return n === 1 ? "1 picture" : `${number(n)} pictures`;
}

export function bytes(n) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return `${i && n < 10 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

const reduced = matchMedia("(prefers-reduced-motion: reduce)");

/** Whether nothing should move that need not. */
export function calm() {
  return reduced.matches;
}
