"""Several processes on the same stores: one does each job, and another takes over."""

import asyncio

import pytest

from chaos.replicas import Replica
from tests.process.conftest import Room
from tests.support.groups import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def holder(room: Room, lease: str) -> Replica:
    """Wait until a replica holds a lease, and return it. Nobody holds it while it changes hands."""
    async with asyncio.timeout(PATIENCE):
        while (found := await room.act.leader(lease)) is None:  # noqa: ASYNC110 -- other processes change it
            await asyncio.sleep(0.05)
    return found


async def test_exactly_one_replica_polls_and_every_lease_has_one_holder(room: Room) -> None:
    conflicts = room.act.box.world.statistics["getUpdates", 409]
    game_id = await room.open()
    for lease in ("{poller}", "{send}", "{deadlines}"):
        await holder(room, lease)
    await room.join(game_id, room.people[1])
    assert room.act.box.world.statistics["getUpdates", 409] == conflicts


async def test_a_tap_is_handled_after_the_process_that_polled_was_killed(room: Room) -> None:
    game_id = await room.open()
    await room.join(game_id, room.people[1])
    poller = await holder(room, "{poller}")
    await poller.kill()
    assert "You’re in" in (await room.tap(room.people[2], "^j:")).text


async def test_a_game_goes_on_by_itself_when_every_process_was_killed(room: Room) -> None:
    game_id = await room.open()
    await room.join(game_id, *room.people)
    await asyncio.gather(*(replica.kill() for replica in room.act.replicas))
    await asyncio.gather(*(replica.start() for replica in room.act.replicas))
    # Nobody picks: only deadlines can end the game.
    assert "picked" in str((await room.close(game_id)).content["text"])


async def test_a_paused_leader_that_wakes_up_does_no_harm(room: Room) -> None:
    game_id = await room.open()
    await room.join(game_id, room.host)
    leader = await holder(room, "{send}")
    leader.pause()
    await room.join(game_id, *room.people[1:])
    await room.act.box.control.until(lambda: leader_changed(room, leader.pid), PATIENCE)
    leader.resume()
    message = await room.close(game_id)
    assert sum(message.id == other.id for other in room.act.box.control.bot_messages(room.group)) == 1


def leader_changed(room: Room, _pid: int) -> bool | None:
    """Return True if something was sent while the leader slept, so that another one leads; otherwise None."""
    return any("Player 3" in str(m.content) for m in room.act.box.control.bot_messages(room.group)) or None


async def test_games_go_on_without_postgresql_and_so_does_a_start(room: Room) -> None:
    game_id = await room.open()
    await room.act.postgres.kill()
    replica = room.act.replicas[0]
    await replica.kill()
    await replica.start()
    await replica.ready(room.act.session)
    for person in room.people:
        assert "You’re in" in (await room.tap(person, "^j:")).text
    await room.close(game_id)
    await room.act.postgres.start()
    assert await room.act.settled()


async def test_a_tap_while_redis_is_down_is_told_so_and_the_next_one_works(room: Room) -> None:
    game_id = await room.open()
    await room.join(game_id, room.people[1])
    await room.act.redis_store.kill()
    assert "try again" in (await room.tap(room.people[2], "^j:")).text.lower()
    await room.act.redis_store.start()
    while "You’re in" not in (await room.tap(room.people[2], "^j:")).text:
        pass  # a person would try again too


async def test_progress_is_shown_although_the_process_that_was_to_show_it_was_killed(room: Room) -> None:
    await room.join(await room.open(), *room.people)
    leader = await holder(room, "{feed:boards}")
    await leader.kill()
    control = room.act.box.control
    await control.until(lambda: control.find(room.group, "Player 3"), PATIENCE)
