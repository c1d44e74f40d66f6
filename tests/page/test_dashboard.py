"""The dashboard in a real browser, as an operator and as a host use it, and as attackers try to."""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from bot.settings import DashboardSection
from sandbox.control import buttons
from sandbox.state import User
from tests.e2e.conftest import Table, seated
from tests.page import browser

BINARY = browser.find()
pytestmark = [
    pytest.mark.skipif(BINARY is None, reason=f"none of {', '.join(browser.NAMES)} is on this machine"),
    pytest.mark.asyncio(loop_scope="module"),
]
PATIENCE = 60
EVIL = "<img src=x onerror=alert(1)>"
OWN = {"x-tombola-page": "1"}


@dataclass
class Desk:
    """The dashboard in a browser, and the group that it is about."""

    tab: browser.Tab
    table: Table

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.table.bot.port}/dashboard/"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.table.bot.port}/api/v1"

    async def sign_in(self, person: User) -> None:
        """Open a one-time link of a person, in a browser without a session."""
        secret = await self.table.bot.play.sessions.link(person.id, person.first_name)
        await self.tab.ask("Network.clearBrowserCookies")
        await self.tab.open("about:blank")
        await self.visit(f"{self.address}#login={secret}")
        await self.click("button.filled", "Sign in")
        await self.until("!document.getElementById('top').hidden")

    async def visit(self, url: str) -> None:
        """Open a link whose secret the page removes from its address."""
        await self.tab.open("about:blank")
        await self.tab.ask("Page.navigate", url=url)

    async def go(self, page: str, text: str) -> None:
        """Go to a page, and wait for a text on it."""
        await self.tab.run(f"location.hash = {json.dumps('#/' + page)}")
        await self.reads(text)
        await self.shot(page.replace("/", "-"))

    async def reads(self, text: str) -> None:
        """Wait until a text is on the page, apart from the marks that isolate names."""
        plain = "document.body.innerText.replace(/[\\u2068\\u2069]/g, '')"
        await self.until(f"{plain}.includes({json.dumps(text)})")

    async def until(self, script: str) -> object:
        return await self.tab.until(script, seconds=PATIENCE)

    async def click(self, selector: str, text: str = "") -> None:
        """Wait for an element that is shown and not disabled, and click it."""
        chosen = (
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            ".filter(each => !each.disabled && each.offsetParent !== null"
        )
        named = f"{chosen} && each.textContent.includes({json.dumps(text)}))"
        await self.until(f"{named}.slice(0, 1).map(each => (each.click(), 1))[0]")

    async def fill(self, label: str, value: str) -> None:
        """Type a value into the field with a label."""
        found = (
            f"[...document.querySelectorAll('label')].filter(each => each.offsetParent !== null"
            f" && each.textContent.replace(/[\\u2068\\u2069]/g, '') === {json.dumps(label)})[0]?.control"
        )
        await self.until(f"Boolean({found})")
        await self.tab.run(
            f"{{const c = {found}; c.value = {json.dumps(value)};"
            " for (const sort of ['input', 'change']) c.dispatchEvent(new Event(sort, {bubbles: true})); 1}"
        )

    async def sure(self, text: str) -> None:
        """Answer the question before a write that cannot be undone."""
        await self.click("dialog[open] .grave", text)

    async def shot(self, name: str) -> None:
        """Save pictures in both sizes and both colour schemes, if somebody wants to look at them."""
        folder = os.environ.get("SHOTS")
        if not folder:
            return
        for scheme in ("light", "dark"):
            await self.tab.ask(
                "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
            )
            for width, height in ((390, 844), (1280, 900)):
                await self.tab.size(width, height)
                await self.tab.picture(Path(folder) / f"{name}-{scheme}-{width}.png")

    async def secret(self, person: User) -> str:
        """Begin a session of a person as a program would. Returns the secret in its cookie."""
        link = await self.table.bot.play.sessions.link(person.id, person.first_name)
        async with httpx.AsyncClient(timeout=PATIENCE) as http:
            response = await http.post(f"{self.api}/dashboard/session", json={"link": link}, headers=OWN)
            assert response.status_code == 201
            cookie = response.headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            return str(http.cookies["tombola-dashboard"])


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tab: browser.Tab, postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Desk]:
    url = DashboardSection(url="http://dashboard.example.org/dashboard/")
    async with seated(postgres_dsn, redis_dsn, "polling", people=4, operators=1, dashboard=url) as table:
        await tab.size(1280, 900)
        await tab.ask("Network.enable")
        tab.problems.clear()
        yield Desk(tab, table)
        await tab.open("about:blank")  # the page would miss its server


