"""``/newgame``: the short form in the group, which only the person who asked for it sees.

It asks for the kind, shows three lines, and opens the game. Its state is in its buttons. Everything else, and every
value that is typed, is asked for in private (``handlers.dialogs.newgame``): a form in the group would use up the
messages that Telegram allows it, and a bot in privacy mode does not see what people type there.
"""

from typing import TYPE_CHECKING

from fsm.kind import ChatTopic
from handlers.commands.command import Command, for_hosts
from handlers.context import UpdateContext
from handlers.filters import has_its_button
from handlers.kinds.registry import FACES
from handlers.opening import Wish, check_voice, create, note_chat, wish_of
from handlers.views.form import short
from handlers.views.message import Button, Message, rows
from play.access import Needs
from play.numbers import HIGHEST_ID, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = "new:"
"""Prefix of callback data: ``new:<kind>:<choice>``, both empty for the choice of a kind, and ``:open`` to open it."""
GAME_LINK, SETTINGS_LINK = "new_", "set_"
"""Prefixes of deep links that open the forms in private."""
MOST_SHOWN = 6
"""Templates that the form offers; the form in private has all."""


def game_link(context: UpdateContext, wish: Wish | None) -> str:
    """Return the link that opens the long form in private, for the place of the update."""
    choice, kind = (wish.choice, wish.kind) if wish is not None else ("", "")
    return f"https://t.me/{context.deps.bot_username}?start={payload_of(context.chat_topic, choice, kind)}"


def settings_link(bot_username: str, chat_id: int) -> str:
    """Return the link that opens the settings of a chat in private."""
    return f"https://t.me/{bot_username}?start={SETTINGS_LINK}{chat_id}"


async def newgame(context: UpdateContext) -> None:
    """Handle ``/newgame``: ask for the kind, or for one of the group's templates. Raises ``Muted``."""
    await note_chat(context)
    await check_voice(context, context.chat_topic)
    context = context.personal()
    await context.whisper(await _kinds(context))


async def settings(context: UpdateContext) -> None:
    """Handle ``/settings``: show the way to the settings in private. Raises ``Muted``."""
    await note_chat(context)
    await check_voice(context, context.chat_topic)
    context = context.personal()
    link = settings_link(context.deps.bot_username, context.chat_topic.chat_id)
    button = Button(context.label("form-settings"), url=link)
    await context.whisper(Message(context.text("form-settings-where"), ((button,),)))


async def tap(context: UpdateContext, data: str) -> None:
    """Handle a tap on the short form."""
    context = context.personal()
    kind, choice, opens = (*data.removeprefix(FORM).split(":"), "", "")[:3]
    if kind not in FACES:
        await note_chat(context)
        await context.whisper(await _kinds(context))
        await context.toast()
        return
    wish = await wish_of(context, context.chat_topic, kind, choice)
    if opens:
        if await create(context, context.chat_topic, kind, wish.title, await wish.rules(context, context.chat_topic)):
            await context.close()
        return
    await context.whisper(await _form(context, wish))
    await context.toast()
    # An old app and an anonymous administrator have the question as a message for all. A forged tap may name any other.
    if context.query is not None and has_its_button(context.query):
        await context.withdraw()


async def _kinds(context: UpdateContext) -> Message:
    kinds = [_to(context.label(f"{face.kind.slug}-newgame-choose"), name, "") for name, face in FACES.items()]
    saved = await context.deps.play.templates.of_chat(context.actor, context.chat_topic.chat_id)
    templates = [_to(f"⭐ {each.name}", each.kind, f"t{each.id}") for each in saved[:MOST_SHOWN] if each.kind in FACES]
    return Message(context.text("form-kind"), (*rows(kinds, 1), *rows(templates, 2)))


async def _form(context: UpdateContext, wish: Wish) -> Message:
    face, rules = FACES[wish.kind], await wish.rules(context, context.chat_topic)
    texts = context.deps.play.texts
    ready: Mapping[str, Mapping[str, str]] = face.imported("dialog").DIALOG.ready
    others = [_to(context.label(f"form-ready-{name}"), wish.kind, name) for name in ready if name != wish.choice]
    more = Button(context.label("form-more"), url=game_link(context, wish))
    return Message(
        short(face.kind, rules, wish.title, texts, context.locale, face.note(rules, texts, context.locale)),
        (
            (
                Button(
                    context.label("dlg-newgame-create"), data=f"{FORM}{wish.kind}:{wish.choice}:open", style="success"
                ),
            ),
            *rows(others, 2),
            (_to(context.label("dlg-back"), "", ""), more),
        ),
    )


def _to(label: str, kind: str, choice: str) -> Button:
    return Button(label, data=f"{FORM}{kind}:{choice}")


def payload_of(place: ChatTopic, choice: str, kind: str) -> str:
    """Return the payload of a deep link that opens the long form; ``place_of`` reads it."""
    return f"{GAME_LINK}{place.chat_id}_{place.topic_id}_{choice}_{kind}"


def place_of(payload: str) -> tuple[ChatTopic, str, str] | None:
    """Return place, choice and kind of a deep link's payload; None if it is malformed."""
    parts = payload.removeprefix(GAME_LINK).split("_", 2)
    if len(parts) != 3:
        return None
    # Names of presets and of kinds contain underscores too, so the end of the payload is compared with every kind.
    kind = max((kind for kind in ("", *FACES) if parts[2].endswith(f"_{kind}")), key=len, default=None)
    if kind is None:
        return None
    # A person can type any link. PostgreSQL would refuse a larger number, after the game has been opened.
    chat, topic = whole(parts[0].removeprefix("-"), HIGHEST_ID, 1), whole(parts[1], HIGHEST_ID)
    if chat is None or topic is None:
        return None
    return ChatTopic(-chat, topic), parts[2].removesuffix(f"_{kind}"), kind


COMMANDS: dict[str, Command] = {"newgame": for_hosts(newgame, Needs.OPEN), "settings": for_hosts(settings)}
