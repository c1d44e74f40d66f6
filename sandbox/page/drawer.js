// The drawer: calls with their outcome, violations, counters, and buttons that schedule faults.

import { act, get, world } from "./api.js";
import { h, icon } from "./dom.js";

const TABS = ["Calls", "Violations", "Counters", "Trouble"];
const FAULTS = { 502: "Bad gateway", 429: "Too many requests", 500: "Server error", hang: "Hang for 5 s", garbage: "Garbage", drop: "Connection lost before", lost: "Connection lost after" };

export class Drawer {
  constructor(node, desk) {
    this.node = node;
    this.desk = desk;
    this.tab = "Calls";
    this.seen = { calls: [], violations: [], statistics: {} };
  }

  get open() { return !this.node.hidden; }

  toggle() {
    this.node.hidden = !this.node.hidden;
    if (this.open) this.refresh();
  }

  async refresh() {
    this.seen = await get("seen");
    this.desk.violations = this.seen.violations.length;
    if (this.open) this.draw();
  }

  draw() {
    const count = this.seen.violations.length;
    const content = { Calls: () => this.calls(), Violations: () => this.violations(), Counters: () => this.counters(), Trouble: () => this.trouble() }[this.tab]();
    const scrolled = this.node.querySelector(".seen")?.scrollTop ?? 0;
    this.node.replaceChildren(
      h("header", {}, h("b", { class: "grow" }, "What the server saw"),
        h("button", { class: "plain round", title: "Close", "aria-label": "Close", onclick: () => this.toggle() }, icon("close"))),
      h("div", { class: "tabs" }, TABS.map((name) => h("button", { class: name === this.tab ? "tab on" : "tab", onclick: () => { this.tab = name; this.draw(); } },
        name, name === "Violations" && count > 0 && h("span", { class: "badge" }, String(count))))),
      h("div", { class: "seen" }, content));
    this.node.querySelector(".seen").scrollTop = scrolled;
  }

  calls() {
    if (!this.seen.calls.length) return h("p", { class: "hint" }, "No call yet. The bot's token is ", h("code", {}, world.token), " and its API base ", h("code", {}, world.api));
    return [...this.seen.calls].reverse().map((call) => h("details", { class: call.code === 200 ? "call" : "call bad" },
      h("summary", {}, h("span", { class: "code" }, String(call.code)), h("b", {}, call.method), h("small", {}, clockOf(call.at)), h("span", { class: "gist", dir: "auto" }, gist(call.params))),
      call.description && h("p", {}, call.description),
      h("pre", {}, JSON.stringify(call.params, null, 1))));
  }

  violations() {
    if (!this.seen.violations.length) return h("p", { class: "hint" }, "Every call was right.");
    return [...this.seen.violations].reverse().map((item) => h("details", { class: "call bad", open: true },
      h("summary", {}, h("b", {}, item.method), h("small", {}, item.kind)),
      h("p", {}, item.description),
      h("pre", {}, JSON.stringify(item.params, null, 1))));
  }

  counters() {
    const { calls = {}, taps = {}, limits = {}, ...rest } = this.seen.statistics;
    const row = (name, value, bad) => h("tr", { class: bad ? "bad" : "" }, h("td", {}, name), h("td", {}, String(value)));
    return [
      h("table", {}, Object.entries(calls).flatMap(([method, codes]) => Object.entries(codes).map(([code, count]) => row(code === "200" ? method : `${method} ${code}`, count, code !== "200")))),
      h("h3", {}, "Taps"), h("table", {}, Object.entries(taps).map(([name, count]) => row(name, count, name === "unanswered" && count > 0))),
      h("h3", {}, "Limits hit"), h("table", {}, Object.entries(limits).length ? Object.entries(limits).map(([name, count]) => row(name, count, true)) : row("none", "")),
      h("h3", {}, "More"), h("table", {}, Object.entries(rest).map(([name, value]) => row(name.replaceAll("_", " "), value))),
    ];
  }

  trouble() {
    const fault = (kind) => () => act("fault", { kind, times: 1, seconds: 5 });
    return [
      h("p", { class: "hint" }, "The next call of the bot meets:"),
      h("div", { class: "choices" }, Object.entries(FAULTS).map(([kind, words]) => h("button", { onclick: fault(kind) }, words))),
      h("p", { class: "hint" }, "Updates on their way:"),
      h("div", { class: "choices" },
        h("button", { onclick: () => act("delivery", { duplicates: 1 }) }, "Next one twice"),
        h("button", { onclick: () => act("delivery", { reorder: 1 }) }, "Next ones out of order")),
      h("p", { class: "hint" }, "Telegram's sending limits:"),
      h("div", { class: "choices" },
        h("button", { onclick: () => act("limits", { enabled: true }) }, "On"),
        h("button", { onclick: () => act("limits", { enabled: false }) }, "Off")),
    ];
  }
}

/** Summarizes a call's target and content in one line. */
function gist(params) {
  const group = world.groups.get(Number(params.chat_id));
  const chat = group?.title ?? world.users.get(Number(params.chat_id))?.name;
  const said = String(params.text ?? params.caption ?? params.question ?? "").replace(/<[^>]*>/g, "").replace(/\s+/g, " ");
  return [chat, said.slice(0, 90)].filter(Boolean).join(": ");
}

function clockOf(unix) {
  return new Date(unix * 1000).toLocaleTimeString("en-GB");
}
