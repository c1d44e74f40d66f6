// The chats of a host; for an operator also all others.

import { me, read } from "./shared/api.js";
import { h, typed } from "./shared/dom.js";
import { say } from "./shared/texts.js";
import { link, listed, table } from "./parts.js";

export async function chatsPage(body) {
  const columns = ["chat", "number", "language", "state"].map((name) => say(`dash-column-${name}`));
  const rows = (chats) => chats.map((chat) => [link(`#/chat/${chat.id}/games`, typed(chat.title || "–")), String(chat.id), chat.language ?? "–", say(chat.active ? "dash-active" : "dash-inactive")]);
  const own = await read("/dashboard/chats");
  body.append(h("h1", {}, say("dash-page-chats")), h("section", { class: "card" }, table(say("dash-own-chats"), columns, rows(own), say("dash-no-chats"))));
  if (!me.operator) return;
  const list = h("section", { class: "card" });
  await listed(list, () => "/chats", (items) => table(say("dash-every-chat"), columns, rows(items)));
  body.append(list);
}
