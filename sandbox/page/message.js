// One message: bubble, formatting, keyboard, poll.

import { act, world } from "./api.js";
import { avatar, h, hue, icon } from "./dom.js";
import { clock, formatted } from "./format.js";

const NAMED = 3;

const SERVICE = {
  new_chat_members: (value, name) => (value.length > 1 && value[0].came ? `${listed(value)} joined the group`
    : value.length === 1 && value[0].first_name && name.startsWith(value[0].first_name)
    ? `${name} joined the group` : `${name} added ${value.map((user) => user.first_name).join(", ")}`),
  left_chat_member: (value, name) => (name.startsWith(value.first_name) ? `${name} left the group` : `${name} removed ${value.first_name}`),
  pinned_message: (value, name) => `${name} pinned “${(value.text ?? "a message").slice(0, 40)}”`,
  migrate_to_chat_id: () => "This group became a supergroup",
  migrate_from_chat_id: () => "The supergroup was created",
  forum_topic_created: (value, name) => `${name} created the topic “${value.name}”`,
  forum_topic_closed: (value, name) => `${name} closed the topic`,
  forum_topic_reopened: (value, name) => `${name} reopened the topic`,
  new_chat_title: (value, name) => `${name} renamed the group to “${value}”`,
};

function listed(users) {
  const names = users.slice(0, users.length > NAMED + 1 ? NAMED : users.length).map((user) => user.first_name);
  const last = users.length > names.length ? `${users.length - names.length} others` : names.pop();
  return `${names.join(", ")} and ${last}`;
}

/** Merges consecutive joins into one line, so that a crowd does not push the game out of sight. */
export function gathered(messages) {
  const kept = [];
  for (const message of messages) {
    const came = message.content.new_chat_members;
    const before = kept.at(-1)?.content.new_chat_members;
    if (!joined(message) || !before || !(before[0].came || joined(kept.at(-1)))) kept.push(message);
    else kept.push({ ...kept.pop(), content: { new_chat_members: [...before, ...came].map((user) => ({ ...user, came: true })) } });
  }
  return kept;
}

function joined(message) {
  const came = message.content.new_chat_members;
  return came?.length === 1 && came[0].id === message.from;
}

/** Returns the text of a service message; null for an ordinary one. */
export function serviceText(message) {
  for (const [field, words] of Object.entries(SERVICE)) {
    if (field in message.content) return words(message.content[field], message.name);
  }
  return null;
}

export function shortText(message) {
  const { content } = message;
  return content.text ?? content.caption ?? (message.poll ? message.poll.question : content.document ? content.document.file_name : content.photo ? "Photo" : serviceText(message) ?? "");
}

/** Creates the message's node. `phone` identifies the viewer and handles replies, links and presses. */
export function messageNode(phone, message, before, all) {
  const service = serviceText(message);
  if (service) return h("div", { class: "service" }, h("span", {}, service));
  const follows = before && !serviceText(before) && before.from === message.from && before.anonymous === message.anonymous
    && message.date - before.date < 300;
  const fromBot = message.from === world.bot.id;
  const name = message.anonymous ? phone.title() : message.name;
  const bubble = h("div", { class: message.edited ? "bubble edited" : "bubble" },
    !message.mine && !follows && phone.isGroup() && nameLine(message, name),
    message.content.forward_origin && h("div", { class: "forwarded" }, `Forwarded from ${message.content.forward_origin.sender_user_name}`),
    replyLine(message, all),
    ...media(message),
    body(phone, message),
    message.poll && pollNode(phone, message),
    h("span", { class: "stamp" }, message.edited && "edited ", clock(message.date)));
  const keyboard = message.markup?.inline_keyboard ? keyboardNode(phone, message) : null;
  return h("div", { class: ["message", message.mine ? "mine" : "theirs", follows && "follows", message.ephemeral && "ephemeral", fromBot && "bot"].filter(Boolean).join(" ") },
    !message.mine && phone.isGroup() && (follows ? h("span", { class: "avatar none" }) : avatar(message.anonymous ? 3 : message.from, name, fromBot ? "bot" : "")),
    h("div", { class: "stack" },
      message.ephemeral && h("div", { class: "only-you" }, icon("eye"), fromBot ? "Only you see this" : "Only you and the bot see this"),
      bubble,
      message.reactions.length > 0 && h("div", { class: "reactions" }, message.reactions.map((emoji) => h("span", {}, emoji))),
      keyboard),
    !message.ephemeral && h("button", { class: "plain round reply", title: "Reply", "aria-label": "Reply", onclick: () => phone.replyTo(message) }, icon("reply")));
}

