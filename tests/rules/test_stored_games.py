"""Games stored by a version without opening statements: they continue, and end, in their original format.

``stored/first_format.json`` was written by commit fa20c73: for each game its records, snapshots of its phases, and its
final proof.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fsm import proof, quiz
from fsm.lobby import DeadlinePassed
from fsm.pick_number import KIND, PickNumberGame, prove
from storage.codec import Codec

CODEC = Codec({KIND.name: KIND})
GAMES: dict[str, Any] = json.loads((Path(__file__).parent / "stored" / "first_format.json").read_text())
every_game = pytest.mark.parametrize("game", GAMES.values(), ids=GAMES.keys())


def folded(records: list[Any], state: PickNumberGame | None = None) -> PickNumberGame:
    """Return the state that stored records lead to."""
    read = CODEC.decode_records(KIND, json.dumps(records).encode())
    return KIND.fold(state, [event for record in read for event in record.events])


@every_game
def test_stored_records_give_the_proof_that_they_gave_then(game: dict[str, Any]) -> None:
    assert prove(folded(game["records"])) == game["proof"]
    assert all(check.passed for check in proof.verify(proof.canonical(game["proof"])))


@every_game
def test_a_stored_snapshot_goes_on_with_the_records_after_it(game: dict[str, Any]) -> None:
    for stage in game["stages"]:
        state, _ = CODEC.decode_snapshot(KIND, json.dumps(stage["snapshot"]).encode())
        assert isinstance(state, PickNumberGame)
        assert state.phase == folded(game["records"][: stage["commands"]]).phase
        rest = game["records"][stage["commands"] :]
        assert prove(folded(rest, state) if rest else state) == game["proof"]


@every_game
def test_a_game_stored_at_any_moment_is_played_to_its_end_with_a_proof_of_the_first_format(
    game: dict[str, Any],
) -> None:
    for stage in game["stages"]:
        state: Any = CODEC.decode_snapshot(KIND, json.dumps(stage["snapshot"]).encode())[0]
        while state.deadline is not None:
            state = KIND.fold(state, KIND.decide(state, DeadlinePassed(state.deadline), state.deadline, "5eed" * 16))
        if state.phase == "completed":
            document = prove(state)
            assert document["format"] == proof.FIRST
            assert all(check.passed for check in proof.verify(proof.canonical(document)))
        else:
            assert state.cancel_reason in {"lobby_expired", "nobody_picked"}


def test_a_quiz_stored_before_questions_had_types_ends_as_it_did_then() -> None:
    """``stored/quiz_before_types.json`` was written by commit 5c1fc58."""
    codec = Codec({quiz.KIND.name: quiz.KIND})
    stored = json.loads((Path(__file__).parent / "stored" / "quiz_before_types.json").read_text())
    records = codec.decode_records(quiz.KIND, json.dumps(stored["records"]).encode())
    whole = quiz.KIND.fold(None, [event for record in records for event in record.events])
    assert whole.phase == "completed"
    assert {str(row.player_id): row.points for row in whole.standings} == stored["points"]
    for stage in stored["stages"]:
        state: Any = msgspec.json.decode(json.dumps(stage["state"]), type=quiz.QuizGame)
        later = [event for record in records[stage["commands"] :] for event in record.events]
        again = quiz.KIND.fold(state, later) if later else state
        assert again.standings == whole.standings
        assert {p: score.points for p, score in again.scores.items()} == {
            p: score.points for p, score in whole.scores.items()
        }
        while state.deadline is not None:
            state = quiz.KIND.fold(
                state, quiz.KIND.decide(state, DeadlinePassed(state.deadline), state.deadline, "5eed" * 16)
            )


def test_the_stored_games_have_been_in_every_phase() -> None:
    phases = {stage["snapshot"]["state"]["phase"] for game in GAMES.values() for stage in game["stages"]}
    assert phases >= {"waiting_for_players", "players_joining", "number_selection", "drawing", "completed"}
