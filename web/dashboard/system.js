// The state of the deployment: dependencies, processes, feature flags.

import { read } from "./shared/api.js";
import { fill, h, typed } from "./shared/dom.js";
import { number, say } from "./shared/texts.js";
import { act, complain, confirmed, graveButton, table, when } from "./parts.js";

const HEALTH_MS = 5000;
const KEPT = 60;
const SVG = "http://www.w3.org/2000/svg";

/** Draws the answers of a dependency since the page was opened: the time of each, and those that failed. */
function line(answers) {
  const most = Math.max(1, ...answers.map((each) => each.ms));
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("viewBox", `0 0 ${KEPT * 4} 40`);
  node.setAttribute("class", "line");
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", say("dash-health-line", { last: number(Math.round(answers.at(-1)?.ms ?? 0)), most: number(Math.round(most)), failed: answers.filter((each) => !each.well).length }));
  for (const [index, each] of answers.entries()) {
    const bar = document.createElementNS(SVG, "rect");
    const high = each.well ? Math.max(2, (each.ms / most) * 38) : 40;
    for (const [name, value] of Object.entries({ x: index * 4, y: 40 - high, width: 3, height: high, class: each.well ? "well" : "ill" })) bar.setAttribute(name, value);
    node.append(bar);
  }
  return node;
}

async function flagsPart() {
  const node = h("section", { class: "card" });
  const columns = ["flag", "about", "percent", "source", "step"].map((name) => say(`dash-column-${name}`));
  async function again() {
    const flags = await read("/flags");
    const row = (flag) => {
      const percent = h("input", { type: "number", min: "0", max: "100", step: "any", value: String(flag.percent), "aria-label": `${flag.name}: ${say("dash-column-percent")}` });
      const set = h("button", { onclick: async () => {
        if (!await confirmed(say("dash-flag-sure", { flag: flag.name, percent: number(Number(percent.value)) }), say("dash-set"))) return;
        const body = { percent: Number(percent.value), on_chats: flag.on_chats, off_chats: flag.off_chats, reason: flag.reason };
        if (await act(set, "PUT", `/flags/${flag.name}`, body)) await again();
      } }, say("dash-set"));
      return [h("code", {}, flag.name), typed(flag.about), h("span", { class: "tools" }, percent, set), say(`dash-source-${flag.source}`),
        flag.source === "operator" ? graveButton(say("dash-reset"), say("dash-reset-sure", { flag: flag.name }), () => ["DELETE", `/flags/${flag.name}`], again) : "–"];
    };
    fill(node, h("h2", {}, say("dash-flags")), table(say("dash-flags"), columns, flags.map(row)));
  }
  await again();
  return node;
}

export async function systemPage(body) {
  const health = h("section", { class: "card" });
  const processes = h("section", { class: "card" });
  const kept = new Map();

  async function look() {
    const report = await read("/health");
    const checks = Object.entries(report.checks ?? {});
    for (const [name, check] of checks) kept.set(name, [...kept.get(name) ?? [], { well: check.ok !== false && check.well !== false, ms: check.ms ?? 0 }].slice(-KEPT));
    const columns = ["dependency", "state", "history"].map((name) => say(`dash-column-${name}`));
    fill(health, h("h2", {}, say("dash-health")), h("p", { class: "soft" }, say("dash-health-about")), table(say("dash-health"), columns, checks.map(([name]) => {
      const answers = kept.get(name);
      return [name, say(answers.at(-1).well ? "dash-well" : "dash-ill"), line(answers)];
    })));
    const running = await read("/processes");
    const names = ["process", "roles", "version", "since", "load", "jobs"].map((name) => say(`dash-column-${name}`));
    fill(processes, h("h2", {}, say("dash-processes")), table(say("dash-processes"), names, running.map((each) => [
      h("span", {}, each.name), each.roles.join(", "), each.version, when(each.started_at),
      say("dash-load", { percent: Math.round(each.load.processor * 100), updates: number(each.load.updates), games: each.load.games }), each.leases.join(", ") || "–"])));
  }

  await look();
  body.append(h("h1", {}, say("dash-page-system")), health, processes, await flagsPart());
  const timer = setInterval(() => { if (!document.hidden) look().catch((error) => { try { complain(error); } catch { clearInterval(timer); } }); }, HEALTH_MS);
  return () => clearInterval(timer);
}
