"""Proofs of the second format: the commitment's content, the closing statement's content, and refusals."""

import copy
import hashlib
import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.signatures import SIGNATURES
from fsm import draw, merkle, proof
from fsm.lobby import Cancel, DeadlinePassed, Join, StartNow
from fsm.pick_number import KIND, Beacon, BeaconSignal, NumberedSeed, PickNumber, PickNumberGame, PublishBeacon, prove
from tests.rules import recomputed
from tests.rules.given_when_then import CLOSING, OPENED, PLACE, given, opening, play, selecting
from tests.support.games import GAME, HOST
from tests.support.spec import SEED

CHAIN = "ab" * 32
BEACON = Beacon(CHAIN, genesis_at=0, period_ms=3_000, wait_ms=10_000, public_key="cd" * 96, lead_ms=15_000)


def signal(round_: int) -> BeaconSignal:
    signature = hashlib.sha384(str(round_).encode()).hexdigest()
    return BeaconSignal(CHAIN, round_, hashlib.sha256(bytes.fromhex(signature)).hexdigest(), signature)


def closed(players: int, picks: dict[int, int], **rules: Any) -> PickNumberGame:
    """Return a game whose selection is over."""
    return given(selecting(players, picks, **rules)).when(DeadlinePassed(CLOSING), CLOSING).state


def ended(state: PickNumberGame) -> PickNumberGame:
    """Return the game after its draw; its beacon arrives, if it has one."""
    if state.beacon_round is not None and state.drawn is None:
        state = play(state, PublishBeacon(signal(state.beacon_round)), CLOSING + 20_000)
    while state.deadline is not None:
        state = play(state, DeadlinePassed(state.deadline), state.deadline)
    return state


GAMES: dict[str, PickNumberGame] = {
    "normal": ended(closed(3, {1: 7, 2: 9}, winners=2, prize_pool=Decimal("10.01"))),
    "reverse": ended(closed(4, {1: 7, 2: 9, 4: 3}, mode="reverse", winners=3, split="equal", prize_pool=Decimal(1))),
    "absent": ended(closed(3, {2: 9}, absent="auto", mode="reverse", winners=10)),
    "beacon": ended(closed(2, {1: 7, 2: 9}, beacon=BEACON, prize_pool=Decimal(100))),
    "words": ended(closed(3, {1: 7, 2: 9}, winners=3, prizes=("Bike", "Book"))),
    "by place": ended(
        closed(
            3, {1: 7}, winners=2, currency="EUR", amounts=(Decimal("7.005"), Decimal(2)), prize_pool=Decimal("9.005")
        )
    ),
    "void": play(closed(2, {1: 7}, beacon=BEACON), Cancel(5, "operator"), CLOSING + 5),
}
DOCUMENTS = {name: prove(state) for name, state in GAMES.items()}
Change = Callable[[dict[str, Any]], Any]


def objections(document: dict[str, Any]) -> set[str]:
    """Return the objections to a document that its forger has sealed again, including its opening statement."""
    try:
        return {check.code for check in proof.verify(proof.canonical(proof.seal(document))) if not check.passed}
    except proof.NotAProof as error:
        return {str(error)}


def changed(name: str, change: Change) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENTS[name])
    change(document)
    return document


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_proof_of_a_game_holds(name: str) -> None:
    assert objections(DOCUMENTS[name]) == set()


def test_the_opening_statement_says_all_that_decides() -> None:
    opening = DOCUMENTS["beacon"]["opening"]
    assert opening == json.loads(GAMES["beacon"].statement)
    assert (opening["game"], opening["chat"], opening["topic"]) == (GAME, PLACE.chat_id, PLACE.topic_id)
    assert opening["beacon"] == {
        "chain": CHAIN, "scheme": "bls-unchained-g1-rfc9380", "public_key": "cd" * 96, "genesis": 0, "period": 3000,
        "lead": 15000, "wait": 10000, "policy": "wait",
    }  # fmt: skip
    assert opening["seed_hash"] == draw.commitment(SEED)
    assert opening["at"] > OPENED


