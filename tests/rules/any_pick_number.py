"""Strategies, actions and invariants of random games of Pick Your Number."""

import hashlib
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from fsm.pick_number import Beacon, BeaconSignal, PickNumber, PickNumberRules, PublishBeacon, is_void
from tests.rules.any_kind import OPENED, AnyKind
from tests.rules.invariants import check_proof, check_result, check_state

CHAIN = "cd" * 32
BEACON = Beacon(CHAIN, genesis_at=OPENED, period_ms=3_000, wait_ms=10_000, public_key="ab" * 96, lead_ms=15_000)


@st.composite
def any_rules(draw: st.DrawFn) -> PickNumberRules:
    """Draw rules that a host may set, preferring small ones."""
    least = draw(st.integers(2, 4))
    winners = draw(st.integers(1, 10))
    split = draw(st.sampled_from(["auto", "equal", "percentages"]))
    rules = PickNumberRules(
        mode=draw(st.sampled_from(["normal", "reverse"])),
        winners=winners,
        prize_pool=draw(st.decimals(0, 10**6, places=draw(st.integers(0, 8)))),
        split=split,
        percentages=tuple([Decimal(1)] * (winners - 1) + [Decimal(101 - winners)]) if split == "percentages" else (),
        absent=draw(st.sampled_from(["drop", "auto"])),
        min_players=least,
        max_players=draw(st.integers(least, 8)),
        reveal_ms=draw(st.sampled_from([0, 1, 2_000])),
        show_wait_ms=draw(st.sampled_from([0, 1, 90_000])),
        range_multiplier=draw(st.sampled_from([Decimal(1), Decimal("1.3"), Decimal(5)])),
        max_number=draw(st.integers(least, 30)),
        numbers=draw(st.none() | st.integers(least, 30)),
        beacon=draw(st.none() | st.just(BEACON)),
        beacon_policy=draw(st.sampled_from(["wait", "void"])),
    )
    rules.check()
    return rules


class AnyPickNumber(AnyKind):
    """One game of Pick Your Number, with any rules and with beacons in time, late and forged."""

    name = "pick_number"

    def draw_rules(self, data: st.DataObject) -> PickNumberRules:
        return data.draw(any_rules())

    @rule(index=st.integers(0, 7), number=st.integers(0, 29))
    def a_player_picks_within_the_range(self, index: int, number: int) -> None:
        players = sorted(self.state.players) or [1]
        self.do(PickNumber(players[index % len(players)], number % max(self.state.highest, 1) + 1))

    @rule(spare=st.integers(0, 2))
    def all_but_some_pick(self, spare: int) -> None:
        free = [number for number in range(1, self.state.highest + 1) if number not in self.state.owners]
        for player, number in zip(list(self.state.players)[spare:], free, strict=False):
            self.do(PickNumber(player, number))

    @rule(off=st.sampled_from([0, 0, 0, 1, -1]), forged=st.booleans())
    def the_beacon_publishes(self, off: int, *, forged: bool) -> None:
        round_ = (self.state.beacon_round or 1) + off
        signature = hashlib.sha384(str(round_).encode()).hexdigest()
        randomness = "00" * 32 if forged else hashlib.sha256(bytes.fromhex(signature)).hexdigest()
        self.do(PublishBeacon(BeaconSignal(CHAIN, round_, randomness, signature)))

    @invariant()
    def every_number_has_one_owner_and_secrets_stay_hidden(self) -> None:
        check_state(self.state)

    def check_end(self) -> None:
        check_state(self.state)
        if self.state.phase == "completed":
            check_result(self.state)
        elif is_void(self.state):
            check_proof(self.state)
