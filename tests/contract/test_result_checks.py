"""Results are checked against the events and the rows of PostgreSQL, once each, by every process."""

import pytest
from redis.asyncio import Redis

from bot.observe.result_checks import ResultChecks
from fsm.lobby import Leave
from fsm.registry import KINDS
from storage.archive import Archive
from storage.codec import Codec
from storage.connections import Pool
from storage.set_aside import SetAside
from tests.contract.played import CHAT, House
from tests.support.games import QUIZ


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis)


@pytest.fixture
def checks(house: House, pool: Pool) -> ResultChecks:
    return ResultChecks(Archive(pool, Codec(KINDS)), house.clock.now(), SetAside())


async def test_each_result_is_checked_once(house: House, checks: ResultChecks) -> None:
    await house.play((1, 2))
    await house.project()
    await checks.look()
    await checks.look()
    cancelled = await house.open(CHAT - 1)
    await house.cancel(cancelled)
    await house.project()
    await checks.look()
    assert +checks.checked == {("pick_number", "right"): 2}
    assert checks.ended["pick_number", "completed"] == 1
    assert sum(checks.ended.values()) == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE game_participants SET prize = prize + 1 WHERE prize > 0",
        "UPDATE game_participants SET place = NULL",
        """UPDATE game_events SET data = jsonb_set(data, '{standings,0,prize}', '"9"') WHERE name = 'game_completed'""",
        "UPDATE game_events SET data = jsonb_set(data, '{drawn,0}', '77') WHERE name = 'numbers_drawn'",
        "UPDATE game_events SET name = 'game_cancelled' WHERE name = 'numbers_shown'",
    ],
)
async def test_a_wrong_result_is_found(house: House, checks: ResultChecks, pool: Pool, change: str) -> None:
    await house.play((1, 2))
    await house.project()
    await pool.execute(change)
    await checks.look()
    assert +checks.checked == {("pick_number", "wrong"): 1}


async def test_the_rows_of_erased_people_are_no_mistake(house: House, checks: ResultChecks, pool: Pool) -> None:
    await house.play((1, 2))
    await house.project()
    await pool.execute("UPDATE game_participants SET player_id = -5 WHERE player_id = 1")
    await checks.look()
    assert +checks.checked == {("pick_number", "right"): 1}


async def test_a_player_who_leaves_a_quiz_keeps_a_right_result(house: House, checks: ResultChecks, pool: Pool) -> None:
    house.script = QUIZ
    game_id = await house.begin((1, 2, 3))
    question = (await house.state(game_id)).question
    await house.choose(game_id, 1, 0, question.right)
    await house.choose(game_id, 2, 0, (question.right + 1) % 4)
    for player in (1, 2):  # one with points, one without
        await house.do(game_id, Leave(player))
    await house.close(game_id)
    await house.project()
    await checks.look()
    assert +checks.checked == {("quiz", "right"): 1}
    results = await Archive(pool, Codec(KINDS)).results([game_id])
    assert {(each.player_id, each.place) for each in results} == {(1, 1), (3, None)}
