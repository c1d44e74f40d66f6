// Elements. Texts become text nodes, so no name or title can be markup.

export function h(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  return fill(node, ...children);
}

/** Replaces the content of an element. Children that are null, undefined or false are left out. */
export function fill(node, ...children) {
  // A live update must not take the focus from a person who uses the keyboard.
  const focused = node.contains(document.activeElement) ? document.activeElement : null;
  node.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  if (focused && !focused.isConnected) {
    [...node.querySelectorAll(focused.localName)].find((other) => other.textContent === focused.textContent)?.focus({ preventScroll: true });
  }
  return node;
}

/** A name or title that a person typed: it keeps its own direction. */
export const typed = (text) => h("bdi", {}, text);

export function toast(text, sort = "") {
  const node = h("div", { class: `toast ${sort}` }, text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), 4000);
}
