// Parts of pages: tables, lists with a next page, fields, and the question before a write that cannot be undone.

import { Away, Refusal, read, write } from "./shared/api.js";
import { fill, h, toast, typed } from "./shared/dom.js";
import { date, say } from "./shared/texts.js";

export const when = (text) => (text ? h("time", { datetime: text }, date(text)) : "–");
export const back = (href, text) => h("p", {}, h("a", { href }, `← ${text}`));
export const link = (href, ...content) => h("a", { href }, ...content);

/** Shows the words of a refusal. Other errors go on. */
export function complain(error) {
  if (!(error instanceof Refusal || error instanceof Away)) throw error;
  if (error.code === "not-authenticated") throw error;
  toast(error instanceof Refusal ? error.message : say("dash-not-sent"), "bad");
}

/** Makes a write once at a time from a button, and says its outcome. Returns the result; undefined if it was refused. */
export async function act(button, method, path, body, done = say("dash-done")) {
  if (button?.disabled) return undefined;
  if (button) button.disabled = true;
  try {
    const result = await write(method, path, body) ?? true;
    toast(done);
    return result;
  } catch (error) {
    complain(error);
    return undefined;
  } finally {
    if (button) button.disabled = false;
  }
}

/** Asks before a write that cannot be undone. `content` is shown below the question. Resolves to true or false. */
export function confirmed(question, yes, ...content) {
  const dialog = document.getElementById("ask");
  return new Promise((resolve) => {
    const close = (answer) => { dialog.onclose = null; dialog.close(); resolve(answer); };
    fill(dialog, h("h2", { id: "question" }, question), content,
      h("div", { class: "tools" }, h("button", { class: "grave", onclick: () => close(true) }, yes), h("button", { onclick: () => close(false), autofocus: true }, say("dash-cancel"))));
    dialog.setAttribute("aria-labelledby", "question");
    dialog.onclose = () => resolve(false);
    dialog.showModal();
  });
}

/** Returns a button that asks, writes, and then calls `after`. */
export function graveButton(text, question, request, after) {
  const button = h("button", { class: "grave", onclick: async () => {
    if (!await confirmed(question, text)) return;
    const [method, path, body] = request();
    if (await act(button, method, path, body) !== undefined) await after?.();
  } }, text);
  return button;
}

/** Returns a table. On a narrow screen each row is a card, and each cell names its column. */
export function table(caption, columns, rows, none = say("dash-none")) {
  if (!rows.length) return h("p", { class: "soft" }, none);
  const body = rows.map((cells) => h("tr", {}, cells.map((cell, index) => h("td", { "data-column": columns[index] }, cell ?? "–"))));
  return h("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" }, h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, body)));
}

/** Fills a place with a list that has pages. Returns a function that reads it anew. */
export async function listed(place, address, draw) {
  let items = [];
  async function more(cursor) {
    const page = await read(`${address()}${address().includes("?") ? "&" : "?"}limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    items = cursor ? [...items, ...page.items] : page.items;
    fill(place, draw(items), page.next && h("button", { onclick: () => more(page.next).catch(complain) }, say("dash-more")));
  }
  await more();
  return () => more().catch(complain);
}

/** Returns a labelled field. `options` are pairs of value and text, for a choice. */
export function field(label, { options, value = "", hint, rows, ...attributes } = {}) {
  const id = `f${field.count += 1}`;
  const name = options ? "select" : rows ? "textarea" : "input";
  const input = h(name, { id, ...rows ? { rows } : {}, ...hint ? { "aria-describedby": `${id}h` } : {}, ...attributes },
    ...options ? options.map(([each, text]) => h("option", { value: each }, text)) : []);
  input.value = value;
  const node = h("div", { class: "field" }, h("label", { for: id }, label), input, hint && h("small", { id: `${id}h`, class: "soft" }, hint));
  return { node, input, get value() { return input.value; } };
}
field.count = 0;

/** Returns a form whose button sends it. `send` gets the button. */
export function form(title, fields, text, send) {
  const button = h("button", { class: "filled", type: "submit" }, text);
  return h("form", { class: "card", onsubmit: (event) => { event.preventDefault(); send(button); } }, title && h("h2", {}, title), fields.map((each) => each.node ?? each), h("div", { class: "tools" }, button));
}

/** Returns the tabs of a page: links, of which one is current. */
export const tabs = (names, current, href, text) => h("nav", { class: "tabs", "aria-label": say("dash-sections") },
  names.map((name) => h("a", { href: href(name), ...name === current ? { "aria-current": "page" } : {} }, text(name))));

export const nameOf = (game) => (game.title ? typed(game.title) : say(`dash-kind-${game.kind}`));
