"""Proofs of the first format: the bot's own, a second implementation's, and forged ones."""

import copy
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as each
from hypothesis import settings
from hypothesis import strategies as st

from fsm import proof
from fsm.lobby import DeadlinePassed
from fsm.pick_number import KIND, Beacon, BeaconSignal, PickNumberGame, PublishBeacon, prove
from tests.rules import recomputed
from tests.rules.given_when_then import CLOSING, given, play, selecting

PAGE = (Path(__file__).parents[2] / "docs" / "proof-format-1.md").read_text()
CHAIN = "ab" * 32
BEACON = Beacon(CHAIN, genesis_at=0, period_ms=3_000, wait_ms=10_000)


def completed(players: int, picks: dict[int, int], *, silent: bool = False, **rules: Any) -> PickNumberGame:
    """Return a game played to its end; a beacon speaks unless it is ``silent``."""
    state = given(selecting(players, picks, first_format=True, **rules)).when(DeadlinePassed(CLOSING), CLOSING).state
    if state.beacon_round is not None and not silent:
        state = play(state, PublishBeacon(signal(state.beacon_round)), CLOSING + 1_000)
    while state.deadline is not None:
        state = play(state, DeadlinePassed(state.deadline), state.deadline)
    return state


def signal(round_: int) -> BeaconSignal:
    signature = hashlib.sha256(str(round_).encode()).hexdigest()
    return BeaconSignal(CHAIN, round_, hashlib.sha256(bytes.fromhex(signature)).hexdigest(), signature)


GAMES: dict[str, PickNumberGame] = {
    "normal": completed(3, {1: 7, 2: 9}, winners=2, prize_pool=Decimal("10.01")),
    "reverse": completed(4, {1: 7, 2: 9, 4: 3}, mode="reverse", winners=3, split="equal", prize_pool=Decimal(1)),
    "absent": completed(3, {2: 9}, absent="auto", mode="reverse", winners=10),
    "nobody but the absent": completed(2, {}, absent="auto"),
    "percentages": completed(
        3,
        {1: 1, 2: 2},
        winners=3,
        split="percentages",
        percentages=(Decimal(60), Decimal("30.5"), Decimal("9.5")),
        prize_pool=Decimal("0.00000009"),
    ),
    "beacon": completed(2, {1: 7, 2: 9}, beacon=BEACON, absent="auto"),
    "silent beacon": completed(2, {1: 7}, beacon=BEACON, silent=True),
    "lone in reverse": completed(2, {1: 7}, mode="reverse", prize_pool=Decimal("1E+3")),
}
DOCUMENTS = {name: prove(state) for name, state in GAMES.items()}
every_proof = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())


def holds(raw: bytes) -> bool:
    """Return whether every check of the proof passes."""
    try:
        return all(check.passed for check in proof.verify(raw))
    except proof.NotAProof:
        return False


def objections(document: dict[str, Any]) -> set[str]:
    """Return the objections to a document that its forger has sealed again."""
    try:
        return {check.code for check in proof.verify(proof.canonical(proof.seal(document))) if not check.passed}
    except proof.NotAProof as error:
        return {str(error)}


# -- valid proofs


@every_proof
def test_the_proof_of_a_game_holds(document: dict[str, Any]) -> None:
    checks = proof.verify(proof.canonical(document))
    assert [check.code for check in checks if not check.passed] == []
    assert {"document", "commitment", "entries", "absent", "digest", "order", "places", "prizes"} <= {
        check.code for check in checks
    }


@every_proof
def test_a_second_implementation_of_the_documentation_agrees(document: dict[str, Any]) -> None:
    claims, _ = recomputed.recompute(document)
    assert {name: document[name] for name in claims} == claims
    assert recomputed.written(document) == proof.canonical(document)


