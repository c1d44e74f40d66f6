"""Figures by time: counted by the projector, shown by leaderboards; achievements; the games of before."""

from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module

import pytest
from redis.asyncio import Redis

from fsm.achievements import ACHIEVEMENTS, PlayedGame, Totals, earned
from fsm.lobby import Standing
from storage import migrate
from storage.achievements import Achievements
from storage.archive import Archive
from storage.connections import Pool
from storage.figures import Figures
from storage.people import People
from storage.periods import MONTH, QUARTER, WEEK, bounds, period_at, previous
from tests.contract.played import CHAT, House

DAY_SECONDS = 86_400


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis)


def at(house: House) -> datetime:
    return datetime.fromtimestamp(house.clock.now() / 1000, UTC)


@pytest.mark.parametrize(
    ("length", "moment", "name"),
    [
        (WEEK, datetime(2027, 1, 1, tzinfo=UTC), "2026-W53"),
        (WEEK, datetime(2024, 12, 30, tzinfo=UTC), "2025-W01"),
        (MONTH, datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "2026-12"),
        (QUARTER, datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "2026-Q4"),
        (QUARTER, datetime(2026, 4, 1, tzinfo=UTC), "2026-Q2"),
    ],
)
async def test_a_period_has_the_name_that_postgresql_gives_it(
    length: str, moment: datetime, name: str, pool: Pool
) -> None:
    assert period_at(length, moment) == name
    form = {WEEK: 'IYYY-"W"IW', MONTH: "YYYY-MM", QUARTER: 'YYYY-"Q"Q'}[length]
    assert await pool.fetchval("SELECT to_char($1::timestamptz AT TIME ZONE 'UTC', $2)", moment, form) == name
    begin, end = bounds(name)
    assert begin <= moment < end
    assert period_at(length, end) != name
    assert bounds(previous(name))[1] == begin


async def test_a_period_counts_the_games_that_ended_in_it(house: House, pool: Pool) -> None:
    figures = Figures(pool)
    await house.play((1, 2))
    first = at(house)
    house.clock.turn(100 * DAY_SECONDS)
    await house.play((1, 2, 3))
    await house.play((1, 3))
    await house.play((1, 2), chat_id=CHAT - 1)
    await house.project()
    assert {row.player_id: row.games for row in await figures.leaderboard(CHAT, "", 10)} == {1: 3, 2: 2, 3: 2}
    for length in (WEEK, MONTH, QUARTER):
        rows = await figures.leaderboard(CHAT, period_at(length, at(house)), 10)
        assert {row.player_id: row.games for row in rows} == {1: 2, 2: 1, 3: 2}
        assert [row.place for row in rows] == [1, 2, 3]
        assert sum(row.prizes for row in rows) == 2 * Decimal("10.00")
        rows = await figures.leaderboard(CHAT, period_at(length, first), 10, kind="pick_number")
        assert {row.player_id: row.games for row in rows} == {1: 1, 2: 1}
        assert await figures.leaderboard(CHAT, period_at(length, first), 10, kind="quiz") == []


async def test_a_period_ranks_as_the_list_of_all_time_does(house: House, pool: Pool) -> None:
    figures, archive = Figures(pool), Archive(pool, house.codec)
    for number in range(6):
        await house.play(tuple(range(1, 4 + number)), currency="EUR" if number % 2 else "")
    await house.project()
    ever = await archive.leaderboard(CHAT, None, 100)
    assert await figures.leaderboard(CHAT, "", 100) == ever
    assert await figures.leaderboard(CHAT, period_at(QUARTER, at(house)), 100) == ever
    assert await figures.leaderboard(CHAT, period_at(QUARTER, at(house)), 2, 3) == ever[3:5]


async def test_a_player_finds_the_rows_around_their_own(house: House, pool: Pool) -> None:
    figures = Figures(pool)
    await house.play(tuple(range(1, 11)), max_players=20)
    await house.project()
    for period in ("", period_at(WEEK, at(house))):
        rows = await figures.leaderboard(CHAT, period, 100)
        middle = rows[5]
        assert await figures.around(CHAT, period, middle.player_id) == rows[2:9]
        assert await figures.around(CHAT, period, rows[0].player_id) == rows[:4]
        assert await figures.around(CHAT, period, 12345) == []


async def test_the_list_of_all_chats_has_those_who_agreed_alone(house: House, pool: Pool, redis: Redis) -> None:
    figures, people = Figures(pool), People(pool, redis)
    await house.play((1, 2))
    await house.play((1, 3), chat_id=CHAT - 1)
    await house.project()
    await people.set_listed(1, listed=True)
    for period in ("", period_at(MONTH, at(house))):
        (row,) = await figures.leaderboard(0, period, 10)
        assert (row.player_id, row.games, row.name) == (1, 2, "Player 1")
        assert await figures.around(0, period, 2) == []


