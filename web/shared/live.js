// Live updates: one WebSocket, which continues from its last cursor after a break.

import { Refusal, attempt } from "./api.js";

const SILENCE_MS = 45000; // the server sends a sign of life every 20 seconds
const LONGEST_PAUSE_MS = 15000;

/** Applies a JSON merge patch (RFC 7396). */
function merged(target, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const result = target && typeof target === "object" && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

export class Live {
  /**
   * @param watched `{games: [...]}` or `{chats: [...]}`
   * @param changed called with a game that has changed
   * @param state called with `on`, `away`, or a Refusal that ends it
   */
  constructor(watched, changed, state) {
    this.watched = watched;
    this.changed = changed;
    this.state = state;
    this.games = new Map();
    this.cursor = null;
    this.pause = 500;
    this.hurry = () => { if (!this.socket && !this.over) { clearTimeout(this.timer); this.connect(); } };
    window.addEventListener("online", this.hurry);
    this.offline = () => this.socket?.close();
    window.addEventListener("offline", this.offline);
    this.connect();
  }

  async connect() {
    if (this.connecting) return;
    this.connecting = true;
    try {
      const { ticket } = await attempt("POST", "/live/tickets");
      if (this.over) return;
      const address = new URL(`../api/v1/live?ticket=${encodeURIComponent(ticket)}`, location.href);
      address.protocol = address.protocol.replace("http", "ws");
      address.hash = "";
      const socket = this.socket = new WebSocket(address);
      socket.onopen = () => socket.send(JSON.stringify({ type: "subscribe", ...this.watched, cursor: this.cursor }));
      socket.onmessage = (event) => this.take(JSON.parse(event.data));
      socket.onclose = () => { if (this.socket === socket) this.again(); };
      this.watch();
    } catch (error) {
      if (error instanceof Refusal) this.end(error);
      else this.again();
    } finally {
      this.connecting = false;
    }
  }

  watch() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.socket?.close(), SILENCE_MS);
  }

  again() {
    this.socket = null;
    clearTimeout(this.silence);
    if (this.over) return;
    this.state("away");
    this.timer = setTimeout(() => this.connect(), this.pause * (0.75 + Math.random() / 2));
    this.pause = Math.min(LONGEST_PAUSE_MS, this.pause * 2);
  }

  take({ cursor, messages }) {
    this.watch();
    const touched = new Set();
    for (const message of messages) {
      // The session has ended while the page was open: the next ticket begins another one, or tells that none begins.
      const isOver = message.type === "closing" && message.retry_ms === null && message.code !== "not-authenticated";
      if (isOver) this.end(new Refusal({ code: message.code }, 403));
      if (message.type === "closing" && message.retry_ms !== null) this.pause = Math.max(200, message.retry_ms);
      if (message.type === "unsubscribed") this.end(new Refusal({ code: message.code }, 403));
      if (message.type === "refused") this.refused(message);
      if (message.type === "snapshot" || message.game) this.games.set(message.game_id, message.game);
      else if (message.type === "events") {
        const known = this.games.get(message.game_id);
        if (known?.version === message.since) this.games.set(message.game_id, merged(known, message.patch));
        else if (known) { this.cursor = null; this.socket?.close(); return; } // never expected: start from snapshots
      }
      if (message.game_id) touched.add(message.game_id);
    }
    if (cursor) {
      this.cursor = cursor;
      this.pause = 500;
      this.state("on");
    }
    for (const id of touched) if (this.games.has(id)) this.changed(this.games.get(id));
  }

  refused(message) {
    if (message.code === "bad-cursor") { this.cursor = null; this.socket?.close(); } else this.end(new Refusal(message, 403));
  }

  end(error) {
    this.close();
    this.state(error);
  }

  close() {
    this.over = true;
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    window.removeEventListener("online", this.hurry);
    window.removeEventListener("offline", this.offline);
    this.socket?.close();
  }
}
