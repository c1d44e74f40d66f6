// Bans, in all chats or in one.

import { h, typed } from "./shared/dom.js";
import { say } from "./shared/texts.js";
import { act, confirmed, field, form, graveButton, listed, table, when } from "./parts.js";

/** Adds the list of bans and the form of a new one. `base` is the address of the bans. */
export async function bans(body, base, scope) {
  const list = h("section", { class: "card" });
  const columns = ["player", "reason", "since", "until", "step"].map((name) => say(`dash-column-${name}`));
  const again = await listed(list, () => base, (items) => table(say("dash-page-bans"), columns, items.map((ban) => [
    h("span", {}, typed(ban.name || "–"), ` (${ban.player_id})`), typed(ban.reason || "–"), when(ban.created_at), when(ban.expires_at),
    graveButton(say("dash-unban"), say("dash-unban-sure", { name: ban.name || String(ban.player_id) }), () => ["DELETE", `${base}/${ban.player_id}`], () => again())]), say("dash-no-bans")));
  const player = field(say("dash-player-id"), { inputmode: "numeric", pattern: "[0-9]{1,16}", required: true });
  const reason = field(say("dash-column-reason"), { maxlength: "200" });
  const days = field(say("dash-days"), { type: "number", min: "1", max: "36500", hint: say("dash-days-hint") });
  body.append(list, form(say("dash-ban-new"), [player, reason, days], say("dash-ban"), async (button) => {
    if (!await confirmed(say(scope, { player: player.value }), say("dash-ban"))) return;
    const done = await act(button, "PUT", `${base}/${player.value.trim()}`, { reason: reason.value, days: days.value ? Number(days.value) : null });
    if (done) again();
  }));
}

export async function bansPage(body) {
  body.append(h("h1", {}, say("dash-page-bans")));
  await bans(body, "/bans", "dash-ban-sure");
}
