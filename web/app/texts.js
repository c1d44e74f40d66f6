// The texts: the same Fluent files as the bot's.

import { FluentBundle, FluentResource } from "./vendor/fluent/index.js";

let bundle = null;

export let locale = "en";

export async function load(wanted) {
  const response = await fetch(`texts/${encodeURIComponent(wanted)}.ftl`);
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

export const number = (value) => new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }).format(value);
export const date = (text) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
