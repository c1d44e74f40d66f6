"""Opening of games and storing of settings from an update. Adds to `play.opening` the chat's record and the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fsm.engine import Outcome
from fsm.kind import ChatTopic, Rejected
from fsm.lobby import conditions
from handlers.context import UpdateContext
from handlers.kinds.registry import FACES
from play.members import SEND
from play.numbers import HIGHEST_ID, whole
from play.rules import rules_for

TEMPLATE = "t"
"""First letter of a choice that is a template; its id follows."""


@dataclass(unsafe_hash=True)
class Muted(Rejected):
    """The bot may not write in the group, so nobody would see a game there."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The game that a person is about to open: a kind, and a choice of settings.

    Attributes:
        kind: the kind of game.
        choice: empty for the chat's own settings, the name of a preset, or ``t`` and the id of a template.
        title: the title of a template.
        settings: the settings of the choice.
        whole: True if the settings are complete, False if they go over those of the chat.
    """

    kind: str
    choice: str = ""
    title: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False

    async def values(self, context: UpdateContext, chat_topic: ChatTopic) -> dict[str, str]:
        """Return the settings that differ from the defaults."""
        under = {} if self.whole else (await settings_of(context, chat_topic)).get(self.kind, {})
        return {**under, **self.settings}

    async def rules(self, context: UpdateContext, chat_topic: ChatTopic) -> Any:
        """Return the rules of the game."""
        return rules_for(await self.values(context, chat_topic), context.deps.play.openings.defaults[self.kind])


async def wish_of(context: UpdateContext, chat_topic: ChatTopic, kind: str, choice: str) -> Wish:
    """Return the game that a button or link stands for. Raises ``NoSuchTemplate``; an unknown preset is no choice."""
    template_id = whole(choice.removeprefix(TEMPLATE), HIGHEST_ID, 1) if choice.startswith(TEMPLATE) else None
    if template_id is not None:
        found = await context.deps.play.templates.one(context.actor, chat_topic.chat_id, template_id)
        if found.kind in FACES:
            return Wish(found.kind, choice, found.title, found.settings, whole=True)
    ready: Mapping[str, Mapping[str, str]] = FACES[kind].imported("dialog").DIALOG.ready
    return Wish(kind, choice, settings=ready[choice]) if choice in ready else Wish(kind)


async def settings_of(context: UpdateContext, chat_topic: ChatTopic) -> dict[str, Any]:
    """Return the settings that the hosts of a chat have stored."""
    return await context.deps.play.openings.settings(chat_topic.chat_id)


async def open_game(
    context: UpdateContext, kind: str, title: str, rules: Any, *, chat_topic: ChatTopic | None = None
) -> Outcome:
    """Open a game, by default in the chat of the update. Raises ``Muted``, and the errors of `Openings.open_game`."""
    await note_chat(context)
    await check_voice(context, chat_topic or context.chat_topic)
    return await context.deps.play.openings.open_game(
        context.actor,
        chat_topic or context.chat_topic,
        kind,
        title,
        rules,
        command_id=context.command_id,
        received=context.received,
    )


async def check_voice(context: UpdateContext, chat_topic: ChatTopic) -> None:
    """Raise ``Muted`` if the bot may not write in a group. The person is told in private, where they can see it."""
    deps = context.deps
    if chat_topic.chat_id > 0 or SEND not in await deps.play.members.lacks(chat_topic.chat_id, deps.bot_id):
        return
    private = await deps.stores.people.chat(context.person.id)
    if context.query is None and private is not None and private.active:
        chat = await deps.stores.people.chat(chat_topic.chat_id)
        html = deps.play.texts.html(context.own_locale, "cmd-muted-now", chat=chat.title if chat is not None else "")
        await context.tell(context.person.id, html)
    raise Muted


async def create(context: UpdateContext, chat_topic: ChatTopic, kind: str, title: str, rules: Any) -> bool:
    """Open a game on a tap, and answer the tap. Returns False if the opening was refused."""
    try:
        state = (await open_game(context, kind, title, rules, chat_topic=chat_topic)).state
    except Rejected as refusal:
        await context.toast(context.deps.play.texts.refusal(context.own_locale, refusal), alert=True)
        return False
    plays = await context.deps.play.openings.host_plays(chat_topic.chat_id)
    left_out = plays and bool(conditions(rules)) and context.person.id not in state.players
    word = "dlg-newgame-without-you" if left_out else "dlg-newgame-opened"
    await context.toast(context.word(word), alert=left_out)
    return True


async def store_setting(context: UpdateContext, chat_topic: ChatTopic, name: str, value: Any) -> None:
    """Store one of a chat's settings. Raises the errors of `Openings.store_setting`."""
    await note_chat(context)
    await context.deps.play.openings.store_setting(context.actor, chat_topic.chat_id, name, value)


async def note_chat(context: UpdateContext) -> None:
    """Store type and title of the group that the update comes from."""
    if not context.private:
        people, chat_id = context.deps.stores.people, context.chat_topic.chat_id
        await people.saw_chat(chat_id, context.chat_type, context.chat_title)
