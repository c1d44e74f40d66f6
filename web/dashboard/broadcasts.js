// Messages to all chats: preview, count, and progress.

import { read } from "./shared/api.js";
import { fill, h, typed } from "./shared/dom.js";
import { say } from "./shared/texts.js";
import { act, complain, confirmed, field, form, graveButton, listed, table, when } from "./parts.js";

const UNFINISHED = ["queued", "running"];

/** Counts the chats in which the bot may write. */
async function reached() {
  let count = 0;
  let cursor = "";
  do {
    const page = await read(`/chats?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    count += page.items.filter((chat) => chat.active).length;
    cursor = page.next;
  } while (cursor && count < 10000);
  return count;
}

export async function broadcastsPage(body) {
  const list = h("section", { class: "card" });
  const columns = ["text", "status", "progress", "since", "step"].map((name) => say(`dash-column-${name}`));
  const again = await listed(list, () => "/broadcasts", (items) => table(say("dash-page-broadcasts"), columns, items.map((cast) => [
    typed(cast.text.length > 80 ? `${cast.text.slice(0, 80)}…` : cast.text), say(`dash-status-${cast.status}`),
    h("span", {}, say("dash-cast-progress", { sent: cast.sent, total: cast.total, waiting: cast.waiting + cast.queued }),
      Object.entries(cast.failed).length > 0 && h("small", { class: "soft" }, " ", Object.entries(cast.failed).map(([why, count]) => `${say(`dash-cast-${why}`)}: ${count}`).join(", "))),
    when(cast.created_at),
    UNFINISHED.includes(cast.status) ? graveButton(say("dash-stop"), say("dash-stop-sure"), () => ["POST", `/jobs/${cast.job}/cancel`], () => again()) : "–"])));
  const text = field(say("dash-cast-text"), { rows: 5, required: true, maxlength: "3000", oninput: preview });
  const shown = h("div", { class: "preview", "aria-live": "polite" });
  function preview() { shown.textContent = text.value; }
  body.append(h("h1", {}, say("dash-page-broadcasts")),
    form(say("dash-cast-new"), [text, h("h3", {}, say("dash-preview")), shown], say("dash-cast-next"), async (button) => {
      try {
        const count = await reached();
        const question = say("dash-cast-sure", { count });
        if (!await confirmed(question, say("dash-send"), h("div", { class: "preview" }, text.value))) return;
        if (!await act(button, "POST", "/broadcasts", { text: text.value }, say("dash-cast-begun"))) return;
        fill(shown);
        text.input.value = "";
        again();
      } catch (error) { complain(error); }
    }), list, h("button", { onclick: again }, say("dash-refresh")));
}
