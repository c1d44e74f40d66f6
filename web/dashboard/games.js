// Live games of all chats, for operators.

import { h } from "./shared/dom.js";
import { say } from "./shared/texts.js";
import { field, form, link, listed, nameOf, table, when } from "./parts.js";

/** Returns the rows of a table of games. */
export function gamesTable(items, caption) {
  const columns = ["game", "phase", "players", "chat", "opened"].map((name) => say(`dash-column-${name}`));
  return table(caption, columns, items.map((game) => [
    link(`#/game/${game.id}`, nameOf(game)), say(`dash-phase-${game.phase}`), String(game.players),
    link(`#/chat/${game.chat_id}/games`, String(game.chat_id)), when(game.opened_at)]), say("dash-no-games"));
}

export async function gamesPage(body) {
  const list = h("section", { class: "card" });
  let live = true;
  const id = field(say("dash-game-id"), { autocomplete: "off", pattern: "[0-9a-z]{14,22}", required: true });
  const choose = h("div", { class: "tools", role: "group", "aria-label": say("dash-page-games") });
  const again = await listed(list, () => `/games?${live ? "live=true" : "live=false"}`, (items) => gamesTable(items, say("dash-page-games")));
  const button = (now) => h("button", { "aria-pressed": String(now === live), onclick: (event) => {
    live = now;
    for (const each of choose.children) each.setAttribute("aria-pressed", String(each === event.currentTarget));
    again();
  } }, say(now ? "dash-live" : "dash-ended"));
  choose.append(button(true), button(false), h("button", { onclick: again }, say("dash-refresh")));
  body.append(h("h1", {}, say("dash-page-games")), choose, list,
    form(say("dash-find-game"), [id], say("dash-open"), () => { location.hash = `#/game/${id.value.trim()}`; }));
}
