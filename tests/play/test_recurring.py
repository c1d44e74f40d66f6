"""Recurring games: a simulated year with deaths in between, and everything that can keep a game from opening."""

import asyncio
import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from bot.clock import SystemEntropy
from bot.recurring import RecurringKeeper
from fsm.engine import Engine
from fsm.kind import ChatTopic, Instant
from fsm.lobby import BadRule, Cancel
from fsm.pick_number import PickNumberRules
from fsm.registry import KINDS
from fsm.schedule import DAY, WEEK, Schedule
from play.access import ANONYMOUS, Access, Actor, NotAHost, Role, Token
from play.occurrences import GRACE_MS, Occurrences
from play.opening import Configured, Openings
from play.recurring import NoSuchRecurring, RecurringDesk, TooManyRecurring
from play.templates import NoSuchTemplate
from play.zones import TIME_ZONE, UnknownTimeZone
from storage.jobs import NewJob
from storage.recurring import RecurringGame, RecurringGames
from storage.set_aside import SetAside
from tests.handlers.room import ANN, BOT_ID, GROUP, HOST, OTHER_GROUP, TEXTS, Room, plain

HANA = Actor(HOST, "Hana", GROUP)
FRIDAY = 0b1_0000
ZONES = {
    GROUP: ("Europe/Madrid", Schedule(unit=WEEK, weekdays=1 << 6, minute=150, starts_on=date(2026, 1, 1))),
    -1004: ("America/New_York", Schedule(unit=WEEK, weekdays=1 << 6, minute=90, starts_on=date(2026, 1, 1))),
    -1005: ("Australia/Lord_Howe", Schedule(unit=WEEK, weekdays=1 << 6, minute=135, starts_on=date(2026, 1, 1))),
}
"""Weekly at times of the night that the clocks skip, or show twice, when they change."""


class Killed(BaseException):
    """The death of a process, which no handler catches."""


class DyingGames(RecurringGames):
    """Repository of a process that dies before or after some of its writes."""

    def __init__(self, pool: Any, chance: random.Random, deadly: float) -> None:
        super().__init__(pool)
        self.chance, self.deadly = chance, deadly

    async def save(
        self, known: RecurringGame, new: RecurringGame, *, action: str = "", job: NewJob | None = None
    ) -> bool:
        fate = self.chance.random()
        if fate < self.deadly / 2:
            raise Killed
        saved = await super().save(known, new, action=action or "change-recurring", job=job)
        if fate < self.deadly:
            raise Killed
        return saved


def replica(
    room: Room, stored: RecurringGames, *, max_live: int = 1000, defaults: dict[str, Any] | None = None
) -> Occurrences:
    """Return the occurrences of a process that has just started: without any memory of games."""
    stores, play = room.deps.stores, room.deps.play
    engine = Engine(KINDS, stores.games, room.clock, SystemEntropy())
    access = Access(people=stores.people, hosts=play.hosts, members=play.members, operators=(), now=room.clock.now)
    openings = Openings(
        engine=engine, games=stores.games, people=stores.people, access=access, content={},
        flags=play.flags, configured=Configured(rules=defaults or play.openings.defaults, max_live=max_live),
    )  # fmt: skip
    return Occurrences(
        stored=stored, templates=stores.templates, openings=openings, games=stores.games, engine=engine,
        archive=stores.archive, people=stores.people, access=access, members=play.members,
        outbox=room.deps.telegram.outbox, jobs=stores.jobs, texts=TEXTS, clock=room.clock,
    )  # fmt: skip


async def live(room: Room, chat_id: int) -> set[str]:
    """Return the ids of the live games of a chat."""
    return set(await room.deps.stores.games.live_in(ChatTopic(chat_id)))


def ms(*moment: int) -> Instant:
    """Return an instant in UTC."""
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1000  # type: ignore[arg-type,misc]


