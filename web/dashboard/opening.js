// Opening a game, by the rules of the chat or other ones.

import { read } from "./shared/api.js";
import { fill, h } from "./shared/dom.js";
import { say } from "./shared/texts.js";
import { act, field, form } from "./parts.js";
import { KINDS, changedRules, kindOf, ruleFields } from "./rules.js";

export async function openPart(body, chat, wantedKind = "pick_number", pack = "") {
  const [settings, packs] = await Promise.all([read(`/chats/${chat}/settings`), read(`/chats/${chat}/packs`)]);
  const place = h("details", { class: "group" });
  const kind = field(say("dash-column-kind"), { options: KINDS.map((each) => [each, kindOf(each)]), value: KINDS.includes(wantedKind) ? wantedKind : KINDS[0], onchange: draw });
  const title = field(say("dash-title-of-game"), { maxlength: "64", hint: say("dash-title-hint") });
  const from = field(say("dash-questions-from"), { options: [["", say("dash-as-set")], ...packs.map((each) => [String(each.id), say("dash-pack-size", { name: each.name, count: each.questions })])], value: pack });
  let fields = new Map();
  function draw() {
    from.node.hidden = kind.value !== "quiz";
    fields = ruleFields(settings.rules[kind.value]);
    if (kind.value === "quiz") fields.delete("pack");
    fill(place, h("summary", {}, say("dash-all-rules")), [...fields.values()].map((each) => each.node));
  }
  draw();
  body.append(form(say("dash-open-game"), [kind, title, from, place], say("dash-open-game"), async (button) => {
    const rules = Object.fromEntries(Object.entries(changedRules(fields, settings.rules[kind.value])).filter(([, value]) => value !== null));
    if (kind.value === "quiz" && from.value) {
      rules.pack = from.value;
      const size = packs.find((each) => String(each.id) === from.value).questions;
      if (!rules.questions && Number(settings.rules.quiz.questions) > size) rules.questions = String(size);
    }
    const game = await act(button, "POST", "/games", { chat_id: Number(chat), kind: kind.value, title: title.value, rules }, say("dash-opened"));
    if (game) location.hash = `#/game/${game.id}`;
  }));
}
