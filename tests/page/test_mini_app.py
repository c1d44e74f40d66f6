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
from web.pages import SHARED

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

    async def network(self, *, on: bool) -> None:
        """Take the network away from the page, or give it back."""
        rates = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        await self.tab.ask("Network.emulateNetworkConditions", offline=not on, **rates)

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


@pytest_asyncio.fixture(loop_scope="module")
async def phone(tab: browser.Tab, postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Phone]:
    app = AppSection(url="https://app.example.org/app/", short_name="play")
    async with seated(postgres_dsn, redis_dsn, "polling", people=3, app=app) as table:
        await tab.size(390, 844)
        tab.problems.clear()  # of an earlier test, such as one without a network
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
        plain = await http.get("main.js", headers={"accept-encoding": "gzip;q=0"})
        assert "content-encoding" not in plain.headers
        again = await http.get("main.js", headers={"if-none-match": (await http.get("main.js")).headers["etag"]})
        assert again.status_code == 304


async def test_without_an_address_of_the_app_no_page_is_served_and_no_button_leads_there(
    postgres_dsn: str, redis_dsn: str
) -> None:
    async with seated(postgres_dsn, redis_dsn, "polling", people=2) as table:
        table.box.control.say(table.host, table.group, "/create_game Friday draw")
        board = await table.says("Friday draw")
        assert "startapp" not in json.dumps(board.markup)
        assert "web_app" not in json.dumps(board.markup)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{table.bot.port}", timeout=60) as http:
            assert (await http.get("/app/")).status_code == 404


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


async def test_a_tap_without_a_network_is_said_to_wait_and_has_one_effect_when_it_is_back(phone: Phone) -> None:
    table = phone.table
    host, ann, boris = table.people
    table.box.control.say(host, table.group, "/create_game Friday draw")
    game = await game_of(phone)
    await phone.open(ann, f"g_{game}")
    await phone.click(".card button.filled", "Join")
    await table.tap(boris, r"^j:")
    await phone.reads(boris.first_name)
    table.box.control.say(host, table.group, "/startnow")
    await phone.reads("Pick a free number")
    await phone.tab.ask("Network.enable")
    await phone.network(on=False)
    await phone.reads("Reconnecting…")
    await phone.tab.run("document.querySelector('[data-number=\"7\"]').click()")
    await phone.until("document.querySelector('.sending[data-number=\"7\"]') !== null")
    await phone.network(on=True)
    await phone.reads("Your number: \u20687\u2069")
    await phone.until("document.getElementById('state').hidden")
    state: Any = (await table.bot.play.engine.look(game)).state
    assert state.picks == {ann.id: 7}


async def test_a_person_who_is_removed_from_the_group_is_told_so_and_is_left_no_button(phone: Phone) -> None:
    table = phone.table
    host, ann, _ = table.people
    control = table.box.control
    script = control.add_user("<img src=x onerror=alert(1)>")
    control.join(table.group, script)
    control.say(host, table.group, "/create_game <script>alert(2)</script>")
    game = await game_of(phone)
    await table.tap(script, r"^j:")
    await phone.open(ann, f"g_{game}")
    await phone.click(".card button.filled", "Join")
    await phone.reads("Leave")
    await phone.reads("<img src=x onerror=alert(1)>")
    await phone.reads("<script>alert(2)</script>")
    assert await phone.tab.run("document.querySelectorAll('img, main script').length") == 0
    control.set_status(table.group, ann, "kicked", by=host)
    await phone.reads("You can no longer see this game.")
    assert await phone.tab.run("document.querySelectorAll('main button').length") == 0


QUIZ = """
(async () => {
  const { quizPart } = await import("./quiz.js");
  const { me } = await import("./shared/api.js");
  const sent = [];
  const names = { of: () => "<img src=x>", has: () => true };
  const part = quizPart({ names, move: async (method, path, body) => { sent.push(body.choice); return true; } });
  const shared = { kind: "quiz", rules: { questions: "9", question_seconds: "15" } };
  let index = -1;
  const ask = (question, more = {}) => {
    index += 1;
    const state = { index, questions: Array(index + 1).fill(question), replies: {}, ...more };
    part.draw({ ...shared, phase: "question_open", state }, { plays: true });
  };
  const click = (index) => part.node.querySelectorAll("button")[index].click();
  document.querySelector("main").replaceChildren(part.node);
  %s
})()
"""


async def test_an_answer_of_each_type_is_sent_as_it_was_given_and_no_word_becomes_markup(phone: Phone) -> None:
    await phone.open(phone.table.people[0], "")
    await phone.reads("Open a game from your group")
    found = await phone.tab.run(
        QUIZ
        % """
  ask({ type: "choice", text: "<img src=x>", answers: ["<b>one</b>", "two"] }); click(1); click(0);
  await Promise.resolve(); await Promise.resolve();
  ask({ type: "several", text: "a", answers: ["x", "y", "z"] }); click(2); click(0); click(3);
  await Promise.resolve(); await Promise.resolve();
  ask({ type: "order", text: "a", answers: ["x", "y", "z"] }); click(2); click(0);
  const early = part.node.querySelector(".filled").disabled;
  click(1); click(3);
  await Promise.resolve(); await Promise.resolve();
  ask({ type: "number", text: "a", answers: [] });
  const field = part.node.querySelector("input");
  field.value = "8.8x"; field.form.requestSubmit();
  const problem = part.node.querySelector(".problem").textContent;
  field.value = "8,849.5"; field.form.requestSubmit();
  await Promise.resolve(); await Promise.resolve();
  ask({ type: "choice", text: "a", answers: ["x", "y"] }, { remaining: 1000 }); click(0);
  ask({ type: "choice", text: "a", answers: ["x", "y"] }, { late: [me.id] }); click(0);
  return { sent, early, problem, late: part.node.innerText, markup: part.node.querySelectorAll("img, b").length };
"""
    )
    assert found["sent"] == [1, [0, 2], [2, 0, 1], "8849.5"]  # none for a paused quiz, none for one who came late
    assert found["early"] is True
    assert "not a number" in found["problem"]
    assert "You answer from the next question on." in found["late"]
    assert found["markup"] == 0


@pytest.mark.parametrize(
    ("locale", "read"),
    [
        ("en", {"8,849": "8849", "3.5": "3.5", "3,5": "3.5", "1,234,567": "1234567", "−7": "-7", "1,23,4": None}),
        ("ru", {"8 849": "8849", "3,5": "3.5", "3.5": "3.5", "8,849": "8.849", "": None, "x": None}),
        ("es", {"8.849": "8849", "3,5": "3.5", "0.5": "0.5", "1e5": None}),
    ],
)
async def test_a_typed_number_is_read_as_the_persons_language_writes_it(
    tab: browser.Tab, locale: str, read: dict[str, str | None]
) -> None:
    source = (SHARED / "texts.js").read_text(encoding="utf-8")
    decimal = source[source.index("export function decimal") :].split("\n}\n")[0].removeprefix("export ") + "\n}"
    await tab.open("about:blank")
    script = (
        f"(() => {{ const locale = {json.dumps(locale)}; {decimal}; return {json.dumps([*read])}.map(decimal); }})()"
    )
    assert dict(zip(read, await tab.run(script), strict=True)) == read
