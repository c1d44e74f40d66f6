// The HTTP API: the session, calls, and retries of writes with the same key.

import { locale } from "./texts.js";

const ROOT = new URL("../api/v1", location.href).pathname;
const PAUSES = [500, 1500, 4000, 8000, 15000];
const TIMEOUT_MS = 20000;

/** The person and the server's clock: `skew` is that clock minus this device's, in ms. */
export const me = { id: 0, name: "", locale: "en", skew: 0 };
let token = "";
let beginning = null;
let login = null;

/** Sets the body with which a session begins, such as Telegram's launch data. */
export const loginBy = (body) => { login = body; };

let inCookie = false;

/** Lets the browser prove the session by its cookie. A page of another site cannot send the header beside it. */
export const useCookie = () => { inCookie = true; };

/** A refusal of the API, with its words in the person's language. */
export class Refusal extends Error {
  constructor(problem, status) {
    super(problem.detail ?? "");
    this.code = problem.code ?? "bug";
    this.errors = problem.errors ?? [];
    this.status = status;
  }
}

/** The network, or the server, is away. */
export class Away extends Error {}

export const serverNow = () => Date.now() + me.skew;

async function send(method, path, { body, key, file, tag, whole } = {}) {
  const headers = { "Accept-Language": locale };
  if (inCookie) headers["X-Tombola-Page"] = "1";
  if (tag) headers["If-Match"] = tag;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (key) headers["Idempotency-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response, content;
  try {
    const options = { method, headers, body: file ?? (body === undefined ? undefined : JSON.stringify(body)), credentials: inCookie ? "same-origin" : "omit", cache: "no-store" };
    response = await fetch(`${ROOT}${path}`, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (whole === "file" && response.ok) return await response.blob();
    content = response.status === 204 ? null : await response.json();
  } catch {
    throw new Away();
  }
  if (response.ok) return whole === "tag" ? { content, tag: response.headers.get("ETag") } : content;
  // The server says itself when a repeat makes sense.
  if (response.status >= 500 || ["too-many-requests", "request-in-progress"].includes(content.code)) throw new Away();
  throw new Refusal(content, response.status);
}

/** Begins a session. Calls at the same time share one. */
export function begin() {
  beginning ??= (async () => {
    const asked = Date.now();
    token = "";
    const session = await send("POST", "/sessions", { body: login });
    token = session.token;
    const skew = Date.parse(session.now) - (asked + Date.now()) / 2;
    Object.assign(me, { id: session.player_id, name: session.name, locale: session.locale, skew });
  })().finally(() => { beginning = null; });
  return beginning;
}

async function once(method, path, options) {
  const used = token;
  try {
    return await send(method, path, options);
  } catch (error) {
    if (inCookie || error.code !== "not-authenticated") throw error;
    if (used === token) await begin(); // the session has ended, the launch data may still count
    return send(method, path, options);
  }
}

export const read = (path) => once("GET", path);

/** Reads something with its entity tag, for a change that is refused if somebody else was first. */
export const readTagged = (path) => once("GET", path, { whole: "tag" });

/** Reads a file. */
export const readFile = (path) => once("GET", path, { whole: "file" });

/** Makes a write without a repeat, for callers that repeat in their own time. */
export const attempt = (method, path) => once(method, path, { key: newKey() });

const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Makes a write. While the network is away it is sent again with the same key, so it has one effect. */
export async function write(method, path, body, more = {}) {
  const key = newKey();
  let waits = false;
  try {
    for (const pause of PAUSES) {
      try {
        return await once(method, path, { body, key, ...more });
      } catch (error) {
        if (!(error instanceof Away)) throw error;
      }
      if (!waits) count(1);
      waits = true;
      await new Promise((done) => { setTimeout(done, pause * (0.75 + Math.random() / 2)); });
    }
    return await once(method, path, { body, key, ...more });
  } finally {
    if (waits) count(-1);
  }
}

let unsent = 0;
let announce = () => {};

function count(by) {
  unsent += by;
  announce(unsent > 0);
}

/** Calls `listen` with true when a write begins to wait for the network, and with false when none waits any more. */
export const onUnsent = (listen) => { announce = listen; };
