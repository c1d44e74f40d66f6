// The settings of a chat. A change is refused if somebody else has changed them since the page was opened.

import { readTagged, write } from "./shared/api.js";
import { fill, h, toast } from "./shared/dom.js";
import { find, say } from "./shared/texts.js";
import { complain, field, form } from "./parts.js";
import { KINDS, changedRules, kindOf, ruleFields } from "./rules.js";

const LANGUAGES = { en: "English", ru: "Русский", es: "Español" };

export async function settingsPart(body, chat) {
  const place = h("div", {});
  body.append(place);

  async function draw() {
    const { content: now, tag } = await readTagged(`/chats/${chat}/settings`);
    const openers = field(say("dash-openers"), { options: [["hosts", say("dash-openers-hosts")], ["everyone", say("dash-openers-everyone")]], value: now.openers });
    const language = field(say("dash-column-language"), { options: Object.entries(LANGUAGES), value: now.language ?? "en" });
    const zone = field(say("dash-time-zone"), { value: now.time_zone, maxlength: "64", hint: say("dash-time-zone-hint") });
    const messages = new Map(Object.entries(now.messages).map(([name, value]) => [name, field(find(`dlg-name-${name}`) ?? name, { value })]));
    const rules = new Map(KINDS.filter((kind) => now.rules[kind]).map((kind) => [kind, ruleFields(now.rules[kind])]));

    async function send(button) {
      const changes = { messages: {}, rules: {} };
      if (openers.value !== now.openers) changes.openers = openers.value;
      if (language.value !== now.language) changes.language = language.value;
      if (zone.value !== now.time_zone) changes.time_zone = zone.value.trim() || null;
      for (const [name, each] of messages) if (each.value !== now.messages[name]) changes.messages[name] = each.value || null;
      for (const [kind, fields] of rules) {
        const changed = changedRules(fields, now.rules[kind]);
        if (Object.keys(changed).length) changes.rules[kind] = changed;
      }
      button.disabled = true;
      try {
        await write("PATCH", `/chats/${chat}/settings`, changes, { tag });
        toast(say("dash-done"));
        await draw();
      } catch (error) { complain(error); } finally { button.disabled = false; }
    }

    const group = (text, fields, open = false) => h("details", { class: "group", open }, h("summary", {}, text), fields.map((each) => each.node));
    fill(place, form(say("dash-part-settings"), [openers, language, zone, group(say("dash-messages"), [...messages.values()]),
      ...[...rules].map(([kind, fields]) => group(kindOf(kind), [...fields.values()]))], say("dash-save"), send));
  }

  await draw();
}