@pytest.mark.parametrize(
    "change",
    [
        lambda opening: opening.update(mode="reverse"),
        lambda opening: opening.update(winners=opening["winners"] + 1),
        lambda opening: opening.update(highest=opening["highest"] + 1),
        lambda opening: opening.update(absent_policy="auto"),
        lambda opening: opening.update(pool="11"),
        lambda opening: opening.update(split="equal"),
        lambda opening: opening.update(title="Saturday"),
        lambda opening: opening.update(chat=-5),
        lambda opening: opening.update(topic=6),
        lambda opening: opening.update(at=opening["at"] - 1),
        lambda opening: opening.update(game="0" * 14),
        lambda opening: opening.update(beacon=None),
        lambda opening: opening["beacon"].update(policy="void"),
        lambda opening: opening["beacon"].update(wait=10**6),
        lambda opening: opening["beacon"].update(lead=0),
        lambda opening: opening["beacon"].update(chain="00" * 32),
        lambda opening: opening["beacon"].update(public_key="00" * 96),
        lambda opening: opening.update(seeds={"root": "00" * 32, "size": 1, "number": 1}),
    ],
)
def test_no_rule_changes_after_the_commitment(change: Change) -> None:
    forged = changed("beacon", lambda document: change(document["opening"]))
    assert "opening" in objections(forged)
    forged["commitment"] = proof.commitment(forged["opening"])
    assert objections(forged) != set() or forged["commitment"] != DOCUMENTS["beacon"]["commitment"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("words", lambda opening: opening["award"].update(texts=["Car", "Book"])),
        ("words", lambda opening: opening["award"]["texts"].append("Mug")),
        ("words", lambda opening: opening.pop("award")),
        ("by place", lambda opening: opening["award"].update(currency="$")),
        ("by place", lambda opening: opening["award"].update(amounts=["7", "2.005"])),
        ("by place", lambda opening: opening["award"].update(amounts=[])),
        ("normal", lambda opening: opening.update(award={"currency": "EUR", "amounts": [], "texts": []})),
    ],
)
def test_no_prize_changes_after_the_commitment(name: str, change: Change) -> None:
    assert "opening" in objections(changed(name, lambda document: change(document["opening"])))


@pytest.mark.parametrize(
    "award",
    [
        {"currency": "", "amounts": [], "texts": []},
        {"currency": "EUR", "amounts": [], "texts": ["Bike"]},
        {"currency": "", "amounts": ["1"], "texts": []},
        {"currency": "", "amounts": [], "texts": ["Bike"] * 4},
        {"currency": "", "amounts": [], "texts": [""]},
        {"currency": "", "amounts": [], "texts": ["x" * 101]},
        {"currency": "", "amounts": [], "texts": ["two\nlines"]},
        {"currency": "", "texts": ["Bike"]},
        {"currency": "", "amounts": [], "texts": ["Bike"], "more": 1},
        None,
    ],
)
def test_an_award_outside_its_table_makes_a_document_no_proof(award: Any) -> None:
    assert objections(changed("words", lambda document: document["opening"].update(award=award))) == {"incomplete"}


def test_an_amount_by_place_is_paid_as_it_is_and_not_without_its_winner() -> None:
    assert [place["prize"] for place in DOCUMENTS["by place"]["places"]] == ["7.005"]
    assert [standing.award for standing in GAMES["words"].standings] == ["Bike", "Book", ""]


