"""Pick Your Number as a group plays it."""

import asyncio
import json
from pathlib import Path

from bot import operate
from tests.e2e.conftest import Table


async def open_game(table: Table, command: str = "/create_game Friday") -> None:
    table.box.control.say(table.host, table.group, command)
    await table.tap(table.host, "^j:")


async def everybody_joins(table: Table) -> None:
    for person in table.people[1:]:
        answer = await table.tap(person, "^j:")
        assert answer.text


async def everybody_picks(table: Table) -> None:
    for number, person in enumerate(table.people, start=3):
        answer = await table.tap(person, f"^p:[^:]+:{number}$")
        assert str(number) in (answer.text or "")


async def test_a_group_plays_from_the_first_tap_to_the_result(table: Table) -> None:
    await open_game(table)
    await everybody_joins(table)
    await table.tap(table.host, "^s:")
    await everybody_picks(table)
    for _ in range(40):
        await table.turn(1)
    result = await table.says("🏆")
    assert len([m for m in table.box.control.bot_messages(table.group) if "🏆" in str(m.content)]) == 1
    assert result.edit_date
    table.no_complaints()


async def test_the_proof_that_fair_gives_is_recomputed_offline(polled: Table, tmp_path: Path) -> None:
    await open_game(polled)
    await everybody_joins(polled)
    await polled.tap(polled.host, "^s:")
    await everybody_picks(polled)
    for _ in range(40):
        await polled.turn(1)
    await polled.says("🏆")
    async with asyncio.timeout(10):  # the result may be shown a moment before PostgreSQL has it
        while not await polled.bot.pool.fetchval("SELECT count(*) FROM games WHERE status = 'completed'"):
            await polled.turn(0.1)
    polled.box.control.say(polled.host, polled.group, "/fair")
    document = await polled.until(
        lambda: next((m for m in polled.box.control.bot_messages(polled.group) if "document" in m.content), None)
    )
    raw = polled.box.world.files[document.content["document"]["file_id"]].content
    path = tmp_path / "proof.json"
    path.write_bytes(raw)
    assert operate.verify(path, "en") == 0
    proof = json.loads(raw)
    path.write_bytes(raw.replace(proof["seed"].encode(), proof["commitment"].encode()))
    assert operate.verify(path, "ru") == 1
    polled.no_complaints()


async def test_two_people_who_tap_one_number_are_told_apart_at_once(table: Table) -> None:
    await open_game(table)
    await everybody_joins(table)
    await table.tap(table.host, "^s:")
    first = await table.tap(table.people[1], r"^p:[^:]+:7$")
    second = await table.tap(table.people[2], r"^p:[^:]+:7$")
    assert first.text != second.text
    table.no_complaints()


async def test_a_lobby_that_nobody_joins_is_cancelled_with_a_notice(table: Table) -> None:
    await open_game(table)
    await table.turn(901)
    await table.says("(?i)cancel")
    table.no_complaints()
