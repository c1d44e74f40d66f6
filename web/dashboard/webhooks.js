// Webhooks of a chat with their deliveries, each with its attempts.

import { read } from "./shared/api.js";
import { fill, h, typed } from "./shared/dom.js";
import { number, say } from "./shared/texts.js";
import { act, complain, field, form, graveButton, listed, table, when } from "./parts.js";

export async function webhooksPart(body, chat) {
  const base = `/chats/${chat}/webhooks`;
  const list = h("section", { class: "card" });
  const deliveries = h("section", { class: "card", hidden: true });
  const secret = h("div", { role: "status" });

  async function show(endpoint) {
    const columns = ["number", "type", "status", "attempts", "since", "step"].map((name) => say(`dash-column-${name}`));
    const place = h("div", {});
    let again = () => {};
    again = await listed(place, () => `${base}/${endpoint.id}/deliveries`, (items) => table(say("dash-deliveries"), columns, items.map((each) => {
      const resend = h("button", { onclick: async () => { if (await act(resend, "POST", `${base}/${endpoint.id}/deliveries/${each.id}/resend`)) again(); } }, say("dash-resend"));
      return [String(each.id), each.type, say(`dash-delivery-${each.status}`),
        h("details", { ontoggle: (event) => tried(event, endpoint, each) }, h("summary", {}, String(each.attempts)), h("ol", {})), when(each.created_at), resend];
    })));
    deliveries.hidden = false;
    fill(deliveries, h("h2", {}, say("dash-deliveries")), h("p", {}, typed(endpoint.url)), place);
  }

  /** Shows the attempts of a delivery, when they are opened. */
  async function tried(event, endpoint, each) {
    if (!event.target.open) return;
    try {
      const { tried: attempts } = await read(`${base}/${endpoint.id}/deliveries/${each.id}`);
      fill(event.target.querySelector("ol"), attempts.map((one) => h("li", {}, when(one.at), ` ${one.status || one.error} (${number(one.ms)} ms)`)));
    } catch (error) { complain(error); }
  }

  async function again() {
    const found = await read(base);
    const columns = ["address", "state", "step"].map((name) => say(`dash-column-${name}`));
    fill(list, h("h2", {}, say("dash-part-webhooks")), table(say("dash-part-webhooks"), columns, found.map((each) => {
      const example = h("button", { onclick: () => act(example, "POST", `${base}/${each.id}/example`) }, say("dash-example"));
      const turn = h("button", { onclick: async () => { if (await act(turn, "PATCH", `${base}/${each.id}`, { enabled: !each.enabled })) await again(); } }, say(each.enabled ? "dash-turn-off" : "dash-turn-on"));
      return [h("span", {}, typed(each.url), each.description && h("small", { class: "soft" }, " ", typed(each.description))), each.enabled ? say("dash-on") : `${say("dash-off")} ${each.reason}`,
        h("div", { class: "tools" }, h("button", { onclick: () => show(each).catch(complain) }, say("dash-deliveries")), example, turn,
          graveButton(say("dash-delete"), say("dash-delete-webhook-sure"), () => ["DELETE", `${base}/${each.id}`], again))];
    })));
  }

  await again();
  const url = field(say("dash-column-address"), { type: "url", required: true, maxlength: "2000", placeholder: "https://" });
  const description = field(say("dash-description"), { maxlength: "200" });
  body.append(list, deliveries, form(say("dash-webhook-new"), [url, description], say("dash-make"), async (button) => {
    const made = await act(button, "POST", base, { url: url.value, description: description.value });
    if (!made) return;
    if (made.secret) fill(secret, h("div", { class: "card" }, h("p", {}, say("dash-secret-once")), h("code", { class: "secret" }, made.secret)));
    await again();
  }), secret);
}
