"""The draw: unbiased, and a function of seed, entries and beacon alone."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm import draw

GAME = "07abcdefghijkl"
DRAWS = 100_000


def seed(index: int) -> str:
    """Return a fixed seed, so that a statistical test always has the same result."""
    return hashlib.sha256(f"tombola test seed {index}".encode()).hexdigest()


def chi_squared(counts: Sequence[int]) -> float:
    """Return the chi-squared statistic of counts against equal ones."""
    expected = sum(counts) / len(counts)
    return sum((count - expected) ** 2 for count in counts) / expected


def critical(freedom: int) -> float:
    """Return the bound of chi-squared in 99.9 % of fair cases (Wilson and Hilferty's approximation)."""
    return float(freedom * (1 - 2 / (9 * freedom) + 3.09 * (2 / (9 * freedom)) ** 0.5) ** 3)


def test_a_hundred_thousand_draws_show_no_bias_in_any_place_or_in_their_orders() -> None:
    owners = {2: 11, 5: 12}
    orders = Counter(draw.order(GAME, 5, owners, seed(index)) for index in range(DRAWS))
    assert len(orders) == 120
    assert chi_squared(list(orders.values())) < critical(119)
    for position in range(5):
        at_position: Counter[int] = Counter()
        for order, count in orders.items():
            at_position[order[position]] += count
        assert chi_squared([at_position[number] for number in range(1, 6)]) < critical(4)


def test_each_player_wins_alike_often_in_either_mode() -> None:
    owners = {1: 11, 4: 12, 6: 13, 7: 14}
    first: Counter[int] = Counter()
    last: Counter[int] = Counter()
    for index in range(DRAWS // 5):
        full = draw.order(GAME, 9, owners, seed(index))
        first[draw.winners_normally(draw.drawn_normally(full, owners, 1), owners)[0]] += 1
        last[draw.winners_in_reverse(draw.drawn_in_reverse(full, owners), owners, 1)[0]] += 1
    assert chi_squared([first[number] for number in owners]) < critical(3)
    assert chi_squared([last[number] for number in owners]) < critical(3)


def test_the_absent_are_given_each_free_number_alike_often() -> None:
    given_numbers: Counter[int] = Counter()
    for index in range(DRAWS // 5):
        given_numbers[draw.assign_absent(GAME, 8, {3: 11, 8: 12}, [13], seed(index))[13]] += 1
    assert set(given_numbers) == {1, 2, 4, 5, 6, 7}
    assert chi_squared(list(given_numbers.values())) < critical(5)


def test_a_word_of_the_incomplete_last_multiple_is_thrown_away() -> None:
    last = draw.WORD - 1
    assert draw._below(3, iter([last, 5])) == 2  # 2^64 is 1 over a multiple of 3
    assert draw._below(3, iter([last - 1])) == 2
    assert draw._below(10, iter([last, last - 5, last - 6, 7])) == 9  # 2^64 is 6 over a multiple of 10
    assert draw._below(4, iter([last])) == 3  # 2^64 is a multiple of 4, so nothing is rejected


@given(st.integers(1, 300), st.binary(min_size=32, max_size=32))
def test_an_order_has_every_number_of_the_range_once(highest: int, secret: bytes) -> None:
    assert sorted(draw.order(GAME, highest, {1: 5}, secret.hex())) == list(range(1, highest + 1))


def test_the_order_depends_on_game_range_entries_seed_and_beacon() -> None:
    base = draw.order(GAME, 50, {1: 5, 2: 6}, seed(1))
    assert draw.order(GAME, 50, {2: 6, 1: 5}, seed(1)) == base
    others = [
        draw.order("07zzzzzzzzzzzz", 50, {1: 5, 2: 6}, seed(1)),
        draw.order(GAME, 50, {1: 6, 2: 5}, seed(1)),
        draw.order(GAME, 50, {1: 5, 3: 6}, seed(1)),
        draw.order(GAME, 50, {1: 5, 2: 6}, seed(2)),
        draw.order(GAME, 50, {1: 5, 2: 6}, seed(1), "00"),
        draw.order(GAME, 50, {1: 5, 2: 6}, seed(1), "01"),
    ]
    assert len({base, *others}) == 7
    assert draw.order(GAME, 51, {1: 5, 2: 6}, seed(1))[:50] != base


@pytest.mark.parametrize("players", range(1, 60))
def test_a_show_has_few_frames_each_ends_with_a_hit_and_the_last_ten_come_one_by_one(players: int) -> None:
    owners = {number * 3: number for number in range(1, players + 1)}
    drawn = draw.drawn_in_reverse(draw.order(GAME, players * 3, owners, seed(players)), owners)
    hits = [count for count, number in enumerate(drawn, start=1) if number in owners]
    frames = draw.frames(drawn, owners)
    assert list(frames) == sorted(set(frames))
    assert set(frames) <= set(hits)
    assert len(frames) <= 14
    assert frames[-10:] == tuple(hits[-10:])
    assert (frames[-1] if frames else 0) == len(drawn)
    early = [0, *(hits.index(frame) + 1 for frame in frames[:-10])]
    assert len({high - low for low, high in pairwise(early)}) <= 1


def test_whoever_knows_the_seed_knows_the_winner_unless_a_beacon_is_mixed_in() -> None:
    """The attack: try each free number for an accomplice, and compute the draw from the seed of the game."""
    others, secret = {number: number for number in range(1, 10)}, seed(1)

    def wins(number: int, beacon: str) -> bool:
        full = draw.order("g", 100, {**others, number: 99}, secret, beacon)
        return full.index(number) == min(full.index(each) for each in (*others, number))

    winning = [number for number in range(10, 101) if wins(number, "")]
    assert winning, "without a beacon the operator can choose"
    rounds = [f"{round_:064x}" for round_ in range(200)]
    for number in winning:
        assert 5 <= sum(wins(number, beacon) for beacon in rounds) <= 50, "with one, as everybody, about once in ten"


def test_a_seed_is_kept_by_its_commitment() -> None:
    assert draw.commitment("00" * 32) == hashlib.sha256(bytes(32)).hexdigest()
    assert len({draw.commitment(seed(index)) for index in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("signature", "signed"), [("00", True), ("", False), ("01", False), ("0", False), ("xy", False), ("\ud800", False)]
)
def test_a_beacons_randomness_is_the_hash_of_its_signature(signature: str, *, signed: bool) -> None:
    randomness = hashlib.sha256(b"\0").hexdigest()
    assert draw.is_signed(randomness, signature) is signed
    assert not draw.is_signed(randomness.upper(), signature)