async def test_a_year_in_three_time_zones_opens_each_game_exactly_once_whoever_dies_and_however_clocks_are_set(
    room: Room,
) -> None:
    stores, desk, chance = room.deps.stores, room.deps.play.recurring, random.Random(14)
    room.clock.at = begin = ms(2026, 1, 1)
    for chat_id, (zone, schedule) in ZONES.items():
        room.telegram.appoint(chat_id, HOST)
        host = replace_chat(HANA, chat_id)
        await stores.people.saw_chat(chat_id, "supergroup", zone)
        template = await room.deps.play.templates.save(host, chat_id, "Night", "pick_number", "", {})
        await desk.choose_zone(host, chat_id, zone)
        await desk.add(host, ChatTopic(chat_id), template, schedule)
    expected = {
        chat_id: [
            schedule.instant(day, ZoneInfo(zone))
            for day in (date(2026, 1, 1) + timedelta(days=n) for n in range(365))
            if day.weekday() == 6
        ]
        for chat_id, (zone, schedule) in ZONES.items()
    }
    opened: dict[int, list[Instant]] = {chat_id: [] for chat_id in ZONES}
    seen: set[str] = set()
    stored = DyingGames(room.pool, chance, 0.3)
    processes = [replica(room, stored), replica(room, stored)]
    deaths = 0
    times = sorted({at for each in expected.values() for at in each})
    assert times[-1] < begin + 365 * 86_400_000
    assert [len(each) for each in expected.values()] == [52, 52, 52]
    for at in times:
        room.clock.at = at - 1
        assert await processes[0].due() == [], "nothing is due earlier"
        for offset in (0, -60_000, chance.randrange(GRACE_MS)):
            room.clock.at = at + offset  # a minute back at times: clocks are set
            for number, each in enumerate(processes):
                outcomes = await asyncio.gather(look(each), look(processes[1 - number]), return_exceptions=True)
                if any(isinstance(outcome, Killed) for outcome in outcomes):
                    deaths += 1
                    processes[number] = replica(room, stored)
                assert not [o for o in outcomes if isinstance(o, Exception)], outcomes
        stored.deadly, room.clock.at = 0, at + GRACE_MS
        await look(processes[0])
        stored.deadly = 0.3
        for chat_id in ZONES:
            for game_id in await live(room, chat_id) - seen:
                seen.add(game_id)
                opened[chat_id].append(at)
    assert opened == expected
    assert deaths > 20
    rows = [row for chat_id in ZONES for row in await stores.recurring.of_chat(chat_id)]
    assert {row.last_outcome for row in rows} == {"opened"}
    assert await stores.jobs.page() == [], "nobody was told of anything but games"


async def look(process: Occurrences) -> None:
    """Do what is due, as the leading process does."""
    for each in await process.due():
        await process.handle(each, BOT_ID)


def replace_chat(actor: Actor, chat_id: int) -> Actor:
    """Return the person, acting from another chat."""
    return msgspec.structs.replace(actor, chat_id=chat_id)


# -- everything that keeps a game from opening ------------------------------------------------------------------


@dataclass
class Weekly:
    """A game every Friday at 20:00 in Madrid, in the group, by Hana; and the process that opens it."""

    room: Room
    process: Occurrences
    template: int
    id: int

    @property
    def desk(self) -> RecurringDesk:
        return self.room.deps.play.recurring

    async def row(self) -> RecurringGame:
        found = await self.room.deps.stores.recurring.one(GROUP, self.id)
        assert found is not None
        return found

    async def comes(self, *, late: int = 0) -> RecurringGame:
        """Turn the clock to the next occurrence, and do what is due. Returns the row."""
        self.room.clock.at = (await self.row()).next_at + late
        await look(self.process)
        return await self.row()

    async def words(self) -> list[str]:
        """Return what the jobs have told, as people read it."""
        await self.room.work(self.process.kind)
        return [plain(out.params["text"]) for out in await self.room.sent() if out.chat_id in {GROUP, HOST}]

    async def end_game(self) -> None:
        """End the group's live game."""
        (game_id,) = await live(self.room, GROUP)
        await self.room.engine.execute(game_id, Cancel(None, "host"), command_id="c")


@pytest.fixture
async def weekly(room: Room) -> Weekly:
    room.clock.at = ms(2026, 11, 30, 12)
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    template = await room.deps.play.templates.save(HANA, GROUP, "Night", "pick_number", "Friday night", {})
    desk = room.deps.play.recurring
    await desk.choose_zone(HANA, GROUP, "Europe/Madrid")
    schedule = Schedule(unit=WEEK, weekdays=FRIDAY, minute=20 * 60, starts_on=date(2026, 11, 30))
    made = await desk.add(HANA, ChatTopic(GROUP), template, schedule)
    assert made.next_at == ms(2026, 12, 4, 19)
    return Weekly(room, replica(room, room.deps.stores.recurring, max_live=1), template, made.id)


async def test_a_game_is_opened_by_its_template_at_its_time_and_its_host_is_not_made_to_play(weekly: Weekly) -> None:
    row = await weekly.comes()
    (game_id,) = await live(weekly.room, GROUP)
    game = await weekly.room.state(game_id)
    assert (game.title, game.host.id, dict(game.players)) == ("Friday night", HOST, {})
    assert (row.last_outcome, row.last_on, row.next_on) == ("opened", date(2026, 12, 4), date(2026, 12, 11))
    assert await weekly.words() == []


