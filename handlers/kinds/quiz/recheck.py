"""The result of a quiz, computed again from its events and the formula that its rules message publishes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from handlers.kinds.recheck import Facts, differences, prizes_of, rules_of, standings_of

BASE = {"easy": 100, "medium": 200, "hard": 300}
"""Points of a right answer. Written again here, because a recheck must not use the code that it checks."""


@dataclass(slots=True)
class _Quiz:
    """A quiz as far as its events have been read."""

    rules: Mapping[str, Any]
    questions: list[Mapping[str, Any]] = field(default_factory=list)
    index: int = -1
    players: dict[int, None] = field(default_factory=dict)
    """The players, in joining order."""
    replies: dict[int, tuple[Any, int]] = field(default_factory=dict)
    """Answers to the current question, with the time left."""
    points: dict[int, int] = field(default_factory=dict)
    streaks: dict[int, int] = field(default_factory=dict)

    def apply(self, name: str, fields: Mapping[str, Any]) -> str:
        """Apply an event. Returns the mistake in it, or an empty text."""
        match name:
            case "questions_set":
                self.questions = fields["questions"]
            case "player_joined":
                self.players.setdefault(fields["player_id"])
            case "player_left" if self.index < 0:
                self.players.pop(fields["player_id"], None)
            case "player_removed":
                for each in (self.players, self.replies, self.points, self.streaks):
                    each.pop(fields["player_id"], None)
            case "question_opened":
                self.index, self.replies = fields["question"], {}
            case "answer_given":
                return self._answered(fields)
            case "question_revealed":
                return self._revealed({int(player): points for player, points in fields["gained"].items()})
        return ""

    def _answered(self, fields: Mapping[str, Any]) -> str:
        player, question = fields["player_id"], fields["question"]
        if player in self.replies or player not in self.players or question != self.index:
            return f"answer of {player} to question {question}"
        self.replies[player] = (fields["choice"], fields["remaining"])
        return ""

    def _revealed(self, gained: Mapping[int, int]) -> str:
        due = {player: self._due(player, self.replies[player][1]) for player in self._right()}
        for player in self.players:
            self.points[player] = self.points.get(player, 0) + due.get(player, 0)
            self.streaks[player] = self.streaks.get(player, 0) + 1 if player in due else 0
        wrong = sorted({player for player, _ in due.items() ^ gained.items()})
        return f"points of players {wrong} for question {self.index}" if wrong else ""

    def _right(self) -> list[int]:
        """Return the players whose answers to the current question are right."""
        question = self.questions[self.index]
        match question.get("type", "choice"):
            case "several" | "order":
                return [player for player, (choice, _) in self.replies.items() if choice == list(question["rights"])]
            case "number":
                right, tolerance = Decimal(question["number"]), question.get("tolerance")
                off = {player: abs(Decimal(choice) - right) for player, (choice, _) in self.replies.items()}
                most = min(off.values(), default=None) if tolerance is None else Decimal(tolerance)
                return [player for player, distance in off.items() if most is not None and distance <= most]
            case _:
                return [player for player, (choice, _) in self.replies.items() if choice == question["right"]]

    def _due(self, player: int, remaining: int) -> int:
        base = BASE[self.questions[self.index]["difficulty"]]
        speed = 0 if self.rules["mode"] == "accuracy" else base * remaining // (2 * self.rules["question_ms"])
        return base + speed + min(20 * self.streaks.get(player, 0), 100)


def recheck(facts: Facts) -> list[str]:
    """Return the mistakes in the points, places and prizes of an ended quiz."""
    quiz = _Quiz(rules_of(facts))
    mistakes = [mistake for name, fields in facts if (mistake := quiz.apply(name, fields))]
    standings = standings_of(facts)
    if standings is None:
        return mistakes
    ranked = sorted(quiz.players, key=lambda player: -quiz.points.get(player, 0))
    points = [quiz.points.get(player, 0) for player in ranked]
    places = [points.index(mine) + 1 for mine in points if mine]
    paid = [place for place in places if place <= quiz.rules["winners"]]
    prizes: list[Decimal] = prizes_of(quiz.rules, paid)
    expected = [
        (
            player,
            places[index] if index < len(places) else None,
            prizes[index] if index < len(prizes) else Decimal(0),
            None,
            points[index],
        )
        for index, player in enumerate(ranked)
    ]
    return mistakes + differences(expected, standings)
