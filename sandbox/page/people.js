// The left column: people, groups, and actions on them.

import { act, world } from "./api.js";
import { ask, avatar, h, menu } from "./dom.js";
import { isMember } from "./phone.js";

const GUIDE_CLOSED = "tombola-guide-closed";

/** Creates the instructions, which can be folded away. */
function guide() {
  const node = h("details", { class: "guide", ontoggle: () => localStorage.setItem(GUIDE_CLOSED, node.open ? "" : "1") },
    h("summary", {}, "How to play"),
    h("ol", {},
      h("li", {}, "On Ann’s phone, open a game."),
      h("li", {}, "Tap Join on each phone, or add simulated players below: they play by themselves."),
      h("li", {}, "Ann taps Start now. Then everybody plays by tapping.")));
  node.open = !localStorage.getItem(GUIDE_CLOSED);
  return node;
}

export class People {
  constructor(node, desk) {
    this.node = node;
    this.desk = desk;
    this.group = null;
  }

  draw() {
    const groups = [...world.groups.values()].filter((group) => !group.migrated_to);
    if (!groups.some((group) => group.id === this.group)) this.group = groups[0]?.id ?? null;
    const group = world.groups.get(this.group);
    const users = [...world.users.values()];
    this.node.replaceChildren(
      h("div", { class: "brand" }, h("span", { class: "ball" }, "7"), h("div", {}, h("h1", {}, "Tombola"), h("small", {}, "Sandbox, no Telegram needed"))),
      guide(),
      this.groupPicker(groups, group),
      h("h2", {}, "People"),
      h("ul", { class: "people" }, users.filter((user) => !user.simulated).map((user) => this.personRow(user, group))),
      h("div", { class: "row" }, h("button", { onclick: () => this.addPerson() }, "Add person")),
      h("h2", {}, "Simulated players"),
      this.simulated(users.filter((user) => user.simulated), group),
      h("h2", {}, "Bot"),
      group && this.botRow(group),
      h("div", { class: "grow" }),
      h("button", { class: "plain wide", onclick: () => this.desk.toggleDrawer() }, "What the server saw", h("span", { class: "badge", hidden: !this.desk.violations }, String(this.desk.violations))));
  }

  groupPicker(groups, group) {
    const select = h("select", { "aria-label": "Group", onchange: () => { this.group = Number(select.value); this.draw(); } },
      groups.map((item) => h("option", { value: String(item.id) }, item.title)));
    if (group) select.value = String(group.id);
    const creator = group && Object.entries(group.members).find(([, member]) => member.status === "creator")?.[0];
    return h("div", { class: "row" }, select, menu([
      ["New group", () => this.addGroup(false)],
      ["New forum with topics", () => this.addGroup(true)],
      ["New channel", () => this.addChannel()],
      group?.is_forum && ["Add a topic", () => this.addTopic(group, Number(creator))],
      group?.type === "group" && ["Make it a supergroup", () => act("migrate", { chat: group.id, user: Number(creator) })],
      group && ["Delete the group", () => act("delete_group", { chat: group.id }), true],
    ], "Group"));
  }

