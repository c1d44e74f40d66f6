"""Three verifiers, one verdict: the bot's, ``verify.py`` and ``verify.html``, on thousands of proofs."""

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main
from bot.signatures import SIGNATURES
from fsm import proof
from fsm.pick_number import prove
from tests.draw import beacons, corpus
from tests.page import browser

COUNT = int(os.environ.get("TOMBOLA_MUTATIONS", "750"))
"""Number of mutations; a long manual run takes 100,000."""
BATCH = 250
BINARY = browser.find()


def verdict_of_bot(raw: bytes) -> str:
    try:
        checks = proof.verify(raw, SIGNATURES)
    except proof.NotAProof:
        return "none"
    return "holds" if all(check.passed for check in checks) else "fails"


def verdict_of_file(module: Any, raw: bytes) -> str:
    try:
        checks = list(module.checks(module.read(raw)))
    except module.NotAProof:
        return "none"
    return "holds" if all(passed for _, passed, _ in checks) else "fails"


@pytest.fixture(scope="module")
def judged() -> list[tuple[bytes, str]]:
    """Return the corpus with the bot's verdicts."""
    return [(raw, verdict_of_bot(raw)) for raw in corpus.mutations(COUNT)]


def test_the_corpus_has_proofs_of_each_verdict(judged: list[tuple[bytes, str]]) -> None:
    valid = len(corpus.documents())
    assert [verdict for _, verdict in judged[:valid]] == ["holds"] * valid
    counted = Counter(verdict for _, verdict in judged)
    assert min(counted["fails"], counted["none"]) > COUNT / 5


def test_a_mutation_that_holds_claims_nothing_else_of_the_draw(judged: list[tuple[bytes, str]]) -> None:
    known = {document["commitment"]: document for document in corpus.documents()}
    for raw, verdict in judged:
        document = json.loads(raw) if verdict == "holds" else None
        if document is None or document["format"] == proof.FIRST:
            continue
        original = known.get(document["commitment"])
        if original is not None:  # a person with the original commitment recognizes the original draw
            assert (document["seed"], document["opening"]) == (original["seed"], original["opening"])


def test_the_file_for_strangers_agrees(judged: list[tuple[bytes, str]]) -> None:
    module = corpus.verifier()
    for raw, verdict in judged:
        assert verdict_of_file(module, raw) == verdict, raw.decode(errors="replace")


@pytest.mark.parametrize("change", [{"period_ms": 10**12}, {"genesis_at": 0}, {"public_key": beacons.PUBLIC_KEY}])
def test_a_void_draw_too_names_a_known_chain_only_as_it_is(change: dict[str, Any]) -> None:
    module = corpus.verifier()
    for changed, verdict in (({}, "holds"), (change, "fails")):
        raw = proof.canonical(prove(corpus.played(13, beacon=corpus.quicknet(**changed))))
        assert (verdict_of_bot(raw), verdict_of_file(module, raw)) == (verdict, verdict)


def test_the_file_for_strangers_knows_the_rounds_that_drand_has_published() -> None:
    module = corpus.verifier()
    for chain, rounds in beacons.PUBLISHED.items():
        for found in rounds:
            assert module.is_genuine_round(proof.PINNED[chain], found)
            assert not module.is_genuine_round(proof.PINNED[chain], {**found, "round": found["round"] + 1})
    assert proof.PINNED == module.PINNED


