"""The parts of a recheck that all kinds share.

A recheck computes the result of an ended game again, from its stored events, and names the differences. It shares no
code with the rules in ``fsm/``: a version whose rules are wrong would otherwise agree with itself.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

Facts = Sequence[tuple[str, Mapping[str, Any]]]
"""The stored events of a game in order: names, and fields as JSON has them."""


def standings_of(facts: Facts) -> list[Mapping[str, Any]] | None:
    """Return the standings with which a game was completed; None if it was cancelled."""
    return next((list(fields["standings"]) for name, fields in reversed(facts) if name == "game_completed"), None)


def rules_of(facts: Facts) -> Mapping[str, Any]:
    """Return the rules of a game."""
    rules: Mapping[str, Any] = facts[0][1]["rules"]
    return rules


def prizes_of(rules: Mapping[str, Any], places: Sequence[int]) -> list[Decimal]:
    """Return the amount for each of these places, best first; equal places share theirs."""
    pool, amounts = Decimal(rules["prize_pool"]), [Decimal(each) for each in rules.get("amounts", ())]
    # The unit comes from the whole pool as it is written, also if some of its places are not paid.
    decimals = max(2, *(_decimals(each) for each in (pool, *amounts)))
    paid = min(rules["winners"], len(places))
    if paid == 0:
        return [Decimal(0)] * len(places)
    shares: list[Fraction]
    if amounts:
        pool = sum(amounts[:paid], Decimal(0))
        shares = [Fraction(each) for each in amounts[:paid]]
    elif rules["split"] == "percentages":
        shares = [Fraction(Decimal(each)) for each in rules["percentages"][:paid]]
    elif rules["split"] == "equal" or paid == 1:
        shares = [Fraction(1)] * paid
    else:
        others = [Fraction(part, sum(range(1, paid))) for part in range(paid - 1, 0, -1)]
        shares = [Fraction(1), *others]
    shares += [Fraction(0)] * (len(places) - len(shares))  # there may be fewer amounts than winners
    tied = {place: [shares[index] for index, other in enumerate(places) if other == place] for place in places}
    total = sum(shares)
    units = int(pool.scaleb(decimals))
    exact = [units * sum(tied[place]) / len(tied[place]) / total for place in places]
    whole = [int(part) for part in exact]
    order = sorted(range(len(places)), key=lambda index: (whole[index] - exact[index], index))
    for index in order[: units - sum(whole)]:
        whole[index] += 1
    return [Decimal(count).scaleb(-decimals) for count in whole]


def differences(expected: Sequence[tuple[Any, ...]], standings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Compare rows of player, place, prize, number and points with the stored standings, in any order."""
    have = {
        (
            each["player_id"],
            each.get("place"),
            Decimal(each.get("prize", 0)),
            each.get("number"),
            each.get("points", 0),
        )
        for each in standings
    }
    wrong = have ^ set(expected)
    if len(standings) != len(expected):
        return [f"{len(standings)} standings of {len(expected)} players"]
    return [f"players {sorted({row[0] for row in wrong})}: other results"] if wrong else []


def _decimals(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
