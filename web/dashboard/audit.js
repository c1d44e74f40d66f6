// The audit log: every write of every face.

import { h, typed } from "./shared/dom.js";
import { say } from "./shared/texts.js";
import { field, form, listed, table, when } from "./parts.js";
import { told } from "./game.js";

const FILTERS = ["actor", "chat", "target", "token"];

export async function auditPage(body) {
  const list = h("section", { class: "card" });
  const fields = FILTERS.map((name) => field(say(`dash-filter-${name}`), { maxlength: "64", autocomplete: "off" }));
  const columns = ["time", "action", "outcome", "player", "chat", "about", "origin"].map((name) => say(`dash-column-${name}`));
  const address = () => `/audit?${new URLSearchParams(FILTERS.map((name, index) => [name, fields[index].value.trim()]).filter(([, value]) => value))}`;
  const again = await listed(list, address, (items) => table(say("dash-page-audit"), columns, items.map((row) => [
    when(row.at), `${row.face}: ${row.action}`, row.outcome === "done" ? say("dash-done") : h("span", { title: told(row.outcome) }, row.outcome),
    row.token ? h("code", {}, row.token) : row.actor_id ? String(row.actor_id) : "–", row.chat_id ? String(row.chat_id) : "–", typed(row.target || "–"), typed(row.origin)])));
  body.append(h("h1", {}, say("dash-page-audit")), form("", fields, say("dash-filter"), again), list);
}
