"""Rechecks find the results of versions whose rules are wrong, in any part, and agree with those of today."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fsm import draw, lobby, pick_number, prizes, quiz, scoring
from fsm.engine import Record
from fsm.kind import ChatTopic, Event, Host, Kind, PlayerId
from fsm.registry import KINDS
from handlers.kinds.recheck import prizes_of
from handlers.kinds.registry import FACES
from storage.codec import Codec
from tests.rules.quizzes import right_answer, some_questions, wrong_answer

HOST, CHAT, SEED = Host(9, "Hana"), ChatTopic(-1001), "5e" * 32
PLAYERS = (1, 2, 3)
QUIZ = quiz.QuizRules(questions=4, winners=2, prize_pool=Decimal("100.01"))
NUMBERS = pick_number.PickNumberRules(winners=2, prize_pool=Decimal("100.01"), numbers=30, absent="auto")


class Table:
    """A game that is played to its end, with all its events."""

    def __init__(self, kind: Kind[Any], rules: Any, content: Any = None) -> None:
        self.kind, self.now = kind, 1_700_000_000_000
        self.state: Any = None
        self.events: list[Event] = []
        self.do(lobby.OpenGame(kind.name, "07abcdefghijkl", CHAT, HOST, "", rules, 1, content))
        for player in PLAYERS:
            self.do(lobby.Join(player, f"P{player}"))
        self.do(lobby.StartNow(HOST.id))

    def do(self, command: Any) -> None:
        events = self.kind.decide(self.state, command, self.now, SEED)
        self.events += events
        self.state = self.kind.fold(self.state, events)
        self.now += 1234

    def to_the_end(self) -> Sequence[str]:
        """Let the timers end the game. Returns the mistakes that the recheck finds."""
        while self.state.deadline is not None:
            self.now = max(self.now, self.state.deadline)
            self.do(lobby.DeadlinePassed(self.state.deadline))
        codec = Codec(KINDS)
        (record,) = msgspec.json.decode(codec.encode_records(self.kind, [Record("id", 5, tuple(self.events))]))
        recheck = FACES[self.kind.name].recheck
        assert recheck is not None
        return recheck(record["e"])


def whole_quiz(rules: quiz.QuizRules = QUIZ) -> Sequence[str]:
    """Play a quiz in which the first player is always right, the second every other time."""
    table = Table(quiz.KIND, rules, some_questions(4, types=("choice", "several", "number", "closest")))
    for index in range(4):
        question = table.state.questions[index]
        for player in PLAYERS:
            right = player == 1 or (player == 2 and index % 2 == 0)
            answer = right_answer(question) if right else wrong_answer(question)
            table.do(quiz.Answer(player, index, answer))
        table.do(lobby.DeadlinePassed(table.state.deadline)) if table.now >= table.state.deadline else None
        while table.state.phase == quiz.QUESTION_REVEAL and index < 3:
            table.now = table.state.deadline
            table.do(lobby.DeadlinePassed(table.state.deadline))
    return table.to_the_end()


def whole_draw(rules: pick_number.PickNumberRules = NUMBERS) -> Sequence[str]:
    """Play a game in which the last player picks no number."""
    table = Table(pick_number.KIND, rules)
    for player in PLAYERS[:-1]:
        table.do(pick_number.PickNumber(player, 3 * player))
    return table.to_the_end()


def test_right_results_pass() -> None:
    assert whole_quiz() == []
    assert whole_quiz(replace(QUIZ, mode="accuracy", split="equal")) == []
    assert whole_draw() == []
    assert (
        whole_draw(replace(NUMBERS, mode="reverse", split="percentages", percentages=(Decimal(70), Decimal(30)))) == []
    )


def test_the_prizes_of_any_rules_are_those_of_the_recheck() -> None:
    chance = random.Random(16)
    for _ in range(500):
        winners = chance.randint(1, 10)
        amounts = tuple(Decimal(chance.choice(("10", "5.5", "0.001"))) for _ in range(chance.randint(0, winners)))
        # The same pool may be written with more decimals than its parts.
        pool = sum(amounts, Decimal(chance.choice(("0", "0.0000")))) or Decimal(chance.choice(("0", "7.000", "100.01")))
        split = chance.choice(prizes.SPLITS)
        shares = (*[Decimal(1)] * (winners - 1), Decimal(101 - winners)) if split == prizes.PERCENTAGES else ()
        rules = quiz.QuizRules(winners=winners, prize_pool=pool, amounts=amounts, split=split, percentages=shares)
        rules.check()
        points = sorted(chance.choices(range(1, 6), k=chance.randint(0, 12)), reverse=True)
        places = [place for place in scoring.places(points) if place <= winners]
        due = [award.amount for award in prizes.awards(rules, places)]
        assert prizes_of(msgspec.to_builtins(rules), places) == due


@pytest.mark.parametrize(
    "change",
    [
        {"amounts": (Decimal(100),), "prize_pool": Decimal("100.000")},
        {"prizes": ("a cake",), "prize_pool": Decimal(0)},
        {"winners": 10},
    ],
)
def test_prizes_for_fewer_places_than_winners_pass(change: Any) -> None:
    assert whole_quiz(replace(QUIZ, **change)) == []
    assert whole_draw(replace(NUMBERS, **change)) == []


def _stored_games() -> Iterator[Any]:
    folder = Path(__file__).parent / "stored"
    yield from msgspec.json.decode((folder / "first_format.json").read_bytes()).values()
    yield msgspec.json.decode((folder / "quiz_before_types.json").read_bytes())


def test_games_of_earlier_versions_pass() -> None:
    for game in _stored_games():
        facts = [tuple(event) for record in game["records"] for event in record["e"]]
        kind = "quiz" if any(name == "questions_set" for name, _ in facts) else "pick_number"
        recheck = FACES[kind].recheck
        assert recheck is not None
        assert recheck(facts) == []


def _swapped(game: Any, *rest: Any) -> Any:
    first, second, *others = STANDINGS[type(game)](game, *rest)
    return (
        replace(first, player_id=second.player_id, name=second.name),
        replace(second, player_id=first.player_id, name=first.name),
        *others,
    )


STANDINGS: dict[type, Any] = {quiz.QuizGame: quiz._standings, pick_number.PickNumberGame: pick_number._standings}


@pytest.mark.parametrize(
    ("where", "name", "wrong"),
    [
        (scoring, "STREAK_STEP", 30),
        (scoring, "STREAK_MOST", 20),
        (scoring, "SPEED_PERCENT", 60),
        (scoring, "BASE", {"easy": 100, "medium": 210, "hard": 300}),
        (scoring, "places", lambda points: tuple(range(len(points), 0, -1))),
        (quiz, "who_is_right", lambda _question, choices: set(choices)),
        (quiz, "_standings", _swapped),
        (prizes, "for_places", lambda pool, _split, places, *_: tuple([pool] * len(places))),
    ],
)
def test_a_quiz_by_wrong_rules_is_found(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, wrong: Any) -> None:
    monkeypatch.setattr(where, name, wrong)
    assert whole_quiz()


def _unshuffled(numbers: Sequence[int], *_rest: Any) -> list[int]:
    return list(numbers)


def _nobody(*_rest: Any) -> dict[PlayerId, int]:
    return {}


@pytest.mark.parametrize(
    ("where", "name", "wrong"),
    [
        (draw, "shuffle", _unshuffled),
        (draw, "assign_absent", _nobody),
        (draw, "drawn_normally", lambda full, _owners, _winners: tuple(full)),
        (draw, "winners_normally", lambda drawn, owners: tuple(reversed([each for each in drawn if each in owners]))),
        (pick_number, "_standings", _swapped),
        (prizes, "for_places", lambda pool, _split, places, *_: tuple([pool] * len(places))),
    ],
)
def test_a_draw_by_wrong_rules_is_found(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, wrong: Any) -> None:
    monkeypatch.setattr(where, name, wrong)
    assert whole_draw()
