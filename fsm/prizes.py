"""Prizes: an amount that the winners share exactly, an amount for each place, or a text for each place."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from fsm.lobby import NOT_IN_A_LINE, BadRule, check_bounds, check_choice

AUTO, EQUAL, PERCENTAGES = SPLITS = ("auto", "equal", "percentages")

MAX_WINNERS = 10
MAX_POOL = Decimal(10) ** 12
MAX_DECIMALS = 8
HUNDRED = Decimal(100)
MAX_TEXT, MAX_CURRENCY = 100, 16
"""Limits of a prize in words and of a currency, in code points."""


class PrizeRules(Protocol):
    """The rules about prizes, which every kind with prizes has.

    At most one of ``prize_pool`` with its split, ``amounts`` and ``prizes`` decides. ``amounts`` and ``prizes`` are by
    place, the first place first; the places that they leave out win nothing.
    """

    @property
    def winners(self) -> int:
        """Return the number of places that win."""

    @property
    def prize_pool(self) -> Decimal:
        """Return the sum of all prizes that are amounts."""

    @property
    def currency(self) -> str:
        """Return the currency of the amounts, as ISO 4217 writes it or as people do; empty for none."""

    @property
    def split(self) -> str:
        """Return the way in which the winners share the pool, if there are no ``amounts``."""

    @property
    def percentages(self) -> Sequence[Decimal]:
        """Return the host's own shares, for the split by percentages."""

    @property
    def amounts(self) -> Sequence[Decimal]:
        """Return the amount of each place; they add up to the pool. Empty if the pool is split."""

    @property
    def prizes(self) -> Sequence[str]:
        """Return the prize of each place in words. Empty if prizes are amounts."""


@dataclass(frozen=True, slots=True)
class Award:
    """The prize of one winner: an amount, or words and an amount of zero."""

    amount: Decimal = Decimal(0)
    text: str = ""


def check(rules: PrizeRules) -> None:
    """Raise ``BadRule`` at the first prize rule outside its bounds."""
    check_prizes(rules.prize_pool, rules.split, rules.percentages, rules.winners)
    check_by_place(rules.prize_pool, rules.currency, rules.amounts, rules.prizes, rules.winners)


def check_by_place(
    pool: Decimal, currency: str, amounts: Sequence[Decimal], texts: Sequence[str], winners: int
) -> None:
    """Raise ``BadRule`` unless currency, amounts and texts are sound, and fit the pool and each other."""
    if len(currency) > MAX_CURRENCY or not _is_line(currency) or (currency and not pool):
        raise BadRule(rule="currency", given=currency, low="0", high=str(MAX_CURRENCY))
    sound = all(a.is_finite() and a > 0 and decimals(a) <= MAX_DECIMALS for a in amounts)
    if len(amounts) > winners or not sound or (amounts and sum(amounts) != pool):
        raise BadRule(rule="amounts", given=" ".join(map(str, amounts)), low="> 0", high=f"{winners} × > 0")
    fitting = all(0 < len(text) <= MAX_TEXT and _is_line(text) for text in texts)
    if len(texts) > winners or not fitting or (texts and pool):
        raise BadRule(rule="prizes", given=str(len(texts)), low="0", high=str(winners))


def _is_line(text: str) -> bool:
    return not any(unicodedata.category(character) in NOT_IN_A_LINE for character in text)


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


def split_exactly(pool: Decimal, shares: Sequence[Fraction], *, places: int = 0) -> tuple[Decimal, ...]:
    """Divide ``pool`` in proportion to ``shares``, so that the amounts add up to it to the last unit.

    The unit is a hundredth, or finer if the pool is written with more decimals, or by ``places`` of them. Amounts are
    rounded down; the rest goes, unit by unit, to the largest remainders, and among equal ones to the better place.
    """
    if not shares:
        return ()
    places = max(2, places, decimals(pool))
    units = int(pool.scaleb(places))
    exact = [units * share for share in shares]
    amounts = [int(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: (amounts[index] - exact[index], index))
    for index in by_remainder[: units - sum(amounts)]:
        amounts[index] += 1
    return tuple(Decimal(amount).scaleb(-places) for amount in amounts)


def for_places(
    pool: Decimal,
    split: str,
    places: Sequence[int],
    percentages: Sequence[Decimal] = (),
    winners: int = MAX_WINNERS,
    amounts: Sequence[Decimal] = (),
) -> tuple[Decimal, ...]:
    """Return the prize of each winner, given their places, best first. Players of equal places share equally.

    There are prizes for ``winners`` places. If a tie extends beyond the last of them, more people share its prize. If
    there are ``amounts``, each place has its own, and those of places that nobody takes are not paid.
    """
    paid = min(winners, len(places))
    unit = max(map(decimals, (pool, *amounts)))
    if amounts:
        pool = sum(amounts[:paid], Decimal(0))
        raw = [Fraction(amount) for amount in amounts[:paid]]
        shares = [part / sum(raw) for part in raw]
    else:
        shares = list(weights(split, paid, percentages))
    shares += [Fraction(0)] * (len(places) - len(shares))
    for tied in _ties(places):
        together = sum((shares[index] for index in tied), Fraction(0))
        for index in tied:
            shares[index] = together / len(tied)
    return split_exactly(pool, shares, places=unit)


def _ties(places: Sequence[int]) -> list[list[int]]:
    """Return the indexes of each place, as a list for each place."""
    return [[index for index, other in enumerate(places) if other == place] for place in dict.fromkeys(places)]


def awards(rules: PrizeRules, places: Sequence[int]) -> tuple[Award, ...]:
    """Return the award of each winner, given their places, best first.

    Players of equal places share an amount. A text cannot be divided: all of them get the texts of the places that they
    take, and the host decides.
    """
    paid = for_places(rules.prize_pool, rules.split, places, rules.percentages, rules.winners, rules.amounts)
    found = [""] * len(places)
    for tied in _ties(places):
        texts = dict.fromkeys(rules.prizes[index] for index in tied if index < len(rules.prizes))
        for index in tied:
            found[index] = " + ".join(texts)
    return tuple(Award(amount, text) for amount, text in zip(paid, found, strict=True))
