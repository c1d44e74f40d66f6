"""The Mini App in a real browser: a whole game of each kind, and people who tap buttons beside it."""

import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
import pytest_asyncio

from bot.settings import AppSection
from sandbox.launch import launch_data
from sandbox.state import User
from tests.e2e.conftest import Table, seated
from tests.page import browser

BINARY = browser.find()
pytestmark = [
    pytest.mark.skipif(BINARY is None, reason=f"none of {', '.join(browser.NAMES)} is on this machine"),
    pytest.mark.asyncio(loop_scope="module"),
]
THEMES = {
    "light": {
        "bg_color": "#ffffff",
        "secondary_bg_color": "#f0f1f5",
        "text_color": "#17212b",
        "button_color": "#1f6fb8",
    },
    "dark": {
        "bg_color": "#17212b",
        "secondary_bg_color": "#0f1720",
        "text_color": "#f5f5f5",
        "button_color": "#2f7ab8",
    },
}
PATIENCE = 60


@dataclass
class Phone:
    """The page of one person, and the group in which others tap buttons."""

    tab: browser.Tab
    table: Table

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.table.bot.port}/app/"

    async def open(self, person: User, start: str, *, theme: str = "light") -> None:
        """Open the Mini App as Telegram's client does."""
        at = self.table.bot.play.clock.now() // 1000
        launch = {
            "tgWebAppData": launch_data(person, self.table.box.token, at, start),
            "tgWebAppThemeParams": json.dumps(THEMES[theme]),
        }
        await self.tab.open("about:blank")
        await self.tab.open(f"{self.address}#{urlencode(launch)}")

    async def reads(self, text: str) -> None:
        """Wait until a text is on the page."""
        await self.until(f"document.body.innerText.includes({json.dumps(text)})")

    async def until(self, script: str) -> object:
        return await self.tab.until(script, seconds=PATIENCE)

    async def click(self, selector: str, text: str = "") -> None:
        """Wait for an element that is not disabled, and click it."""
        chosen = f"[...document.querySelectorAll({json.dumps(selector)})].filter(each => !each.disabled"
        named = f"{chosen} && each.textContent.includes({json.dumps(text)}))"
        await self.until(f"{named}.slice(0, 1).map(each => (each.click(), 1))[0]")

    async def served_proof(self, game_id: str) -> Any:
        """Return the proof of a game's draw, as everybody can read it."""
        outcome = await self.table.bot.play.engine.look(game_id)
        return msgspec.json.decode(await self.table.bot.play.proofs.document(outcome.state))

    async def shot(self, name: str) -> None:
        """Save pictures in both sizes, if somebody wants to look at them."""
        folder = os.environ.get("SHOTS")
        if not folder:
            return
        for width, height in ((390, 844), (1280, 900)):
            await self.tab.size(width, height)
            await self.tab.picture(Path(folder) / f"{name}-{width}.png")
        await self.tab.size(390, 844)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[browser.Tab]:
    assert BINARY is not None
    async with browser.browsing(BINARY, tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def phone(tab: browser.Tab, postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Phone]:
    app = AppSection(url="https://app.example.org/app/", short_name="play")
    async with seated(postgres_dsn, redis_dsn, "polling", people=3, app=app) as table:
        await tab.size(390, 844)
        yield Phone(tab, table)


async def game_of(phone: Phone) -> str:
    """Return the id of the group's game, from the button that opens the Mini App."""
    pattern = re.compile(r"https://t\.me/\w+/play\?startapp=g_(\w+)")

    def found() -> str | None:
        for message in reversed(phone.table.box.control.bot_messages(phone.table.group)):
            match = pattern.search(json.dumps(message.markup or {}))
            if match:
                return match[1]
        return None

    return await phone.table.until(found)


async def test_a_person_plays_in_the_mini_app_beside_one_who_taps_and_sees_the_draw_of_the_proof(phone: Phone) -> None:
    table = phone.table
    host, ann, boris = table.people
    table.box.control.say(host, table.group, "/create_game Friday draw")
    game = await game_of(phone)
    await phone.open(ann, f"g_{game}")
    await phone.click(".card button.filled", "Join")
    await phone.reads(ann.first_name)
    await phone.shot("lobby")
    await table.tap(boris, r"^j:")
    table.box.control.say(host, table.group, "/startnow")
    await phone.reads("Pick a free number")
    await phone.until("document.querySelectorAll('.grid button').length === 10")
    await table.tap(boris, rf"^p:{game}:3$")
    await phone.until("document.querySelector('[data-number=\"3\"].taken') !== null")
    # A second tap before the answer of the first has no effect of its own.
    await phone.tab.run("{const c = document.querySelector('[data-number=\"7\"]'); c.click(); c.click(); c.click(); 1}")
    await phone.until("document.querySelector('.grid .own[data-number=\"7\"]') !== null")
    await phone.shot("board")
    await table.close(game)
    await phone.until("document.querySelector('.podium li') !== null")
    order = "[...document.querySelectorAll('.drawn .chip')].map(chip => Number(chip.dataset.number))"
    proof = await phone.served_proof(game)
    await phone.until(f"JSON.stringify({order}) === {json.dumps(json.dumps(proof['drawn'], separators=(',', ':')))}")
    await phone.shot("result")
    state: Any = (await table.bot.play.engine.look(game)).state
    assert state.picks == {ann.id: 7, boris.id: 3}
    await phone.click("#tabs button", "Leaderboard")
    await phone.reads("All time")
    await phone.shot("leaders")
    await phone.click("#tabs button", "Profile")
    await phone.reads("Statistics")
    await phone.shot("profile")
    assert phone.tab.problems == []


async def test_the_pages_are_strict_and_small(phone: Phone) -> None:
    async with httpx.AsyncClient(base_url=phone.address, headers={"accept-encoding": "gzip"}, timeout=60) as http:
        page = await http.get("")
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors https://web.telegram.org" in policy
        assert "script-src 'self'" in policy
        assert not re.search(r"<script(?![^>]* src=)|\son\w+=|style=", page.text)
        names = ["style.css", "texts/en.ftl", *await modules(http, "main.js", set())]
        size = len(await raw(http, "")) + sum([len(await raw(http, name)) for name in names])
        assert size < 100_000, size
        assert (await http.get("../app/../../config.toml")).status_code == 404
        assert (await http.get("vendor/../../pages.py")).status_code == 404
        again = await http.get("main.js", headers={"if-none-match": (await http.get("main.js")).headers["etag"]})
        assert again.status_code == 304


async def raw(http: httpx.AsyncClient, name: str) -> bytes:
    """Return a file as it is sent, compressed."""
    async with http.stream("GET", name) as response:
        assert response.status_code == 200, name
        return b"".join([chunk async for chunk in response.aiter_raw()])


async def modules(http: httpx.AsyncClient, name: str, known: set[str]) -> set[str]:
    """Return a module and all that it imports."""
    if name not in known:
        known.add(name)
        folder = name.rpartition("/")[0]
        for found in re.findall(r'(?:from|import) "\./([^"]+)"', (await http.get(name)).text):
            await modules(http, f"{folder}/{found}".lstrip("/"), known)
    return known
