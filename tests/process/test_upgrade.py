"""Live games of an earlier version continue under today's code, on the same stores."""

import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from bot import operator_commands
from chaos.acts import Act, Setting, cast
from chaos.replicas import ROOT
from sandbox.state import Message, User
from tests.process.conftest import PATIENCE, Room

pytestmark = pytest.mark.asyncio(loop_scope="session")

EARLIER = "f1b5ac70006ba914b7f1a7dbaed59f0202677d53"
"""The last commit with the earlier folders; its proofs have the first format."""


@pytest.fixture(scope="session")
def earlier_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Check out the tree of the earlier commit."""
    packed = subprocess.run(["git", "archive", EARLIER], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        pytest.skip("the earlier commit is not in this clone")
    folder = tmp_path_factory.mktemp("earlier")
    subprocess.run(["tar", "-x"], cwd=folder, input=packed.stdout, check=True)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def earlier_bot(earlier_checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Act]:
    """Run one process of the earlier version on separate stores."""
    setting = Setting(seed=1, replicas=1, seconds=(120, 60, 60, 0.2), root=earlier_checkout)
    async with cast(setting, tmp_path_factory.mktemp("upgraded")) as act:
        yield act


async def upgraded(act: Act) -> None:
    """Stop the process, and start today's code in its place."""
    (replica,) = act.replicas
    await replica.stop()
    replica.root = ROOT
    replica.env = {**replica.env, "TOMBOLA_GAMES__HOST_JOINS": "false"}
    await replica.start()
    await replica.ready(act.session, PATIENCE)
    assert replica.deaths == []


def seated(act: Act, name: str) -> Room:
    """Return a new group of four."""
    people = [act.box.control.add_user(f"{name} {number}") for number in range(4)]
    return Room(act, act.box.control.add_group(f"Group of {name}", people[0], people[1:]), people)


async def joined_by(room: Room, count: int) -> None:
    """Open a game and let a number of people join."""
    await room.opens()
    for person in room.people[:count]:
        await room.tap(person, "^j:")


async def picked_by(room: Room, people: Sequence[User]) -> None:
    """Let each of these people pick a number."""
    for number, person in enumerate(people, start=3):
        assert str(number) in (await room.tap(person, f"^p:[^:]+:{number}$")).text


async def proof_of(room: Room, where: Path) -> Path:
    """Ask for the proof of the group's last game, and save it. Returns the file's path."""
    control = room.act.box.control
    control.say(room.host, room.group, f"/fair {room.games[-1]}")

    def document() -> Message | None:
        return next((message for message in control.bot_messages(room.group) if "document" in message.content), None)

    sent = await control.until(document, PATIENCE)
    file = where / f"{room.games[-1]}.json"
    file.write_bytes(room.act.box.world.files[sent.content["document"]["file_id"]].content)
    return file


async def test_live_games_of_the_earlier_version_end_on_the_new_one_with_proofs_that_hold(
    earlier_bot: Act, tmp_path: Path
) -> None:
    finished, joining, picking, quiz = rooms = [
        seated(earlier_bot, name) for name in ("Finisher", "Joiner", "Picker", "Answerer")
    ]
    await joined_by(finished, 3)
    await finished.tap(finished.host, "^s:")
    await picked_by(finished, finished.people[:3])
    await finished.ends(finished.games[0])
    await joined_by(joining, 2)
    await joined_by(picking, 3)
    await picking.tap(picking.host, "^s:")
    await picked_by(picking, picking.people[:2])
    await quiz.opens("2 10", command="start_quiz")
    await quiz.tap(quiz.host, "^j:")

    await upgraded(earlier_bot)

    await picking.tap(picking.people[2], "^p:[^:]+:7$")
    await joining.tap(joining.people[2], "^j:")
    await joining.tap(joining.host, "^s:")
    await picked_by(joining, joining.people[:3])
    await quiz.tap(quiz.people[1], "^j:")
    await quiz.tap(quiz.host, "^s:")
    for room in rooms:
        await room.ends(room.games[0], 90)
    for room in (finished, picking, joining):
        assert operator_commands.verify(await proof_of(room, tmp_path), "en") == 0
