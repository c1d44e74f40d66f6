// Jobs, and those that have failed for good.

import { h, typed } from "./shared/dom.js";
import { say } from "./shared/texts.js";
import { act, field, graveButton, listed, table, when } from "./parts.js";

const STATUSES = ["dead", "queued", "running", "done", "cancelled"];

export async function jobsPage(body) {
  const list = h("section", { class: "card" });
  const columns = ["number", "kind", "status", "chat", "attempts", "error", "since", "step"].map((name) => say(`dash-column-${name}`));
  let again = () => {};
  const status = field(say("dash-column-status"), { options: [["", say("dash-everything")], ...STATUSES.map((each) => [each, say(`dash-status-${each}`)])], onchange: () => again() });
  function steps(job) {
    if (["dead", "cancelled"].includes(job.status)) {
      const button = h("button", { onclick: async () => { if (await act(button, "POST", `/jobs/${job.id}/repeat`)) again(); } }, say("dash-repeat"));
      return button;
    }
    return ["queued", "running"].includes(job.status) ? graveButton(say("dash-stop"), say("dash-stop-sure"), () => ["POST", `/jobs/${job.id}/cancel`], () => again()) : "–";
  }
  again = await listed(list, () => `/jobs${status.value && `?status=${status.value}`}`, (items) => table(say("dash-page-jobs"), columns, items.map((job) => [
    String(job.id), job.kind, say(`dash-status-${job.status}`), job.chat_id ? String(job.chat_id) : "–", String(job.attempts), typed(job.error || "–"), when(job.created_at), steps(job)])));
  body.append(h("h1", {}, say("dash-page-jobs")), h("p", { class: "soft" }, say("dash-jobs-about")), h("div", { class: "filters" }, status.node), list,
    h("button", { onclick: () => again() }, say("dash-refresh")));
}
