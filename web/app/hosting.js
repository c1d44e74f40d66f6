// For hosts: opening a game, and the settings of the group, each with a preview of the result.

import { Away, Refusal, read, write } from "./shared/api.js";
import { fill, h, toast, typed } from "./shared/dom.js";
import { place } from "./place.js";
import { mainButton, hasClient, vibrate } from "./telegram.js";
import { decimal, say } from "./shared/texts.js";

const KINDS = ["pick_number", "quiz"];
const FIELDS = { pick_number: ["winners", "min_players", "max_players"], quiz: ["winners", "min_players", "max_players", "questions", "question_seconds"] };

/** Returns what the person may do in the chat: open games, and change settings. */
export const rights = () => read(`/chats/${place.chat}/rights`);

const field = (label, input, hint = "") => h("label", { class: "field" }, h("span", {}, label), input, hint && h("small", { class: "soft" }, hint));
const whole = (name, value, oninput) => h("input", { type: "text", inputmode: "numeric", name, value, maxlength: "6", autocomplete: "off", oninput });
const choice = (name, options, value, onchange) => h("select", { name, onchange }, options.map(([each, text]) => h("option", { value: each, selected: each === value }, text)));

/** Returns the rules that a typed prize stands for: an amount with or without a currency, or words for each winner. */
export function prizeRules(text, winners) {
  const words = text.trim();
  if (!words) return { prize_pool: "0" };
  const [, amount, currency] = /^(\S*?\d[\d\s.,]*?)\s*([^\d\s.,][^\d]{0,15})?$/.exec(words) ?? [];
  const pool = amount ? decimal(amount) : null;
  if (pool !== null) return currency ? { prize_pool: pool, currency: currency.trim() } : { prize_pool: pool };
  return { prizes: Array(Number(winners) || 1).fill(words).join("|") };
}

function prizeOf(rules) {
  if (rules.prizes) return rules.prizes.split("|")[0];
  return Number(rules.prize_pool) ? `${rules.prize_pool} ${rules.currency}`.trim() : "";
}

/** Shows the game as the group will see it announced. */
function preview(kind, title, rules, prize) {
  const seconds = Number(rules.question_seconds) || 0;
  return h("section", { class: "card preview", "aria-label": say("app-preview") },
    h("p", { class: "soft" }, say("app-preview")), h("h2", {}, title ? typed(title) : say(`app-kind-${kind}`)),
    h("p", {}, say("app-preview-players", { least: Number(rules.min_players) || 0, most: Number(rules.max_players) || 0 })),
    kind === "quiz" && h("p", {}, say("app-preview-questions", { count: Number(rules.questions) || 0, seconds })),
    h("p", {}, say("app-preview-winners", { count: Number(rules.winners) || 0 })),
    prize && h("p", {}, "🏆 ", typed(prize)));
}

async function attemptTo(problem, act) {
  problem.textContent = "";
  try {
    return await act();
  } catch (error) {
    vibrate("error");
    if (error instanceof Refusal) problem.textContent = error.message;
    else if (error instanceof Away) problem.textContent = say("app-not-sent");
    else throw error;
    problem.scrollIntoView({ block: "nearest" });
    return null;
  }
}

