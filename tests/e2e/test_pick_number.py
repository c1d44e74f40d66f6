"""Pick Your Number, played by a group."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

from bot import operator_commands
from sandbox.state import Message
from storage.people import People
from tests.e2e.conftest import Table


async def finished_in_postgresql(table: Table) -> str:
    """Return the id of the only game once PostgreSQL has its end, shortly before or after the result is shown."""
    async with asyncio.timeout(60):
        while not (found := await table.bot.pool.fetchval("SELECT id FROM games WHERE status = 'completed'")):
            await table.turn(0.1)
    return str(found)


def that_says(table: Table, sign: str) -> Message | None:
    """Return the group's message that contains a sign."""
    return next((found for found in table.box.control.bot_messages(table.group) if sign in str(found.content)), None)


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
    game_id = await table.play()
    result = await table.until(lambda: that_says(table, "🏆"))
    board = await table.until(lambda: that_says(table, "🏁"))
    assert board.edit_date
    assert result.reply_to == board.id

    assert await finished_in_postgresql(table) == game_id
    (row,) = await table.bot.pool.fetch("SELECT player_id, place, amount FROM prizes WHERE game_id = $1", game_id)
    winner = next(person for person in table.people if person.id == row["player_id"])
    picked = 1 + table.people.index(winner)
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
    await polled.play()
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
    game_id = await table.begin()
    assert await table.choose(game_id, table.people[1], 7) != await table.choose(game_id, table.people[2], 7)
    table.no_complaints()


async def test_a_lobby_that_nobody_joins_is_cancelled_with_a_notice(table: Table) -> None:
    await table.open()
    await table.turn(901)
    await table.says("(?i)cancel")
    table.no_complaints()
