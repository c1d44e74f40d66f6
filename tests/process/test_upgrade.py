"""Live games of an earlier version continue under today's code, on the same stores."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot import operator_commands
from chaos.acts import Act, Setting, cast
from chaos.replicas import ROOT
from sandbox.state import Message
from tests.process.conftest import Room
from tests.support.groups import PATIENCE

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
    return Room(act.box, act.box.control.add_group(f"Group of {name}", people[0], people[1:]), people, act)


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
    await finished.play(finished.people[:3])
    joined = await joining.open()
    await joining.join(joined, *joining.people[:2])
    picked = await picking.begin(picking.people[:3])
    await picking.all_choose(picked, picking.people[:2])
    asked = await quiz.open("/start_quiz 2 10")
    await quiz.join(asked, quiz.host)

    await upgraded(earlier_bot)

    await picking.choose(picked, picking.people[2], 7)
    await joining.join(joined, joining.people[2])
    await joining.start(joined)
    await joining.all_choose(joined, joining.people[:3])
    await quiz.join(asked, quiz.people[1])
    await quiz.start(asked)
    for room in rooms:
        await room.close(room.games[0])
    for room in (finished, picking, joining):
        assert operator_commands.verify(await proof_of(room, tmp_path), "en") == 0
