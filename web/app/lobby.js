// The games of the chat.

import { Away, Refusal, read } from "./shared/api.js";
import { fill, h, typed } from "./shared/dom.js";
import { rights } from "./hosting.js";
import { Live } from "./shared/live.js";
import { place } from "./place.js";
import { say } from "./shared/texts.js";

export const nameOf = (game) => (game.title ? typed(game.title) : say(`app-kind-${game.kind}`));

export async function lobbyView({ body, connection, go }) {
  if (!place.chat) {
    body.append(h("section", { class: "card" }, h("h1", {}, say("app-games")), h("p", {}, say("app-no-chat"))));
    return () => {};
  }
  const games = new Map();
  const list = h("ul", { class: "list" });
  const tools = h("div", { class: "tools" });
  body.append(h("h1", {}, say("app-games")), list, tools);

  /** Shows the buttons that the person may use. Without an answer there are none. */
  async function drawTools() {
    try {
      const may = await rights();
      fill(tools, may.open && h("button", { onclick: () => go("open") }, say("app-open")),
        may.host && h("button", { onclick: () => go("settings") }, say("app-settings")));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Away)) throw error;
    }
  }

  function draw() {
    const rows = [...games.values()].sort((one, other) => (one.opened_at < other.opened_at ? 1 : -1)).map((game) => h("li", {},
      h("button", { class: "row", onclick: () => go("game", game.id) },
        h("b", {}, nameOf(game)), h("span", { class: "soft" }, say(`app-phase-${game.phase}`)),
        h("span", { class: "soft" }, say("app-players", { count: game.players })))));
    fill(list, rows.length ? rows : h("li", { class: "soft" }, say("app-no-games")));
  }

  for (const game of (await read(`/games?chat=${place.chat}&live=true&limit=50`)).items) games.set(game.id, game);
  draw();
  drawTools();
  const live = new Live({ chats: [place.chat] }, (game) => { games.set(game.id, game); draw(); }, connection);
  return () => live.close();
}
