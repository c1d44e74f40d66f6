// The Mini App: its views, and the way between them.

import { Away, Refusal, begin, loginBy, me, onUnsent } from "./shared/api.js";
import { fill, h } from "./shared/dom.js";
import { gameView } from "./game.js";
import { openView, settingsView } from "./hosting.js";
import { lobbyView } from "./lobby.js";
import { leadersView, profileView } from "./people.js";
import { place } from "./place.js";
import { backButton, begin as beginTelegram, initData, mainButton, startParam } from "./telegram.js";
import { load, say } from "./shared/texts.js";

const state = document.getElementById("state");
const view = document.getElementById("view");
const tabs = document.getElementById("tabs");
const TABS = { lobby: lobbyView, profile: profileView, leaders: leadersView };

const MORE = { open: openView, settings: settingsView };
const ENDED = ["not-authenticated", "stale-launch", "bad-launch"];

let leave = () => {};
let shown = 0;

let isAway = false;
let isUnsent = false;

/** Says whether the page waits for the network: to receive live updates, or to send a move. */
function drawState() {
  state.hidden = !(isAway || isUnsent);
  state.textContent = state.hidden ? "" : say("app-reconnecting");
}

function failed(error, again) {
  const text = error instanceof Refusal ? ENDED.includes(error.code) ? say("app-session-over") : error.message || say("app-lost-access") : say("app-offline");
  fill(view, h("section", { class: "card" }, h("h1", {}, "Tombola"), h("p", {}, text),
    error instanceof Away && h("button", { class: "filled", onclick: again }, say("app-again"))));
}

/** Shows a view. It returns a function that ends it. */
async function show(name, make, isRoot) {
  leave();
  leave = () => {};
  const mine = shown += 1;
  mainButton("");
  isAway = false;
  drawState();
  backButton(isRoot ? null : () => go("lobby"));
  tabs.hidden = !place.chat;
  for (const tab of tabs.children) tab.setAttribute("aria-current", tab.dataset.view === name ? "page" : "false");
  const body = h("div", { class: `view ${name}` });

  /** Takes the state of the view's live updates: `on`, `away`, or the refusal that ends the view. */
  function connection(now) {
    if (mine !== shown) return;
    isAway = now === "away";
    drawState();
    if (!(now instanceof Refusal)) return;
    leave();
    leave = () => {};
    mainButton("");
    failed(now);
  }

  view.replaceChildren(h("p", { class: "soft" }, say("app-loading")));
  try {
    const end = await make({ body, connection, go });
    if (mine !== shown) { end(); return; }
    leave = end;
    view.replaceChildren(body);
    tabs.hidden = !place.chat;
    view.focus({ preventScroll: true });
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Away)) throw error;
    if (mine === shown) failed(error, () => show(name, make, isRoot));
  }
}

export function go(name, id) {
  if (name === "game") return show("game", (page) => gameView(page, id), false);
  return show(name, TABS[name] ?? MORE[name], name === "lobby");
}

function drawTabs() {
  const tab = (name, text) => h("button", { "data-view": name, onclick: () => go(name) }, text);
  tabs.setAttribute("aria-label", say("app-sections"));
  tabs.replaceChildren(tab("lobby", say("app-games")), tab("leaders", say("app-leaders")), tab("profile", say("app-profile")));
}

async function start() {
  const wanted = (navigator.language ?? "en").slice(0, 2);
  try {
    await load(["en", "ru", "es"].includes(wanted) ? wanted : "en");
    if (!initData) {
      view.replaceChildren(h("section", { class: "card" }, h("h1", {}, say("app-games")), h("p", {}, say("app-outside"))));
      return;
    }
    loginBy({ init_data: initData });
    await begin();
    await load(me.locale);
  } catch (error) {
    if (error instanceof TypeError) view.textContent = "Tombola can’t be reached. Open the page again.";
    else failed(error, start);
    return;
  }
  drawTabs();
  const [, sort, value] = /^(g|c)_(-?\w{1,40})$/.exec(startParam) ?? [];
  if (sort === "g") await go("game", value);
  else {
    if (sort === "c") place.chat = Number(value);
    await go("lobby");
  }
}

beginTelegram();
onUnsent((now) => { isUnsent = now; drawState(); });
start();
