"""Whole games by the API, beside people who tap in Telegram."""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from api.client import Client
from api.games import AnswerBody, JoinBody, OpenBody, PickBody
from api.views import GameView
from play.access import Role
from tests.api.conftest import Served

ROOT = Path(__file__).parents[2]


def asks(number: int, game: GameView) -> bool:
    """Return whether a quiz shows a question and takes answers to it."""
    return game.phase == "question_open" and bool(game.state["index"] == number)


async def test_a_draw_by_the_api_and_by_taps_has_a_proof_that_verifies(served: Served, tmp_path: Path) -> None:
    table = served.table
    tapping, calling = table.people[1], table.people[2]
    async with await served.client(Role.HOST, served.chat_id) as host:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number", rules={"numbers": "10"}))
        await table.tap(tapping, r"^j:")
        await host.join_game(game.id, JoinBody(calling.id, "Ann"))
        game = await host.start_game(game.id)
        assert (game.phase, game.state["seed"], game.state["drawn"]) == ("number_selection", None, None)
        game = await host.pick_number(game.id, PickBody(calling.id, 3))
        assert game.state["owners"] == {"3": calling.id}
        assert "reserved" in game.state
        await table.tap(tapping, r"^p:.*:4$")
        ended = await reached(served, host, game.id, lambda game: game.phase == "completed")
        assert ended.players == 2
        assert ended.state["seed"] is not None
        proof = tmp_path / "proof.json"
        answer = await host.send("GET", f"/games/{game.id}/proof")
        proof.write_bytes(answer.content)
    verifier = await asyncio.create_subprocess_exec(sys.executable, "verify.py", proof, cwd=ROOT)
    assert await verifier.wait() == 0


async def test_a_quiz_by_the_api_and_by_taps_shows_no_answer_before_its_time(served: Served) -> None:
    table = served.table
    tapping, calling = table.people[1], table.people[2]
    async with await served.client(Role.HOST, served.chat_id) as host:
        rules = {"questions": "2", "question_seconds": "15", "reveal_seconds": "1"}
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="quiz", rules=rules))
        await table.tap(tapping, r"^j:")
        await host.join_game(game.id, JoinBody(calling.id, "Ann"))
        await host.start_game(game.id)
        for number in range(2):
            game = await reached(served, host, game.id, partial(asks, number))
            question = game.state["questions"][number]
            assert (question["right"], question["id"]) == (None, "")
            game = await host.answer_question(game.id, AnswerBody(calling.id, number, 0))
            assert game.state["replies"][str(calling.id)]["choice"] is None
            again = await host.send(
                "POST", f"/games/{game.id}/answers", body={"player_id": calling.id, "question": number, "choice": 1}
            )
            assert again.json()["code"] == "already-answered"
            await table.tap(tapping, rf"^a:.*:{number}:1$")
        ended = await reached(served, host, game.id, lambda game: game.phase == "completed")
        assert {each["player_id"] for each in ended.state["standings"]} == {tapping.id, calling.id}


async def reached(served: Served, host: Client, game_id: str, when: Callable[[GameView], bool]) -> GameView:
    """Turn the clock until a game is in the state that is waited for."""
    for _ in range(400):
        game = await host.get_game(game_id)
        if when(game):
            return game
        await served.table.turn(0.5)
    raise AssertionError(f"it never came: {await host.get_game(game_id)}")
