// Templates, and the games that are opened from them by themselves.

import { read } from "./shared/api.js";
import { fill, h, typed } from "./shared/dom.js";
import { say } from "./shared/texts.js";
import { act, field, form, graveButton, table, when } from "./parts.js";
import { KINDS, changedRules, kindOf, ruleFields } from "./rules.js";

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const UNITS = ["day", "week", "month"];

export async function recurringPart(body, chat) {
  const base = `/chats/${chat}`;
  const settings = await read(`${base}/settings`);
  const templates = h("section", { class: "card" });
  const games = h("section", { class: "card" });
  const template = field(say("dash-template"), { options: [] });
  const names = new Map();

  function rhythm({ unit, every, weekdays, month_day: monthDay, time }) {
    const days = unit === "week" ? weekdays.map((day) => say(`dash-day-${day}`)).join(", ") : unit === "month" ? say("dash-on-day", { day: monthDay }) : "";
    return [say(`dash-every-${unit}`, { count: every }), days, time].filter(Boolean).join(", ");
  }

  async function again() {
    const [saved, recurring] = await Promise.all([read(`${base}/templates`), read(`${base}/recurring`)]);
    names.clear();
    for (const each of saved) names.set(each.id, each.name);
    const chosen = template.value;
    fill(template.input, saved.map((each) => h("option", { value: each.id }, each.name)));
    if (names.has(Number(chosen))) template.input.value = chosen;
    fill(templates, h("h2", {}, say("dash-templates")), table(say("dash-templates"), ["name", "kind", "title", "step"].map((name) => say(`dash-column-${name}`)), saved.map((each) => [
      typed(each.name), kindOf(each.kind), typed(each.title || "–"),
      graveButton(say("dash-delete"), say("dash-delete-template-sure", { name: each.name }), () => ["DELETE", `${base}/templates/${each.id}`], again)])));
    const step = (each, text, path, body_) => {
      const button = h("button", { onclick: async () => { if (await act(button, "POST", `${base}/recurring/${each.id}/${path}`, body_)) await again(); } }, say(text));
      return button;
    };
    fill(games, h("h2", {}, say("dash-recurring")), table(say("dash-recurring"), ["template", "rhythm", "next", "state", "step"].map((name) => say(`dash-column-${name}`)), recurring.map((each) => [
      typed(names.get(each.template_id) ?? "–"), rhythm(each.schedule), each.paused ? "–" : when(each.next_at),
      each.paused ? say("dash-paused") : each.skip_on ? say("dash-skipped") : say("dash-runs"),
      h("div", { class: "tools" }, each.paused ? step(each, "dash-resume", "resume") : step(each, "dash-pause", "pause"),
        !each.paused && (each.skip_on ? step(each, "dash-unskip", "unskip") : step(each, "dash-skip", "skip", { on: each.next_on })),
        graveButton(say("dash-delete"), say("dash-delete-recurring-sure"), () => ["DELETE", `${base}/recurring/${each.id}`], again))])));
  }

  await again();
  body.append(templates, templateForm(), games, recurringForm());

  function templateForm() {
    const name = field(say("dash-name"), { maxlength: "32", required: true });
    const title = field(say("dash-title-of-game"), { maxlength: "64" });
    const kind = field(say("dash-column-kind"), { options: KINDS.map((each) => [each, kindOf(each)]), value: KINDS[0], onchange: draw });
    const place = h("details", { class: "group" });
    let fields = new Map();
    function draw() {
      fields = ruleFields(settings.rules[kind.value]);
      fill(place, h("summary", {}, say("dash-all-rules")), [...fields.values()].map((each) => each.node));
    }
    draw();
    return form(say("dash-template-new"), [name, kind, title, place], say("dash-save"), async (button) => {
      const rules = Object.fromEntries(Object.entries(changedRules(fields, settings.rules[kind.value])).filter(([, value]) => value !== null));
      if (await act(button, "POST", `${base}/templates`, { name: name.value, kind: kind.value, title: title.value, rules })) await again();
    });
  }

  function recurringForm() {
    const unit = field(say("dash-rhythm"), { options: UNITS.map((each) => [each, say(`dash-unit-${each}`)]), value: "week", onchange: draw });
    const every = field(say("dash-every"), { type: "number", min: "1", max: "366", value: "1", required: true });
    const time = field(say("dash-time"), { type: "time", value: "20:00", required: true, hint: settings.time_zone });
    const monthDay = field(say("dash-month-day"), { type: "number", min: "1", max: "31", value: "1" });
    const announce = field(say("dash-announce"), { type: "number", min: "0", max: "1440", value: "0" });
    const days = h("fieldset", { class: "days" }, h("legend", {}, say("dash-weekdays")), DAYS.map((day) => h("label", {}, h("input", { type: "checkbox", value: day, checked: day === "friday" }), say(`dash-day-${day}`))));
    function draw() {
      days.hidden = unit.value !== "week";
      monthDay.node.hidden = unit.value !== "month";
    }
    draw();
    return form(say("dash-recurring-new"), [template, unit, every, days, monthDay, time, announce], say("dash-make"), async (button) => {
      const schedule = { unit: unit.value, every: Number(every.value), time: time.value };
      if (unit.value === "week") schedule.weekdays = [...days.querySelectorAll("input:checked")].map((each) => each.value);
      if (unit.value === "month") schedule.month_day = Number(monthDay.value);
      const wanted = { template_id: Number(template.value), schedule, announce_minutes: Number(announce.value) };
      if (await act(button, "POST", `${base}/recurring`, wanted)) await again();
    });
  }
}
