// The public pages: the games of a chat for everybody who knows their address. Nobody is logged in.

import { me, serverNow } from "./shared/api.js";
import { fill, h, typed } from "./shared/dom.js";
import { numbersPart } from "./numbers.js";
import { podium } from "./podium.js";
import { quizPart } from "./quiz.js";
import { date, load, number, say } from "./shared/texts.js";

const PARTS = { pick_number: numbersPart, quiz: quizPart };
const ENDED = ["completed", "cancelled"];
const PERIODS = ["week", "month", "season", "all"];
const EVERY_MS = 2000;
const TIMEOUT_MS = 20000;
const REPLAY_MS = 20000; // the longest replay

const [, page, gameId] = /\/public\/([\w-]{32})(?:\/games\/([0-9a-z]+))?\/?$/.exec(location.pathname) ?? [];
const api = new URL(`../api/v1/public/${page}`, import.meta.url).href;
const view = document.getElementById("view");
const state = document.getElementById("state");

class Gone extends Error {}

/** Reads from the API. A copy in a cache is used only if the server says that it is still right. */
async function get(path) {
  let response;
  try {
    response = await fetch(api + path, { credentials: "omit", cache: "no-cache", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new TypeError("away");
  }
  if (response.status === 404) throw new Gone();
  if (!response.ok) throw new TypeError("away");
  me.skew = Date.parse(response.headers.get("date") ?? "") - Date.now() || 0;
  return response;
}

const nameOf = (game) => (game.title ? typed(game.title) : say(`app-kind-${game.kind}`));

function drawAway(isAway) {
  state.hidden = !isAway;
  state.textContent = isAway ? say("app-reconnecting") : "";
}

/** Calls `draw` with what `read` returns, now and again until it returns true. */
async function follow(read, draw) {
  for (;;) {
    try {
      if (!document.hidden && draw(await read())) return;
      drawAway(false);
    } catch (error) {
      if (error instanceof Gone) { fill(view, h("section", { class: "card" }, h("h1", {}, "Tombola"), h("p", {}, say("app-public-gone")))); drawAway(false); return; }
      if (!(error instanceof TypeError) || error.message !== "away") throw error;
      drawAway(true);
    }
    await new Promise((done) => { setTimeout(done, EVERY_MS * (0.75 + Math.random() / 2)); });
  }
}

// -- a chat

function chatView() {
  const title = h("h1");
  const live = h("ul", { class: "list" });
  const ended = h("ul", { class: "list" });
  const best = h("ol", { class: "list" });
  const choices = h("div", { class: "tools", role: "group", "aria-label": say("app-leaders") });
  const link = (game, ...more) => h("li", {}, h("a", { class: "row", href: `${page}/games/${game.id}` }, h("b", {}, nameOf(game)), ...more));

  async function choose(period) {
    const rows = await (await get(`/leaderboard?period=${period}`)).json();
    for (const each of choices.children) each.setAttribute("aria-pressed", String(each.dataset.period === period));
    fill(best, rows.length ? rows.map((row) => h("li", {}, h("span", { class: "place" }, `${number(row.place)}.`), h("b", {}, typed(row.name)),
      h("span", { class: "soft" }, say("app-wins", { count: row.wins })), row.points > 0 && h("span", { class: "soft" }, say("app-points", { count: row.points }))))
      : h("li", { class: "soft" }, say("app-nothing-yet")));
  }

  const tried = (period) => choose(period).catch((error) => { if (!(error instanceof Gone || error.message === "away")) throw error; });
  choices.append(...PERIODS.map((period) => h("button", { "data-period": period, onclick: () => tried(period) }, say(`app-period-${period}`))));
  fill(view, title,
    h("section", { class: "card" }, h("h2", {}, say("app-games")), live),
    h("section", { class: "card" }, h("h2", {}, say("app-leaders")), choices, best),
    h("section", { class: "card" }, h("h2", {}, say("app-public-results")), ended));
  tried("all");
  return (chat) => {
    fill(title, typed(chat.title));
    fill(live, chat.live.length ? chat.live.map((game) => link(game, h("span", { class: "soft" }, say(`app-phase-${game.phase}`)), h("span", { class: "soft" }, say("app-players", { count: game.players }))))
      : h("li", { class: "soft" }, say("app-public-none")));
    fill(ended, chat.ended.length ? chat.ended.map((game) => link(game, h("span", { class: "soft" }, date(game.ended_at)),
      game.status === "completed" ? h("bdi", { class: "soft" }, game.winners.length ? `🏆 ${game.winners.map((winner) => winner.name).join(", ")}` : "")
        : h("span", { class: "soft" }, say("app-phase-cancelled")))) : h("li", { class: "soft" }, say("app-nothing-yet")));
  };
}

// -- a game

/** Returns a game in the form that the parts of the Mini App take. Players are numbered from 1. */
function asGame(shown) {
  const { index, question, scores, ...rest } = shown.state;
  const points = Object.fromEntries(Object.entries(scores ?? {}).map(([seat, sum]) => [seat, { points: sum }]));
  return { ...shown, state: { ...rest, index, questions: question ? { [index]: question } : {}, scores: points, replies: {}, gained: {} } };
}

function gameView() {
  let game = null;
  let names = [];
  const people = { of: (seat) => names[seat - 1] ?? "…", has: () => false };
  const makePart = () => (PARTS[game.kind] ?? (() => ({ node: h("div"), draw() {} })))({ names: people, move: async () => false });
  const title = h("h1");
  const clock = h("span", { class: "clock", role: "timer" });
  const phase = h("p", { class: "phase" });
  const players = h("section", { class: "card" });
  const end = h("section");
  const proof = h("section", { class: "card proof", hidden: true });
  const back = h("p", {}, h("a", { href: `../../${page}` }));
  const place = h("section");
  let part = null;

  function tick() {
    const left = game?.ends_at && !ENDED.includes(game.phase) ? Math.max(0, Date.parse(game.ends_at) - serverNow()) : null;
    const seconds = left === null ? 0 : Math.ceil(left / 1000);
    clock.textContent = left === null ? "" : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    part?.tick?.(left);
  }

  async function replay(drawn) {
    part = makePart();
    place.replaceChildren(part.node);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const mine = part;
    for (let shown = still ? drawn.length : 0; shown <= drawn.length; shown += 1) {
      if (part !== mine) return;
      part.draw({ ...game, state: { ...game.state, drawn: drawn.slice(0, shown) } }, { plays: false });
      await new Promise((done) => { setTimeout(done, Math.min(700, REPLAY_MS / (drawn.length + 1))); });
    }
    place.dataset.replayed = "yes";
  }

  /** Recomputes the whole draw on this device, in a worker, so that the page stays usable. */
  async function verify() {
    proof.hidden = false;
    const verdict = h("p", { class: "verdict", role: "status" }, say("verifier-page-working"));
    fill(proof, h("h2", {}, say("app-public-proof")), verdict);
    const raw = new Uint8Array(await (await get(`/games/${gameId}/proof`)).arrayBuffer());
    const { drawn } = JSON.parse(new TextDecoder().decode(raw));
    const worker = new Worker(new URL("verify_worker.js", import.meta.url), { type: "module" });
    worker.onerror = () => { verdict.textContent = say("verifier-unreadable"); };
    worker.onmessage = ({ data }) => {
      worker.terminate();
      const holds = data.kind === "holds" && data.game === gameId;
      verdict.className = `verdict ${holds ? "good" : "bad"}`;
      verdict.textContent = data.kind === "none" ? say(`verifier-${data.code}`) : say(holds ? "verifier-holds" : "verifier-fails");
      const rows = data.checks.map(([code, passed, told]) => h("li", {}, h("b", { class: passed ? "good" : "bad" }, passed ? "✓" : `✗ ${say("verifier-failed")}`), " ",
        say(`verifier-${code}`), told && h("small", { class: "soft" }, ` ${told}`)));
      proof.append(h("details", { open: !holds }, h("summary", {}, say("app-public-checks", { count: rows.length })), h("ul", { class: "checks" }, rows)),
        h("div", { class: "tools" },
          holds && drawn.length && h("button", { class: "filled", onclick: () => replay(drawn) }, say("app-public-replay")),
          h("a", { class: "button", href: `${api}/games/${gameId}/proof`, download: `proof-${gameId}.json` }, say("app-public-download"))));
    };
    worker.postMessage(raw);
  }

  fill(view, back, title, phase, players, end, proof, place);
  setInterval(tick, 250);
  return (shown) => {
    game = asGame(shown);
    names = shown.players;
    if (!part) { part = makePart(); place.append(part.node); }
    fill(back.firstChild, typed(shown.chat));
    fill(title, nameOf(game));
    phase.replaceChildren(say(Number.isFinite(game.state.remaining) ? "app-phase-paused" : `app-phase-${game.phase}`), " ", clock);
    fill(players, h("h2", {}, say("app-players", { count: names.length })), h("ul", { class: "names" }, names.map((name) => h("li", {}, typed(name)))));
    part.draw(game, { plays: false });
    if (game.phase === "completed") fill(end, podium(game));
    tick();
    const isOver = ENDED.includes(game.phase);
    if (isOver && game.proven) verify().catch((error) => { if (!(error instanceof Gone || error.message === "away")) throw error; drawAway(true); });
    if (isOver) drawAway(false);
    return isOver;
  };
}

await load(document.documentElement.lang);
if (gameId) follow(async () => (await get(`/games/${gameId}`)).json(), gameView());
else follow(async () => (await get("")).json(), chatView());
