"""Any pool is split exactly."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm.prizes import check_percentages, check_pool, decimals, for_places, weights
from tests.rules.given_when_then import total

POOLS = st.decimals(0, 10**12, places=8) | st.decimals(0, 10**6, places=2) | st.integers(0, 10**12).map(Decimal)


@st.composite
def percentages(draw: st.DrawFn, count: int) -> tuple[Decimal, ...]:
    """Draw positive percentages with up to eight decimals that sum to exactly a hundred."""
    hundred = 100 * 10**8
    cuts = draw(st.sets(st.integers(1, hundred - 1), min_size=count - 1, max_size=count - 1))
    edges = [0, *sorted(cuts), hundred]
    return tuple(Decimal(high - low).scaleb(-8) for low, high in pairwise(edges))


@st.composite
def places(draw: st.DrawFn) -> tuple[int, ...]:
    """Draw places of 1 to 10 winners, best first: two who share the first place are followed by the third."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=10))
    found: list[int] = []
    for size in sizes:
        found += [len(found) + 1] * size
    return tuple(found[:10])


@settings(max_examples=500, deadline=None)
@given(st.data(), POOLS, st.sampled_from(["auto", "equal", "percentages"]), places())
def test_the_parts_add_up_to_the_pool_to_the_last_unit(
    data: st.DataObject, pool: Decimal, split: str, ranks: tuple[int, ...]
) -> None:
    check_pool(pool)
    hosts = data.draw(percentages(len(ranks) + data.draw(st.integers(0, 3)))) if split == "percentages" else ()
    amounts = for_places(pool, split, ranks, hosts)
    unit = Decimal(1).scaleb(-max(2, decimals(pool)))
    assert total(amounts) == pool
    assert all(amount >= 0 for amount in amounts)
    tied = [[a for a, r in zip(amounts, ranks, strict=True) if r == rank] for rank in sorted(set(ranks))]
    assert all(max(group) - min(group) <= unit for group in tied)
    if split != "percentages":
        assert list(amounts) == sorted(amounts, reverse=True)


@settings(max_examples=200, deadline=None)
@given(POOLS, st.integers(1, 10))
def test_no_part_is_further_than_a_unit_from_its_exact_share(pool: Decimal, count: int) -> None:
    unit = Fraction(1, 10 ** max(2, decimals(pool)))
    for split in ("auto", "equal"):
        shares = weights(split, count)
        for amount, share in zip(for_places(pool, split, range(1, count + 1)), shares, strict=True):
            assert abs(Fraction(amount) - Fraction(pool) * share) < unit


@pytest.mark.parametrize(
    ("pool", "split", "count", "amounts"),
    [
        ("100", "auto", 1, ["100.00"]),
        ("100", "auto", 2, ["50.00", "50.00"]),
        ("100", "auto", 3, ["50.00", "33.33", "16.67"]),
        ("100", "auto", 4, ["50.00", "25.00", "16.67", "8.33"]),
        ("100", "equal", 3, ["33.34", "33.33", "33.33"]),
        ("0.01", "equal", 3, ["0.01", "0.00", "0.00"]),
        ("0", "auto", 3, ["0.00", "0.00", "0.00"]),
        ("0.00000001", "auto", 2, ["0.00000001", "0E-8"]),
        ("1000000000000", "equal", 3, ["333333333333.34", "333333333333.33", "333333333333.33"]),
    ],
)
def test_examples_of_splits(pool: str, split: str, count: int, amounts: list[str]) -> None:
    assert for_places(Decimal(pool), split, range(1, count + 1)) == tuple(Decimal(amount) for amount in amounts)


def test_the_first_place_has_half_and_the_rest_falls() -> None:
    for count in range(2, 11):
        shares = weights("auto", count)
        assert shares[0] == Fraction(1, 2)
        assert sum(shares) == 1
        assert list(shares) == sorted(shares, reverse=True)
        assert len(set(shares[1:])) == count - 1


def test_percentages_are_scaled_up_where_fewer_won() -> None:
    percent = (Decimal(50), Decimal(30), Decimal(20))
    check_percentages(percent, 3)
    assert for_places(Decimal(80), "percentages", (1, 2), percent) == (Decimal(50), Decimal(30))
    assert for_places(Decimal(80), "percentages", (1,), percent) == (Decimal(80),)


def test_those_who_share_a_place_share_its_prizes() -> None:
    assert for_places(Decimal(90), "auto", (1, 1, 3)) == (Decimal("37.5"), Decimal("37.5"), Decimal(15))


def test_nobody_won_and_nothing_is_paid() -> None:
    assert for_places(Decimal(90), "auto", ()) == ()


def test_decimals_are_counted_as_written() -> None:
    assert [decimals(Decimal(text)) for text in ("1E+3", "5", "1.50", "0.00000001")] == [0, 0, 2, 8]