async def test_an_operator_signs_in_by_the_link_of_admin_settles_a_dispute_and_ends_the_game(desk: Desk) -> None:
    table, tab = desk.table, desk.tab
    host, operator, ann, boris = table.people
    game = await table.open("/create_game Friday draw")
    await table.tap(ann, r"^j:")
    await table.tap(boris, r"^j:")
    table.box.control.say(host, table.group, "/startnow")
    await table.tap(ann, rf"^p:{game}:7$")
    await table.tap(boris, rf"^p:{game}:7$")
    private = table.box.control.private(operator)
    table.box.control.start(operator)
    table.box.control.say(operator, private, "/admin")
    await table.tap(operator, "^Dashboard$", chat=private)
    messages = table.box.control.bot_messages
    urls = await table.until(lambda: [b["url"] for b in buttons(messages(private, operator)[-1]) if "url" in b])
    await desk.visit(urls[0].replace("http://dashboard.example.org/dashboard/", desk.address))
    await desk.click("button.filled", "Sign in")
    await desk.reads("Friday draw")
    assert await tab.run("location.href.includes('login')") is False
    await desk.shot("games")
    await desk.click("main table a", "Friday draw")
    await desk.reads(f"{ann.first_name} picked")
    await desk.fill("Person", str(boris.id))
    await desk.reads("the number was taken")
    await desk.shot("game")
    await desk.click("button.grave", "Force its end")
    await desk.shot("game-sure")
    await desk.sure("Force its end")
    await desk.reads("Cancelled")
    assert tab.problems == []


async def test_a_host_writes_a_pack_that_is_checked_as_it_is_typed_and_opens_a_quiz_with_it(desk: Desk) -> None:
    table, tab = desk.table, desk.tab
    chat = table.group.id
    game = await table.open(f"/create_game {EVIL}")
    await desk.sign_in(table.host)
    await desk.reads(table.group.title)
    await desk.shot("chats")
    await desk.go(f"chat/{chat}/games", EVIL)
    await desk.go(f"chat/{chat}/packs", "New pack")
    await desk.fill("Name", EVIL)
    await desk.fill("Question 1", "What is 2 + 2?")
    await desk.reads("Question 1: ")  # a mistake: there is no right answer yet
    await desk.shot("pack-mistake")
    await desk.fill("Right answer", "4")
    await desk.fill("Wrong answer 1", "5")
    await desk.reads("One question, no mistakes.")
    await desk.click("button.filled", "Save the pack")
    await desk.click(".verdict a", "Open a quiz")
    await desk.reads("Questions from")
    await desk.shot("open")
    table.box.control.say(table.host, table.group, "/cancel_game")
    await table.close(game)
    await desk.click("button.filled", "Open the game")
    await desk.reads("Waiting for players")
    await desk.go(f"chat/{chat}/settings", "Time zone")
    await desk.fill("Time zone", "Europe/Madrid")
    await desk.click("button.filled", "Save")
    await desk.reads("Done")
    await desk.go(f"chat/{chat}/recurring", "New recurring game")
    await desk.go(f"chat/{chat}/results", "Download CSV")
    await desk.go(f"chat/{chat}/bans", "Nobody is banned.")
    await desk.go(f"chat/{chat}/webhooks", "New webhook")
    assert await tab.run("document.querySelectorAll('main img, main script').length") == 0
    # The browser itself reports the refusal of the pack that was wrong.
    assert [each for each in tab.problems if "packs/preview" not in each] == []


async def test_stolen_links_forged_cookies_foreign_pages_frames_and_demoted_hosts_are_refused(desk: Desk) -> None:
    table, api = desk.table, desk.api
    host, operator, ann, _ = table.people
    await table.open("/create_game Friday draw")
    chat, sessions = table.group.id, table.bot.play.sessions
    async with httpx.AsyncClient(timeout=PATIENCE, base_url=api) as http:

        async def enter(link: str, headers: dict[str, str] = OWN) -> str:
            response = await http.post("/dashboard/session", json={"link": link}, headers=headers)
            http.cookies.clear()
            return "" if response.is_success else str(response.json()["code"])

        async def ask(secret: str, path: str, headers: dict[str, str] = OWN) -> str:
            response = await http.get(path, headers=headers | {"cookie": f"tombola-dashboard={secret}"})
            return "" if response.is_success else str(response.json()["code"])

        link = await sessions.link(operator.id, operator.first_name)
        assert await enter(link, {}) == "wrong-origin", "a page of another site lets nobody in, and spends no link"
        assert await enter(link) == ""
        assert await enter(link) == "bad-login", "a link that was used"
        assert await enter("forged") == "bad-login"
        of_host, of_operator, of_player = await desk.secret(host), await desk.secret(operator), await desk.secret(ann)
        settings, games = f"/chats/{chat}/settings", "/games"
        assert [await ask(each, games) for each in (of_operator, of_host)] == ["", "not-a-member"]
        assert [await ask(each, settings) for each in (of_host, of_player)] == ["", ""]
        assert [await ask(each, f"/chats/{chat}/packs") for each in (of_host, of_player)] == ["", "not-a-host"]
        assert [await ask(each, "/audit") for each in (of_operator, of_host)] == ["", "not-an-operator"]
        assert await ask(of_host[:-1] + ("0" if of_host[-1] != "0" else "1"), settings) == "not-authenticated"
        assert await ask(of_host, settings, {}) == "wrong-origin"
        assert await ask(of_host, settings, OWN | {"sec-fetch-site": "cross-site"}) == "wrong-origin"
        as_token = await http.get(settings, headers={"authorization": f"Bearer {of_host}"})
        assert as_token.json()["code"] == "not-authenticated", "the secret of a cookie is no token"
        table.box.control.set_status(table.group, host, "member", by=host)
        await table.bot.play.hosts.invalidate(chat)
        assert await ask(of_host, f"/chats/{chat}/packs") == "not-a-host", "a demoted host with an open page"
        await table.bot.stores.people.ban(0, ann.id, 1, "")
        assert await ask(of_player, settings) == "banned"
        page = await http.get(desk.address)
        policy = page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