function nameLine(message, name) {
  const node = h("div", { class: message.from === world.bot.id ? "name bot" : "name" }, name);
  node.style.setProperty("--hue", hue(message.anonymous ? 3 : message.from));
  if (message.anonymous) node.append(h("span", { class: "tag" }, "admin"));
  else if (message.from === world.bot.id) node.append(h("span", { class: "tag" }, "bot"));
  return node;
}

function replyLine(message, all) {
  if (!message.reply_to) return null;
  const original = all.find((other) => other.id === message.reply_to);
  return h("div", { class: "quoted" },
    h("b", {}, original ? original.name : "Deleted message"),
    h("span", {}, original ? shortText(original).slice(0, 80) : ""));
}

function media(message) {
  const { photo, document: file, dice } = message.content;
  const nodes = [];
  if (photo) nodes.push(h("img", { class: "photo", src: `/sandbox/file/${encodeURIComponent(photo.at(-1).file_id)}`, alt: "Photo" }));
  if (file) {
    nodes.push(h("a", { class: "document", href: `/sandbox/file/${encodeURIComponent(file.file_id)}`, download: file.file_name ?? "file" },
      icon("file"), h("span", {}, file.file_name ?? "file", h("small", {}, `${Math.ceil((file.file_size ?? 0) / 1024)} KB`))));
  }
  if (dice) nodes.push(h("div", { class: "dice" }, `${dice.emoji} ${dice.value}`));
  return nodes;
}

function body(phone, message) {
  const { text, entities, caption, caption_entities: captionEntities } = message.content;
  if (!text && !caption) return null;
  return h("div", { class: "text", dir: "auto" }, formatted(text ?? caption, (text ? entities : captionEntities) ?? [], (target) => phone.open(target), phone.person?.language_code));
}

function keyboardNode(phone, message) {
  const rows = message.markup.inline_keyboard.map((row) => h("div", { class: "keys" }, row.map((key) => {
    const button = h("button", {
      class: `key ${key.style ?? ""}`,
      disabled: Boolean(key.disabled),
      title: key.text,
      onclick: () => phone.press(message, key, button),
    }, h("span", { dir: "auto" }, key.text), (key.url || key.web_app) && icon("link"));
    return button;
  })));
  return h("div", { class: "keyboard" }, rows);
}

function pollNode(phone, message) {
  const { poll } = message;
  const done = poll.is_closed || poll.mine;
  const total = Math.max(1, poll.total_voter_count);
  return h("div", { class: "poll" },
    h("b", {}, poll.question),
    h("small", {}, `${poll.is_anonymous ? "Anonymous " : ""}${poll.type === "quiz" ? "quiz" : "poll"}${poll.is_closed ? ", closed" : ""}`),
    poll.options.map((option, index) => {
      const share = Math.round((100 * option.voter_count) / total);
      const right = poll.correct_option_ids?.includes(index);
      const bar = h("i", {});
      bar.style.width = done ? `${share}%` : "0";
      return h("button", {
        class: ["option", poll.mine?.includes(index) && "chosen", right && "right"].filter(Boolean).join(" "),
        disabled: Boolean(done),
        onclick: () => act("vote", { user: phone.user, chat: phone.chat, message: message.id, options: [index] }),
      }, bar, h("span", {}, option.text), done && h("em", {}, `${share}%`));
    }),
    poll.explanation && h("small", {}, poll.explanation),
    h("small", {}, poll.total_voter_count === 1 ? "1 vote" : `${poll.total_voter_count} votes`));
}