  personRow(user, group) {
    const present = group && isMember(group, user.id);
    const member = group?.members[user.id];
    const role = present ? (member.anonymous ? "anonymous admin" : { creator: "owner", administrator: "admin", restricted: "muted" }[member.status]) : group && "not in the group";
    const next = world.languages[(world.languages.indexOf(user.language_code) + 1) % world.languages.length];
    const set = (status, more = {}) => () => act("member", { chat: group.id, user: user.id, status, ...more });
    return h("li", {},
      h("button", { class: "person", title: `Open ${user.first_name}'s phone`, "aria-pressed": String(this.desk.has(user.id)), onclick: () => this.desk.toggle(user.id, present ? group.id : user.id) },
        avatar(user.id, user.name), h("span", { class: "grow" }, user.name, role && h("small", {}, role), user.premium && h("small", {}, "Premium"), group?.boosts.includes(user.id) && h("small", {}, "boosts"), user.blocked && h("small", {}, "has blocked the bot"))),
      h("button", { class: "chip", title: `${user.first_name} speaks ${user.language_code}: change`, onclick: () => act("language", { user: user.id, language: next }) }, user.language_code.toUpperCase()),
      menu([
        group && !present && ["Join the group", set("member")],
        present && member.status === "member" && ["Make administrator", set("administrator", { anonymous: false })],
        present && ["member", "administrator"].includes(member.status) && !member.anonymous && ["Make anonymous administrator", set("administrator", { anonymous: true })],
        present && member.status === "administrator" && ["Make ordinary member", set("member", { anonymous: false })],
        present && member.status === "creator" && [member.anonymous ? "Be seen by name" : "Be anonymous", set("creator", { anonymous: !member.anonymous })],
        present && member.status === "member" && ["Mute", set("restricted", { rights: {} })],
        present && member.status === "restricted" && ["Let speak again", set("member")],
        present && [group.boosts.includes(user.id) ? "End the boost" : "Boost the group", () => act("boost", { chat: group.id, user: user.id, boosts: !group.boosts.includes(user.id) })],
        [user.premium ? "Take Premium away" : "Give Premium", () => act("premium", { user: user.id, premium: !user.premium })],
        [user.blocked ? "Unblock the bot" : "Block the bot", () => act("block", { user: user.id, blocked: !user.blocked })],
        present && member.status !== "creator" && ["Leave the group", set("left"), true],
      ], user.name));
  }

  simulated(users, group) {
    const add = (count) => () => group && act("players", { chat: group.id, count });
    return h("div", {},
      users.length > 0 && h("div", { class: "crowd" }, users.slice(0, 24).map((user) => {
        const face = avatar(user.id, user.name, "small");
        face.title = user.name;
        return face;
      }), users.length > 24 && h("small", {}, `+${users.length - 24}`)),
      h("div", { class: "row" }, [1, 5, 25].map((count) => h("button", { title: `Add ${count} simulated`, onclick: add(count) }, `Add ${count}`))));
  }

  botRow(group) {
    const { bot } = world;
    const present = isMember(group, bot.id);
    const status = group.members[bot.id]?.status ?? "left";
    const set = (next, more = {}) => () => act("member", { chat: group.id, user: bot.id, status: next, ...more });
    const words = { administrator: "admin here", member: "member here", restricted: "muted here" };
    return h("ul", { class: "people" }, h("li", {},
      h("span", { class: "person" }, avatar(bot.id, bot.name, "bot"), h("span", { class: "grow" }, bot.name, h("small", {}, words[status] ?? "not in the group"))),
      menu([
        !present && ["Add to the group", set("member")],
        present && status !== "administrator" && ["Make administrator", set("administrator")],
        status === "administrator" && ["Make ordinary member", set("member")],
        present && status !== "restricted" && ["Mute", set("restricted", { rights: {} })],
        present && ["Remove from the group", set("kicked"), true],
      ], "Bot")));
  }

  async addPerson() {
    const name = await ask("Name of the new person");
    if (!name) return;
    const user = await act("user", { first_name: name, chat: this.group ?? undefined });
    if (user) this.desk.toggle(user.id, this.group ?? user.id);
  }

  async addGroup(forum) {
    const title = await ask(forum ? "Title of the new forum" : "Title of the new group");
    const [creator, ...others] = [...world.users.values()].filter((user) => !user.simulated).map((user) => user.id);
    if (!title || !creator) return;
    const group = await act("group", { title, user: creator, members: others, forum, bot_admin: forum });
    if (group) this.group = group.id;
  }

  async addChannel() {
    const username = await ask("Username of the new channel, without @");
    const [creator] = [...world.users.values()].filter((user) => !user.simulated).map((user) => user.id);
    if (!username || !creator) return;
    const channel = await act("channel", { title: username, username, user: creator, bot_admin: true });
    if (channel) this.group = channel.id;
  }

  async addTopic(group, user) {
    const name = await ask("Name of the new topic");
    if (name) await act("topic", { chat: group.id, user, name });
  }
}