@pytest.mark.parametrize(
    ("name", "change", "objection"),
    [
        ("normal", lambda d: d.update(seed="00" * 32), "seed"),
        ("normal", lambda d: d.update(seed_path=["00" * 32]), "seed-alone"),
        ("normal", lambda d: d["closing"].update(at=0), "closing"),
        ("normal", lambda d: d["closing"].update(round=5), "closing"),
        ("beacon", lambda d: d["closing"].update(round=None), "closing"),
        ("beacon", lambda d: d["closing"].update(round=d["closing"]["round"] + 1), "closing"),
        ("beacon", lambda d: d["closing"].update(at=d["closing"]["at"] - 3000), "closing"),
        ("beacon", lambda d: d.update(beacon=None), "beacon-absent"),
        ("beacon", lambda d: d["beacon"].update(round=d["beacon"]["round"] - 1), "beacon-signed"),
        ("beacon", lambda d: d["beacon"].update(randomness="00" * 32), "beacon-signed"),
        ("beacon", lambda d: d["beacon"].update(signature="00" * 48), "beacon-signed"),
        ("beacon", lambda d: d["beacon"].update(signature=""), "incomplete"),
        ("beacon", lambda d: d["beacon"].update(previous_signature="00" * 48), "incomplete"),
        ("beacon", lambda d: d.update(outcome="void", reason="beacon"), "void"),
        ("beacon", lambda d: d.update(outcome="void", reason="beacon", beacon=None, drawn=[]), "void"),
        ("normal", lambda d: d.update(outcome="void", reason="beacon", drawn=[], places=[]), "void"),
        ("void", lambda d: d.update(outcome="completed", reason=None), "beacon-absent"),
        ("void", lambda d: d.update(reason="mood"), "incomplete"),
        ("void", lambda d: d.update(reason=None), "incomplete"),
        ("void", lambda d: d["drawn"].append(1), "void"),
        ("absent", lambda d: d["absent"].reverse(), "absent"),
        ("absent", lambda d: d["absent"].extend(range(10, 40)), "absent"),
        ("normal", lambda d: d["picked"].reverse(), "entries"),
        ("normal", lambda d: d["picked"].clear(), "entries"),
    ],
)  # fmt: skip
def test_a_false_claim_is_found_even_if_the_checksum_is_made_anew(name: str, change: Change, objection: str) -> None:
    assert objection in objections(changed(name, change))


