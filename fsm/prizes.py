"""Exact division of a prize pool: the parts always add up to the pool."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from fsm.lobby import BadRule, check_bounds, check_choice

AUTO, EQUAL, PERCENTAGES = SPLITS = ("auto", "equal", "percentages")

MAX_WINNERS = 10
MAX_POOL = Decimal(10) ** 12
MAX_DECIMALS = 8
HUNDRED = Decimal(100)


def check_pool(pool: Decimal) -> None:
    """Raise ``BadRule`` unless 0 <= pool <= 10^12 with at most eight decimals."""
    if decimals(pool) > MAX_DECIMALS or (pool.is_zero() and pool.is_signed()):  # "-0": zero must have one form
        raise BadRule(rule="prize_pool", given=str(pool), low="0", high=str(MAX_POOL))
    check_bounds("prize_pool", pool, 0, MAX_POOL)


def check_prizes(pool: Decimal, split: str, percentages: Sequence[Decimal], winners: int) -> None:
    """Raise ``BadRule`` at the first prize rule outside its bounds."""
    check_choice("split", split, (AUTO, EQUAL, PERCENTAGES))
    check_bounds("winners", winners, 1, MAX_WINNERS)
    check_pool(pool)
    if split == PERCENTAGES:
        check_percentages(percentages, winners)


def check_percentages(percentages: Sequence[Decimal], winners: int) -> None:
    """Raise ``BadRule`` unless there is one positive percentage for each winner and they add up to exactly 100.

    Like the pool, they have at most eight decimals, so that their sum is exact.
    """
    written_out = all(p.is_finite() and decimals(p) <= MAX_DECIMALS and 0 < p <= HUNDRED for p in percentages)
    if len(percentages) != winners or not written_out or sum(percentages) != HUNDRED:
        given = " ".join(str(p) for p in percentages)
        raise BadRule(rule="percentages", given=given, low=f"{winners} × > 0", high="∑ = 100")


def decimals(amount: Decimal) -> int:
    """Return the number of decimals that an amount is written with."""
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def weights(split: str, count: int, percentages: Sequence[Decimal] = ()) -> tuple[Fraction, ...]:
    """Return the share of each of ``count`` places, best first; they add up to one.

    ``auto``: the first place gets half, the others share the other half in proportion ``count - 1 : ... : 1``.
    ``percentages``: the host's own, scaled up if there are fewer winners than percentages.
    """
    if count == 0:
        return ()
    match split:
        case "equal":
            raw = [Fraction(1)] * count
        case "percentages":
            raw = [Fraction(p) for p in percentages[:count]]
        case _ if count == 1:
            raw = [Fraction(1)]
        case _:
            falling = range(count - 1, 0, -1)
            raw = [Fraction(1), *(Fraction(n, sum(falling)) for n in falling)]
    total = sum(raw)
    return tuple(part / total for part in raw)


def split_exactly(pool: Decimal, shares: Sequence[Fraction]) -> tuple[Decimal, ...]:
    """Divide ``pool`` in proportion to ``shares``, so that the amounts add up to it to the last unit.

    The unit is a hundredth, or finer if the pool is written with more decimals. Amounts are rounded down; the rest
    goes, unit by unit, to the largest remainders, and among equal ones to the better place.
    """
    if not shares:
        return ()
    places = max(2, decimals(pool))
    units = int(pool.scaleb(places))
    exact = [units * share for share in shares]
    amounts = [int(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: (amounts[index] - exact[index], index))
    for index in by_remainder[: units - sum(amounts)]:
        amounts[index] += 1
    return tuple(Decimal(amount).scaleb(-places) for amount in amounts)


def for_places(
    pool: Decimal, split: str, places: Sequence[int], percentages: Sequence[Decimal] = (), winners: int = MAX_WINNERS
) -> tuple[Decimal, ...]:
    """Return the prize of each winner, given their places, best first. Players of equal places share equally.

    There are prizes for ``winners`` places. If a tie extends beyond the last of them, more people share its prize.
    """
    paid = min(winners, len(places))
    shares = [*weights(split, paid, percentages), *[Fraction(0)] * (len(places) - paid)]
    for place in set(places):
        tied = [index for index, other in enumerate(places) if other == place]
        together = sum((shares[index] for index in tied), Fraction(0))
        for index in tied:
            shares[index] = together / len(tied)
    return split_exactly(pool, shares)