async def test_a_game_that_is_still_on_keeps_the_next_from_opening_and_the_group_is_told(weekly: Weekly) -> None:
    await weekly.comes()
    row = await weekly.comes()
    assert (row.last_outcome, len(await live(weekly.room, GROUP))) == ("busy", 1)
    (said,) = await weekly.words()
    assert "another game is still on" in said
    await weekly.end_game()
    assert (await weekly.comes()).last_outcome == "opened"


async def test_a_bot_that_was_down_opens_within_the_grace_and_leaves_out_what_is_older(weekly: Weekly) -> None:
    assert (await weekly.comes(late=GRACE_MS)).last_outcome == "opened"
    await weekly.end_game()
    row = await weekly.comes(late=15 * 86_400_000)
    assert (row.last_outcome, row.last_on, row.next_on) == ("missed", date(2026, 12, 11), date(2027, 1, 1))
    assert await live(weekly.room, GROUP) == set()
    (said,) = await weekly.words()
    assert "too late" in said, "one word, however many were missed"


async def test_an_opening_is_found_again_long_after_the_process_died_that_made_it(weekly: Weekly) -> None:
    weekly.room.clock.at = (await weekly.row()).next_at

    class DiesAtTheEnd(RecurringGames):
        async def save(self, known: RecurringGame, new: RecurringGame, **more: Any) -> bool:
            if new.last_outcome:
                raise Killed
            return await super().save(known, new, **more)

    with pytest.raises(Killed):
        await look(replica(weekly.room, DiesAtTheEnd(weekly.room.pool), max_live=1))
    assert len(await live(weekly.room, GROUP)) == 1
    row = await weekly.comes(late=5 * 3_600_000)
    assert (row.last_outcome, row.opening) == ("opened", "")
    assert len(await live(weekly.room, GROUP)) == 1


async def test_a_bot_that_was_removed_opens_nothing_and_says_nothing_and_goes_on_when_it_is_back(
    weekly: Weekly,
) -> None:
    await weekly.room.deps.stores.people.chat_gone(GROUP)
    assert (await weekly.comes()).last_outcome == "removed"
    assert await weekly.words() == []
    await weekly.room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    assert (await weekly.comes()).last_outcome == "opened"


async def test_a_bot_that_was_muted_tells_the_host_in_private(weekly: Weekly) -> None:
    await weekly.room.say("/start", by=HOST, chat=HOST)
    await weekly.room.sent()
    weekly.room.telegram.chat(GROUP).permissions["can_send_messages"] = False
    assert (await weekly.comes()).last_outcome == "muted"
    (said,) = await weekly.words()
    assert "may not send messages there" in said


async def test_without_its_template_it_is_paused_until_a_host_has_chosen_another(weekly: Weekly) -> None:
    await weekly.room.deps.play.templates.delete(HANA, GROUP, weekly.template)
    row = await weekly.comes()
    assert (row.paused, row.last_outcome) == ("template", "template")
    (said,) = await weekly.words()
    assert "its template has been deleted" in said
    with pytest.raises(NoSuchTemplate):
        await weekly.desk.resume(HANA, GROUP, weekly.id)
    other = await weekly.room.deps.play.templates.save(HANA, GROUP, "Other", "pick_number", "", {})
    await weekly.desk.change(HANA, GROUP, weekly.id, template_id=other)
    assert (await weekly.desk.resume(HANA, GROUP, weekly.id)).paused == ""
    assert (await weekly.comes()).last_outcome == "opened"


async def test_when_its_host_is_no_longer_one_it_is_paused_until_another_host_takes_it_over(weekly: Weekly) -> None:
    weekly.room.telegram.appoint(GROUP, ANN)
    await weekly.room.deps.play.hosts.invalidate(GROUP)
    assert (await weekly.comes()).paused == "not-a-host"
    (said,) = await weekly.words()
    assert "no longer hosts here" in said
    with pytest.raises(NotAHost):
        await weekly.desk.resume(HANA, GROUP, weekly.id)
    assert (await weekly.desk.resume(Actor(ANN, "Ann", GROUP), GROUP, weekly.id)).host.id == ANN
    assert (await weekly.comes()).last_outcome == "opened"


async def test_anonymous_hosts_and_tokens_open_games_in_the_groups_own_name(weekly: Weekly) -> None:
    schedule = Schedule(unit=DAY, minute=0, starts_on=date(2026, 12, 1))
    anonymous = Actor(ANONYMOUS, "Friends", GROUP, GROUP)
    token = Actor(0, token=Token(Role.HOST, frozenset({GROUP})))
    for actor in (anonymous, token):
        made = await weekly.desk.add(actor, ChatTopic(GROUP), weekly.template, schedule)
        assert made.host.id == GROUP
    weekly.room.clock.at = ms(2026, 11, 30, 23)
    await look(weekly.process)
    (game_id,) = await live(weekly.room, GROUP)
    assert (await weekly.room.state(game_id)).host.id == GROUP


