"""Changes of membership: of the bot itself, of players and administrators; and groups that become supergroups."""

from collections.abc import Collection
from typing import Any

from aiogram import Router
from aiogram.types import ChatMemberUpdated, Message
from loguru import logger

from fsm.kind import ChatTopic, Command, Game, Instant, Rejected
from fsm.lobby import Cancel, MoveChat
from handlers.commands.newgame import FORM, settings_link
from handlers.deps import Deps
from handlers.filters import CameOrWent, Migrated
from handlers.moments import UNPINNED
from handlers.views.message import Button, send_params
from handlers.views.message import Message as View
from play.bans import live_games
from play.members import RIGHTS, SEND
from play.texts import Markup
from storage.pins import Pins
from storage.presences import Presences
from telegram.limits import Priority
from telegram.outbox import Outgoing

GONE = frozenset({"left", "kicked"})
MOST_ENDS = 10
"""Number of ended games whose boards are looked at when the bot may write again."""


# -- the bot itself ---------------------------------------------------------------------------------------------


async def own_membership_changed(event: ChatMemberUpdated, deps: Deps, update_id: int, received: Instant) -> None:
    """Handle a change of the bot's own membership: added, removed, muted, unmuted, promoted, blocked or unblocked."""
    chat = event.chat
    if chat.type == "channel":
        return
    before, after = _presence(event.old_chat_member), _presence(event.new_chat_member)
    presences = Presences(deps.stores.redis)
    await presences.note(chat.id, deps.bot_id, update_id, after)
    if chat.type == "private":
        await _blocked(deps, chat.id, blocked=after == "gone")
    else:
        await deps.play.hosts.invalidate(chat.id)
        await _own_presence_changed(deps, event, before, after, update_id, received)
    # A later update may have been handled meanwhile, or even before: its outcome is the one that stays.
    latest = await presences.latest(chat.id, deps.bot_id)
    if latest is None or (latest == "gone") == (after == "gone"):
        return
    if chat.type == "private":
        await _blocked(deps, chat.id, blocked=latest == "gone")
    elif latest == "gone":
        await _removed(deps, chat.id, f"tg:{update_id}", received)
    else:
        await deps.stores.people.saw_chat(chat.id, chat.type, chat.title or "")
        await _returned(deps, chat.id, f"tg:{update_id}", received)


async def _own_presence_changed(
    deps: Deps, event: ChatMemberUpdated, before: str, after: str, update_id: int, received: Instant
) -> None:
    chat = event.chat
    if after == "gone":
        await _removed(deps, chat.id, f"tg:{update_id}", received)
    elif before == "gone":
        await deps.stores.people.saw_chat(chat.id, chat.type, chat.title or "")
        locale = await _locale(deps, chat.id, event.from_user.language_code)
        lacks = await deps.play.members.lacks(chat.id, deps.bot_id)
        if after == "here" and SEND not in lacks:
            await _put(deps, chat.id, _greeting(deps, locale, chat.id, lacks), f"tg:{update_id}:added", received)
            await _returned(deps, chat.id, f"tg:{update_id}", received)
        else:
            await _tell_who_muted(deps, event, update_id, received, "cmd-muted-from-the-start")
    elif before == "muted" and after == "here":
        for game_id in await live_games(deps.stores.games, deps.stores.archive, chat.id):
            await deps.boards.show(game_id, at_least=None)
        await _show_ends(deps, chat.id)
    elif after == "muted" and before != "muted":
        await _tell_who_muted(deps, event, update_id, received, "cmd-muted")


async def _blocked(deps: Deps, player_id: int, *, blocked: bool) -> None:
    """Record that a person has blocked the bot, or no longer does."""
    await deps.stores.people.player_blocked(player_id, blocked=blocked)
    if blocked:
        await deps.stores.people.chat_gone(player_id)
        await deps.play.next_games.blocked(player_id)


