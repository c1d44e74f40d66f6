"""Pick Your Number, played by a group."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

from bot import operator_commands
from storage.people import People
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


async def finished_in_postgresql(table: Table) -> str:
    """Return the id of the only game once PostgreSQL has its end, shortly before or after the result is shown."""
    async with asyncio.timeout(60):
        while not (found := await table.bot.pool.fetchval("SELECT id FROM games WHERE status = 'completed'")):
            await table.turn(0.1)
    return str(found)


async def proof_of_the_game(table: Table) -> bytes:
    """Ask for the proof in the group. Returns the file."""
    table.box.control.say(table.host, table.group, "/fair")
    document = await table.until(
        lambda: next((m for m in table.box.control.bot_messages(table.group) if "document" in m.content), None)
    )
    return table.box.world.files[document.content["document"]["file_id"]].content


async def test_a_group_plays_from_the_first_tap_to_the_result(table: Table, tmp_path: Path) -> None:
    people = People(table.bot.pool, table.bot.redis)
    await people.saw_chat(table.group.id, "supergroup", "Friday games")
    await people.change_settings(table.group.id, {"pick_number": {"prize_pool": "100"}})
    await open_game(table)
    await everybody_joins(table)
    await table.tap(table.host, "^s:")
    await everybody_picks(table)
    for _ in range(40):
        await table.turn(1)
    result = await table.says("🏆")
    board, told = (m for m in table.box.control.bot_messages(table.group) if "🏆" in str(m.content))
    assert board.edit_date
    assert told == result
    assert told.reply_to == board.id

    game_id = await finished_in_postgresql(table)
    (row,) = await table.bot.pool.fetch("SELECT player_id, place, amount FROM prizes WHERE game_id = $1", game_id)
    winner = next(person for person in table.people if person.id == row["player_id"])
    picked = 3 + table.people.index(winner)
    assert (row["place"], row["amount"]) == (1, Decimal(100))
    assert winner.first_name in str(result.content["text"])
    assert "100" in str(result.content["text"])
    (participant,) = await table.bot.pool.fetch(
        "SELECT number, place, prize FROM game_participants WHERE game_id = $1 AND player_id = $2", game_id, winner.id
    )
    assert tuple(participant) == (picked, 1, Decimal(100))

    proof = tmp_path / "proof.json"
    proof.write_bytes(await proof_of_the_game(table))
    assert operator_commands.verify(proof, "en") == 0
    (drawn_first,) = json.loads(proof.read_bytes())["places"]
    assert (drawn_first["player"], drawn_first["number"], drawn_first["prize"]) == (winner.id, picked, "100.00")
    table.no_complaints()


async def test_the_proof_that_fair_gives_is_recomputed_offline(polled: Table, tmp_path: Path) -> None:
    await open_game(polled)
    await everybody_joins(polled)
    await polled.tap(polled.host, "^s:")
    await everybody_picks(polled)
    for _ in range(40):
        await polled.turn(1)
    await polled.says("🏆")
    await finished_in_postgresql(polled)
    raw = await proof_of_the_game(polled)
    path = tmp_path / "proof.json"
    path.write_bytes(raw)
    assert operator_commands.verify(path, "en") == 0
    proof = json.loads(raw)
    path.write_bytes(raw.replace(proof["seed"].encode(), proof["commitment"].encode()))
    assert operator_commands.verify(path, "ru") == 1
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
