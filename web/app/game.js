// One game: what all kinds share, and the parts of each kind.

import { Away, Refusal, me, read, serverNow, write } from "./shared/api.js";
import { fill, h, toast, typed } from "./shared/dom.js";
import { Live } from "./shared/live.js";
import { nameOf } from "./lobby.js";
import { numbersPart } from "./numbers.js";
import { place } from "./place.js";
import { podium } from "./podium.js";
import { quizPart } from "./quiz.js";
import { hasClient, mainButton, vibrate } from "./telegram.js";
import { say } from "./shared/texts.js";

const PARTS = { pick_number: numbersPart, quiz: quizPart };
const WAITING = "waiting_for_players";
const JOINING = "players_joining";
const ENDED = ["completed", "cancelled"];

export async function gameView({ body, connection }, id) {
  let game = await read(`/games/${id}`);
  place.chat = game.chat_id;
  place.topic = game.topic_id;
  let players = new Map();
  let fetched = "";
  const busy = new Set();
  const names = { of: (player) => players.get(player)?.name ?? "…", has: (player) => players.has(player) };

  const title = h("h1", {}, nameOf(game));
  const phase = h("p", { class: "phase" });
  const clock = h("span", { class: "clock", role: "timer" });
  const lobby = h("section", { class: "card" });
  const part = (PARTS[game.kind] ?? (() => ({ node: h("p", {}, say("app-unknown-kind")), draw() {} })))({ names, move, id });
  const end = h("section");
  body.append(title, phase, lobby, end, part.node);

  async function fetchPlayers() {
    // In the lobby one may leave while another joins; later the number of players tells.
    const current = [WAITING, JOINING].includes(game.phase) ? `lobby ${game.version}` : `game ${game.players}`;
    if (fetched === current) return;
    const wanted = fetched = current;
    try {
      const listed = await read(`/games/${id}/players`);
      if (wanted !== fetched) return;
      players = new Map(listed.map((player) => [player.id, player]));
      draw();
    } catch (error) {
      if (wanted === fetched) fetched = "";
      if (!(error instanceof Away || error instanceof Refusal)) throw error;
    }
  }

  /** Makes a move once: a second tap on the same thing waits for the first. Returns whether it was accepted. */
  async function move(method, path, body_, done = "") {
    if (busy.has(path)) return false;
    busy.add(path);
    draw();
    try {
      take(await write(method, `/games/${id}${path}`, body_));
      vibrate("success");
      if (done) toast(done);
      return true;
    } catch (error) {
      vibrate("error");
      if (error instanceof Refusal) toast(error.message, "bad");
      else if (error instanceof Away) toast(say("app-not-sent"), "bad");
      else throw error;
      return false;
    } finally {
      busy.delete(path);
      draw();
    }
  }

  function take(newer) {
    if (newer.version < game.version) return;
    game = newer;
    draw();
    fetchPlayers();
  }

  const join = () => move("POST", "/players", { player_id: me.id, name: me.name });
  const leave = () => move("POST", `/players/${me.id}/leave`);

  /** True while the person may make moves. Those who left a quiz keep their points, and may come back. */
  const isIn = () => names.has(me.id) && !(game.state.gone ?? []).includes(me.id);

  function drawLobby() {
    const waits = [WAITING, JOINING].includes(game.phase);
    const joinable = waits || (game.kind === "quiz" && game.rules.late_join === "yes" && !ENDED.includes(game.phase) && !isIn()
      && game.state.index + 1 < Number(game.rules.questions));
    lobby.hidden = !waits && !joinable;
    const plays = isIn();
    mainButton(!lobby.hidden && !plays ? say("app-join") : "", join);
    if (lobby.hidden) return;
    const who = [...players.values()].map((player) => h("li", {}, typed(player.name)));
    fill(lobby,
      h("h2", {}, say("app-players", { count: game.players })),
      game.phase === WAITING && h("p", { class: "soft" }, say("app-needed", { count: Number(game.rules.min_players) })),
      waits && h("ul", { class: "names" }, who),
      h("div", { class: "tools" },
        // Telegram's client shows its main button for it.
        !plays && !hasClient && h("button", { class: "filled", onclick: join, disabled: busy.size > 0 }, say("app-join")),
        game.phase === JOINING && game.host.id === me.id
          && h("button", { class: "filled", onclick: () => move("POST", "/start"), disabled: busy.size > 0 }, say("app-start-now")),
        plays && waits && h("button", { onclick: leave, disabled: busy.size > 0 }, say("app-leave"))));
  }

  function draw() {
    const isPaused = Number.isFinite(game.state.remaining);
    phase.replaceChildren(say(isPaused ? "app-phase-paused" : `app-phase-${game.phase}`), " ", clock);
    drawLobby();
    part.draw(game, { plays: isIn() });
    end.replaceChildren(...game.phase === "completed" ? [podium(game)] : []);
    tick();
  }

  function tick() {
    const left = game.ends_at && !ENDED.includes(game.phase) ? Math.max(0, Date.parse(game.ends_at) - serverNow()) : null;
    const seconds = left === null ? 0 : Math.ceil(left / 1000);
    clock.textContent = left === null ? "" : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    part.tick?.(left);
  }

  await fetchPlayers();
  draw();
  const timer = setInterval(tick, 250);
  const live = new Live({ games: [id] }, take, connection);
  return () => { clearInterval(timer); live.close(); };
}
