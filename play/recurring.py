"""Recurring games: hosts make, list, change, skip, pause and delete them, by any face.

``play/occurrences.py`` opens their games when the time comes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from fsm.engine import Clock
from fsm.kind import ChatTopic, Host, Instant, Rejected
from fsm.lobby import check_bounds
from fsm.schedule import Schedule, local_date
from play.access import Access, Actor, Needs
from play.opening import Openings
from play.templates import NoSuchTemplate
from play.zones import TIME_ZONE, check_zone, zone_of
from storage.jobs import Jobs, NewJob
from storage.people import People
from storage.recurring import MOST_RECURRING, RecurringGame, RecurringGames
from storage.templates import Template, Templates

MOST_MINUTES_AHEAD: Final = 1440
"""Longest time by which an announcement is ahead, in minutes."""
BY_HOST: Final = "host"
"""Reason of a pause that a host asked for."""
WORD: Final = "recurring-word"
"""Kind of the jobs that tell a group of the end of an occurrence."""
TRIES: Final = 10


@dataclass(unsafe_hash=True)
class NoSuchRecurring(Rejected):
    """The chat has no such recurring game any more."""


@dataclass(unsafe_hash=True)
class TooManyRecurring(Rejected):
    """The chat has as many recurring games as it may have."""

    limit: int = MOST_RECURRING


@dataclass(unsafe_hash=True)
class BeingChanged(Rejected):
    """Others change the same recurring game all the time."""


class RecurringDesk:
    """Operations of hosts on recurring games. The host who makes, changes or resumes one opens its games from then on.

    Args:
        stored: the repository.
        templates: the templates of chats.
        openings: the settings of chats.
        people: the titles of chats.
        access: authorises hosts.
        jobs: announces that a job has been enqueued.
        clock: the wall clock.
        default_zone: the time zone of chats that have chosen none.
    """

    def __init__(
        self,
        *,
        stored: RecurringGames,
        templates: Templates,
        openings: Openings,
        people: People,
        access: Access,
        jobs: Jobs,
        clock: Clock,
        default_zone: str = "UTC",
    ) -> None:
        self.default_zone = default_zone
        self._stored = stored
        self._templates = templates
        self._openings = openings
        self._people = people
        self._access = access
        self._jobs = jobs
        self._clock = clock

    async def zone(self, chat_id: int) -> str:
        """Return the name of a chat's time zone."""
        return zone_of(await self._openings.settings(chat_id), self.default_zone)

    async def of_chat(self, actor: Actor, chat_id: int) -> list[RecurringGame]:
        """Return the recurring games of a chat. Raises the errors of ``Access.authorise``."""
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.LOOK)
        return await self._stored.of_chat(chat_id)

    async def one(self, actor: Actor, chat_id: int, recurring_id: int) -> RecurringGame:
        """Return one recurring game of a chat. Raises ``NoSuchRecurring``."""
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.LOOK)
        return await self._one(chat_id, recurring_id)

    async def add(
        self, actor: Actor, chat_topic: ChatTopic, template_id: int, schedule: Schedule, announce_minutes: int = 0
    ) -> RecurringGame:
        """Make a recurring game.

        Raises ``NoSuchTemplate``, ``BadRule``, ``TooManyRecurring``, and the errors of ``Access.authorise``.
        """
        chat_id = chat_topic.chat_id
        await self._access.authorise(actor, chat_topic, Needs.HOST)
        _check(schedule, announce_minutes)
        await self._template(chat_id, template_id)
        zone = await self.zone(chat_id)
        new = RecurringGame(
            chat_topic=chat_topic,
            template_id=template_id,
            schedule=schedule,
            announce_minutes=announce_minutes,
            zone=zone,
            next_on=schedule.starts_on,
            next_at=0,
            host=await self._host(actor, chat_id),
        )
        new = upcoming(new, self._clock.now())
        added = await self._stored.add(new)
        if added is None:
            raise TooManyRecurring
        return replace(new, id=added)

    async def change(
        self,
        actor: Actor,
        chat_id: int,
        recurring_id: int,
        *,
        template_id: int | None = None,
        schedule: Schedule | None = None,
        announce_minutes: int | None = None,
    ) -> RecurringGame:
        """Change a recurring game; None leaves a part. Raises the errors of ``add`` and ``NoSuchRecurring``."""
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)
        if template_id is not None:
            await self._template(chat_id, template_id)
        host = await self._host(actor, chat_id)

        def changed(known: RecurringGame) -> RecurringGame:
            ahead = known.announce_minutes if announce_minutes is None else announce_minutes
            new = replace(
                known,
                template_id=template_id or known.template_id,
                schedule=schedule or known.schedule,
                announce_minutes=ahead,
                host=host,
            )
            _check(new.schedule, ahead)
            return upcoming(new, self._clock.now())

        return await self._change(chat_id, recurring_id, changed, "change-recurring")

    async def skip(self, actor: Actor, chat_id: int, recurring_id: int, on: date) -> RecurringGame:
        """Leave out the next occurrence, if it is the one of this date; a repeat changes nothing.

        If it has been announced, the group is told. Raises ``NoSuchRecurring``.
        """
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)

        def changed(known: RecurringGame) -> RecurringGame:
            if known.next_on != on:
                return known
            return upcoming(replace(known, skip_on=on), self._clock.now())

        return await self._change(chat_id, recurring_id, changed, "skip-recurring")

    async def unskip(self, actor: Actor, chat_id: int, recurring_id: int) -> RecurringGame:
        """Take back a skip, if its time has not come yet. Raises ``NoSuchRecurring``."""
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)
        return await self._change(
            chat_id,
            recurring_id,
            lambda known: known if known.skip_on is None else upcoming(replace(known, skip_on=None), self._clock.now()),
            "unskip-recurring",
        )

    async def pause(self, actor: Actor, chat_id: int, recurring_id: int) -> RecurringGame:
        """Open no more games until it is resumed. If the next has been announced, the group is told.

        Raises ``NoSuchRecurring``.
        """
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)
        return await self._change(
            chat_id,
            recurring_id,
            lambda known: known if known.paused else replace(known, paused=BY_HOST, announced_on=None),
            "pause-recurring",
        )

    async def resume(self, actor: Actor, chat_id: int, recurring_id: int) -> RecurringGame:
        """Go on after a pause, with the next occurrence from now. Raises ``NoSuchRecurring`` and ``NoSuchTemplate``."""
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)
        await self._template(chat_id, (await self._one(chat_id, recurring_id)).template_id)
        host = await self._host(actor, chat_id)

        def changed(known: RecurringGame) -> RecurringGame:
            return upcoming(replace(known, paused="", host=host), self._clock.now()) if known.paused else known

        return await self._change(chat_id, recurring_id, changed, "resume-recurring")

    async def delete(self, actor: Actor, chat_id: int, recurring_id: int) -> None:
        """Delete a recurring game, if it is there. Raises the errors of ``Access.authorise``.

        If the next game has been announced, the group is told.
        """
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)
        known = await self._stored.one(chat_id, recurring_id)
        if known is None:
            return
        job = called_off(known, None)
        if await self._stored.delete(chat_id, recurring_id, job=job) and job is not None:
            await self._jobs.ring()

    async def choose_zone(self, actor: Actor, chat_id: int, name: str | None) -> None:
        """Store a chat's time zone, and move its recurring games to it; None restores the default.

        Raises ``UnknownTimeZone``, and the errors of ``Access.authorise``.
        """
        await self._openings.store_setting(actor, chat_id, TIME_ZONE, None if name is None else check_zone(name))
        await self.follow_zone(chat_id)

    async def follow_zone(self, chat_id: int) -> None:
        """Move a chat's recurring games to its time zone. An occurrence whose local time has passed is left out."""
        zone = zone_of(await self._settings_now(chat_id), self.default_zone)
        for each in await self._stored.of_chat(chat_id):
            if each.zone != zone:
                await self._change(
                    chat_id,
                    each.id,
                    lambda known: upcoming(replace(known, zone=zone), self._clock.now()),
                    "move-recurring",
                )

    async def _settings_now(self, chat_id: int) -> dict[str, Any]:
        chat = await self._people.chat_now(chat_id)  # not from the cache, which may not know of the change yet
        return {} if chat is None else dict(chat.settings)

    async def _change(
        self,
        chat_id: int,
        recurring_id: int,
        change: Callable[[RecurringGame], RecurringGame],
        action: str,
    ) -> RecurringGame:
        """Read, change and save a recurring game, again if somebody else was first.

        If an announced game will not come because of it, the group is told.
        """
        for _ in range(TRIES):
            known = await self._one(chat_id, recurring_id)
            new = change(known)
            if new == known:
                return known
            job = called_off(known, new)
            if await self._stored.save(known, new, action=action, job=job):
                if job is not None:
                    await self._jobs.ring()
                return replace(new, version=known.version + 1)
        raise BeingChanged

    async def _one(self, chat_id: int, recurring_id: int) -> RecurringGame:
        found = await self._stored.one(chat_id, recurring_id)
        if found is None:
            raise NoSuchRecurring
        return found

    async def _template(self, chat_id: int, template_id: int) -> Template:
        found = await self._templates.one(chat_id, template_id)
        if found is None or found.kind not in self._openings.defaults:
            raise NoSuchTemplate
        return found

    async def _host(self, actor: Actor, chat_id: int) -> Host:
        """Return the person in whose name games are opened; the group itself for a token, which is no person."""
        if actor.token is None:
            return actor.host
        chat = await self._people.chat(chat_id)
        return Host(chat_id, chat.title if chat is not None else "")


