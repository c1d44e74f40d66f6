// Quiz: the question, its timer by the server's clock, the own answer, and the right one.

import { me } from "./shared/api.js";
import { h } from "./shared/dom.js";
import { decimal, say } from "./shared/texts.js";

const ONE_TAP = ["choice", "true_false"];

export function quizPart({ names, move }) {
  const text = h("h2", { class: "question" });
  const count = h("p", { class: "soft" });
  const bar = h("progress", { max: "1", value: "0", "aria-label": say("app-time-left") });
  const answers = h("div", { class: "answers" });
  const told = h("div", { role: "status" });
  const best = h("ol", { class: "list" });
  const node = h("section", { class: "card quiz", hidden: true }, count, bar, text, answers, told, best);
  let game = null;
  let question = null;
  let plays = false;
  let chosen = [];
  let asked = -1;
  let isSending = false;

  const reply = () => game.state.replies[me.id]?.choice;
  const answered = () => game.state.replies[me.id] !== undefined;
  const isLate = () => (game.state.late ?? []).includes(me.id);
  const isPaused = () => Number.isFinite(game.state.remaining);
  const open = () => game.phase === "question_open" && plays && !answered() && !isLate() && !isPaused() && !isSending;
  const isRight = (index) => index === question.right || (question.rights ?? []).includes(index);

  async function answer(choice) {
    const { index } = game.state;
    isSending = true;
    drawAnswers();
    const accepted = await move("POST", "/answers", { player_id: me.id, question: index, choice });
    isSending = false;
    if (index !== asked) return;
    if (!accepted && ONE_TAP.includes(question.type)) chosen = [];
    drawAnswers();
  }

  function option(words, index) {
    const revealed = game.phase !== "question_open" && question.type !== "order";
    const given = reply();
    const own = given === index || (Array.isArray(given) && given.includes(index)) || chosen.includes(index);
    const place = question.type === "order" && chosen.includes(index) ? `${chosen.indexOf(index) + 1}. ` : "";
    const tally = revealed && question.type !== "number" ? game.state.tally?.[index] : undefined;
    const sort = ["answer", own && "own", own && isSending && "sending", revealed && (isRight(index) ? "right" : own && "wrong")].filter(Boolean).join(" ");
    const mark = revealed && (isRight(index) ? "✓" : own && "✗");
    return h("button", { type: "button", class: sort, "aria-pressed": String(own), disabled: !open(), onclick: () => tapped(index) },
      h("span", { class: "words" }, place, h("bdi", {}, words)), mark, tally !== undefined && h("small", {}, String(tally)));
  }

  function tapped(index) {
    if (ONE_TAP.includes(question.type)) { chosen = [index]; answer(index); return; }
    chosen = chosen.includes(index) ? chosen.filter((each) => each !== index) : [...chosen, index];
    drawAnswers();
  }

  function confirm() {
    const full = question.type === "order" ? chosen.length === question.answers.length : chosen.length > 0;
    return h("button", { class: "filled", disabled: !open() || !full, onclick: () => answer(question.type === "order" ? chosen : [...chosen].sort((one, other) => one - other)) }, say("app-confirm"));
  }

  function drawNumber() {
    const known = answers.querySelector("form");
    if (!plays || answered() || game.phase !== "question_open") { answers.replaceChildren(); return; }
    if (known) { // the field may have the focus, and a text
      for (const each of known.elements) each.disabled = !open();
      return;
    }
    const field = h("input", { type: "text", inputmode: "decimal", maxlength: "40", autocomplete: "off", "aria-label": say("app-your-answer"), placeholder: say("app-your-answer"), disabled: !open() });
    const problem = h("span", { class: "problem", id: "problem", role: "alert" });
    const send = (event) => {
      event.preventDefault();
      const typed = decimal(field.value);
      field.setAttribute("aria-invalid", String(typed === null));
      problem.textContent = typed === null ? say("app-no-number") : "";
      if (typed === null) { field.setAttribute("aria-describedby", "problem"); field.focus(); } else answer(typed);
    };
    answers.replaceChildren(h("form", { class: "tools", onsubmit: send }, field, h("button", { class: "filled", disabled: !open() }, say("app-confirm")), problem));
  }

  function drawAnswers() {
    if (question.type === "number") { drawNumber(); return; }
    const focused = [...answers.children].indexOf(document.activeElement);
    const isDrafted = game.phase === "question_open" && plays && !answered() && !isLate() && !ONE_TAP.includes(question.type);
    answers.replaceChildren(...question.answers.map(option), ...isDrafted ? [confirm()] : []);
    if (focused >= 0) answers.children[focused]?.focus();
  }

  /** Returns the lines below the question. */
  function lines(state) {
    const ownNumber = question.type === "number" && answered() ? [say("app-own-answer", { answer: String(reply()) })] : [];
    if (game.phase === "question_open") {
      if (answered()) return [say("app-answered"), ...ownNumber];
      return plays ? isLate() ? [say("app-late")] : [] : [say("app-watching")];
    }
    const lines = ownNumber;
    if (question.type === "number") lines.push(say("app-right-answer", { answer: String(question.number) }));
    if (question.type === "order") lines.push(say("app-right-answer", { answer: question.rights.map((each) => question.answers[each]).join(", ") }));
    if (plays) lines.push(state.gained?.[me.id] ? say("app-gained", { count: state.gained[me.id] }) : say("app-not-right"));
    if (question.explanation) lines.push(question.explanation);
    return lines;
  }

  function drawLines(words) {
    // A screen reader would read the same words again.
    if (told.dataset.words === words.join("\n")) return;
    told.dataset.words = words.join("\n");
    told.replaceChildren(...words.map((line) => h("p", { dir: "auto" }, line)));
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
      if (asked !== state.index) { asked = state.index; chosen = []; answers.replaceChildren(); drawLines([]); }
      count.textContent = say("app-question", { number: state.index + 1, total: Number(game.rules.questions) });
      text.replaceChildren(h("bdi", {}, question.text));
      drawAnswers();
      drawLines(lines(state));
      drawBest(state);
    },
    tick(left) {
      bar.hidden = game?.phase !== "question_open" || left === null || isPaused();
      if (bar.hidden) return;
      bar.value = Math.min(1, left / (Number(game.rules.question_seconds) * 1000));
    },
  };
}
