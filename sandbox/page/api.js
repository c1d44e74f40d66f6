// The control surface of the sandbox, and the stream of its changes.

import { notice } from "./dom.js";

/** The last answer of /sandbox/state; `skew` is the server's clock minus the browser's, in seconds. */
export const world = { bot: null, languages: ["en"], users: new Map(), groups: new Map(), skew: 0, api: "", token: "" };

export function serverNow() {
  return Date.now() / 1000 + world.skew;
}

export async function get(path, params = {}) {
  const query = new URLSearchParams(params).toString();
  const response = await fetch(`/sandbox/${path}${query ? `?${query}` : ""}`);
  return response.json();
}

/** Posts an action. Shows a refusal and returns null for it. */
export async function act(verb, body) {
  try {
    const response = await fetch(`/sandbox/${verb}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const result = await response.json();
    if (response.ok) return result;
    notice(result.error);
  } catch {
    notice("The sandbox is not answering");
  }
  return null;
}

export async function refreshState() {
  const state = await get("state");
  world.bot = state.bot;
  world.languages = state.languages;
  world.users = new Map(state.users.map((user) => [user.id, user]));
  world.groups = new Map(state.groups.map((group) => [group.id, group]));
  world.skew = state.now - Date.now() / 1000;
  world.api = state.api;
  world.token = state.token;
}

/** Calls `listen` with each batch of changes, and with null at each start of the stream, which lacks earlier changes. */
export function follow(listen) {
  const source = new EventSource("/sandbox/events");
  source.onmessage = (event) => listen(JSON.parse(event.data));
  source.onerror = () => document.body.classList.add("lost");
  source.onopen = () => {
    document.body.classList.remove("lost");
    listen(null);
  };
}
