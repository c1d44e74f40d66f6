// Building blocks of the page. Text always becomes text nodes, never HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Creates an element with properties, listeners (on…) and children; null and false children are left out. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

const HUES = [4, 28, 148, 186, 210, 265, 328];

/** Returns the colour of a person, which is the same everywhere. */
export function hue(id) {
  return HUES[Math.abs(id) % HUES.length];
}

export function avatar(id, name, extra = "") {
  const node = h("span", { class: `avatar ${extra}`, "aria-hidden": "true" }, initials(name));
  node.style.setProperty("--hue", hue(id));
  return node;
}

function initials(name) {
  const words = name.trim().split(/\s+/);
  return words.slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
}

/** Creates a button that opens a small menu of [label, action, danger] entries; false entries are left out. */
export function menu(entries, label = "More") {
  const list = h("div", { class: "menu", role: "menu" });
  for (const entry of entries.filter(Boolean)) {
    const [text, action, danger] = entry;
    list.append(h("button", { role: "menuitem", class: danger ? "danger" : "", onclick: () => { close(); action(); } }, text));
  }
  list.hidden = true;
  const button = h("button", { class: "plain round", title: label, "aria-label": label, "aria-haspopup": "menu", onclick: open }, icon("more"));
  function open(event) {
    event.stopPropagation();
    if (!list.hidden) return close();
    closeMenus();
    list.hidden = false;
    const box = button.getBoundingClientRect();
    list.style.top = `${Math.min(box.bottom + 4, innerHeight - list.offsetHeight - 8)}px`;
    list.style.left = `${Math.max(8, Math.min(box.left, innerWidth - list.offsetWidth - 8))}px`;
    list.querySelector("button")?.focus();
  }
  function close() { list.hidden = true; }
  return h("span", { class: "has-menu" }, button, list);
}

function closeMenus() {
  document.querySelectorAll(".menu").forEach((list) => { list.hidden = true; });
}

document.addEventListener("click", closeMenus);
document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenus());

/** Asks for one line of text. Returns null if the person cancels. */
export function ask(title, value = "") {
  return new Promise((resolve) => {
    const input = h("input", { value, "aria-label": title, maxlength: "128" });
    input.value = value;
    const dialog = h("dialog", { class: "ask", onclose: () => { dialog.remove(); resolve(dialog.returnValue || null); } },
      h("form", { method: "dialog", onsubmit: () => { dialog.returnValue = input.value.trim(); } },
        h("label", {}, title, input),
        h("div", { class: "row end" },
          h("button", { type: "button", class: "plain", onclick: () => dialog.close("") }, "Cancel"),
          h("button", { class: "filled" }, "OK"))));
    dialog.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); dialog.close(input.value.trim()); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Shows a temporary notice at the bottom of the page, for refusals of the sandbox itself. */
export function notice(text) {
  const node = h("div", { class: "notice", role: "status" }, text);
  document.body.append(node);
  setTimeout(() => node.remove(), 4000);
}