@settings(max_examples=150, deadline=None)
@each(st.data())
def test_a_second_implementation_agrees_on_any_game(data: st.DataObject) -> None:
    players = data.draw(st.integers(2, 12))
    highest = data.draw(st.integers(players, 40))
    numbers = data.draw(st.permutations(range(1, highest + 1)))
    pickers = data.draw(st.sets(st.integers(1, players), min_size=1))
    document = prove(
        completed(
            players,
            dict(zip(sorted(pickers), numbers, strict=False)),
            numbers=highest,
            mode=data.draw(st.sampled_from(["normal", "reverse"])),
            absent=data.draw(st.sampled_from(["drop", "auto"])),
            split=data.draw(st.sampled_from(["auto", "equal"])),
            winners=data.draw(st.integers(1, 10)),
            prize_pool=data.draw(st.decimals(0, 10**12, places=data.draw(st.integers(0, 8)))),
            beacon=data.draw(st.sampled_from([None, BEACON])),
            silent=data.draw(st.booleans()),
        )
    )
    claims, _ = recomputed.recompute(document)
    assert {name: document[name] for name in claims} == claims
    assert holds(proof.canonical(document))


def test_a_missing_beacon_is_said() -> None:
    codes = {check.code: check.parameters for check in proof.verify(proof.canonical(DOCUMENTS["silent beacon"]))}
    assert codes["beacon-missing"] == {"round": GAMES["silent beacon"].beacon_round}
    assert "beacon" not in codes


def test_amounts_are_written_without_an_exponent() -> None:
    assert DOCUMENTS["lone in reverse"]["pool"] == "1000"
    assert DOCUMENTS["percentages"]["places"][1]["prize"] == "0.00000003"


def test_a_proof_is_the_same_whatever_order_a_store_keeps_a_mapping_in() -> None:
    state = completed(4, {}, absent="auto")
    kept = replace(
        state, assigned=dict(reversed(list(state.assigned.items()))), picks=dict(reversed(list(state.picks.items())))
    )
    assert list(kept.assigned) != list(state.assigned)
    assert prove(kept) == prove(state)
    assert holds(proof.canonical(prove(kept)))


def test_only_a_completed_game_is_proven() -> None:
    state = given(selecting(2)).state
    assert state is not None
    with pytest.raises(ValueError, match="completed"):
        prove(state)
    assert KIND.view(state, None).seed is None


# -- the page