def upcoming(known: RecurringGame, now: Instant) -> RecurringGame:
    """Return a recurring game with its next occurrence after ``now`` and after the latest one that is over."""
    zone = ZoneInfo(known.zone)
    on = known.schedule.next_after(now, zone, later_than=known.last_on)
    if on == known.skip_on:
        on = known.schedule.after(on)
    at = known.schedule.instant(on, zone)
    skip_on = known.skip_on if known.skip_on is not None and known.skip_on >= local_date(now, zone) else None
    same = on == known.next_on and at == known.next_at
    return replace(
        known,
        next_on=on,
        next_at=at,
        skip_on=skip_on,
        opening=known.opening if same else "",
        announced_on=known.announced_on if same else None,
    )


def word_of(known: RecurringGame, outcome: str) -> NewJob:
    """Return the job that tells the group of the end of the next occurrence."""
    place = known.chat_topic
    data = {
        "outcome": outcome,
        "at": known.next_at,
        "topic": place.topic_id,
        "template": known.template_id,
        "host": known.host.id,
    }
    key = f"{known.id}:{known.version}:{outcome}"  # one for each change of the row
    return NewJob(WORD, key, msgspec.json.encode(data), chat_id=place.chat_id)


def called_off(known: RecurringGame, new: RecurringGame | None) -> NewJob | None:
    """Return the job that tells the group that an announced game will not come; None if nothing was announced.

    ``new`` is the row after a change; None if it is deleted. A game that comes at another time of the same date is
    announced anew.
    """
    announced = known.announced_on == known.next_on and not known.paused
    comes = new is not None and not new.paused and new.next_on == known.next_on
    return word_of(known, "skipped") if announced and not comes else None


def _check(schedule: Schedule, announce_minutes: int) -> None:
    schedule.check()
    check_bounds("announce_minutes", announce_minutes, 0, MOST_MINUTES_AHEAD)
