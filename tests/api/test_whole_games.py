"""Whole games by the API, beside people who tap in Telegram."""

import asyncio
import sys
from collections.abc import Callable
from decimal import Decimal
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


PACK = (
    b"question,answer,wrong1,type,explanation\n"
    b"Planets?,Mars | Venus,Moon,several,The Moon is a moon.\n"
    b"In order?,one | two | three,,order,\n"
    b"How high?,8849 \xc2\xb1 1,,number,\n"
    b"A fish?,false,,true_false,\n"
)


async def test_questions_of_every_type_are_answered_by_the_api(served: Served) -> None:
    calling = served.table.people[2]
    async with await served.client(Role.HOST, served.chat_id) as host:
        made = await host.send("POST", f"/chats/{served.chat_id}/packs?filename=a.csv&name=Types", body=PACK)
        rules = {"questions": "4", "question_seconds": "600", "reveal_seconds": "1", "min_players": "1"}
        rules |= {"pack": str(made.json()["id"])}
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="quiz", rules=rules))
        assert game.pace_seconds is None
        await host.join_game(game.id, JoinBody(calling.id, "Ann"))
        await host.start_game(game.id)
        for number in range(4):
            game = await reached(served, host, game.id, partial(asks, number))
            asked = game.state["questions"][number]
            hidden = ("rights", "number", "tolerance", "explanation", "right")
            assert not [name for name in hidden if asked[name] not in (None, [], "")]
            wrong = await host.send(
                "POST", f"/games/{game.id}/answers", body={"player_id": calling.id, "question": number, "choice": [9]}
            )
            assert (wrong.status_code, wrong.json()["code"]) == (422, "no-such-answer")
            texts = asked["answers"]
            choice: int | tuple[int, ...] | Decimal
            match asked["type"]:
                case "several":
                    choice = tuple(texts.index(text) for text in ("Mars", "Venus"))
                case "order":
                    choice = tuple(texts.index(text) for text in ("one", "two", "three"))
                case "number":
                    choice = Decimal("8849.5")
                case _:
                    choice = texts.index("False")
            game = await host.answer_question(game.id, AnswerBody(calling.id, number, choice))
            revealed = game.state["questions"][number]
            assert set(game.state["gained"]) == {str(calling.id)}
            assert revealed["explanation"] == ("The Moon is a moon." if asked["type"] == "several" else "")
        ended = await reached(served, host, game.id, lambda game: game.phase == "completed")
        assert ended.state["standings"][0]["place"] == 1


async def reached(served: Served, host: Client, game_id: str, when: Callable[[GameView], bool]) -> GameView:
    """Turn the clock until a game is in the state that is waited for."""
    for _ in range(400):
        game = await host.get_game(game_id)
        if when(game):
            return game
        await served.table.turn(0.5)
    raise AssertionError(f"it never came: {await host.get_game(game_id)}")