def _greeting(deps: Deps, locale: str, chat_id: int, lacks: Collection[str]) -> View:
    """Return the greeting of a group: the bot in two sentences, the use of missing rights, and two buttons."""
    texts = deps.play.texts
    missing = [texts.html(locale, f"cmd-right-{right.replace('_', '-')}") for right in RIGHTS if right in lacks]
    parts = [texts.html(locale, "cmd-added")]
    if missing:
        parts.append(Markup("\n".join([texts.html(locale, "cmd-rights"), *missing])))
    play = Button(texts.plain(locale, "cmd-added-play"), data=FORM, style="success")
    settings = Button(texts.plain(locale, "cmd-added-settings"), url=settings_link(deps.bot_username, chat_id))
    return View("\n\n".join(parts), ((play,), (settings,)))


def _presence(member: Any) -> str:
    """Return ``here``, ``muted`` or ``gone`` for a ``ChatMember``."""
    if member.status in GONE or (member.status == "restricted" and not member.is_member):
        return "gone"
    return "muted" if member.status == "restricted" and not member.can_send_messages else "here"


async def _locale(deps: Deps, chat_id: int, language_code: str | None) -> str:
    """Return the group's locale. If it has none, store and return that of the person who added the bot."""
    known = await deps.stores.people.chat(chat_id)
    if known is not None and known.locale:
        return str(known.locale)
    locale = deps.play.texts.pick(language_code)
    await deps.stores.people.set_chat_locale(chat_id, locale)
    return locale


async def _removed(deps: Deps, chat_id: int, command_id: str, received: Instant) -> None:
    """Cancel the games of a chat that the bot was removed from."""
    for game_id in await live_games(deps.stores.games, deps.stores.archive, chat_id):
        await _quietly(deps, game_id, Cancel(None, "bot_removed"), command_id, received)
    await deps.stores.people.chat_gone(chat_id)


async def _returned(deps: Deps, chat_id: int, command_id: str, received: Instant) -> None:
    """Show a group that the bot was added to again the ends that it has missed."""
    await _show_ends(deps, chat_id)
    await _unpin(deps, chat_id, command_id, received)


async def _show_ends(deps: Deps, chat_id: int) -> None:
    """Show the end of a group's latest game, and of all games that the bot's removal cancelled, on their boards.

    The projector may be behind, so a game that the archive calls live may have ended just now. Live games are read
    first: one that the archive learns of between the two reads is then in both.
    """
    live = await deps.stores.archive.live_games(chat_id, MOST_ENDS)
    ended = [game for _, game in await deps.stores.archive.ended(MOST_ENDS, chat_id=chat_id)]
    only_if_removed = {game.id: number > 0 for number, game in enumerate(ended)} | {game.id: False for game in live}
    for game_id, condition in only_if_removed.items():
        await deps.boards.show_end(game_id, only_if_removed=condition)


async def _unpin(deps: Deps, chat_id: int, command_id: str, received: Instant) -> None:
    """Undo the pins that the bot left in a group that had removed it, whose games were cancelled then."""
    for pin in await Pins(deps.stores.redis).all():
        if pin.chat_id == chat_id:
            await deps.telegram.outbox.put(
                Outgoing(
                    id=f"{UNPINNED}:{pin.game_id}:{command_id}",
                    chat_id=chat_id,
                    method="unpinChatMessage",
                    params={"message_id": pin.message_id},
                    created_at=received,
                )
            )


async def _tell_who_muted(
    deps: Deps, event: ChatMemberUpdated, update_id: int, received: Instant, text_id: str
) -> None:
    """Tell the administrator who muted the bot, if Telegram allows the bot to write to them in private."""
    private = await deps.stores.people.chat(event.from_user.id)
    if private is None or not private.active:
        return
    locale = await deps.stores.people.locale_of_player(event.from_user.id) or deps.play.texts.pick(
        event.from_user.language_code
    )
    html = deps.play.texts.html(locale, text_id, chat=event.chat.title or "")
    await _put(deps, event.from_user.id, View(str(html)), f"tg:{update_id}:muted", received)


