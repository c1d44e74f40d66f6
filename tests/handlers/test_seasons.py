"""The end of a season: a podium for each chat that played, stored and announced once."""

import time
from datetime import UTC, datetime

import pytest

from handlers.seasons import KIND, LAG, LATE, Seasons
from play.telling import MESSAGES, NO, QUIET, SEASON, SEASON_MONTH
from storage.job_runner import Run
from storage.periods import MONTH, QUARTER, bounds, period_at
from tests.handlers.room import GROUP, TEXTS, Room, name_of, plain, text


def seasons(room: Room) -> Seasons:
    stores = room.deps.stores
    return Seasons(
        jobs=stores.jobs, figures=stores.figures, people=stores.people, outbox=room.deps.telegram.outbox, texts=TEXTS,
        clock=room.clock,
    )  # fmt: skip


def now(room: Room) -> datetime:
    return datetime.fromtimestamp(room.clock.now() / 1000, UTC)


async def played(room: Room) -> None:
    """Play a game in a group that the bot knows, and leave nothing in the outbox."""
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    await room.play()
    await seasons(room).begin()
    await room.sent()


async def over(room: Room, length: str) -> str:
    """Turn the clock to after the end of the current period. Returns the period."""
    season = period_at(length, now(room))
    room.clock.turn((bounds(season)[1] + LAG - now(room)).total_seconds())
    return season


async def work(room: Room, season: str, *, steps: int = 1) -> list[str]:
    """Do the job of a season, as often as a process that dies at its end would. Returns the texts that were sent."""
    jobs, kind = room.deps.stores.jobs, seasons(room).kind
    for step in range(steps):
        again = "UPDATE jobs SET due_at = now(), status = 'queued', progress = '{}' WHERE kind = $1 AND key = $2"
        await room.pool.execute(again, KIND, season)
        (job,) = [job for job in await jobs.claim({KIND: 10}, f"worker {step}") if job.key == season]
        await kind.work(Run(job, kind, jobs, time.monotonic() + 60))
    return [plain(each.params["text"]) for each in await room.sent() if each.id.startswith("season:")]


async def test_a_season_ends_with_one_podium_however_often_its_job_runs(room: Room) -> None:
    await played(room)
    season = await over(room, QUARTER)
    (shown,) = await work(room, season, steps=2)
    podium = await room.deps.stores.figures.podiums(GROUP, 5)
    assert [(each.season, each.place) for each in podium] == [(season, 1)]
    assert podium[0].name in {name_of(player) for player in room.everybody}
    assert "🥇" in shown
    assert await work(room, season) == []
    await room.say("/leaderboard")
    await room.sent()
    queued = await room.pool.fetch("SELECT key FROM jobs WHERE kind = $1 AND status = 'queued'", KIND)
    assert period_at(QUARTER, now(room)) in {row[0] for row in queued}, "the next season has its job"


async def test_the_champion_is_named_in_the_list_of_the_next_season(room: Room) -> None:
    await played(room)
    await work(room, await over(room, QUARTER))
    markup = {"inline_keyboard": [[{"text": "season", "callback_data": f"top:{GROUP}:s:0"}]]}
    await room.tap(f"top:{GROUP}:s:0", room.message("list", reply_markup=markup))
    shown = await room.answer()
    assert text("cmd-best-none-season") in shown
    assert "👑" in shown


@pytest.mark.parametrize(
    ("settings", "length", "podiums", "messages"),
    [
        ({SEASON: SEASON_MONTH}, MONTH, 1, 1),
        ({SEASON: SEASON_MONTH}, QUARTER, 0, 0),
        ({}, MONTH, 0, 0),
        ({SEASON: NO}, QUARTER, 0, 0),
        ({MESSAGES: QUIET}, QUARTER, 1, 0),
    ],
)
async def test_a_chat_chooses_its_seasons(
    room: Room, settings: dict[str, str], length: str, podiums: int, messages: int
) -> None:
    await played(room)
    await room.deps.stores.people.change_settings(GROUP, settings)
    assert len(await work(room, await over(room, length))) == messages
    assert len(await room.deps.stores.figures.podiums(GROUP, 5)) == podiums


async def test_after_a_long_outage_the_podium_is_stored_and_no_longer_news(room: Room) -> None:
    await played(room)
    season = await over(room, QUARTER)
    room.clock.turn(LATE.total_seconds())
    assert await work(room, season) == []
    assert len(await room.deps.stores.figures.podiums(GROUP, 5)) == 1


async def test_nothing_is_said_of_a_season_without_games(room: Room) -> None:
    await seasons(room).begin()
    assert await work(room, await over(room, QUARTER)) == []
