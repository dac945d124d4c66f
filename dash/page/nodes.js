// nodes.js makes and changes nodes. What comes from the server is text, and never markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** Makes an element with attributes and children: nodes, or text. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Makes an element of a drawing. */
export function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Says something in an element, and leaves it alone if it says so already. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute, or takes it away if the value is null, unless it is so already. */
export function set(element, name, value) {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

/** Shows or hides an element. */
export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

/**
 * Makes the children of a parent those of the items: nodes stay with their items, so that focus and
 * selection do, too.
 * @param {Element} parent
 * @param {{items: any[], key: (item: any) => string, create: (item: any) => Element,
 *   update: (node: Element, item: any, index: number) => void}} how
 */
export function each(parent, { items, key, create, update }) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const before = (parent.nodesByKey ??= new Map());
  const after = new Map();
  let place = before.values().next().value ?? null; // what else the parent has comes first
  items.forEach((item, i) => {
    const name = unused(after, key(item));
    const node = before.get(name) ?? create(item);
    after.set(name, node);
    update(node, item, i);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  });
  for (const [name, node] of before) if (after.get(name) !== node) node.remove();
  parent.nodesByKey = after;
  const lost = focused?.isConnected && focused !== document.activeElement;
  if (lost) focused.focus({ preventScroll: true });
}

/** Tells apart items of one name. */
function unused(map, name) {
  let n = name;
  for (let i = 2; map.has(n); i++) n = `${name}\n${i}`;
  return n;
}