async def _put(deps: Deps, chat_id: int, view: View, id_: str, received: Instant) -> None:
    await deps.telegram.outbox.put(
        Outgoing(
            id=id_,
            chat_id=chat_id,
            method="sendMessage",
            params=send_params(view),
            priority=Priority.URGENT,
            created_at=received,
        )
    )


# -- other people -----------------------------------------------------------------------------------------------


async def membership_changed(event: ChatMemberUpdated, deps: Deps, update_id: int, received: Instant) -> None:
    """Handle a change of another person's membership: joined, left, banned, promoted or demoted."""
    await deps.play.hosts.invalidate(event.chat.id)
    gone = _presence(event.new_chat_member) == "gone"
    await _came_or_went(deps, event.chat.id, event.new_chat_member.user.id, update_id, received, gone=gone)


async def told_of_members(message: Message, deps: Deps, update_id: int, received: Instant) -> None:
    """Handle a group's notices of people who joined or left. A bot that is no administrator gets no other updates."""
    for person in message.new_chat_members or []:
        await _came_or_went(deps, message.chat.id, person.id, update_id, received, gone=False)
    if message.left_chat_member is not None and not message.left_chat_member.is_bot:
        await _came_or_went(deps, message.chat.id, message.left_chat_member.id, update_id, received, gone=True)


async def _came_or_went(
    deps: Deps, chat_id: int, player_id: int, update_id: int, received: Instant, *, gone: bool
) -> None:
    presences = Presences(deps.stores.redis)
    await presences.note(chat_id, player_id, update_id, "gone" if gone else "here")
    await _apply(deps, chat_id, player_id, update_id, received, gone=gone)
    # A later update may have been handled meanwhile, or even before: its outcome is the one that stays.
    latest = await presences.latest(chat_id, player_id)
    if latest is not None and (latest == "gone") != gone:
        await _apply(deps, chat_id, player_id, update_id, received, gone=not gone)


async def _apply(deps: Deps, chat_id: int, player_id: int, update_id: int, received: Instant, *, gone: bool) -> None:
    if gone:
        await deps.play.departures.went(chat_id, player_id, f"tg:{update_id}", received)
    else:
        await deps.play.departures.came(chat_id, player_id)


async def chat_migrated(message: Message, deps: Deps, update_id: int, received: Instant) -> None:
    """Move the games and settings of a group that became a supergroup.

    Telegram sends a notice in the old chat and one in the new. Idempotent: one or both, in any order, have one effect.
    """
    old, new = message.chat.id, message.migrate_to_chat_id
    if new is None:
        assert message.migrate_from_chat_id is not None
        old, new = message.migrate_from_chat_id, message.chat.id
    live = await live_games(
        deps.stores.games, deps.stores.archive, old
    )  # before PostgreSQL knows them under the new id
    await deps.stores.people.chat_migrated(old, new)
    await deps.telegram.outbox.move(old, new)
    for chat_id in (old, new):
        await deps.play.hosts.invalidate(chat_id)
    for game_id in live:
        state = await _quietly(deps, game_id, MoveChat(new), f"tg:{update_id}", received)
        if state is not None:
            await deps.stores.games.leave_topics(game_id, [ChatTopic(old, state.place.topic_id)])
            await deps.stores.games.settle_in(ChatTopic(new, state.place.topic_id), game_id)


async def _quietly(deps: Deps, game_id: str, command: Command, command_id: str, received: Instant) -> Game | None:
    """Execute a command and return the game; None if the game refuses it, which here means that it came too late."""
    try:
        return (await deps.play.engine.execute(game_id, command, command_id=command_id, received=received)).state
    except Rejected as refusal:
        logger.bind(game=game_id).info("{} came too late: {}", type(command).__name__, refusal)
        return None


def members_router() -> Router:
    """Return the router of membership updates and notices."""
    router = Router(name="members")
    router.my_chat_member.register(own_membership_changed)
    router.chat_member.register(membership_changed)
    router.message.register(chat_migrated, Migrated())
    router.message.register(told_of_members, CameOrWent())
    return router
