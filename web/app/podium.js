// The result: places, prizes, points.

import { me } from "./shared/api.js";
import { h, typed } from "./shared/dom.js";
import { number, say } from "./shared/texts.js";

const MEDALS = ["🥇", "🥈", "🥉"];

function prize(standing) {
  if (standing.award) return typed(standing.award);
  return Number(standing.prize) ? `${number(standing.prize)} ${standing.currency ?? ""}`.trim() : "";
}

/** Shows the winners, and the person's own result if they have not won. */
export function podium(game) {
  const shown = (game.state.standings ?? []).filter((each) => each.place || each.player_id === me.id);
  const rows = shown.map((each) => h("li", { class: each.player_id === me.id ? "mine" : "" },
    h("span", { class: "place" }, each.place ? MEDALS[each.place - 1] ?? `${each.place}.` : "–"), h("b", {}, typed(each.name)),
    each.number ? h("span", { class: "soft" }, say("app-number", { number: String(each.number) }))
      : game.kind === "quiz" && h("span", { class: "soft" }, say("app-points", { count: each.points })),
    h("span", {}, prize(each))));
  return h("section", { class: "card podium" }, h("h2", {}, say("app-results")), h("ol", { class: "list" }, rows));
}