@pytest.mark.skipif(BINARY is None, reason=f"none of {', '.join(browser.NAMES)} is on this machine")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_the_page_agrees_in_a_browser_and_shows_it_in_every_language(
    judged: list[tuple[bytes, str]], tmp_path: Path
) -> None:
    assert BINARY is not None
    async with browser.browsing(BINARY, tmp_path / "profile") as tab:
        await tab.open((corpus.ROOT / "verify.html").as_uri())
        await tab.run(
            "{ const check = isGenuineRound, known = {}; isGenuineRound = (chain, beacon) => { const key ="
            " JSON.stringify([chain.scheme, chain.public_key, beacon]); return known[key] ??= check(chain, beacon); } }"
        )
        for start in range(0, len(judged), BATCH):
            batch = judged[start : start + BATCH]
            given = json.dumps([base64.b64encode(raw).decode() for raw, _ in batch])
            found = await tab.run(
                f"{given}.map((text) => verdict(Uint8Array.from(atob(text), (c) => c.charCodeAt(0))).kind)"
            )
            for (raw, verdict), other in zip(batch, found, strict=True):
                assert other == verdict, raw.decode(errors="replace")
        for chain, rounds in beacons.PUBLISHED.items():
            for round_ in rounds:
                assert await tab.run(f"isGenuineRound(PINNED[{chain!r}], {json.dumps(round_)})")
        await _drop(tab, judged[1][0])
        await tab.run("language = 'en'; speak()")
        assert await tab.until("document.getElementById('verdict').textContent.startsWith('The proof holds')")
        choice = "document.getElementById('language')"
        for language, verdict in (("es", "La prueba es válida"), ("ru", "Доказательство верно")):
            await tab.run(f"{choice}.value = '{language}'; {choice}.dispatchEvent(new Event('change'))")
            assert await tab.until(f"document.getElementById('verdict').textContent.startsWith('{verdict}')")
        assert await tab.run("document.querySelectorAll('#checks .bad').length") == 0
        await tab.run(
            "document.getElementById('commitment').value = '00'; document.getElementById('commitment').onchange()"
        )
        assert await tab.until("document.getElementById('verdict').className === 'bad'")
        document = next(one for one in corpus.documents() if one.get("log"))
        await _drop(tab, proof.canonical(document))
        await tab.run("document.getElementById('commitment').value = ''")
        for size in (5, 8):
            head, nodes = corpus.earlier(document, size)
            await tab.run(f"document.getElementById('head').value = ' {head.upper()}'; grow(null)")
            assert await tab.until("document.getElementById('verdict').className === 'bad'")
            assert "файл согласованности" in await tab.run("document.getElementById('checks').lastChild.textContent")
            await tab.run(f"grow(new File([{json.dumps(json.dumps({'path': nodes}))}], 'grown.json'))")
            assert await tab.until("document.getElementById('verdict').className === 'good'")
            await tab.run(f"document.getElementById('head').value = '{size}:{'00' * 32}'; check()")
            assert await tab.until("document.getElementById('verdict').className === 'bad'")
        await tab.size(390, 844)
        assert await tab.run("document.documentElement.scrollWidth <= 390")
        assert tab.problems == []


async def _drop(tab: browser.Tab, raw: bytes) -> None:
    """Drop a file on the page."""
    text = base64.b64encode(raw).decode()
    await tab.run(
        f"{{ const file = new File([Uint8Array.from(atob('{text}'), (c) => c.charCodeAt(0))], 'proof.json');"
        " const data = new DataTransfer(); data.items.add(file);"
        " dispatchEvent(new DragEvent('drop', {dataTransfer: data, cancelable: true})); }"
    )


def test_the_page_asks_the_network_for_nothing() -> None:
    page = (corpus.ROOT / "verify.html").read_text()
    assert "default-src 'none'" in page
    assert not any(word in page for word in ("http://", "https://", "fetch(", "XMLHttpRequest", "import("))


# -- any input ends in one line


COMMANDS = {"file": [sys.executable, "verify.py"], "bot": [sys.executable, "-m", "bot", "verify"]}
each_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
INPUTS = {
    "nothing": b"",
    "ten megabytes of brackets": b"[" * 10_000_000,
    "nine hundred thousand brackets": b"[" * 900_000,
    "a number of five thousand digits": b'{"format": ' + b"9" * 5000 + b"}",
    "a number with a huge exponent": b"1e999999999",
    "bytes": bytes(range(256)) * 20,
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"format": "tombola-proof/2"}'.encode("utf-16"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """The end of a command."""

    status: int
    out: str
    err: str


Verify = Callable[..., Said]