/** The form of a new game: kind, title, prize, players, questions. The server judges it by the rules of /newgame. */
export async function openView({ body, go }) {
  const may = await rights();
  if (!may.open) {
    body.append(h("section", { class: "card" }, h("h1", {}, say("app-open")), h("p", {}, say("app-hosts-only"))));
    return () => {};
  }
  const [settings, packs] = await Promise.all([read(`/chats/${place.chat}/settings`), may.host ? read(`/chats/${place.chat}/packs`) : []]);
  let kind = KINDS[0];
  let title = "";
  let given = {};
  let prize = null; // as typed; null while it is that of the settings
  let isSending = false;
  const form = h("form", { class: "card form", onsubmit: (event) => { event.preventDefault(); open(); } });
  const shown = h("div");
  const problem = h("p", { class: "problem bad", role: "alert" });
  const rulesNow = () => ({ ...settings.rules[kind], ...given });
  const prizeNow = () => prize ?? prizeOf(settings.rules[kind]);
  const drawPreview = () => fill(shown, preview(kind, title, rulesNow(), prizeNow()));

  function set(name, value) {
    given[name] = value.trim();
    drawPreview();
  }

  function drawForm() {
    fill(form,
      field(say("app-kind"), choice("kind", KINDS.map((each) => [each, say(`app-kind-${each}`)]), kind, (event) => { kind = event.target.value; given = {}; prize = null; drawForm(); drawPreview(); })),
      field(say("app-title"), h("input", { type: "text", name: "title", maxlength: "64", value: title, autocomplete: "off", oninput: (event) => { title = event.target.value; drawPreview(); } })),
      field(say("app-prize"), h("input", { type: "text", name: "prize", maxlength: "100", value: prizeNow(), autocomplete: "off", oninput: (event) => { prize = event.target.value; drawPreview(); } }), say("app-prize-hint")),
      FIELDS[kind].map((name) => field(say(`app-rule-${name}`), whole(name, rulesNow()[name], (event) => set(name, event.target.value)))),
      kind === "quiz" && packs.length > 0 && field(say("app-pack"), choice("pack", [["bank", say("app-pack-bank")], ...packs.map((each) => [String(each.id), each.name])], rulesNow().pack, (event) => set("pack", event.target.value))),
      problem,
      // Telegram's client shows its main button for it.
      !hasClient && h("button", { class: "filled", type: "submit", disabled: isSending }, say("app-open")));
  }

  async function open() {
    if (isSending) return;
    isSending = true;
    const rules = { ...given, ...prize === null ? {} : prizeRules(prize, rulesNow().winners) };
    const game = await attemptTo(problem, () => write("POST", "/games", { chat_id: place.chat, topic_id: place.topic, kind, title: title.trim(), rules }));
    isSending = false;
    if (!game) return;
    vibrate("success");
    go("game", game.id);
  }

  drawForm();
  drawPreview();
  body.append(h("h1", {}, say("app-open")), form, shown);
  mainButton(say("app-open"), open);
  return () => mainButton("");
}

/** The settings of the group. A change is sent when it is saved, and judged as a whole. */
export async function settingsView({ body }) {
  let settings = await read(`/chats/${place.chat}/settings`);
  let kind = KINDS[0];
  let changed = {};
  const form = h("form", { class: "card form", onsubmit: (event) => { event.preventDefault(); save(); } });
  const visible = h("section", { class: "card form" });
  const shown = h("div");
  const problem = h("p", { class: "problem bad", role: "alert" });
  const rulesNow = () => ({ ...settings.rules[kind], ...changed });
  const drawPreview = () => fill(shown, preview(kind, "", rulesNow(), prizeOf(rulesNow())));

  async function change(part, done) {
    const newer = await attemptTo(problem, () => write("PATCH", `/chats/${place.chat}/settings`, part));
    if (newer) { settings = newer; vibrate("success"); toast(say("app-saved")); done(); }
    drawVisible();
  }

  function drawForm() {
    fill(form, h("h2", {}, say("app-new-games")),
      field(say("app-kind"), choice("kind", KINDS.map((each) => [each, say(`app-kind-${each}`)]), kind, (event) => { kind = event.target.value; changed = {}; drawForm(); drawPreview(); })),
      FIELDS[kind].map((name) => field(say(`app-rule-${name}`), whole(name, rulesNow()[name], (event) => { changed[name] = event.target.value.trim(); drawPreview(); }))),
      h("button", { class: "filled", type: "submit" }, say("app-save")));
  }

  const save = () => change({ rules: { [kind]: changed } }, () => { changed = {}; drawForm(); drawPreview(); });
  const toggle = (name, part) => h("label", { class: "toggle" }, h("input", { type: "checkbox", name, checked: part.value, onchange: (event) => change(part.make(event.target.checked), () => {}) }), h("span", {}, say(`app-set-${name}`)));

  function drawVisible() {
    fill(visible, h("h2", {}, say("app-group")),
      toggle("openers", { value: settings.openers === "everyone", make: (on) => ({ openers: on ? "everyone" : "hosts" }) }),
      toggle("public", { value: settings.public, make: (on) => ({ public: on }) }),
      settings.public && toggle("indexed", { value: settings.indexed, make: (on) => ({ indexed: on }) }),
      settings.public_url && h("p", {}, h("a", { href: settings.public_url, target: "_blank", rel: "noopener" }, settings.public_url)));
  }

  drawForm();
  drawVisible();
  drawPreview();
  body.append(h("h1", {}, say("app-settings")), problem, form, shown, visible);
  return () => {};
}
