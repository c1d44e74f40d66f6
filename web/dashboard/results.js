// Results as files.

import { readFile } from "./shared/api.js";
import { h } from "./shared/dom.js";
import { say } from "./shared/texts.js";
import { complain, field } from "./parts.js";

/** Saves a file of the API under a name. */
export async function save(path, name) {
  try {
    const url = URL.createObjectURL(await readFile(path));
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  } catch (error) { complain(error); }
}

export async function resultsPart(body, chat) {
  const since = field(say("dash-since"), { type: "date" });
  const until = field(say("dash-until"), { type: "date" });
  function get(format) {
    const query = new URLSearchParams({ format });
    if (since.value) query.set("since", new Date(`${since.value}T00:00`).toISOString());
    if (until.value) query.set("until", new Date(`${until.value}T24:00`).toISOString());
    return save(`/chats/${chat}/results?${query}`, `results${chat}.${format}`);
  }
  body.append(h("section", { class: "card" }, h("h2", {}, say("dash-part-results")), h("p", { class: "soft" }, say("dash-results-about")),
    h("div", { class: "filters" }, since.node, until.node),
    h("div", { class: "tools" }, ["csv", "xlsx"].map((format) => h("button", { class: "filled", onclick: () => get(format) }, say("dash-export", { format: format.toUpperCase() }))))));
}