async def test_a_template_that_no_longer_fits_the_rules_is_left_out_and_the_group_is_told(weekly: Weekly) -> None:
    process = replica(
        weekly.room, weekly.room.deps.stores.recurring, defaults={"pick_number": PickNumberRules(winners=99)}
    )
    weekly.room.clock.at = (await weekly.row()).next_at
    await look(process)
    assert (await weekly.row()).last_outcome == "refused"
    (said,) = await weekly.words()
    assert "check its template" in said


# -- hosts ------------------------------------------------------------------------------------------------------


async def test_an_announcement_comes_once_ahead_and_the_group_is_told_when_it_is_called_off(weekly: Weekly) -> None:
    await weekly.desk.change(HANA, GROUP, weekly.id, announce_minutes=30)
    at = (await weekly.row()).next_at
    weekly.room.clock.at = at - 30 * 60_000 - 1
    await look(weekly.process)
    assert await weekly.room.sent() == []
    weekly.room.clock.turn(0.001)
    await asyncio.gather(look(weekly.process), look(replica(weekly.room, weekly.room.deps.stores.recurring)))
    await look(weekly.process)
    (out,) = await weekly.room.sent()
    assert f'unix="{at // 1000}"' in out.params["text"]
    assert out.expires_at == at
    ((button,),) = out.params["reply_markup"]["inline_keyboard"]
    assert button["callback_data"] == "next:on"
    on = (await weekly.row()).next_on
    for _ in range(2):
        await weekly.desk.skip(HANA, GROUP, weekly.id, on)
    (said,) = await weekly.words()
    assert "is off this time" in said
    assert (await weekly.row()).next_on == on + timedelta(days=7)


async def test_a_skip_leaves_out_one_occurrence_and_can_be_taken_back(weekly: Weekly) -> None:
    first = (await weekly.row()).next_on
    assert (await weekly.desk.skip(HANA, GROUP, weekly.id, first)).next_on == first + timedelta(days=7)
    assert (await weekly.desk.skip(HANA, GROUP, weekly.id, first)).next_on == first + timedelta(days=7)
    assert (await weekly.desk.unskip(HANA, GROUP, weekly.id)).next_on == first
    await weekly.desk.skip(HANA, GROUP, weekly.id, first)
    row = await weekly.comes()
    assert (row.last_on, row.last_outcome, row.skip_on) == (first + timedelta(days=7), "opened", None)


async def test_a_paused_game_is_not_opened_and_goes_on_with_the_next_date_after_it_is_resumed(weekly: Weekly) -> None:
    await weekly.desk.pause(HANA, GROUP, weekly.id)
    await weekly.comes(late=30 * 86_400_000)
    assert await live(weekly.room, GROUP) == set()
    row = await weekly.desk.resume(HANA, GROUP, weekly.id)
    assert row.next_at > weekly.room.clock.at
    assert (await weekly.comes()).last_outcome == "opened"


async def test_another_time_zone_moves_the_next_occurrence_and_never_repeats_a_date(weekly: Weekly) -> None:
    await weekly.desk.choose_zone(HANA, GROUP, "Asia/Tokyo")
    assert (await weekly.row()).next_at == ms(2026, 12, 4, 11)
    assert (await weekly.comes()).last_on == date(2026, 12, 4)
    await weekly.desk.choose_zone(HANA, GROUP, "America/Los_Angeles")  # where the date's 20:00 is still to come
    assert (await weekly.row()).next_on == date(2026, 12, 11)
    with pytest.raises(UnknownTimeZone):
        await weekly.desk.choose_zone(HANA, GROUP, "Europe/Atlantis")


@pytest.mark.parametrize("how", ["deleted", "zone", "zone of the API", "schedule"])
async def test_an_announced_game_that_will_not_come_is_called_off(weekly: Weekly, how: str) -> None:
    desk, first = weekly.desk, await weekly.desk.change(HANA, GROUP, weekly.id, announce_minutes=60)
    weekly.room.clock.at = first.announces_at
    await look(weekly.process)
    (announced,) = await weekly.words()
    assert "Friday night</b> starts" in announced
    if how == "deleted":
        await desk.delete(HANA, GROUP, weekly.id)
    elif how == "schedule":
        await desk.change(HANA, GROUP, weekly.id, schedule=replace(first.schedule, weekdays=1 << 5))
    elif how == "zone":
        await desk.choose_zone(HANA, GROUP, "Asia/Tokyo")  # where this date's 20:00 is over
    else:
        await weekly.room.deps.stores.people.change_settings(GROUP, {TIME_ZONE: "Asia/Tokyo"})
        weekly.room.clock.at = first.next_at
        await look(weekly.process)
    assert any("is off this time" in word for word in await weekly.words())


