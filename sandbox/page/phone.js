// A phone: one person looking at one chat.

import { act, get, world } from "./api.js";
import { avatar, h, icon, notice } from "./dom.js";
import { openApp } from "./miniapp.js";
import { gathered, messageNode, shortText } from "./message.js";

/** Commands offered to an administrator before the first game. */
const BEGINNINGS = [["🎱 Open a game", "/create_game Friday draw"], ["🧠 Start a quiz", "/start_quiz 5"], ["Choose the rules", "/newgame"]];

export class Phone {
  constructor(user, chat, closed) {
    this.user = user;
    this.chat = chat;
    this.thread = null;
    this.closed = closed;
    this.nodes = new Map();
    this.view = { messages: [], commands: [] };
    this.waiting = new Map();
    this.replying = null;
    this.build();
  }

  get person() { return world.users.get(this.user); }

  isGroup() { return this.chat < 0; }

  title() { return this.isGroup() ? world.groups.get(this.chat)?.title ?? "Group" : world.bot.first_name; }

  build() {
    this.head = h("header", { class: "phone-head" });
    this.topics = h("nav", { class: "topics" });
    this.pinned = h("div", { class: "pinned" });
    this.list = h("div", { class: "messages", role: "log", onscroll: () => { this.atEnd = isAtEnd(this.list); } });
    this.atEnd = true;
    new ResizeObserver(() => this.stayAtEnd()).observe(this.list);
    this.toasts = h("div", { class: "toasts" });
    this.menu = h("div", { class: "commands" });
    this.menu.hidden = true;
    this.quote = h("div", { class: "replying" });
    this.input = h("textarea", { rows: "1", placeholder: "Message", "aria-label": "Message", oninput: () => this.typed(), onkeydown: (event) => this.key(event) });
    this.chips = h("div", { class: "chips" });
    this.slash = h("button", { type: "button", class: "plain round slash", title: "Commands", "aria-label": "Commands", "aria-expanded": "false", onclick: () => this.showCommands() }, "/");
    this.file = h("input", { type: "file", hidden: true, onchange: () => this.upload() });
    this.composer = h("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.send(); } },
      this.file,
      h("button", { type: "button", class: "plain round", title: "Send a file", "aria-label": "Send a file", onclick: () => this.file.click() }, icon("clip")),
      this.input,
      this.slash,
      h("button", { class: "plain round send", title: "Send", "aria-label": "Send" }, icon("send")));
    this.keys = h("div", { class: "reply-keyboard" });
    this.node = h("section", { class: "phone" }, this.head, this.topics, this.pinned,
      h("div", { class: "middle" }, this.list, this.toasts, this.menu), this.chips, this.quote, this.composer, this.keys);
  }

  /** Draws the frame of the messages: names, the choice of chats, topics. */
  drawHead() {
    const groups = [...world.groups.values()].filter((group) => isMember(group, this.user) && !group.migrated_to);
    const tab = (id, text) => h("button", { class: id === this.chat ? "tab on" : "tab", "aria-current": id === this.chat && "true", onclick: () => this.show(id) }, text);
    const group = world.groups.get(this.chat);
    const count = group ? Object.values(group.members).filter((member) => !["left", "kicked"].includes(member.status)).length : 0;
    const status = this.view.typing ? "typing…" : group ? `${count} members` : this.person?.blocked ? "blocked" : "bot";
    this.head.replaceChildren(
      h("div", { class: "phone-title" },
        h("button", { class: "plain round to-people", title: "People", "aria-label": "People", onclick: (event) => { event.stopPropagation(); document.body.classList.toggle("people-open"); } }, icon("people")),
        avatar(this.isGroup() ? this.chat : world.bot.id, this.title(), this.isGroup() ? "" : "bot"),
        h("div", { class: "grow" }, h("b", {}, this.title()), h("small", { class: this.view.typing ? "live" : "" }, status)),
        h("span", { class: "as", title: "Whose phone this is" }, avatar(this.user, this.person?.name ?? "?", "tiny"), this.person?.first_name),
        h("button", { class: "plain round", title: "Close this phone", "aria-label": "Close this phone", onclick: () => this.closed(this) }, icon("close"))),
      h("div", { class: "tabs" }, groups.map((other) => tab(other.id, other.title)), tab(this.user, "Private chat")));
    this.drawTopics(group);
  }

  drawTopics(group) {
    this.topics.hidden = !group?.is_forum;
    if (!group?.is_forum) { this.thread = null; return; }
    const topic = (id, name) => h("button", { class: this.thread === id ? "tab on" : "tab", "aria-current": this.thread === id && "true", onclick: () => { this.thread = id; this.draw(); } }, name);
    this.topics.replaceChildren(topic(null, "General"), ...group.topics.map((item) => topic(item.id, item.closed ? `${item.name} (closed)` : item.name)));
  }

  show(chat) {
    this.chat = chat;
    this.thread = null;
    this.replying = null;
    this.nodes.clear();
    this.list.replaceChildren();
    return this.refresh();
  }

