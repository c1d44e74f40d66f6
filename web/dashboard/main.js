// The dashboard: its pages, each at an address after the `#`, and the way between them.

import { Away, Refusal, me, onUnsent, useCookie, write } from "./shared/api.js";
import { fill, h, typed } from "./shared/dom.js";
import { load, say } from "./shared/texts.js";
import { auditPage } from "./audit.js";
import { bansPage } from "./bans.js";
import { broadcastsPage } from "./broadcasts.js";
import { chatPage } from "./chat.js";
import { chatsPage } from "./chats.js";
import { gamePage } from "./game.js";
import { gamesPage } from "./games.js";
import { jobsPage } from "./jobs.js";
import { loginPage, openSession } from "./login.js";
import { systemPage } from "./system.js";
import { tokensPage } from "./tokens.js";

const LOCALES = ["en", "ru", "es"];
const OPERATOR_PAGES = {
  games: gamesPage, bans: bansPage, broadcasts: broadcastsPage, tokens: tokensPage, jobs: jobsPage, system: systemPage, audit: auditPage,
};
const PAGES = { chats: chatsPage, chat: chatPage, game: gamePage, ...OPERATOR_PAGES };
const top_ = document.getElementById("top");
const view = document.getElementById("view");
const state = document.getElementById("state");

let shown = 0;
let leave = () => {};

function failed(error) {
  if (error.code === "not-authenticated" || error.code === "banned") { signedOut(error); return; }
  const text = error instanceof Refusal ? error.message : say("dash-offline");
  fill(view, h("section", { class: "card" }, h("h1", {}, say("dash-title")), h("p", { role: "alert" }, text), h("button", { class: "filled", onclick: show }, say("dash-again"))));
}

/** Shows the page of the address. A page is a function that fills a body, and may return a function that ends it. */
async function show() {
  leave();
  leave = () => {};
  document.getElementById("ask").close();
  const mine = shown += 1;
  const [name = "", ...rest] = location.hash.slice(2).split("/").map(decodeURIComponent);
  const first = me.operator ? "games" : "chats";
  const page = PAGES[name] ? name : first;
  for (const link of top_.querySelectorAll("nav a")) link.toggleAttribute("aria-current", link.dataset.page === page);
  const body = h("div", { class: `page ${page}` });
  view.setAttribute("aria-busy", "true");
  if (!view.childElementCount) view.replaceChildren(h("p", { class: "soft" }, say("dash-loading")));
  try {
    const end = await PAGES[page](body, ...rest);
    if (mine !== shown) { end?.(); return; }
    leave = end ?? (() => {});
    view.replaceChildren(body);
    document.title = `${body.querySelector("h1")?.textContent ?? ""} – Tombola`;
    view.focus({ preventScroll: true });
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Away)) throw error;
    if (mine === shown) failed(error);
  } finally {
    if (mine === shown) view.removeAttribute("aria-busy");
  }
}

function drawTop() {
  const link = (page) => h("a", { href: `#/${page}`, "data-page": page }, say(`dash-page-${page}`));
  const pages = ["chats", ...me.operator ? Object.keys(OPERATOR_PAGES) : []];
  fill(top_, h("nav", { "aria-label": say("dash-pages") }, pages.map(link)),
    h("div", { class: "who" }, typed(me.name), h("button", { onclick: signOut }, say("dash-sign-out"))));
  top_.hidden = false;
}

async function signOut() {
  try { await write("DELETE", "/dashboard/session"); } catch (error) { if (!(error instanceof Refusal)) throw error; }
  signedOut();
}

function signedOut(error) {
  shown += 1;
  leave();
  leave = () => {};
  top_.hidden = true;
  window.removeEventListener("hashchange", show);
  fill(view, loginPage(error, started));
}

/** Goes on with a session that has just begun, or that was found. */
async function started() {
  if (LOCALES.includes(me.locale)) await load(me.locale);
  drawTop();
  window.removeEventListener("hashchange", show);
  window.addEventListener("hashchange", show);
  await show();
}

async function start() {
  useCookie();
  const wanted = (navigator.language ?? "en").slice(0, 2);
  try {
    await load(LOCALES.includes(wanted) ? wanted : "en");
  } catch {
    view.textContent = "Tombola can’t be reached. Open the page again.";
    return;
  }
  try {
    await openSession();
  } catch (error) {
    if (error instanceof Away) { state.hidden = false; state.textContent = say("dash-offline"); }
    signedOut(error.code === "not-authenticated" ? undefined : error);
    return;
  }
  await started();
}

window.addEventListener("unhandledrejection", (event) => {
  const error = event.reason;
  if (!(error instanceof Refusal)) return;
  event.preventDefault();
  failed(error);
});
onUnsent((now) => { state.hidden = !now; state.textContent = now ? say("dash-reconnecting") : ""; });
start();