@pytest.mark.parametrize("how", ["pause", "skip"])
async def test_a_game_that_was_called_off_and_comes_after_all_is_announced_again(weekly: Weekly, how: str) -> None:
    desk, first = weekly.desk, await weekly.desk.change(HANA, GROUP, weekly.id, announce_minutes=60)
    weekly.room.clock.at = first.announces_at
    await look(weekly.process)
    if how == "pause":
        await desk.pause(HANA, GROUP, weekly.id)
        await desk.resume(HANA, GROUP, weekly.id)
    else:
        await desk.skip(HANA, GROUP, weekly.id, first.next_on)
        await desk.unskip(HANA, GROUP, weekly.id)
    await look(weekly.process)
    assert sum("</b> starts" in word for word in await weekly.words()) == 2


async def test_a_zone_that_was_stored_by_a_process_that_died_is_followed_before_anything_is_opened(
    weekly: Weekly,
) -> None:
    await weekly.room.deps.stores.people.change_settings(GROUP, {TIME_ZONE: "America/New_York"})
    row = await weekly.comes()
    assert (row.last_outcome, row.zone, row.next_at) == ("", "America/New_York", ms(2026, 12, 5, 1))
    assert (await weekly.comes()).last_outcome == "opened"


async def test_a_new_leader_reckons_all_instants_anew(weekly: Weekly) -> None:
    await weekly.room.pool.execute("UPDATE recurring_games SET next_at = next_at - interval '1 hour'")
    await weekly.process.reckon()
    assert (await weekly.row()).next_at == ms(2026, 12, 4, 19)


async def test_one_that_raises_does_not_stop_the_others(weekly: Weekly) -> None:
    other = await weekly.desk.add(HANA, ChatTopic(GROUP, 5), weekly.template, (await weekly.row()).schedule)
    await weekly.room.pool.execute("UPDATE recurring_games SET unit = 'day', every = 0 WHERE id = $1", weekly.id)
    failed = list[str]()
    keeper = RecurringKeeper(weekly.process, weekly.room.clock, BOT_ID, aside=SetAside(failed.append))
    weekly.room.clock.at = (await weekly.row()).next_at
    assert 0 < await keeper.step() <= 5
    assert failed == ["recurring games"]
    assert (await weekly.desk.one(HANA, GROUP, other.id)).last_outcome == "opened"


async def test_a_chat_has_a_limit_and_strangers_change_nothing(weekly: Weekly) -> None:
    schedule = (await weekly.row()).schedule
    for _ in range(9):
        await weekly.desk.add(HANA, ChatTopic(GROUP), weekly.template, schedule)
    with pytest.raises(TooManyRecurring):
        await weekly.desk.add(HANA, ChatTopic(GROUP), weekly.template, schedule)
    with pytest.raises(BadRule):
        await weekly.desk.change(HANA, GROUP, weekly.id, announce_minutes=1441)
    ann = Actor(ANN, "Ann", GROUP)
    for change in (
        weekly.desk.add(ann, ChatTopic(GROUP), weekly.template, schedule),
        weekly.desk.change(ann, GROUP, weekly.id, announce_minutes=0),
        weekly.desk.skip(ann, GROUP, weekly.id, date(2026, 12, 4)),
        weekly.desk.unskip(ann, GROUP, weekly.id),
        weekly.desk.pause(ann, GROUP, weekly.id),
        weekly.desk.resume(ann, GROUP, weekly.id),
        weekly.desk.delete(ann, GROUP, weekly.id),
        weekly.desk.choose_zone(ann, GROUP, "UTC"),
    ):
        with pytest.raises(NotAHost):
            await change
    await weekly.desk.delete(HANA, GROUP, weekly.id)
    with pytest.raises(NoSuchRecurring):
        await weekly.desk.one(HANA, GROUP, weekly.id)


async def test_a_group_that_becomes_a_supergroup_keeps_its_recurring_games(weekly: Weekly) -> None:
    await weekly.room.deps.stores.people.chat_migrated(GROUP, OTHER_GROUP)
    (row,) = await weekly.room.deps.stores.recurring.of_chat(OTHER_GROUP)
    assert (row.id, row.template_id) == (weekly.id, weekly.template)
