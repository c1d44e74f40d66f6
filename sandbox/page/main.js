// The desk: people on the left, phones in the middle, the server's records on the right.

import { follow, refreshState, world } from "./api.js";
import { Drawer } from "./drawer.js";
import { tick } from "./format.js";
import { People } from "./people.js";
import { Phone, isMember } from "./phone.js";

const WORLDLY = new Set(["user", "chat", "member", "commands"]);
const QUIET = new Set(["call", "violation", "delivered", "webhook", "clock", "reply", "press", "polled", "polling"]);

/** Matches narrow screens, on which one phone fills the screen and the list of people slides in. */
const NARROW = matchMedia("(max-width: 720px)");

class Desk {
  constructor() {
    this.violations = 0;
    this.phones = [];
    this.shelf = document.getElementById("phones");
    this.drawer = new Drawer(document.getElementById("drawer"), this);
    this.people = new People(document.getElementById("people"), this);
    this.shelf.addEventListener("click", () => document.body.classList.remove("people-open"));
    document.addEventListener("keydown", (event) => event.key === "Escape" && document.body.classList.remove("people-open"));
  }

  has(user) { return this.phones.some((phone) => phone.user === user); }

  /** Opens a person's phone, or closes it. */
  toggle(user, chat) {
    const open = this.phones.find((phone) => phone.user === user);
    if (open && NARROW.matches) open.node.scrollIntoView({ inline: "nearest", behavior: "smooth" });
    else if (open) this.put(open);
    else this.take(user, chat);
    document.body.classList.remove("people-open");
    this.people.draw();
  }

  take(user, chat) {
    const phone = new Phone(user, chat, (closed) => { this.put(closed); this.people.draw(); });
    this.phones.push(phone);
    this.shelf.append(phone.node);
    phone.refresh();
    phone.node.scrollIntoView({ inline: "nearest", behavior: "smooth" });
  }

  put(phone) {
    this.phones = this.phones.filter((other) => other !== phone);
    phone.node.remove();
  }

  toggleDrawer() {
    document.body.classList.remove("people-open");
    this.drawer.toggle();
  }

  /** Applies a batch of changes; null means that anything may have changed. */
  async changed(batch) {
    const changes = batch ?? [];
    if (!batch || changes.some((change) => WORLDLY.has(change.kind))) {
      await refreshState();
      this.followMigrations();
      this.people.draw();
    }
    for (const phone of this.phones) {
      const concerned = changes.some((change) => !QUIET.has(change.kind) && (change.chat === undefined || change.chat === phone.chat));
      if (!batch || concerned) phone.refresh();
      changes.filter((change) => change.kind === "answer" && change.user === phone.user).forEach((change) => phone.answer(change));
    }
    if (!batch || changes.some((change) => change.kind === "violation" || (this.drawer.open && change.kind === "call"))) this.look();
  }

  /** Refreshes the drawer, twice a second at most. */
  look() {
    if (this.looking) return;
    this.looking = setTimeout(async () => {
      this.looking = null;
      const before = this.violations;
      await this.drawer.refresh();
      if (before !== this.violations) this.people.draw();
    }, 500);
  }

  followMigrations() {
    for (const phone of this.phones) {
      const moved = world.groups.get(phone.chat)?.migrated_to;
      if (moved) phone.show(moved);
      else if (phone.isGroup() && !world.groups.has(phone.chat)) phone.show(phone.user);
    }
  }

  async start() {
    await refreshState();
    const wanted = new URLSearchParams(location.search);
    const group = [...world.groups.values()].find((item) => !item.migrated_to);
    const members = [...world.users.values()].filter((user) => group && isMember(group, user.id) && !user.simulated);
    const count = Number(wanted.get("phones") ?? (innerWidth > 1100 ? 2 : 1));
    members.slice(0, count).forEach((user) => this.take(user.id, group.id));
    this.people.draw();
    if (wanted.has("drawer")) this.toggleDrawer();
    this.look();
    follow((batch) => this.changed(batch));
    setInterval(tick, 1000);
  }
}

new Desk().start();
