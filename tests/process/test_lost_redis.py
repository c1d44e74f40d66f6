"""Complete loss of Redis: PostgreSQL's data is restored, and people are told."""

import asyncio
import shutil

import pytest

from storage import keys
from tests.process.conftest import Room
from tests.support.groups import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def lose_redis(room: Room) -> None:
    """Replace the store and its data by an empty one."""
    await room.act.projected()
    await room.act.redis_store.kill()
    shutil.rmtree(room.act.directory / "redis")
    await room.act.redis_store.start()


async def test_a_game_that_an_older_redis_lacks_is_put_back_when_its_feed_has_been_read(room: Room) -> None:
    act = room.act
    before = await room.open()
    await room.press(room.host, f"xx:{before}")
    await room.close(before)
    await act.projected()
    data, older = act.directory / "redis", act.directory / "older"
    await act.redis_store.stop()
    shutil.copytree(data, older)
    await act.redis_store.start()
    game_id = await room.open()
    assert keys.shard_of_game(game_id) == keys.shard_of_game(before)
    await room.join(game_id, *room.people[:2])
    await act.projected()
    for replica in act.replicas:
        await replica.stop()
    await act.redis_store.stop()
    shutil.rmtree(data)
    older.rename(data)
    await act.redis_store.start()
    # The projector had not read the latest events when the snapshot was made.
    await act.redis.xgroup_setid(keys.feed_key(keys.shard_of_game(game_id)), "projector", "0")
    await act.heal()
    await room.box.control.until_message(room.group, "(?i)restored", timeout=PATIENCE)
    await room.press(room.host, f"xx:{game_id}")
    await room.close(game_id)


async def test_live_games_are_put_back_from_postgresql_and_their_chats_are_told(room: Room) -> None:
    game_id = await room.open()
    await room.join(game_id, *room.people[:2])
    control = room.act.box.control
    await control.until(lambda: control.find(room.group, "Player 1"), PATIENCE)
    await lose_redis(room)
    await control.until_message(room.group, "(?i)restored|put back|interrupted|lost", timeout=PATIENCE)
    await room.close(game_id)


async def test_a_quiz_goes_on_with_the_question_and_the_answers_that_postgresql_has(room: Room) -> None:
    game_id = await room.open("/start_quiz 3 8")
    await room.join(game_id, *room.people[:2])
    await room.start(game_id)
    assert "Your answer" in ((await room.tap(room.host, f"^a:{game_id}:0:")).text or "")
    await lose_redis(room)
    control = room.act.box.control
    await control.until_message(room.group, "(?i)restored", timeout=PATIENCE)
    async with asyncio.timeout(PATIENCE):  # until all games are back, a tap is told to try again
        while "try again" in ((again := await room.press(room.host, f"a:{game_id}:0:0")).text or ""):
            pass
    assert "already answered" in (again.text or "") or "closed" in (again.text or "")
    await room.close(game_id)


async def test_a_result_that_was_perhaps_not_shown_is_shown_again(room: Room) -> None:
    game_id = await room.open()
    await room.join(game_id, room.people[1])
    await room.press(room.host, f"xx:{game_id}")
    first = await room.close(game_id)
    await lose_redis(room)
    control = room.act.box.control
    await control.until(lambda: control.find(room.group, "cancelled", after=first.id), PATIENCE)