  /** Fetches the chat and draws it. A call in the meantime makes it run once more. */
  async refresh() {
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    try {
      do {
        this.again = false;
        const chat = this.chat;
        const view = await get("view", { user: this.user, chat });
        if (chat === this.chat && !view.error) this.view = view;
        else this.again = chat !== this.chat;
      } while (this.again);
    } catch {
      return; // the sandbox is away: the stream of changes says so, and asks anew when it is back
    } finally {
      this.busy = false;
    }
    this.draw();
  }

  draw() {
    this.drawHead();
    const group = world.groups.get(this.chat);
    const all = gathered(this.view.messages.filter((message) => !group?.is_forum || message.thread === this.thread));
    const kept = new Map();
    let place = null;
    all.forEach((message, index) => {
      const key = message.ephemeral ? `e${message.ephemeral}` : `m${message.id}`;
      const print = JSON.stringify([message, all[index - 1]?.from, all[index - 1]?.date, message.reply_to && all.find((other) => other.id === message.reply_to)?.content]);
      let known = this.nodes.get(key);
      if (!known || known.print !== print) {
        const node = messageNode(this, message, all[index - 1], all);
        if (known) known.node.replaceWith(node);
        known = { node, print };
      }
      kept.set(key, known);
      if (place ? place.nextSibling !== known.node : this.list.firstChild !== known.node) this.list.insertBefore(known.node, place ? place.nextSibling : this.list.firstChild);
      place = known.node;
    });
    for (const [key, { node }] of this.nodes) if (!kept.has(key)) node.remove();
    this.nodes = kept;
    for (const stray of [...this.list.children]) if (stray.classList.contains("empty")) stray.remove();
    if (!all.length) this.list.append(this.emptyChat());
    if (this.firstDrawn !== this.chat) this.atEnd = true;
    this.firstDrawn = this.chat;
    this.stayAtEnd();
    this.drawPinned();
    this.drawKeys(all);
    this.drawChips(group, all);
    this.drawQuote();
  }

