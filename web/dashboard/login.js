// The way in: a one-time link of the bot, or Telegram's own login.

import { me, read, write } from "./shared/api.js";
import { fill, h } from "./shared/dom.js";
import { say } from "./shared/texts.js";

const link = /^#login=([\w-]{1,128})$/.exec(location.hash)?.[1];
if (link) history.replaceState(null, "", location.pathname); // the secret stays in no history

function take(session) {
  Object.assign(me, { id: session.player_id, name: session.name, locale: session.locale, operator: session.operator, skew: Date.parse(session.now) - Date.now() });
}

/** Finds the session that has begun earlier. With a link, the person is asked first: a program that previews links spends none. */
export async function openSession() {
  if (link) throw Object.assign(new Error(), { code: "not-authenticated" });
  take(await read("/dashboard/session"));
}

let spent = false;

export function loginPage(error, started) {
  const problem = h("p", { role: "alert", class: "problem" }, error?.message ?? "");
  const signIn = h("button", { class: "filled", hidden: !link || spent, onclick: enter }, say("dash-sign-in"));

  async function enter() {
    signIn.disabled = true;
    try {
      take(await write("POST", "/dashboard/session", { link }));
      spent = true;
      await started();
    } catch (refusal) {
      spent = true;
      signIn.hidden = true;
      fill(problem, refusal.message || say("dash-offline"));
    }
  }

  return h("section", { class: "card login" }, h("h1", {}, say("dash-title")), problem, h("p", {}, say(link && !spent ? "dash-login-link" : "dash-login-how")), signIn);
}
