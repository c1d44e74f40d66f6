// One game: its state, its timeline with the answers to each player, and the ways to end it.

import { Refusal, me, read } from "./shared/api.js";
import { fill, h, typed } from "./shared/dom.js";
import { Live } from "./shared/live.js";
import { find, say } from "./shared/texts.js";
import { back, complain, field, graveButton, nameOf, table, when } from "./parts.js";

const ENDED = ["completed", "cancelled"];
const MOST_PAGES = 20;

async function all(path) {
  const items = [];
  let cursor = "";
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const found = await read(`${path}limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...found.items);
    if (!found.next) break;
    cursor = found.next;
  }
  return items;
}

/** Returns the words of a refusal by its code, as far as the log has them: it has no numbers. */
export function told(code) {
  return find(`dash-told-${code}`) ?? find(`rejected-${code}`) ?? code;
}

export async function gamePage(body, id) {
  let game = await read(`/games/${id}`);
  const players = new Map((await read(`/games/${id}/players`)).map((each) => [each.id, each.name]));
  const facts = h("section", { class: "card" });
  const line = h("section", { class: "card" });
  const person = field(say("dash-player"), { options: [["", say("dash-everybody")], ...[...players].map(([each, name]) => [String(each), `${name} (${each})`])], onchange: drawLine });
  const search = field(say("dash-search"), { type: "search", oninput: drawLine, hint: say("dash-search-hint") });
  const tools = h("section", { class: "card" });
  let rows = [];

  const name = (player) => typed(players.get(Number(player)) ?? String(player));

  /** Returns an event in words, or its name and fields. */
  function words({ name: event, data }) {
    const who = data.player_id ? players.get(data.player_id) ?? data.name ?? String(data.player_id) : "";
    const known = find(`dash-event-${event}`, {
      player: who, number: String(data.number ?? ""), question: (data.question ?? 0) + 1, choice: JSON.stringify(data.choice ?? data.draft ?? "…"), highest: String(data.highest ?? ""),
      drawn: (data.drawn ?? []).join(", ") || "…",
    });
    return known ?? `${event} ${JSON.stringify(data)}`;
  }

  async function readLine() {
    const events = await all(`/games/${id}/events?`);
    for (const { data } of events) if (data.name && data.player_id) players.set(data.player_id, data.name);
    rows = events.map((event) => ({ at: event.at, who: event.data.player_id, text: words(event), raw: event, order: event.version }));
    if (me.operator) {
      const attempts = await all(`/audit?target=${id}&`);
      rows.push(...attempts.filter((each) => each.outcome !== "done").map((each) => ({
        at: each.at, who: each.actor_id, text: say("dash-was-told", { action: each.action, answer: told(each.outcome) }), refused: true, raw: each, order: 0 })));
    }
    rows.sort((one, other) => (Date.parse(one.at) - Date.parse(other.at)) || one.order - other.order);
    drawLine();
  }

  function drawLine() {
    const wanted = search.value.trim().toLowerCase();
    const shown = rows.filter((row) => (!person.value || String(row.who) === person.value) && (!wanted || `${row.text} ${JSON.stringify(row.raw)}`.toLowerCase().includes(wanted)));
    const columns = ["time", "player", "happened"].map((each) => say(`dash-column-${each}`));
    fill(line.querySelector(".rows"), table(say("dash-timeline"), columns, shown.map((row) => [
      when(row.at), row.who ? name(row.who) : "–",
      h("div", { class: row.refused ? "refused" : "" }, typed(row.text), h("details", {}, h("summary", {}, say("dash-details")), h("pre", {}, JSON.stringify(row.raw, null, 1))))])));
  }

  function draw() {
    const pairs = [["dash-column-phase", say(`dash-phase-${game.phase}`)], ["dash-column-players", String(game.players)], ["dash-host", typed(game.host.name)],
      ["dash-column-chat", h("a", { href: `#/chat/${game.chat_id}/games` }, String(game.chat_id))], ["dash-column-opened", when(game.opened_at)],
      ["dash-ends", when(game.ends_at)], ["dash-ended-at", when(game.ended_at)], ["dash-game-id", h("code", {}, game.id)]];
    fill(facts, h("dl", {}, pairs.map(([label, value]) => h("div", {}, h("dt", {}, say(label)), h("dd", {}, value)))),
      game.state.standings?.length > 0 && h("ol", {}, game.state.standings.filter((each) => each.place).map((each) => h("li", {}, typed(each.name), each.prize && Number(each.prize) ? ` – ${each.prize} ${each.currency ?? ""}` : ""))));
    const on = !ENDED.includes(game.phase);
    const end = (text, question, path) => graveButton(say(text), say(question), () => ["POST", `/games/${id}${path}`], again);
    fill(tools, h("h2", {}, say("dash-steps")), h("div", { class: "tools" },
      on && end("dash-cancel-game", "dash-cancel-game-sure", "/cancel"),
      on && me.operator && end("dash-force-end", "dash-force-end-sure", "/force-end"),
      h("button", { onclick: () => again().catch(complain) }, say("dash-refresh"))));
  }

  async function again() {
    game = await read(`/games/${id}`);
    draw();
    await readLine();
  }

  fill(line, h("h2", {}, say("dash-timeline")), h("div", { class: "filters" }, person.node, search.node), h("div", { class: "rows" }));
  body.append(back(me.operator ? "#/games" : `#/chat/${game.chat_id}/games`, say("dash-page-games")), h("h1", {}, nameOf(game)), facts, tools, line);
  draw();
  await readLine();
  if (ENDED.includes(game.phase)) return undefined;
  const live = new Live({ games: [id] }, (newer) => {
    if (newer.version <= game.version) return;
    again().catch((error) => { if (!(error instanceof Refusal)) throw error; });
  }, () => {});
  return () => live.close();
}
