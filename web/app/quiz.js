// Quiz: the question, its timer by the server's clock, the own answer, and the right one.

import { me } from "./api.js";
import { h } from "./dom.js";
import { say } from "./texts.js";

const EXACT = /^-?\d{1,12}([.,]\d{1,6})?$/;

export function quizPart({ names, move }) {
  const text = h("h2", { class: "question" });
  const count = h("p", { class: "soft" });
  const bar = h("progress", { max: "1", value: "0", "aria-label": say("app-time-left") });
  const answers = h("div", { class: "answers" });
  const told = h("p", { role: "status" });
  const best = h("ol", { class: "list" });
  const node = h("section", { class: "card quiz", hidden: true }, count, bar, text, answers, told, best);
  let game = null;
  let question = null;
  let plays = false;
  let chosen = [];
  let asked = -1;

  const reply = () => game.state.replies[me.id]?.choice;
  const answered = () => game.state.replies[me.id] !== undefined;
  const open = () => game.phase === "question_open" && plays && !answered() && !(game.state.late ?? []).includes(me.id);
  const answer = (choice) => move("POST", "/answers", { player_id: me.id, question: game.state.index, choice });
  const isRight = (index) => index === question.right || (question.rights ?? []).includes(index);

  function option(words, index) {
    const revealed = game.phase !== "question_open" && question.type !== "order";
    const given = reply();
    const own = given === index || (Array.isArray(given) && given.includes(index)) || chosen.includes(index);
    const place = question.type === "order" && chosen.includes(index) ? `${chosen.indexOf(index) + 1}. ` : "";
    const tally = revealed && question.type !== "number" ? game.state.tally?.[index] : undefined;
    const sort = ["answer", own && "own", revealed && (isRight(index) ? "right" : own && "wrong")].filter(Boolean).join(" ");
    return h("button", { type: "button", class: sort, "aria-pressed": String(own), disabled: !open(), onclick: () => tapped(index) },
      h("span", {}, place, h("bdi", {}, words)), revealed && isRight(index) && " ✓", tally !== undefined && h("small", {}, String(tally)));
  }

  function tapped(index) {
    if (["choice", "true_false"].includes(question.type)) { answer(index); return; }
    chosen = chosen.includes(index) ? chosen.filter((each) => each !== index) : [...chosen, index];
    drawAnswers();
  }

  function confirm() {
    const full = question.type === "order" ? chosen.length === question.answers.length : chosen.length > 0;
    return h("button", { class: "filled", disabled: !open() || !full, onclick: () => answer(question.type === "order" ? chosen : [...chosen].sort((one, other) => one - other)) }, say("app-confirm"));
  }

  function drawNumber() {
    if (answers.querySelector("input") && open()) return; // it may have the focus
    const field = h("input", { type: "text", inputmode: "decimal", "aria-label": say("app-your-answer"), placeholder: say("app-your-answer"), disabled: !open() });
    const send = (event) => {
      event.preventDefault();
      const typed = field.value.trim().replaceAll(/\s/g, "");
      if (EXACT.test(typed)) answer(typed.replace(",", "."));
      else field.setAttribute("aria-invalid", "true");
    };
    answers.replaceChildren(h("form", { class: "tools", onsubmit: send }, field, h("button", { class: "filled", disabled: !open() }, say("app-confirm"))));
  }

  function drawAnswers() {
    if (question.type === "number") { drawNumber(); return; }
    const focused = [...answers.children].indexOf(document.activeElement);
    answers.replaceChildren(...question.answers.map(option), ...["several", "order"].includes(question.type) && open() ? [confirm()] : []);
    if (focused >= 0) answers.children[focused]?.focus();
  }

  function tell(state) {
    if (game.phase === "question_open") return answered() ? say("app-answered") : plays ? "" : say("app-watching");
    const lines = [];
    if (question.type === "number") lines.push(say("app-right-answer", { answer: String(question.number) }));
    if (question.type === "order") lines.push(say("app-right-answer", { answer: question.rights.map((each) => question.answers[each]).join(", ") }));
    if (plays) lines.push(state.gained?.[me.id] ? say("app-gained", { count: state.gained[me.id] }) : say("app-not-right"));
    if (question.explanation) lines.push(question.explanation);
    return lines.join(" ");
  }

  function drawBest(state) {
    const top = Object.entries(state.scores ?? {}).sort(([, one], [, other]) => other.points - one.points).slice(0, 5);
    best.replaceChildren(...game.phase === "question_reveal" ? top.map(([player, score]) => h("li", { class: Number(player) === me.id ? "mine" : "" },
      h("bdi", {}, names.of(Number(player))), h("span", { class: "soft" }, say("app-points", { count: score.points })))) : []);
  }

  return {
    node,
    draw(newer, { plays: now }) {
      game = newer;
      plays = now;
      const state = game.state;
      question = state.questions?.[state.index] ?? null;
      node.hidden = !question || !["question_open", "question_reveal"].includes(game.phase);
      if (node.hidden) return;
      if (asked !== state.index) { asked = state.index; chosen = []; answers.replaceChildren(); }
      count.textContent = say("app-question", { number: state.index + 1, total: Number(game.rules.questions) });
      text.replaceChildren(h("bdi", {}, question.text));
      drawAnswers();
      told.textContent = tell(state);
      drawBest(state);
    },
    tick(left) {
      bar.hidden = game?.phase !== "question_open" || left === null;
      if (bar.hidden) return;
      bar.value = Math.min(1, left / (Number(game.rules.question_seconds) * 1000));
    },
  };
}
