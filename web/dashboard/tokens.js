// Tokens of the API.

import { fill, h, typed } from "./shared/dom.js";
import { say } from "./shared/texts.js";
import { act, field, form, graveButton, listed, table, when } from "./parts.js";

const ROLES = ["viewer", "host", "operator"];

export async function tokensPage(body) {
  const list = h("section", { class: "card" });
  const made = h("div", { role: "status" });
  const columns = ["token", "role", "chats", "used", "until", "step"].map((name) => say(`dash-column-${name}`));
  const again = await listed(list, () => "/tokens", (items) => table(say("dash-page-tokens"), columns, items.map((token) => [
    h("span", {}, h("code", {}, token.prefix), " ", typed(token.name)), say(`dash-role-${token.role}`), token.chats?.join(", ") ?? say("dash-all-chats"), when(token.last_used_at),
    token.revoked_at ? say("dash-revoked") : when(token.expires_at),
    token.revoked_at ? "–" : graveButton(say("dash-revoke"), say("dash-revoke-sure", { token: token.prefix }), () => ["DELETE", `/tokens/${token.prefix}`], () => again())])));
  const name = field(say("dash-name"), { maxlength: "64", required: true });
  const role = field(say("dash-column-role"), { options: ROLES.map((each) => [each, say(`dash-role-${each}`)]), value: "viewer" });
  const chats = field(say("dash-column-chats"), { hint: say("dash-chats-hint"), pattern: "[-0-9, ]*" });
  const days = field(say("dash-days"), { type: "number", min: "1", max: "3650", value: "90", hint: say("dash-days-hint") });
  body.append(h("h1", {}, say("dash-page-tokens")), list, form(say("dash-token-new"), [name, role, chats, days], say("dash-make"), async (button) => {
    const ids = chats.value.split(/[\s,]+/).filter(Boolean).map(Number);
    const token = await act(button, "POST", "/tokens", { role: role.value, name: name.value, chats: ids.length ? ids : null, days: days.value ? Number(days.value) : null });
    if (!token) return;
    fill(made, h("div", { class: "card" }, h("p", {}, say("dash-token-once")), h("code", { class: "secret" }, token.token ?? "")));
    again();
  }), made);
}
