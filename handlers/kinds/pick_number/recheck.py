"""The draw of Pick Your Number and its result, computed again from the events as docs/fairness.md tells."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from handlers.kinds.recheck import Facts, differences, prizes_of, rules_of, standings_of


@dataclass(slots=True)
class _Draw:
    """A game as far as its events have been read."""

    game: str
    rules: Mapping[str, Any]
    format: int
    players: dict[int, None] = field(default_factory=dict)
    picks: dict[int, int] = field(default_factory=dict)
    """Player -> number."""
    highest: int = 0
    seed: str = ""

    def apply(self, name: str, fields: Mapping[str, Any]) -> str:
        """Apply an event. Returns the mistake in it, or an empty text."""
        match name:
            case "player_joined":
                self.players[fields["player_id"]] = None
            case "player_left" | "player_removed":
                self.players.pop(fields["player_id"], None)
                self.picks.pop(fields["player_id"], None)
            case "selection_opened":
                self.highest, self.seed = fields["highest"], fields["seed"]
                sealed = fields.get("statement") if self.format > 1 else None
                of = bytes.fromhex(self.seed) if sealed is None else sealed.encode()
                if hashlib.sha256(of).hexdigest() != fields["commitment"]:
                    return "the commitment"
            case "number_picked":
                return self._picked(fields["player_id"], fields["number"])
            case "selection_closed":
                return self._closed(fields)
            case "numbers_drawn":
                beacon = fields.get("beacon")
                if self.drawn(beacon["randomness"] if beacon else "") != list(fields["drawn"]):
                    return "the draw"
        return ""

    def _picked(self, player: int, number: int) -> str:
        taken = any(other == number for each, other in self.picks.items() if each != player)
        self.picks[player] = number
        legal = player in self.players and 1 <= number <= self.highest and not taken
        return "" if legal else f"player {player} could not pick {number}"

    def _closed(self, fields: Mapping[str, Any]) -> str:
        absent = [player for player in self.players if player not in self.picks]
        assigned: dict[int, int] = {}
        if self.rules["absent"] == "auto":
            taken = set(self.picks.values())
            free = [number for number in range(1, self.highest + 1) if number not in taken]
            order = shuffled(free, self.seed, b"tombola/absent/1", self._digest(), "")
            assigned = dict(zip(absent, order, strict=False))
        self.picks |= assigned
        given = {int(player): number for player, number in fields["assigned"].items()}
        right = list(fields["absent"]) == absent and given == assigned and fields["digest"] == self._digest()
        return "" if right else "the entries"

    def _digest(self) -> str:
        rows = sorted((number, player) for player, number in self.picks.items())
        lines = [f"tombola-entries/1 {self.game} 1..{self.highest}", *(f"{number} {player}" for number, player in rows)]
        return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()

    def drawn(self, randomness: str) -> list[int]:
        """Return the numbers of the draw, up to the one that decides it."""
        numbers = range(1, self.highest + 1)
        order = shuffled(numbers, self.seed, b"tombola/draw/1", self._digest(), randomness)
        entries = set(self.picks.values())
        hits = [index for index, number in enumerate(order) if number in entries]
        reverse = self.rules["mode"] == "reverse"
        wanted = len(hits) - 1 if reverse else min(self.rules["winners"], len(hits))
        return order[: hits[wanted - 1] + 1] if wanted else []

    def winning(self, drawn: Iterable[int]) -> list[int]:
        """Return the winners, first place first."""
        of = {number: player for player, number in self.picks.items()}
        hits = [number for number in drawn if number in of]
        if self.rules["mode"] == "reverse":
            hits = [*(number for number in of if number not in hits), *reversed(hits)][: self.rules["winners"]]
        return [of[number] for number in hits]


def shuffled(numbers: Iterable[int], seed: str, label: bytes, digest: str, randomness: str) -> list[int]:
    """Return the numbers in the order that a seed gives them."""
    key = hmac.digest(bytes.fromhex(seed), label + bytes.fromhex(digest) + bytes.fromhex(randomness), "sha256")
    order, words, counter = list(numbers), list[int](), 0
    for last in range(len(order) - 1, 0, -1):
        bound = last + 1
        while True:
            if not words:
                block = hmac.digest(key, counter.to_bytes(8, "big"), "sha256")
                words = [int.from_bytes(block[at : at + 8], "big") for at in (24, 16, 8, 0)]
                counter += 1
            # The highest words are left out: with them, low remainders would come more often.
            if (word := words.pop()) < 2**64 - 2**64 % bound:
                break
        order[last], order[word % bound] = order[word % bound], order[last]
    return order


def recheck(facts: Facts) -> list[str]:
    """Return the mistakes in the entries, the draw, the places and the prizes of an ended game."""
    opened = facts[0][1]
    game = _Draw(opened["game_id"], rules_of(facts), opened.get("format", 1))
    mistakes = [mistake for name, fields in facts if (mistake := game.apply(name, fields))]
    standings = standings_of(facts)
    if standings is None:
        return mistakes
    drawn = next((fields["drawn"] for name, fields in facts if name == "numbers_drawn"), None)
    if drawn is None:
        return [*mistakes, "no draw"]
    winners = game.winning(drawn)
    prizes: list[Decimal] = prizes_of(game.rules, range(1, len(winners) + 1))
    rest = [player for player in game.players if player not in winners]
    won = zip(winners, range(1, len(winners) + 1), prizes, strict=True)
    expected = [
        *((player, place, prize, game.picks[player], 0) for player, place, prize in won),
        *((player, None, Decimal(0), game.picks.get(player), 0) for player in rest),
    ]
    return mistakes + differences(expected, standings)