  /** Keeps the newest message in view, if it was, while the content grows. */
  stayAtEnd() {
    if (this.atEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  emptyChat() {
    if (this.isGroup()) return h("div", { class: "empty" }, h("p", {}, "Nothing here yet"));
    return h("div", { class: "empty" },
      this.view.description && h("p", {}, this.view.description),
      h("button", { class: "filled", onclick: () => act("start", { user: this.user }) }, "Start"));
  }

  drawPinned() {
    const { pinned } = this.view;
    this.pinned.hidden = !pinned;
    if (pinned) this.pinned.replaceChildren(icon("pin"), h("span", {}, h("b", {}, "Pinned"), shortText(pinned)));
  }

  drawKeys(all) {
    const last = [...all].reverse().find((message) => message.markup?.keyboard || message.markup?.remove_keyboard);
    const rows = last?.markup.keyboard ?? [];
    this.keys.hidden = !rows.length;
    this.keys.replaceChildren(...rows.map((row) => h("div", { class: "keys" }, row.map((key) => {
      const text = typeof key === "string" ? key : key.text;
      return h("button", { class: "key", onclick: () => this.say(text) }, text);
    }))));
  }

  /** Creates buttons that start the first game, for administrators only. */
  drawChips(group, all) {
    const may = ["creator", "administrator"].includes(group?.members[this.user]?.status) && isMember(group, world.bot.id);
    this.chips.hidden = !may || all.some((message) => message.from === world.bot.id && message.markup?.inline_keyboard);
    if (!this.chips.hidden && !this.chips.childElementCount) {
      this.chips.replaceChildren(...BEGINNINGS.map(([words, command]) => h("button", { title: command, onclick: () => this.say(command) }, words)));
    }
  }

  drawQuote() {
    this.quote.hidden = !this.replying;
    if (this.replying) {
      this.quote.replaceChildren(icon("reply"), h("span", {}, h("b", {}, this.replying.name), shortText(this.replying)),
        h("button", { class: "plain round", title: "No reply", "aria-label": "No reply", onclick: () => this.replyTo(null) }, icon("close")));
    }
  }

  replyTo(message) {
    this.replying = message;
    this.drawQuote();
    this.input.focus();
  }

  typed() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(120, this.input.scrollHeight)}px`;
    const text = this.input.value;
    const wanted = text.startsWith("/") && !/\s/.test(text) ? text.slice(1).toLowerCase() : null;
    this.listCommands(wanted === null ? [] : this.view.commands.filter((command) => command.command.startsWith(wanted)));
  }

  /** Shows the person's commands in this chat; hides them on the next call. */
  showCommands() {
    this.listCommands(this.menu.hidden ? this.view.commands : []);
    this.input.focus();
  }

  listCommands(matching) {
    this.menu.hidden = !matching.length;
    this.slash.setAttribute("aria-expanded", String(!this.menu.hidden));
    this.menu.replaceChildren(...matching.map((command) => h("button", { onclick: () => { this.input.value = `/${command.command}`; this.send(); } },
      h("b", {}, `/${command.command}`), h("span", {}, command.description))));
  }

  key(event) {
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); this.send(); }
    if (event.key === "Tab" && !this.menu.hidden) {
      event.preventDefault();
      this.input.value = `${this.menu.querySelector("b").textContent} `;
      this.typed();
    }
    if (event.key === "Escape") { this.listCommands([]); this.replyTo(null); }
  }

  async send() {
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.typed();
    if (!await this.say(text)) this.input.value = text;
  }

  say(text) {
    const reply = this.replying?.id;
    this.replying = null;
    return act("say", { user: this.user, chat: this.chat, text, thread: this.thread ?? undefined, reply_to: reply });
  }

  async upload() {
    const [file] = this.file.files;
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    await act("upload", { user: this.user, chat: this.chat, name: file.name, mime: file.type || undefined, content: btoa(binary), caption: this.input.value.trim() || undefined });
    this.input.value = "";
    this.file.value = "";
  }

  /** Handles an inline key: a callback, a link, or a text to copy. */
  async press(message, key, button) {
    if (key.callback_data !== undefined) {
      button.classList.add("waiting");
      const target = message.ephemeral ? { ephemeral: message.ephemeral } : { message: message.id };
      const result = await act("press", { user: this.user, chat: this.chat, ...target, data: key.callback_data });
      if (!result) { button.classList.remove("waiting"); return; }
      this.waiting.set(result.query, button);
      setTimeout(() => this.answered(result.query), 15000);
    } else if (key.web_app) {
      await openApp(this, new URL(key.web_app.url).searchParams.get("startapp") ?? "");
    } else if (key.url) {
      this.open({ type: "url", url: key.url });
    } else if (key.copy_text) {
      await navigator.clipboard?.writeText(key.copy_text.text);
      this.toast("Copied");
    } else {
      this.toast("This kind of button does nothing in the sandbox");
    }
  }

  answered(query) {
    this.waiting.get(query)?.classList.remove("waiting");
    this.waiting.delete(query);
  }

  /** Shows the bot's answer to this person's tap. */
  answer(change) {
    this.answered(change.query);
    if (change.url) this.open({ type: "url", url: change.url });
    else if (change.text && change.show_alert) this.alert(change.text);
    else if (change.text) this.toast(change.text);
  }

  toast(text) {
    const node = h("div", { class: "toast", role: "status", dir: "auto" }, text);
    this.toasts.append(node);
    setTimeout(() => node.remove(), 4500);
  }

  alert(text) {
    const before = document.activeElement;
    const close = () => { node.remove(); before?.focus(); };
    const node = h("div", { class: "alert", role: "alertdialog", "aria-modal": "true", "aria-label": text, onkeydown: (event) => event.key === "Escape" && close() },
      h("div", {}, h("b", {}, world.bot.first_name), h("p", { dir: "auto" }, text),
        h("button", { class: "filled", onclick: close }, "OK")));
    this.node.append(node);
    node.querySelector("button").focus();
  }

  /** Handles a tapped link, command or mention. Links to the bot open its private chat on this phone. */
  async open(target) {
    if (target.type === "bot_command") { await this.say(target.text); return; }
    if (target.type !== "url") return;
    const payload = startPayload(target.url);
    const app = appStart(target.url);
    if (app !== null) {
      await openApp(this, app);
    } else if (payload !== null) {
      await this.show(this.user);
      await act("start", { user: this.user, payload });
    } else if (/^https:\/\/t\.me\/share\/url\?/.test(target.url)) {
      notice(`Telegram would ask for a chat to send this to: ${new URL(target.url).searchParams.get("text") ?? ""}`);
    } else if (/^https?:/i.test(target.url)) {
      window.open(target.url, "_blank", "noopener,noreferrer");
    } else {
      notice(`Telegram would open ${target.url}`);
    }
  }
}

function isAtEnd(list) {
  return list.scrollHeight - list.scrollTop - list.clientHeight < 80;
}

/** Returns the payload of a deep link to this sandbox's bot; null for any other address. */
function startPayload(url) {
  let parsed;
  try { parsed = new URL(url); } catch { return null; }
  const name = world.bot.username.toLowerCase();
  const isWeb = ["t.me", "telegram.me"].includes(parsed.hostname) && parsed.pathname.replaceAll("/", "").toLowerCase() === name;
  const isApp = parsed.protocol === "tg:" && parsed.searchParams.get("domain")?.toLowerCase() === name;
  return isWeb || isApp ? parsed.searchParams.get("start") ?? "" : null;
}

/** Returns the parameter of a link to the bot's Mini App; null for any other address. */
function appStart(url) {
  let parsed;
  try { parsed = new URL(url); } catch { return null; }
  const [name, app] = parsed.pathname.slice(1).toLowerCase().split("/");
  const isApp = parsed.hostname === "t.me" && name === world.bot.username.toLowerCase() && (Boolean(app) || parsed.searchParams.has("startapp"));
  return isApp ? parsed.searchParams.get("startapp") ?? "" : null;
}

export function isMember(group, user) {
  const member = group.members[user];
  return Boolean(member) && !["left", "kicked"].includes(member.status);
}

