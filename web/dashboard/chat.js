// One chat, for its hosts: games, settings, packs, templates and recurring games, results, bans, webhooks.

import { read } from "./shared/api.js";
import { h, typed } from "./shared/dom.js";
import { say } from "./shared/texts.js";
import { bans } from "./bans.js";
import { gamesTable } from "./games.js";
import { packsPart } from "./packs.js";
import { back, listed, tabs } from "./parts.js";
import { recurringPart } from "./recurring.js";
import { resultsPart } from "./results.js";
import { settingsPart } from "./settings.js";
import { openPart } from "./opening.js";
import { webhooksPart } from "./webhooks.js";

async function gamesPart(body, chat) {
  const list = h("section", { class: "card" });
  const again = await listed(list, () => `/games?chat=${chat}`, (items) => gamesTable(items, say("dash-page-games")));
  body.append(list, h("button", { onclick: again }, say("dash-refresh")));
}

const PARTS = {
  games: gamesPart, open: openPart, packs: packsPart, recurring: recurringPart, settings: settingsPart, results: resultsPart,
  bans: (body, chat) => bans(body, `/chats/${chat}/bans`, "dash-ban-chat-sure"), webhooks: webhooksPart,
};

export async function chatPage(body, id, part = "games", ...rest) {
  const chat = await read(`/chats/${id}`);
  const current = PARTS[part] ? part : "games";
  body.append(back("#/chats", say("dash-page-chats")), h("h1", {}, typed(chat.title || String(chat.id))),
    tabs(Object.keys(PARTS), current, (name) => `#/chat/${id}/${name}`, (name) => say(`dash-part-${name}`)));
  const content = h("div", {});
  const end = await PARTS[current](content, id, ...rest);
  body.append(content);
  return end;
}
