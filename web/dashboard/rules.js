// Fields for the rules of a game, under the names that the bot's dialogs have.

import { find, say } from "./shared/texts.js";
import { field } from "./parts.js";

export const KINDS = ["pick_number", "quiz"];
export const kindOf = (kind) => say(`dash-kind-${kind}`);

/** Returns the fields of all rules of a kind, with their values. Some have few values, which are listed. */
export function ruleFields(values, choices = {}) {
  return new Map(Object.entries(values).sort().map(([name, value]) => {
    const options = choices[name];
    const label = find(`dlg-name-${name}`) ?? name;
    return [name, field(label, { value, ...options ? { options } : { maxlength: "512" }, hint: find(`dlg-name-${name}`) ? name : undefined })];
  }));
}

/** Returns the rules whose fields differ from the given values. An empty field restores the default. */
export function changedRules(fields, values) {
  return Object.fromEntries([...fields].filter(([name, each]) => each.value !== values[name]).map(([name, each]) => [name, each.value.trim() === "" ? null : each.value.trim()]));
}
