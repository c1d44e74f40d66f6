"""Coin as a group plays it, in both languages and by buttons alone.

The tutorial's test runs this in a copy of the tree. Its name marks it as no test, because the real tree has no Coin.
"""

import hashlib
import re

import pytest

from fsm.coin import toss  # type: ignore[import-not-found] # it is there where this runs
from play.texts import Texts
from sandbox.state import Message
from tests.e2e.conftest import Table

TEXTS = Texts()
HEX = re.compile(r"\b[0-9a-f]{64}\b")


def text(message: Message) -> str:
    """Return the text of a message."""
    return str(message.content["text"])


@pytest.mark.parametrize("locale", ["en", "ru"])
async def test_coin_is_played_to_its_result_by_buttons(polled: Table, locale: str) -> None:
    def word(text_id: str) -> str:
        return TEXTS.plain(locale, text_id)

    host, people = polled.host, polled.people[:3]
    host.language_code = locale  # only the host sees the form, in the host's own language
    polled.box.control.say(host, polled.group, f"/language {locale}")
    polled.box.control.say(host, polled.group, "/newgame")
    await polled.tap(host, word("coin-newgame-choose"))
    await polled.tap(host, word("dlg-newgame-create"))
    for person in people:
        assert (await polled.tap(person, "^j:")).text
    await polled.tap(host, "^s:")
    sealed = HEX.findall(text(await polled.says("🔒")))
    calls: list[dict[int, str]] = []
    for number in range(3):
        calls.append({})
        for person, side in zip(people, ("heads", "tails", "heads"), strict=True):
            answer = await polled.tap(person, f"^c:[^:]+:{number}:{side}$")
            assert TEXTS.plain(person.language_code, f"tap-called-{side}") == answer.text
            calls[number][person.id] = side
    result = re.sub("[\u2068\u2069]", "", text(await polled.says("🏆")))
    (seed,) = HEX.findall(result)
    assert [hashlib.sha256(bytes.fromhex(seed)).hexdigest()] == sealed, "the seed is the one that was sealed"
    game_id = next(iter(await polled.bot.pool.fetch("SELECT id FROM games")))["id"]
    fallen = [toss(seed, game_id, number, called) for number, called in enumerate(calls)]
    assert ", ".join(word(f"coin-{side}") for side in fallen) in result
    best = max(fallen.count("heads"), fallen.count("tails"))
    winner = people[0 if fallen.count("heads") == best else 1]
    assert f"🥇 {winner.first_name}: {best}" in result
    polled.no_complaints()