def blocks(language: str) -> list[str]:
    """Return the code blocks of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_documentations_example_is_what_both_implementations_compute() -> None:
    (example,) = blocks("json")
    raw = example.encode()
    document = json.loads(raw)
    claims, steps = recomputed.recompute(document)
    assert all(check.passed for check in proof.verify(raw))
    assert {name: document[name] for name in claims} == claims
    told, picked, entries = blocks("text")
    assert told == "".join(f"{name} = {value}\n" for name, value in steps.items())
    game, highest = document["game"], document["highest"]
    numbers = {number: player for number, player in document["picked"]}  # noqa: C416
    assert picked == recomputed.entries_text(game, highest, numbers)
    numbers |= {number: player for player, number in document["assigned"]}
    assert entries == recomputed.entries_text(game, highest, numbers)


def test_the_page_names_every_field_of_a_proof() -> None:
    for field in DOCUMENTS["normal"]:
        assert f"`{field}`" in PAGE


# -- invalid proofs


def changed_bytes(raw: bytes) -> Iterator[bytes]:
    """Yield the document with one byte changed: every byte, each of its bits, and some other values."""
    for index, byte in enumerate(raw):
        for other in {byte ^ (1 << bit) for bit in range(8)} | {0x20, 0x30, 0x39, 0x22, 0x2C, 0x0A, 0xFF} - {byte}:
            yield raw[:index] + bytes([other]) + raw[index + 1 :]


@pytest.mark.parametrize("name", ["normal", "percentages", "beacon"])
def test_a_proof_with_any_one_byte_changed_fails(name: str) -> None:
    survivors = [changed for changed in changed_bytes(proof.canonical(DOCUMENTS[name])) if holds(changed)]
    assert survivors == []


def test_a_proof_with_a_byte_more_or_less_fails() -> None:
    raw = proof.canonical(DOCUMENTS["absent"])
    assert not any(holds(raw[:index] + raw[index + 1 :]) for index in range(len(raw)))
    for extra in (b" ", b"\n", b"0", b'"', b"\xef\xbb\xbf"):
        assert not any(holds(raw[:index] + extra + raw[index:]) for index in range(len(raw) + 1))


def test_a_proof_in_another_encoding_or_written_in_another_way_fails() -> None:
    document = DOCUMENTS["normal"]
    text = proof.canonical(document).decode()
    for raw in (text.encode("utf-16"), text.encode("utf-32"), json.dumps(document).encode(), text.strip().encode()):
        assert not holds(raw)
    assert not holds(text.replace('"winners": 2', '"winners": 2,\n  "winners": 2').encode())


Forge = Callable[[dict[str, Any]], None]


def setting(field: str, value: Any) -> Forge:
    return lambda document: document.update({field: value})


def swap_places(document: dict[str, Any]) -> None:
    first, second = document["places"][:2]
    first["player"], second["player"] = second["player"], first["player"]


def swap_drawn(document: dict[str, Any]) -> None:
    document["drawn"][0], document["drawn"][1] = document["drawn"][1], document["drawn"][0]


def move_entry(document: dict[str, Any]) -> None:
    document["picked"][0][0] = document["highest"]


def double_entry(document: dict[str, Any]) -> None:
    document["picked"][0][1] = document["picked"][1][1]


@pytest.mark.parametrize(
    ("name", "forge", "objection"),
    [
        ("normal", setting("seed", "00" * 32), "commitment"),
        ("normal", setting("commitment", "00" * 32), "commitment"),
        ("normal", setting("game", "07zzzzzzzzzzzz"), "digest"),
        ("normal", setting("highest", 16), "digest"),
        ("normal", setting("highest", 8), "entries"),
        ("normal", setting("digest", "00" * 32), "digest"),
        ("normal", setting("mode", "reverse"), "places"),
        ("normal", setting("winners", 1), "places"),
        ("normal", swap_places, "places"),
        ("normal", swap_drawn, "order"),
        ("normal", move_entry, "digest"),
        ("normal", double_entry, "entries"),
        ("normal", lambda d: d["picked"].append(list(d["picked"][0])), "entries"),
        ("normal", lambda d: d["places"].pop(), "places"),
        ("normal", lambda d: d["places"].reverse(), "places"),
        ("normal", lambda d: d["places"][0].update(prize="10.00"), "prizes"),
        ("normal", lambda d: d["places"][0].update(prize="NaN"), "incomplete"),
        ("normal", setting("pool", "10.02"), "prizes"),
        ("reverse", setting("split", "auto"), "prizes"),
        ("reverse", setting("mode", "normal"), "order"),
        ("absent", setting("absent_policy", "drop"), "absent"),
        ("absent", lambda d: d["absent"].reverse(), "absent"),
        ("absent", lambda d: d["assigned"].pop(), "absent"),
        ("absent", lambda d: d["absent"].append(2), "absent"),
        ("normal", lambda d: d["assigned"].append([3, 11]), "absent"),
        ("percentages", setting("percentages", ["9.5", "30.5", "60"]), "prizes"),
        ("beacon", setting("beacon", None), "order"),
        ("beacon", setting("beacon_expected", 5), "beacon"),
        ("beacon", setting("beacon_expected", None), "beacon"),
        ("beacon", lambda d: d["beacon"].update(round=7), "beacon"),
        ("beacon", lambda d: d["beacon"].update(randomness="00" * 32), "beacon"),
        ("beacon", lambda d: d["beacon"].update(randomness=""), "incomplete"),
        ("beacon", lambda d: d["beacon"].update(signature="00" * 32), "beacon"),
        ("beacon", lambda d: d["beacon"].update(signature="xy"), "incomplete"),
        ("beacon", lambda d: d["beacon"].update(signature=d["beacon"]["signature"] + " "), "incomplete"),
        ("beacon", lambda d: d["beacon"].update(signature=d["beacon"]["signature"].upper()), "incomplete"),
        ("normal", lambda d: d["picked"].reverse(), "entries"),
        ("normal", lambda d: d["absent"].append(d["absent"][0]), "absent"),
        ("normal", lambda d: d["absent"].append(d["picked"][0][1]), "absent"),
        ("absent", lambda d: d["assigned"].reverse(), "absent"),
        ("normal", lambda d: d["places"][0].update(prize=d["places"][0]["prize"] + "0"), "prizes"),
    ],
)
def test_a_forged_claim_is_found_even_where_the_checksum_is_made_anew(name: str, forge: Forge, objection: str) -> None:
    document = copy.deepcopy(DOCUMENTS[name])
    forge(document)
    assert objection in objections(document)


@pytest.mark.parametrize("field", [field for field in DOCUMENTS["normal"] if field != "checksum"])
def test_a_proof_without_one_of_its_fields_is_incomplete(field: str) -> None:
    document = {name: value for name, value in DOCUMENTS["normal"].items() if name != field}
    assert not holds(proof.canonical(proof.seal(document)))


@pytest.mark.parametrize(
    "forge",
    [
        setting("highest", 10_001),
        setting("highest", 10**4000),
        setting("highest", 0),
        setting("highest", "15"),
        setting("highest", 15.0),
        setting("highest", True),
        setting("winners", 0),
        setting("winners", 11),
        setting("winners", "2"),
        setting("mode", "sideways"),
        setting("mode", ["normal"]),
        setting("split", "mine"),
        setting("absent_policy", "kick"),
        setting("pool", "1E+999999999"),
        setting("pool", "NaN"),
        setting("pool", "-1"),
        setting("pool", "0.000000001"),
        setting("pool", None),
        setting("picked", None),
        setting("picked", [[1]]),
        setting("picked", [[1, 2, 3]]),
        setting("picked", [["1", 2]]),
        setting("picked", {}),
        setting("assigned", [5]),
        setting("absent", "nobody"),
        setting("absent", [None]),
        setting("seed", 5),
        setting("seed", "xy"),
        setting("drawn", None),
        setting("places", [{}]),
        setting("places", 5),
        setting("beacon", {}),
        setting("beacon", "spoke"),
        setting("beacon", {"round": None, "randomness": None, "signature": None}),
        setting("percentages", ["many"]),
        lambda document: document.update(split="percentages", percentages=["1E-999999", "100"]),
        setting("kind", "quiz"),
        setting("more", 1),
        setting("game", "07\nthe proof holds"),
        setting("game", "\x1b[2J"),
        setting("game", ""),
        setting("seed", "00"),
        setting("commitment", ["x"]),
        setting("chain", "x"),
        setting("pool", "1_0.01"),
        setting("pool", " 10.01 "),
        setting("pool", "1001E-2"),
        setting("pool", "１０.０１"),
        setting("pool", "-0"),
        setting("beacon_expected", float("nan")),
        setting("beacon_expected", [["x"]]),
        setting("beacon_expected", True),
        lambda document: document.update(seed=document["seed"].upper()),
        lambda document: document.update(seed=f"{document['seed'][:2]} {document['seed'][2:]}"),
        lambda document: document.update(drawn=[float(number) for number in document["drawn"]]),
        lambda document: document["places"][0].update(place=True),
        lambda document: document["places"][0].update(player=float(document["places"][0]["player"])),
        lambda document: document["places"][0].update(more=1),
        lambda document: document["places"][0].pop("prize"),
    ],
)
def test_nonsense_is_no_proof_and_costs_little(forge: Forge) -> None:
    document = copy.deepcopy(DOCUMENTS["normal"])
    forge(document)
    assert not holds(proof.canonical(proof.seal(document)))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"\xff", "not-json"),
        (b"[" * 100_000, "not-json"),
        (b"1" * 10_000, "not-json"),
        (b"[]", "unknown-format"),
        (b"{}", "unknown-format"),
        (b'{"format": "tombola-proof/3"}', "unknown-format"),
        (b'{"format": ["tombola-proof/1"]}', "unknown-format"),
        (b'{"format": "tombola-proof/1"}', "not-canonical"),
        (b'{\n  "format": "tombola-proof/1"\n}\n', "incomplete"),
        (b'{\n  "format": "tombola-proof/2"\n}\n', "incomplete"),
        (b" " * proof.LARGEST + b"{}", "too-large"),
    ],
)
def test_what_is_no_proof_is_told_apart(raw: bytes, code: str) -> None:
    with pytest.raises(proof.NotAProof) as caught:
        proof.verify(raw)
    assert str(caught.value) == code


def test_a_proof_nested_too_deeply_to_be_written_again_is_incomplete() -> None:
    deep = b'{"deep": ' + b"[" * 900 + b"]" * 900 + b", " + proof.canonical(DOCUMENTS["normal"])[1:]
    assert not holds(deep)