@pytest.mark.parametrize("chain", proof.PINNED)
def test_a_known_chain_has_its_pinned_key_and_times_and_no_others(chain: str) -> None:
    pinned = proof.PINNED[chain]
    for name, value in (("public_key", "00" * (len(pinned["public_key"]) // 2)), ("genesis", 5), ("period", 7)):
        opening = {**DOCUMENTS["beacon"]["opening"]["beacon"], "chain": chain, **pinned, name: value}
        beacon = DOCUMENTS["beacon"]["beacon"]
        (check,) = [proof._beacon(opening, beacon["round"], beacon, None)]
        assert (check.code, check.passed) == ("beacon-signed", False)


def seeds(count: int) -> tuple[list[str], list[bytes]]:
    """Return seeds, and the leaves of their hashes."""
    made = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(count)]
    return made, [merkle.leaf_hash(bytes.fromhex(draw.commitment(seed))) for seed in made]


def test_a_seed_that_was_fixed_ahead_is_shown_to_be_the_one_of_its_number() -> None:
    made, leaves = seeds(6)
    root = merkle.root(leaves).hex()
    for number in range(1, 7):
        path = tuple(node.hex() for node in merkle.inclusion_path(leaves, number - 1))
        reserved = NumberedSeed(made[number - 1], root, 6, number, path)
        state = KIND.fold(None, KIND.decide(None, opening(content=reserved), OPENED, SEED))
        for command in (Join(1, "P1"), Join(2, "P2"), StartNow(HOST.id), PickNumber(1, 7), PickNumber(2, 9)):
            state = play(state, command, OPENED + 5)
        document = prove(ended(state))
        assert document["seed"] == made[number - 1]
        assert objections(document) == set()
        other = copy.deepcopy(document)
        other["opening"]["seeds"]["number"] = number % 6 + 1
        other["commitment"] = proof.commitment(other["opening"])
        assert objections(other) == {"seeds"}


FIRST = prove(ended(closed(2, {1: 7, 2: 9}, first_format=True, prize_pool=Decimal(100))))


SMALL_INPUTS: dict[str, tuple[str, Change]] = {
    "nobody in it and a pool of 100": (
        "beacon", lambda d: d.update(picked=[], absent=[], assigned=[], drawn=[], places=[]),
    ),
    "percentages as an object": ("both", lambda r: r.update(percentages={})),
    "percentages as text": ("both", lambda r: r.update(percentages="")),
    "absent as an object": ("either", lambda d: d.update(absent={})),
    "absent as text": ("either", lambda d: d.update(absent="")),
    "picked as an object": ("either", lambda d: d.update(picked={})),
    "picked as text": ("either", lambda d: d.update(picked="")),
    "a pool with a zero in front": ("both", lambda r: r.update(pool="0100")),
    "a title of control characters": ("both", lambda r: r.update(title="\x07\x1b[2J")),
    "a title of 65 characters": ("both", lambda r: r.update(title="x" * 65)),
    "a title with half a surrogate pair": ("both", lambda r: r.update(title="\ud800")),
    "a game id of 3,000 characters": ("both", lambda r: r.update(game="0" * 3000)),
    "a negative player": ("either", lambda d: d["picked"][0].__setitem__(1, -1)),
    "a player of 2^53": ("either", lambda d: d["picked"][0].__setitem__(1, 2**53)),
}  # fmt: skip


@pytest.mark.parametrize(("where", "change"), SMALL_INPUTS.values(), ids=SMALL_INPUTS)
def test_small_inputs_that_are_no_proofs_are_refused(where: str, change: Change) -> None:
    second = copy.deepcopy(DOCUMENTS["beacon"])
    first = copy.deepcopy(FIRST)
    change(second["opening"] if where == "both" else second)
    change(first)
    second["commitment"] = proof.commitment(second["opening"])
    assert objections(second) != set()
    assert objections(first) != set()


@pytest.mark.parametrize("round_", [0, -3, 10**30, 10**40, True, 1.0, "7", None])
def test_a_round_that_is_none_is_refused(round_: Any) -> None:
    second = changed("beacon", lambda d: d["beacon"].update(round=round_))
    assert objections(second) == {"incomplete"}
    if round_ is not None:
        second = changed("beacon", lambda d: d["closing"].update(round=round_))
        assert objections(second) == {"incomplete"}
        first = copy.deepcopy(FIRST)
        first["beacon_expected"] = round_
        assert objections(first) == {"incomplete"}


def test_an_empty_signature_is_none() -> None:
    first = copy.deepcopy(FIRST)
    empty = hashlib.sha256(b"").hexdigest()
    first["beacon"] = {"chain": CHAIN, "round": 1, "randomness": empty, "signature": ""}
    assert objections(first) == {"incomplete"}


def test_a_signature_that_is_not_the_beacons_fails_the_proof_and_an_unchecked_one_is_told() -> None:
    raw = proof.canonical(DOCUMENTS["beacon"])
    none_genuine = proof.Signatures(lambda *_: False, lambda *_: False)
    assert {"beacon-unchecked"} <= {check.code for check in proof.verify(raw)}
    assert {check.code for check in proof.verify(raw, none_genuine) if not check.passed} == {"beacon-unpinned"}


# -- the page

PAGE = (Path(__file__).parents[2] / "docs" / "fairness.md").read_text()


def blocks(language: str) -> list[str]:
    """Return the code blocks of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_documentations_example_holds_and_its_steps_are_what_a_second_implementation_computes() -> None:
    (example,) = blocks("json")
    document = json.loads(example)
    assert all(check.passed for check in proof.verify(example.encode(), SIGNATURES))
    flat = {**document["opening"], **{name: value for name, value in document.items() if name != "opening"}}
    claims, steps = recomputed.recompute(flat)
    del claims["commitment"], claims["checksum"], claims["digest"]
    assert {name: document[name] for name in claims} == claims
    (told,) = blocks("text")
    steps = {"seed_hash": steps.pop("commitment"), **steps}
    assert told == "".join(f"{name} = {value}\n" for name, value in steps.items())


def test_the_page_names_every_field_of_a_proof_and_of_an_opening_statement() -> None:
    for field in (*DOCUMENTS["beacon"], *DOCUMENTS["beacon"]["opening"], *DOCUMENTS["beacon"]["opening"]["beacon"]):
        assert f"`{field}`" in PAGE


def test_two_messages_without_a_result_are_no_proof_and_the_seed_alone_completes_them() -> None:
    """The attack: switch the server off between the two messages and the result."""
    whole = DOCUMENTS["beacon"]
    for field in ("seed", "drawn", "places", "outcome", "beacon"):
        assert objections({name: value for name, value in whole.items() if name != field}), field
    opening, owners = whole["opening"], dict(whole["picked"])
    randomness = signal(whole["closing"]["round"]).randomness  # public, whether or not the server runs
    drawn = draw.order(opening["game"], opening["highest"], owners, whole["seed"], randomness)
    assert next(number for number in drawn if number in owners) == whole["places"][0]["number"]


def test_each_attack_in_the_page_has_a_test_that_performs_it() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    named = re.findall(r"\| `(test_\w+)` \|$", PAGE, re.MULTILINE)
    assert len(named) >= 12
    for name in named:
        assert f"def {name}(" in tests, name
