// Pick Your Number: the whole board, the own pick, and the draw in the order of its proof.

import { me } from "./shared/api.js";
import { h } from "./shared/dom.js";
import { vibrate } from "./telegram.js";
import { say } from "./shared/texts.js";

export function numbersPart({ names, move }) {
  const cells = new Map();
  let game = null;
  let plays = false;
  let shown = 0;
  let seen = false; // numbers that were drawn before the page was opened are no news

  const mine = h("p", { class: "mine-line", role: "status" });
  const search = h("input", { type: "number", inputmode: "numeric", min: "1", "aria-label": say("app-search"), placeholder: say("app-search"), oninput: find });
  const zoom = h("input", { type: "range", min: "28", max: "88", value: "48", "aria-label": say("app-zoom"), oninput: () => grid.style.setProperty("--cell", `${zoom.value}px`) });
  const tools = h("div", { class: "tools" }, search, zoom);
  const grid = h("div", { class: "grid", role: "group", "aria-label": say("app-board"), onclick: tapped, onkeydown: moved });
  const board = h("section", { class: "board" }, mine, tools, grid);
  const drawn = h("ol", { class: "drawn", "aria-label": say("app-drawn") });
  const draw = h("section", { class: "card", hidden: true }, h("h2", {}, say("app-drawn")), drawn);
  const seal = h("p", { class: "seal soft" });
  const node = h("div", { class: "numbers" }, draw, board, seal);

  function build(highest) {
    if (cells.size === highest) return;
    cells.clear();
    const made = [];
    for (let each = 1; each <= highest; each += 1) {
      const cell = h("button", { type: "button", "data-number": each, tabindex: each === 1 ? "0" : "-1" }, String(each));
      cells.set(each, cell);
      made.push(cell);
    }
    grid.replaceChildren(...made);
    grid.style.setProperty("--cell", `${zoom.value}px`);
  }

  function find() {
    for (const cell of grid.querySelectorAll(".found")) cell.classList.remove("found");
    const cell = cells.get(Number(search.value));
    if (!cell) return;
    cell.classList.add("found");
    focusOn(cell, false); // Tab leads to it
    cell.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  function focusOn(cell, really = true) {
    grid.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
    cell.setAttribute("tabindex", "0");
    if (really) cell.focus();
  }

  /** Moves the focus by the arrow keys, as in a grid. */
  function moved(event) {
    const from = Number(event.target.dataset?.number);
    const wide = Math.max(1, Math.floor(grid.clientWidth / (cells.get(1)?.offsetWidth + 4 || 1)));
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide }[event.key];
    const cell = by && cells.get(from + by);
    if (!cell) return;
    event.preventDefault();
    focusOn(cell);
  }

  async function tapped(event) {
    const wanted = Number(event.target.closest("button")?.dataset.number);
    const cell = cells.get(wanted);
    if (!cell || cell.getAttribute("aria-disabled") === "true") return;
    vibrate("tap");
    cell.classList.add("sending");
    await move("POST", "/picks", { player_id: me.id, number: wanted }, say("app-picked", { number: String(wanted) }));
    cell.classList.remove("sending");
  }

  function drawBoard(state) {
    const picks = game.phase === "number_selection";
    board.hidden = !state.highest;
    tools.hidden = !state.highest;
    if (!state.highest) return;
    build(state.highest);
    const hits = new Set(state.drawn ?? []);
    for (const [each, cell] of cells) {
      const owner = state.owners[each];
      const own = owner === me.id;
      const written = String(each); // a number of a board has no thousands separator
      const name = owner === undefined ? say("app-free", { number: written })
        : own ? say("app-yours", { number: written })
          : owner ? say("app-taken-by", { number: written, name: names.of(owner) }) : say("app-taken", { number: written });
      const kind = [own && "own", owner !== undefined && !own && "taken", hits.has(each) && "hit"].filter(Boolean).join(" ");
      const closed = String(!(picks && plays && owner === undefined));
      if (cell.dataset.kind !== kind) { for (const old of ["own", "taken", "hit"]) cell.classList.toggle(old, kind.split(" ").includes(old)); cell.dataset.kind = kind; }
      if (cell.getAttribute("aria-disabled") !== closed) cell.setAttribute("aria-disabled", closed);
      if (cell.getAttribute("aria-label") !== name) { cell.setAttribute("aria-label", name); cell.title = name; }
      cell.setAttribute("aria-pressed", String(own));
    }
    const own = Object.entries(state.owners).find(([, owner]) => owner === me.id)?.[0];
    mine.textContent = own ? say("app-your-number", { number: own }) : picks && plays ? say("app-pick-one") : picks ? say("app-watching") : "";
  }

  function drawDraw(state) {
    const order = state.drawn ?? [];
    const isReverse = game.rules.mode === "reverse"; // a drawn number is out
    draw.hidden = !order.length;
    for (const each of order.slice(shown)) {
      const owner = state.owners[each];
      const owned = owner !== undefined;
      const sort = ["chip", owned && "owned", owned && (isReverse ? "out" : "won")].filter(Boolean).join(" ");
      drawn.append(h("li", { class: sort, "data-number": each }, owned && isReverse && "💥", h("b", {}, String(each)), owned && h("bdi", {}, names.of(owner))));
      if (owner === me.id && seen) vibrate(isReverse ? "warning" : "success");
    }
    shown = order.length;
    seen = true;
    // A name may come after its number.
    for (const chip of drawn.querySelectorAll(".owned")) chip.lastChild.textContent = names.of(state.owners[chip.dataset.number]);
  }

  return {
    node,
    draw(newer, { plays: now }) {
      game = newer;
      plays = now;
      drawBoard(game.state);
      drawDraw(game.state);
      seal.textContent = game.state.commitment ? say("app-sealed", { hash: game.state.commitment }) : "";
    },
  };
}
