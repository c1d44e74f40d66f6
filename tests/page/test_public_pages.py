"""The public pages in a real browser: they show a chat's games only while the chat allows it, and name nobody by id."""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from bot.settings import AppSection
from play.public_chats import PUBLIC
from play.rules import YES
from tests.e2e.conftest import Table, seated
from tests.page import browser

BINARY = browser.find()
pytestmark = [
    pytest.mark.skipif(BINARY is None, reason=f"none of {', '.join(browser.NAMES)} is on this machine"),
    pytest.mark.asyncio(loop_scope="module"),
]
PATIENCE = 60
NASTY = "<img src=x onerror=alert(1)>"


@dataclass
class Spectator:
    """A browser outside Telegram, and the group that it looks at."""

    tab: browser.Tab
    table: Table

    async def allow(self, *, allowed: bool = True) -> None:
        """Let everybody look at the group, or nobody."""
        await self.table.bot.stores.people.change_settings(self.table.group.id, {PUBLIC: YES if allowed else None})

    @property
    async def name(self) -> str:
        """The part of the address that names the group."""
        return await self.table.bot.play.public.name_of(self.table.group.id)

    async def open(self, path: str = "") -> None:
        await self.tab.open("about:blank")
        await self.tab.open(f"{self.origin}/public/{await self.name}{path}")

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.table.bot.port}"

    async def reads(self, text: str) -> None:
        """Wait until a text is on the page."""
        await self.tab.until(f"document.body.innerText.includes({json.dumps(text)})", seconds=PATIENCE)

    async def until(self, script: str) -> object:
        return await self.tab.until(script, seconds=PATIENCE)

    async def order(self) -> object:
        """Return the numbers that the page has drawn, in order."""
        return await self.tab.run(
            "[...document.querySelectorAll('.drawn .chip')].map(chip => Number(chip.dataset.number))"
        )

    async def shot(self, name: str) -> None:
        """Save pictures in both sizes and both themes, if somebody wants to look at them."""
        folder = os.environ.get("SHOTS")
        if not folder:
            return
        for theme in ("light", "dark"):
            await self.tab.ask(
                "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}]
            )
            for width, height in ((390, 844), (1280, 900)):
                await self.tab.size(width, height)
                await self.tab.picture(Path(folder) / f"{name}-{theme}-{width}.png")
        await self.tab.ask("Emulation.setEmulatedMedia", features=[])
        await self.tab.size(390, 844)


@pytest_asyncio.fixture(loop_scope="module")
async def spectator(tab: browser.Tab, postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Spectator]:
    app = AppSection(url="https://app.example.org/app/", short_name="play")
    async with seated(postgres_dsn, redis_dsn, "polling", people=3, app=app) as table:
        await tab.size(390, 844)
        tab.problems.clear()
        yield Spectator(tab, table)
        await tab.open("about:blank")


async def test_a_group_that_has_not_allowed_it_shows_nothing_and_one_that_has_names_nobody_to_previews(
    spectator: Spectator,
) -> None:
    game = await spectator.table.open("/create_game <b>Friday</b>")
    page = f"{spectator.origin}/public/{await spectator.name}"
    api = f"{spectator.origin}/api/v1/public/{await spectator.name}"
    addresses = (page, f"{page}/games/{game}", api, f"{api}/games/{game}", f"{api}/leaderboard")
    async with httpx.AsyncClient(timeout=60) as http:
        assert {(await http.get(address)).status_code for address in addresses} == {404}
        await spectator.allow()
        assert {(await http.get(address)).status_code for address in addresses} == {200}
        await spectator.table.tap(spectator.table.people[1], r"^j:")
        shown = await http.get(f"{page}/games/{game}")
        assert "&lt;b&gt;Friday&lt;/b&gt; · Friday games" in shown.text
        assert not any(person.first_name in shown.text for person in spectator.table.people)
        assert shown.headers["x-robots-tag"] == "noindex"
        assert "unsafe" not in shown.headers["content-security-policy"]
        again = await http.get(f"{page}/games/{game}", headers={"if-none-match": shown.headers["etag"]})
        assert again.status_code == 304
        await spectator.allow(allowed=False)
        assert {(await http.get(address)).status_code for address in addresses} == {404}


async def test_a_stranger_follows_a_game_and_verifies_its_draw(spectator: Spectator) -> None:
    table = spectator.table
    host, ann, boris = table.people
    script = table.box.control.add_user(NASTY)
    table.box.control.join(table.group, script)
    game = await table.open("/create_game Friday draw")
    await spectator.allow()
    await spectator.open(f"/games/{game}")
    await spectator.reads("Waiting for players")
    for person in (ann, boris, script):
        await table.tap(person, r"^j:")
    await spectator.reads(NASTY)
    table.box.control.say(host, table.group, "/startnow")
    await spectator.until("document.querySelectorAll('.grid button').length > 0")
    await table.tap(boris, rf"^p:{game}:3$")
    await spectator.until("document.querySelector('[data-number=\"3\"].taken') !== null")
    await spectator.shot("public-board")
    await table.tap(ann, rf"^p:{game}:5$")
    await table.tap(script, rf"^p:{game}:7$")
    await table.close(game)
    await spectator.until("document.querySelector('.verdict.good') !== null")
    await spectator.until("document.querySelector('.podium li') !== null")
    await spectator.shot("public-result")
    state = (await table.bot.play.engine.look(game)).state
    proof = json.loads(await table.bot.play.proofs.document(state))
    assert await spectator.order() == proof["drawn"]
    await spectator.until("[...document.querySelectorAll('.proof button')].map(each => (each.click(), 1))[0]")
    await spectator.until("document.querySelector('[data-replayed]') !== null")
    assert await spectator.order() == proof["drawn"]
    assert await spectator.tab.run("document.querySelectorAll('main img, main script').length") == 0
    api = f"{spectator.origin}/api/v1/public/{await spectator.name}"
    async with httpx.AsyncClient(timeout=60) as http:
        told = "".join([(await http.get(api + path)).text for path in ("", "/leaderboard", f"/games/{game}")])
    assert NASTY.partition(" ")[0] in told
    for known in (*(person.id for person in (*table.people, script)), table.group.id):
        assert str(known) not in told
    await spectator.open()
    await spectator.until("document.querySelector('ol.list b') !== null")
    await spectator.until("document.querySelector('a.row') !== null")
    await spectator.shot("public-chat")
    await spectator.until("[...document.querySelectorAll('a.row')].map(each => (each.click(), 1))[0]")
    await spectator.until("document.querySelector('.verdict.good') !== null")
    assert spectator.tab.problems == []
    await spectator.allow(allowed=False)
    await spectator.open()
    assert await spectator.tab.run("document.body.innerText") == "Not Found"


async def test_the_address_of_a_group_opens_no_other_group(spectator: Spectator) -> None:
    play = spectator.table.bot.play
    await spectator.allow()
    name = await spectator.name
    found = await play.public.find(name)
    assert found is not None
    assert found.id == spectator.table.group.id
    for wrong in ("", name[:-4], name + "AAAA", name[4:] + name[:4], "é" * 32, name.swapcase(), str(found.id)):
        assert await play.public.find(wrong) is None
    foreign = await play.public.name_of(spectator.table.host.id)
    assert await play.public.find(foreign) is None  # known, and not public
    assert foreign[:22] != name[:22]
