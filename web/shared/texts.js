// The texts: the same Fluent files as the bot's.

import { FluentBundle, FluentResource } from "./vendor/fluent/index.js";

let bundle = null;

export let locale = "en";

export async function load(wanted) {
  const response = await fetch(new URL(`../texts/${encodeURIComponent(wanted)}.ftl`, import.meta.url));
  if (!response.ok) throw new TypeError("no texts");
  bundle = new FluentBundle(wanted, { useIsolating: true });
  bundle.addResource(new FluentResource(await response.text()));
  locale = wanted;
  document.documentElement.lang = wanted;
}

/** Returns a text; an unknown one as its id, so that a mistake is seen. */
export function say(id, values = {}) {
  const message = bundle?.getMessage(id);
  return message?.value ? bundle.formatPattern(message.value, values) : id;
}

/** Returns a text; null if there is none with that id, or if it needs values that are not given. */
export function find(id, values = {}) {
  const message = bundle?.getMessage(id);
  const errors = [];
  const text = message?.value ? bundle.formatPattern(message.value, values, errors) : null;
  return errors.length ? null : text;
}

/**
 * Returns a number that a person typed, as an exact decimal; null if it is none. Separators of thousands are those of
 * the language: in English `8,849` is a whole number, in Russian it has three decimals.
 */
export function decimal(typed) {
  const parts = Object.fromEntries(new Intl.NumberFormat(locale, { useGrouping: true }).formatToParts(-1234567.5).map(({ type, value }) => [type, value]));
  const text = typed.trim().replaceAll(/\s/g, "").replace(/^[−–]/, "-");
  const group = parts.group === "," || parts.group === "." ? `\\${parts.group}` : null;
  const isGrouped = group && new RegExp(`^-?[1-9]\\d{0,2}(${group}\\d{3})+([.,]\\d+)?$`).test(text);
  const plain = isGrouped ? text.replaceAll(parts.group, "") : text;
  return /^-?\d{1,12}([.,]\d{1,6})?$/.test(plain) ? plain.replace(",", ".") : null;
}

export const number = (value) => new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }).format(value);
export const date = (text) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
