// The profile and the leaderboard of the chat.

import { Away, Refusal, me, read } from "./shared/api.js";
import { h, toast, typed } from "./shared/dom.js";
import { place } from "./place.js";
import { date, number, say } from "./shared/texts.js";

const PERIODS = ["week", "month", "season", "all"];

function nameOf(ended) {
  return ended.title ? typed(ended.title) : say(`app-kind-${ended.kind}`);
}

export async function profileView({ body, go }) {
  function ended(game) {
    const won = game.winners.map((winner) => winner.name).join(", ");
    return h("li", {}, h("button", { class: "row", onclick: () => go("game", game.id) },
      h("b", {}, nameOf(game)), h("span", { class: "soft" }, date(game.ended_at)),
      game.status === "completed" ? won && h("bdi", { class: "soft" }, `🏆 ${won}`) : h("span", { class: "soft" }, say("app-phase-cancelled"))));
  }

  const base = `/chats/${place.chat}`;
  const nobody = (error) => { if (error instanceof Refusal && error.code === "unknown-player") return null; throw error; };
  const [person, history] = await Promise.all([read(`${base}/players/${me.id}`).catch(nobody), read(`${base}/history?player=${me.id}&limit=20`)]);
  const stats = (person?.stats ?? []).map((each) => h("li", {}, h("b", {}, say(`app-kind-${each.kind}`)),
    h("span", { class: "soft" }, say("app-games-count", { count: each.games })), h("span", { class: "soft" }, say("app-wins", { count: each.wins })),
    each.points > 0 && h("span", { class: "soft" }, say("app-points", { count: each.points }))));
  const earned = (person?.achievements ?? []).map((each) => h("li", { class: "chip won" }, `🏅 ${say(`achievement-${each.name}`)}`));
  body.append(h("h1", {}, typed(me.name)),
    h("section", { class: "card" }, h("h2", {}, say("app-statistics")), h("ul", { class: "list" }, stats.length ? stats : h("li", { class: "soft" }, say("app-nothing-yet")))),
    earned.length ? h("section", { class: "card" }, h("h2", {}, say("app-achievements")), h("ul", { class: "drawn" }, earned)) : "",
    h("section", { class: "card" }, h("h2", {}, say("app-history")), h("ul", { class: "list" }, history.items.length ? history.items.map(ended) : h("li", { class: "soft" }, say("app-nothing-yet")))));
  return () => {};
}

export async function leadersView({ body }) {
  const list = h("ol", { class: "list" });
  const choices = h("div", { class: "tools", role: "group", "aria-label": say("app-leaders") });
  let asked = 0;

  async function choose(period) {
    const mine = asked += 1;
    const { items } = await read(`/chats/${place.chat}/leaderboard?period=${period}&limit=50`);
    if (mine !== asked) return;
    for (const each of choices.children) each.setAttribute("aria-pressed", String(each.dataset.period === period));
    list.replaceChildren(...items.length ? items.map((row) => h("li", { class: row.player_id === me.id ? "mine" : "" },
      h("span", { class: "place" }, `${number(row.place)}.`), h("b", {}, typed(row.name)), h("span", { class: "soft" }, say("app-wins", { count: row.wins })),
      row.points > 0 && h("span", { class: "soft" }, say("app-points", { count: row.points })))) : [h("li", { class: "soft" }, say("app-nothing-yet"))]);
  }

  function complain(error) {
    if (!(error instanceof Refusal || error instanceof Away)) throw error;
    toast(error instanceof Refusal ? error.message : say("app-offline"), "bad");
  }

  choices.append(...PERIODS.map((period) => h("button", { "data-period": period, onclick: () => choose(period).catch(complain) }, say(`app-period-${period}`))));
  body.append(h("h1", {}, say("app-leaders")), choices, h("section", { class: "card" }, list));
  await choose("all");
  return () => {};
}
