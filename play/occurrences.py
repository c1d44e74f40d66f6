"""The occurrences of recurring games: announced ahead, opened when their time comes, and told of if they are not.

Each occurrence is opened once. Its command id is made of the recurring game and the local date, so a second process, or
a second attempt after a crash, opens the same game. The id of that game is stored before it is opened, so that an
attempt long after can tell whether it was. The row's version decides who ends the occurrence, and the job that tells
the group is enqueued in that transaction.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from loguru import logger

from fsm.engine import Clock, Engine
from fsm.kind import Instant, Rejected, UnknownGame
from fsm.lobby import PlaceTaken
from play.access import Access, Actor, Banned, Needs, NotAHost
from play.members import SEND, Members
from play.opening import Openings
from play.recurring import WORD, called_off, upcoming, word_of
from play.texts import DEFAULT_LOCALE, Markup, Texts, date_time
from play.zones import zone_of
from storage.archive import Archive
from storage.games import RedisGames
from storage.job_runner import JobKind, Run
from storage.jobs import Jobs
from storage.people import Chat, People
from storage.recurring import RecurringGame, RecurringGames
from storage.templates import Template, Templates
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing

GRACE_MS: Final = 15 * 60_000
"""Delay up to which a game is opened late. After a longer absence of the bot it is left out, and the group is told."""
AT_ONCE: Final = 100
PAGE: Final = 500
OPENED, BUSY, MISSED, MUTED, REMOVED, REFUSED = "opened", "busy", "missed", "muted", "removed", "refused"
"""Ends of an occurrence after which the recurring game goes on."""
NO_TEMPLATE, NO_HOST = "template", "not-a-host"
"""Ends that pause the recurring game, with the reason of the pause."""
SILENT: Final = frozenset({OPENED, REMOVED})
"""Ends of which the group is not told: the board shows it, or nobody would see it."""
REMIND: Final = "next:on"
"""Callback data of the button with which a person subscribes."""


class _Word(msgspec.Struct, frozen=True):
    """The data of a job that tells a group."""

    outcome: str
    at: Instant
    topic: int
    template: int
    host: int


class Occurrences:
    """Announces and opens the occurrences of recurring games."""

    def __init__(  # noqa: PLR0913 -- called once, with keywords
        self,
        *,
        stored: RecurringGames,
        templates: Templates,
        openings: Openings,
        games: RedisGames,
        engine: Engine,
        archive: Archive,
        people: People,
        access: Access,
        members: Members,
        outbox: Outbox,
        jobs: Jobs,
        texts: Texts,
        clock: Clock,
        default_zone: str = "UTC",
    ) -> None:
        self._stored = stored
        self._templates = templates
        self._openings = openings
        self._games = games
        self._engine = engine
        self._archive = archive
        self._people = people
        self._access = access
        self._members = members
        self._outbox = outbox
        self._jobs = jobs
        self._texts = texts
        self._clock = clock
        self._default_zone = default_zone

    async def due(self) -> list[RecurringGame]:
        """Return the recurring games that have something to be done now, the longest due first."""
        return await self._stored.due(self._clock.now(), AT_ONCE)

    async def next_wake(self) -> Instant | None:
        """Return the next time at which one has something to be done; None if there is none."""
        return await self._stored.next_wake()

    async def reckon(self) -> None:
        """Compute the next instants of all recurring games anew, without changing their dates.

        For a new leader: the program's database of time zones, or its default zone, may have changed since.
        """
        after = 0
        while page := await self._stored.page(after, PAGE):
            for each in page:
                zone = await self._zone(each)
                at = each.schedule.instant(each.next_on, ZoneInfo(zone))
                if (zone, at) != (each.zone, each.next_at):
                    await self._stored.save(each, replace(each, zone=zone, next_at=at))
            after = page[-1].id

    async def handle(self, each: RecurringGame, bot_id: int) -> None:
        """Announce the next occurrence of a recurring game, or open its game. Does nothing before either is due.

        Raises ``Unavailable`` if a store or Telegram is away; the call may then be repeated.
        """
        now = self._clock.now()
        zone = await self._zone(each)
        if zone != each.zone:  # the chat has chosen another since, and the process that stored that may have died
            moved = upcoming(replace(each, zone=zone), now)
            job = called_off(each, moved)
            if await self._stored.save(each, moved, job=job) and job is not None:
                await self._jobs.ring()
            return
        if each.next_at <= now:
            await self._end(each, now, bot_id)
        elif each.wakes_at <= now:
            await self._announce(each, now)

    # -- the announcement ---------------------------------------------------------------------------------------

    async def _announce(self, each: RecurringGame, now: Instant) -> None:
        """Announce the next occurrence. The outbox takes the message once, even if two processes put it."""
        chat = await self._people.chat_now(each.chat_topic.chat_id)
        template = await self._template(each)
        if template is None:
            await self._pause(each, replace(each, last_outcome=NO_TEMPLATE), NO_TEMPLATE)
            return
        if chat is not None and chat.active:
            locale = chat.locale or DEFAULT_LOCALE
            html = self._texts.html(
                locale,
                "recurring-soon",
                name=template.title or template.name,
                time=_time(each.next_at),
                moment=_moment(each.next_at),
            )
            remind = {"text": self._texts.plain(locale, "button-remind"), "callback_data": REMIND}
            await self._outbox.put(
                Outgoing(
                    id=f"recurring:{each.id}:{each.next_on}:{each.version}:soon",
                    chat_id=chat.id,
                    topic_id=each.chat_topic.topic_id or None,
                    method="sendMessage",
                    params={**_html(html), "reply_markup": {"inline_keyboard": [[remind]]}},
                    priority=Priority.NORMAL,
                    created_at=now,
                    expires_at=each.next_at,
                )
            )
        await self._stored.save(each, replace(each, announced_on=each.next_on))

    # -- the occurrence -----------------------------------------------------------------------------------------

    async def _end(self, each: RecurringGame, now: Instant, bot_id: int) -> None:
        """Open the game of an occurrence or leave it out, and go on to the next occurrence."""
        known, outcome = await self._open(each, now, bot_id)
        over = replace(known, last_on=known.next_on, last_outcome=outcome, opening="")
        if outcome in {NO_TEMPLATE, NO_HOST}:
            await self._pause(known, upcoming(over, now), outcome)
            return
        job = None if outcome in SILENT else word_of(known, outcome)
        if await self._stored.save(known, upcoming(over, now), job=job):
            logger.info("recurring game {} of {}: {}", each.id, each.next_on, outcome)
            if job is not None:
                await self._jobs.ring()

    async def _pause(self, known: RecurringGame, new: RecurringGame, reason: str) -> None:
        if await self._stored.save(known, replace(new, paused=reason), job=word_of(known, reason)):
            await self._jobs.ring()

    async def _open(self, each: RecurringGame, now: Instant, bot_id: int) -> tuple[RecurringGame, str]:
        """Open the game, if nothing speaks against it. Returns the row as it is then stored, and the outcome."""
        place = each.chat_topic
        if each.opening and await self._exists(each.opening):
            return each, OPENED  # by a process that died before it could end the occurrence
        if now - each.next_at > GRACE_MS:
            return each, MISSED
        chat = await self._people.chat_now(place.chat_id)
        if chat is None or not chat.active:
            return each, REMOVED
        template = await self._template(each)
        if template is None:
            return each, NO_TEMPLATE
        if SEND in await self._members.lacks(place.chat_id, bot_id):
            return each, MUTED
        sender = each.host.id if each.host.id < 0 else None
        actor = Actor(each.host.id, each.host.name, place.chat_id, sender)
        try:
            await self._access.authorise(actor, place, Needs.HOST)
        except (NotAHost, Banned):
            return each, NO_HOST
        return await self._open_game(each, template, actor, now)

    async def _open_game(
        self, each: RecurringGame, template: Template, actor: Actor, now: Instant
    ) -> tuple[RecurringGame, str]:
        command_id = f"recurring:{each.id}:{each.next_on.isoformat()}"
        game_id = each.opening or await self._games.reserve_id(each.chat_topic, command_id)
        known = each
        if not each.opening:
            known = replace(each, opening=game_id)
            if not await self._stored.save(each, known):
                return each, OPENED  # somebody was first; saving this outcome will fail in the same way
            known = replace(known, version=each.version + 1)
        try:
            await self._openings.open_template(
                actor, each.chat_topic, template, game_id=game_id, command_id=command_id, received=now
            )
        except PlaceTaken:
            return known, BUSY
        except Rejected as refusal:
            logger.warning("recurring game {} was refused: {}", each.id, refusal)
            return known, REFUSED
        return known, OPENED

    async def _exists(self, game_id: str) -> bool:
        """Return whether a game was opened. Raises ``Unavailable``, and asyncpg's errors."""
        try:
            await self._engine.look(game_id)
        except UnknownGame:
            return await self._archive.game(game_id) is not None
        return True

    async def _template(self, each: RecurringGame) -> Template | None:
        """Return the template; None if it was deleted, or if this version does not know its kind."""
        found = await self._templates.one(each.chat_topic.chat_id, each.template_id)
        return found if found is not None and found.kind in self._openings.defaults else None

    async def _zone(self, each: RecurringGame) -> str:
        chat = await self._people.chat_now(each.chat_topic.chat_id)
        return zone_of({} if chat is None else chat.settings, self._default_zone)

    # -- the word to the group ----------------------------------------------------------------------------------

    @property
    def kind(self) -> JobKind:
        """The kind of job that tells groups."""
        return JobKind(name=WORD, work=self._tell)

    async def _tell(self, run: Run) -> None:
        """Tell a group that a game is left out, or that its recurring game is paused; a host if the bot is muted."""
        word = msgspec.json.decode(run.job.data, type=_Word)
        chat_id = run.job.chat_id
        chat = None if chat_id is None else await self._people.chat_now(chat_id)
        if chat is None:
            return
        reader = await self._reader(chat, word)
        if reader is None:
            return
        to, locale = reader
        template = await self._templates.one(chat.id, word.template)
        name = "" if template is None else template.title or template.name
        args: dict[str, Any] = {"time": _time(word.at)} | ({"name": name} if word.outcome != NO_TEMPLATE else {})
        if word.outcome == MUTED:
            args["chat"] = chat.title
        await self._outbox.put(
            Outgoing(
                id=f"{WORD}:{run.job.key}",
                chat_id=to,
                topic_id=(word.topic or None) if to == chat.id else None,
                method="sendMessage",
                params=_html(self._texts.html(locale, f"recurring-{word.outcome}", **args)),
                priority=Priority.NORMAL,
                created_at=self._clock.now(),
            )
        )

    async def _reader(self, chat: Chat, word: _Word) -> tuple[int, str] | None:
        """Return the chat that is told, and its language; None if nobody can be."""
        if word.outcome != MUTED:
            return (chat.id, chat.locale or DEFAULT_LOCALE) if chat.active else None
        private = await self._people.chat(word.host) if word.host > 0 else None
        if private is None or not private.active:
            return None
        return word.host, await self._people.locale_of_player(word.host) or DEFAULT_LOCALE


def _time(at: Instant) -> Markup:
    """Render an instant as date and time in the reader's zone."""
    return Markup(date_time(at // 1000, _utc(at), "Dt"))


def _moment(at: Instant) -> Markup:
    """Render an instant relative to now."""
    return Markup(date_time(at // 1000, _utc(at)))


def _utc(at: Instant) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _html(html: str) -> dict[str, Any]:
    return {"text": str(html), "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
