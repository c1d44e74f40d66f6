// Conversion of a message's text and entities to DOM nodes. The text is never parsed as HTML.

import { h } from "./dom.js";
import { serverNow } from "./api.js";

/**
 * Returns the text's nodes. `open` is called with the address of a tapped link; times appear in the reader's language.
 * Offsets are in UTF-16 units, like JavaScript's own.
 */
export function formatted(text, entities = [], open = () => {}, language = "en") {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return part(text, 0, text.length, sorted, { open, language });
}

function part(text, begin, end, entities, reader) {
  const nodes = [];
  let at = begin;
  let index = 0;
  while (index < entities.length) {
    const entity = entities[index];
    const stop = Math.min(entity.offset + entity.length, end);
    let next = index + 1;
    while (next < entities.length && entities[next].offset < stop) next += 1;
    if (entity.offset >= at && entity.offset < end) {
      if (entity.offset > at) nodes.push(text.slice(at, entity.offset));
      const inner = part(text, entity.offset, stop, entities.slice(index + 1, next), reader);
      nodes.push(element(entity, inner, text.slice(entity.offset, stop), reader));
      // A block ends its line: the line break after it is not one more blank line.
      at = BLOCKS.has(entity.type) && text[stop] === "\n" && stop < end ? stop + 1 : stop;
    }
    index = next;
  }
  if (at < end) nodes.push(text.slice(at, end));
  return nodes;
}

const BLOCKS = new Set(["blockquote", "expandable_blockquote", "pre"]);
const TAGS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", blockquote: "blockquote" };

function element(entity, inner, text, { open, language }) {
  const tag = TAGS[entity.type];
  if (tag) return h(tag, {}, inner);
  switch (entity.type) {
    case "pre":
      return h("pre", { "data-language": entity.language }, h("code", {}, inner));
    case "expandable_blockquote": {
      const quote = h("blockquote", { class: "expandable", onclick: () => quote.classList.toggle("open") }, inner);
      return quote;
    }
    case "spoiler": {
      const spoiler = h("span", { class: "spoiler", title: "Spoiler", onclick: () => spoiler.classList.add("open") }, inner);
      return spoiler;
    }
    case "date_time":
      return dateTime(entity, inner, language);
    case "text_link":
      return link(entity.url, inner, open);
    case "url":
      return link(text.includes("://") ? text : `https://${text}`, inner, open);
    case "text_mention":
    case "mention":
    case "hashtag":
    case "bot_command":
    case "email":
      return h("span", { class: `mark ${entity.type}`, onclick: () => open({ type: entity.type, text }) }, inner);
    default:
      return h("span", {}, inner);
  }
}

function link(url, inner, open) {
  return h("a", { href: safe(url), title: url, onclick: (event) => { event.preventDefault(); open({ type: "url", url }); } }, inner);
}

/** Returns the address if it is safe in a link, otherwise "#". */
export function safe(url) {
  return /^(https?|tg):/i.test(url) ? url : "#";
}

function dateTime(entity, inner, language) {
  const format = entity.date_time_format ?? "";
  const moment = new Date(entity.unix_time * 1000);
  const node = h("time", { class: "date-time", datetime: moment.toISOString(), title: moment.toLocaleString(language), lang: language });
  if (format === "r") {
    node.dataset.unix = entity.unix_time;
    node.textContent = relative(entity.unix_time, language);
  } else {
    node.append(...(format ? [absolute(moment, format, language)] : inner));
  }
  return node;
}

function absolute(moment, format, language) {
  const options = {};
  if (format.includes("w")) options.weekday = "long";
  if (format.includes("d")) options.dateStyle = "short";
  if (format.includes("D")) options.dateStyle = "long";
  if (format.includes("t")) options.timeStyle = "short";
  if (format.includes("T")) options.timeStyle = "medium";
  const weekday = options.weekday ? `${new Intl.DateTimeFormat(language, { weekday: "long" }).format(moment)} ` : "";
  delete options.weekday;
  return weekday + (Object.keys(options).length ? new Intl.DateTimeFormat(language, options).format(moment) : "");
}

function relative(unix, language) {
  const seconds = Math.round(unix - serverNow());
  const size = Math.abs(seconds);
  const [value, unit] = size < 60 ? [size, "second"] : size < 3600 ? [Math.floor(size / 60), "minute"]
    : size < 86400 ? [Math.floor(size / 3600), "hour"] : [Math.floor(size / 86400), "day"];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(seconds < 0 ? -value : value, unit);
}

/** Updates the relative times on the page. */
export function tick() {
  for (const node of document.querySelectorAll("time[data-unix]")) {
    const text = relative(Number(node.dataset.unix), node.lang);
    if (node.textContent !== text) node.textContent = text;
  }
}

export function clock(unix) {
  return new Date(unix * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}