async def test_a_group_that_became_a_supergroup_keeps_its_periods(house: House, pool: Pool) -> None:
    new = CHAT - 10**6
    await house.play((1, 2))
    game_id = await house.begin((1, 2))
    await house.project()
    await house.move(game_id, new)
    await house.finish(game_id, (1, 2))
    await house.project()
    rows = await Figures(pool).leaderboard(new, period_at(WEEK, at(house)), 10)
    assert {row.player_id: row.games for row in rows} == {1: 2, 2: 2}
    assert await Figures(pool).leaderboard(CHAT, period_at(WEEK, at(house)), 10) == []
    assert {each.name for each in await Achievements(pool).of_player(rows[0].player_id, new)} >= {"first-win"}


async def test_an_achievement_is_earned_once_and_announced_by_one_result(house: House, pool: Pool) -> None:
    achievements = Achievements(pool)
    games = [await house.play((1, 2), winners=2) for _ in range(11)]
    await house.project()
    rows = await pool.fetch("SELECT * FROM player_achievements WHERE achievement = 'games-10' ORDER BY player_id")
    assert [(row["player_id"], row["game_id"]) for row in rows] == [(1, games[9]), (2, games[9])]
    now = house.clock.now()
    told = await achievements.announce(CHAT, games[10], now)
    assert {(1, "games-10", "Player 1"), (1, "first-win", "Player 1")} <= {*told}
    assert await achievements.announce(CHAT, games[10], now) == told, "a second delivery tells the same"
    assert {*await achievements.announce(CHAT, games[9], now)}.isdisjoint(told)
    assert {"first-win", "wins-10", "games-10"} <= {each.name for each in await achievements.of_player(1, CHAT)}
    assert await achievements.of_player(1, CHAT - 1) == []


def test_each_achievement_has_a_condition_that_a_game_can_meet() -> None:
    most = Totals(games=1000, wins=1000, points=10**6, best_streak=100)
    prize = Standing(1, "Ann", place=1, number=1, prize=Decimal(5))
    met = {*earned(most, PlayedGame(2, 1, prize)), *earned(most, PlayedGame(30, 1, prize))}
    met |= {*earned(most, PlayedGame(30, 2, Standing(1, "Ann", place=2)))}
    assert met == {each.name for each in ACHIEVEMENTS}
    assert earned(Totals(1, 0, 0, 0), PlayedGame(30, 2, Standing(1, "Ann", place=None))) == []


async def test_weeks_are_counted_with_those_that_had_no_game(house: House, pool: Pool) -> None:
    await house.play((1, 2))
    house.clock.turn(14 * DAY_SECONDS)
    await house.play((1, 2))
    await house.play((2, 3))
    await house.project()
    figures = Figures(pool)
    assert [week.games for week in await figures.weeks_of_player(1, 0, at(house), 4)] == [0, 1, 0, 1]
    assert [week.games for week in await figures.weeks_of_player(1, CHAT, at(house), 2)] == [0, 1]
    assert [week.games for week in await figures.weeks_of_chat(CHAT, at(house), 4)] == [0, 1, 0, 2]


async def test_the_migration_counts_the_games_of_before_as_the_projector_does(house: House, pool: Pool) -> None:
    (name,) = (path.stem for path in migrate.MIGRATIONS.glob("versions/*_over_time.py"))
    fill = import_module(f"migrations.versions.{name}").FILL
    for _ in range(3):
        await house.play((1, 2, 3), winners=2, currency="EUR")
    await house.play((1, 2), chat_id=CHAT - 1)
    await house.project()
    everything = "SELECT * FROM player_periods ORDER BY chat_id, period, player_id, kind"
    counted = await pool.fetch(everything)
    await pool.execute("DELETE FROM player_periods")
    await pool.execute(fill)
    assert await pool.fetch(everything) == counted != []


async def test_figures_can_be_asked_for_the_ids_of_supergroups_which_exceed_32_bits(house: House, pool: Pool) -> None:
    supergroup, now = -1_001_234_567_890, at(house)
    figures = Figures(pool)
    assert await Achievements(pool).of_player(1, supergroup) == []
    assert {week.games for week in await figures.weeks_of_player(1, supergroup, now, 2)} == {0}
    for period in ("", period_at(WEEK, now)):
        assert await figures.leaderboard(supergroup, period, 10) == []
        assert await figures.around(supergroup, period, 1) == []
