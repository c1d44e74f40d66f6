"""Redis lost whole: what PostgreSQL has is put back, and people are told."""

import shutil

import pytest

from tests.process.conftest import PATIENCE, Room

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_live_games_are_put_back_from_postgresql_and_their_chats_are_told(room: Room) -> None:
    game_id = await room.opens()
    for person in room.people[:2]:
        await room.tap(person, "^j:")
    control = room.act.box.control
    await control.until(lambda: control.find(room.group, "Player 1"), PATIENCE)
    await room.act.projected()
    await room.act.redis_store.kill()
    shutil.rmtree(room.act.directory / "redis")
    await room.act.redis_store.start()
    await control.until_message(room.group, "(?i)restored|put back|interrupted|lost", timeout=PATIENCE)
    await room.ends(game_id)
