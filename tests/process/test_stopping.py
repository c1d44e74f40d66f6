"""SIGTERM: current work is finished, nobody waits, and the status is 0."""

import asyncio

import pytest

from tests.process.conftest import Room

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_rolling_restart_under_load_answers_every_tap(room: Room) -> None:
    game_id = await room.open()
    control = room.act.box.control
    # enough people that nobody taps as fast as a machine
    crowd = [control.add_user(f"Guest {number}") for number in range(40)]
    for guest in crowd:
        control.join(room.group, guest)
    stopping = asyncio.create_task(rolling(room))
    answers: list[str] = []
    while not stopping.done():
        answers += [(await room.press(person, f"j:{game_id}")).text for person in crowd]
    await stopping
    assert all(answers), "a tap was answered with nothing"
    assert not [text for text in answers if "try again" in text.lower()]
    assert [death for replica in room.act.replicas for death in replica.deaths] == []
    assert max(seconds for replica in room.act.replicas for seconds in replica.stops) < 10


async def rolling(room: Room) -> None:
    for replica in room.act.replicas:
        await replica.stop()
        await replica.start()
        await replica.ready(room.act.session)