@pytest.fixture(params=COMMANDS)
def verify(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Verify:
    """Return a function that runs a verifier: the file as a process, the bot's command in this one."""

    def by_file(*arguments: str) -> Said:
        done = subprocess.run([*COMMANDS["file"], *arguments], cwd=corpus.ROOT, capture_output=True, check=False)
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    def by_bot(*arguments: str) -> Said:
        capfd.readouterr()
        status = main(["verify", *arguments])
        return Said(status, *capfd.readouterr())

    return by_file if request.param == "file" else by_bot


@pytest.mark.parametrize("raw", INPUTS.values(), ids=INPUTS)
def test_what_is_no_proof_gets_one_line(verify: Verify, raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    path.write_bytes(raw)
    said = verify(str(path))
    assert (said.status, said.err) == (1, "")
    assert len(said.out.splitlines()) == 1


@each_command
def test_standard_input_is_read_too(command: list[str]) -> None:
    for raw, status in ((b"", 1), (INPUTS["bytes"], 1), (proof.canonical(corpus.documents()[0]), 0)):
        done = subprocess.run([*command, "-"], cwd=corpus.ROOT, capture_output=True, check=False, input=raw)
        assert (done.returncode, done.stderr) == (status, b"")


@each_command
def test_closed_pipes_and_full_disks_end_in_silence(command: list[str], tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    path.write_bytes(proof.canonical(corpus.documents()[0]))
    for shell in (f"{' '.join(command)} {path} >&-", f"{' '.join(command)} {path} > /dev/full"):
        done = subprocess.run(["sh", "-c", shell], cwd=corpus.ROOT, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (1, b""), shell
    piped = subprocess.run(
        ["sh", "-c", f"{' '.join(command)} {path} | head -1"], cwd=corpus.ROOT, capture_output=True, check=False
    )
    assert (piped.returncode, piped.stderr) == (0, b"")
    assert len(piped.stdout.splitlines()) == 1
    closed = subprocess.run(
        ["sh", "-c", f"{' '.join(command)} - <&-"], cwd=corpus.ROOT, capture_output=True, check=False
    )
    assert (closed.returncode, closed.stderr) == (1, b"")
    assert len(closed.stdout.splitlines()) == 1


def test_a_proof_is_held_against_what_a_player_kept(verify: Verify, tmp_path: Path) -> None:
    document = next(one for one in corpus.documents() if one.get("log"))
    path = tmp_path / "proof.json"
    path.write_bytes(proof.canonical(document))
    head = f"{document['log']['head']['size']}:{document['log']['head']['root']}"
    kept = ("--commitment", document["commitment"], "--head", head, str(path))
    assert verify(*kept).status == 0
    assert verify("--commitment", "00" * 32, str(path)).status == 1
    assert verify("--head", f"13:{'00' * 32}", str(path)).status == 1
    assert verify("--head", f"7:{'00' * 32}", str(path)).status == 1
    assert verify("--commitment", f" {document['commitment'].upper()}", str(path)).status == 0


def test_a_head_of_another_size_is_compared_by_the_file_that_shows_how_the_log_grew(
    verify: Verify, tmp_path: Path
) -> None:
    document = next(one for one in corpus.documents() if one.get("log"))
    path, grown = tmp_path / "proof.json", tmp_path / "grown.json"
    path.write_bytes(proof.canonical(document))
    for size in (5, 8):
        head, nodes = corpus.earlier(document, size)
        grown.write_text(json.dumps({"old": size, "new": 13, "path": nodes}))
        assert verify("--head", head, "--consistency", str(grown), str(path)).status == 0
        other = f"{size}:{'00' * 32}"
        assert verify("--head", other, "--consistency", str(grown), str(path)).status == 1
        alone = verify("--head", head, str(path))
        assert alone.status == 1
        assert "consistency file" in alone.out
    head, _ = corpus.earlier(document, 5)
    grown.write_bytes(b"[" * 100_000)
    for other in (str(grown), str(tmp_path / "none.json"), "/dev/zero"):
        done = verify("--head", head, "--consistency", other, str(path))
        assert (done.status, done.err, len(done.out.splitlines())) == (1, "", 1)
        assert other in done.out
