// Packs of questions: an editor that checks as one types, import and export.

import { Refusal, read, write } from "./shared/api.js";
import { fill, h, toast, typed } from "./shared/dom.js";
import { locale, number, say } from "./shared/texts.js";
import { complain, field, graveButton, link, table } from "./parts.js";
import { save } from "./results.js";

const PAUSE_MS = 600;
const MOST = 1 << 20;

/** Writes cells as a line of CSV. A cell that begins like a formula stays text for the bot, which reads no formulas. */
const line = (cells) => cells.map((cell) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll("\"", "\"\"")}"` : cell)).join(",");

export async function packsPart(body, chat) {
  const base = `/chats/${chat}/packs`;
  const list = h("section", { class: "card" });
  const columns = ["name", "language", "questions", "step"].map((name) => say(`dash-column-${name}`));

  async function again() {
    const packs = await read(base);
    fill(list, h("h2", {}, say("dash-part-packs")), table(say("dash-part-packs"), columns, packs.map((pack) => [typed(pack.name), pack.language, number(pack.questions), h("div", { class: "tools" },
      link(`#/chat/${chat}/open/quiz/${pack.id}`, say("dash-open-quiz")),
      h("button", { onclick: () => copy(pack) }, say("dash-copy")),
      ["csv", "json", "xlsx"].map((format) => h("button", { onclick: () => save(`${base}/${pack.id}/export?format=${format}`, `pack-${pack.id}.${format}`), "aria-label": `${say("dash-export", { format: format.toUpperCase() })}: ${pack.name}` }, format.toUpperCase())),
      graveButton(say("dash-delete"), say("dash-delete-pack-sure", { name: pack.name }), () => ["DELETE", `${base}/${pack.id}`], again))])));
  }

  const name = field(say("dash-name"), { maxlength: "64", required: true, oninput: changed });
  const rows = h("div", { class: "questions" });
  const verdict = h("div", { class: "verdict", role: "status" });
  const add = h("button", { type: "button", onclick: () => { addRow().focus(); } }, say("dash-add-question"));
  const store = h("button", { class: "filled", type: "submit", disabled: true }, say("dash-save-pack"));
  let timer = 0;
  let checked = 0;
  let file = null; // an imported file takes the place of the rows

  function addRow(cells = ["", "", "", "", ""]) {
    const index = rows.childElementCount + 1;
    const labels = [say("dash-question", { number: index }), say("dash-right-answer"), ...[1, 2, 3].map((each) => say("dash-wrong-answer", { number: each }))];
    const inputs = labels.map((label, each) => field(label, { value: cells[each] ?? "", maxlength: each ? "200" : "300", oninput: changed }));
    const remove = h("button", { type: "button", onclick: () => { row.remove(); changed(); } }, say("dash-remove-question"));
    const row = h("fieldset", {}, h("legend", {}, say("dash-question", { number: index })), inputs.map((each) => each.node), remove);
    row.cells = () => inputs.map((each) => each.value.trim());
    rows.append(row);
    return inputs[0].input;
  }

  function written() {
    if (file) return { content: file, filename: file.name };
    const filled = [...rows.children].map((row) => row.cells()).filter((cells) => cells.some(Boolean));
    const text = ["question,answer,wrong 1,wrong 2,wrong 3", ...filled.map(line)].join("\n");
    return { content: new Blob([text], { type: "text/csv" }), filename: "pack.csv", count: filled.length };
  }

  const query = (filename) => new URLSearchParams({ filename, language: file ? locale : "en" });

  function changed() {
    clearTimeout(timer);
    store.disabled = true;
    timer = setTimeout(check, PAUSE_MS);
  }

  async function check() {
    const mine = checked += 1;
    const { content, filename, count } = written();
    if (count === 0) { fill(verdict); return; }
    try {
      const read_ = await write("POST", `${base}/preview?${query(filename)}`, undefined, { file: content });
      if (mine !== checked) return;
      fill(verdict, h("p", { class: "good" }, `✓ ${say("dash-pack-good", { count: read_.questions })}`), read_.notes.map((note) => h("p", {}, note)),
        file && h("ol", {}, read_.sample.map((each) => h("li", {}, typed(each.text), each.rights.length > 0 && h("span", { class: "soft" }, " – ", typed(each.rights.map((right) => each.answers[right]).join(", ")))))));
      store.disabled = !name.value.trim();
      if (!name.value.trim()) verdict.append(h("p", {}, say("dash-pack-nameless")));
    } catch (error) {
      if (mine !== checked) return;
      if (!(error instanceof Refusal)) { complain(error); return; }
      fill(verdict, h("p", { class: "problem" }, error.message), h("ul", {}, error.errors.map((each) => h("li", {}, place(each), typed(each.detail)))));
    }
  }

  /** Returns the place of a mistake, as a person sees it: line 2 of the text is the first question. */
  const place = (each) => {
    const at = /^line (\d+)/.exec(each.pointer ?? each.field ?? "")?.[1];
    return at ? `${file ? say("dash-line", { number: at }) : say("dash-question", { number: Number(at) - 1 })}: ` : "";
  };

  async function send(event) {
    event.preventDefault();
    const { content, filename } = written();
    store.disabled = true;
    try {
      const parameters = query(filename);
      parameters.set("name", name.value.trim());
      const made = await write("POST", `${base}?${parameters}`, undefined, { file: content });
      toast(say("dash-pack-saved"));
      await again();
      fill(verdict, h("p", {}, say("dash-pack-saved"), " ", link(`#/chat/${chat}/open/quiz/${made.id}`, say("dash-open-quiz"))));
    } catch (error) { complain(error); store.disabled = false; }
  }

  async function copy(pack) {
    try {
      const found = [];
      let cursor = "";
      do {
        const page = await read(`${base}/${pack.id}/questions?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
        found.push(...page.items);
        cursor = page.next;
      } while (cursor && found.length < 500);
      const simple = found.filter((each) => each.type === "choice" && each.answers.length <= 4);
      file = null;
      chosen.value = "";
      rows.replaceChildren();
      for (const each of simple) addRow([each.text, each.answers[each.rights[0]], ...each.answers.filter((_, index) => index !== each.rights[0])]);
      name.input.value = pack.name;
      if (simple.length < found.length) toast(say("dash-copy-partly", { count: found.length - simple.length }), "bad");
      changed();
      name.input.focus();
    } catch (error) { complain(error); }
  }

  const chosen = h("input", { type: "file", id: "pack-file", accept: ".csv,.json,.xlsx,.txt,.md,.gift", onchange: () => {
    file = chosen.files[0] ?? null;
    if (file && file.size > MOST) { toast(say("dash-file-large"), "bad"); chosen.value = ""; file = null; }
    rows.hidden = add.hidden = Boolean(file);
    if (file && !name.value) name.input.value = file.name.replace(/\.\w+$/, "").slice(0, 64);
    changed();
  } });

  await again();
  addRow();
  const editor = h("form", { class: "card", onsubmit: send }, h("h2", {}, say("dash-pack-new")), h("p", { class: "soft" }, say("dash-pack-about")), name.node,
    h("div", { class: "field" }, h("label", { for: "pack-file" }, say("dash-import")), chosen), rows, add, verdict, h("div", { class: "tools" }, store));
  body.append(list, editor);
  return () => clearTimeout(timer);
}
