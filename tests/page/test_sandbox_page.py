"""The sandbox's page in a real browser: views, actions, and isolation between people."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from sandbox import app
from sandbox.state import Chat
from tests.page import browser

BINARY = browser.find()
pytestmark = [
    pytest.mark.skipif(BINARY is None, reason=f"none of {', '.join(browser.NAMES)} is on this machine"),
    pytest.mark.asyncio(loop_scope="module"),
]
FIRST, SECOND = "document.querySelectorAll('.phone')[0]", "document.querySelectorAll('.phone')[1]"
NASTY = "<img src=x onerror=\"document.title='taken'\">"


@dataclass
class Desk:
    """The page and its sandbox."""

    tab: browser.Tab
    box: app.Box
    http: aiohttp.ClientSession

    @property
    def group(self) -> Chat:
        assert self.box.group is not None
        return self.box.group

    def person(self, name: str) -> int:
        return next(user.id for user in self.box.world.users.values() if user.first_name == name)

    async def bot(self, method: str, **params: Any) -> Any:
        """Make a call as the bot."""
        async with self.http.post(f"{self.box.url}/bot{self.box.token}/{method}", json=params) as response:
            answer = await response.json()
        assert answer["ok"], answer
        return answer["result"]

    async def says(self, text: str, **params: Any) -> Any:
        """Post a text in the group as the bot."""
        return await self.bot("sendMessage", chat_id=self.group.id, text=text, parse_mode="HTML", **params)

    async def reads(self, phone: str, text: str) -> None:
        """Wait until a text is on a phone."""
        await self.tab.until(f"{phone}.innerText.includes({json.dumps(text)})")

    async def click(self, phone: str, text: str) -> None:
        """Wait for the button of that text on a phone, and click it."""
        await self.tab.until(
            f"[...{phone}.querySelectorAll('button')].filter(b => b.textContent.trim() === {json.dumps(text)})"
            ".slice(-1).map(b => (b.click(), true))[0]"
        )


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tab: browser.Tab) -> AsyncIterator[Desk]:
    """Open the page of a new sandbox."""
    async with app.serve(demo=True, limits=False) as box, aiohttp.ClientSession() as http:
        await tab.size(1280, 860)
        await tab.open(box.url)
        await tab.until("document.querySelectorAll('.phone').length === 2")
        yield Desk(tab, box, http)
        await tab.open("about:blank")
        assert tab.problems == []


def button(text: str, data: str) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": text, "callback_data": data}]]}


async def test_a_message_is_shown_with_its_formatting_and_changes_in_place(desk: Desk) -> None:
    sent = await desk.says("Numbers for <b>everybody</b>", reply_markup=button("Join", "j:1"))
    for phone in (FIRST, SECOND):
        await desk.reads(phone, "Numbers for everybody")
        assert await desk.tab.run(f"{phone}.querySelector('.bubble b, .bubble strong').textContent") == "everybody"
    await desk.bot("editMessageText", chat_id=desk.group.id, message_id=sent["message_id"], text="All joined")
    await desk.reads(FIRST, "All joined")
    assert not await desk.tab.run(f"{FIRST}.innerText.includes('Numbers for')")


async def test_what_is_written_arrives_and_a_command_menu_opens(desk: Desk) -> None:
    await desk.bot("setMyCommands", commands=[{"command": "create_game", "description": "Open a game"}])
    await desk.tab.open(desk.box.url)
    await desk.tab.until(f"{FIRST}?.querySelector('textarea') && {FIRST}.innerText.includes('Friday games')")
    typed = f"{FIRST}.querySelector('textarea')"
    await desk.tab.run(f"{typed}.focus()")
    await desk.tab.ask("Input.insertText", text="/cre")
    await desk.reads(FIRST, "Open a game")
    await desk.tab.run(f"{typed}.value = ''")
    await desk.tab.ask("Input.insertText", text="Hello, all")
    await desk.tab.run(f"{FIRST}.querySelector('form').requestSubmit()")
    await desk.reads(SECOND, "Hello, all")


async def test_a_tap_reaches_the_bot_and_its_toast_only_who_tapped(desk: Desk) -> None:
    await desk.says("A game", reply_markup=button("Join", "j:1"))
    await desk.click(FIRST, "Join")
    query = await desk.box.control.until(lambda: next(iter(desk.box.world.queries.values()), None))
    assert (query.user_id, query.data) == (desk.person("Ann"), "j:1")
    await desk.bot("answerCallbackQuery", callback_query_id=query.id, text="You are in")
    await desk.reads(FIRST, "You are in")
    assert not await desk.tab.run(f"{SECOND}.innerText.includes('You are in')")


async def test_an_ephemeral_message_is_on_one_phone_alone(desk: Desk) -> None:
    desk.box.control.set_status(desk.group, desk.box.world.users[desk.box.world.bot_id], "administrator")
    receiver = {"receiver_user_id": desk.person("Борис")}
    await desk.says("Your own board", ephemeral_message_parameters=receiver)
    await desk.reads(SECOND, "Your own board")
    await desk.reads(SECOND, "Only you see this")
    assert not await desk.tab.run(f"{FIRST}.innerText.includes('Your own board')")


async def test_no_name_and_no_text_becomes_markup(desk: Desk) -> None:
    user = desk.box.control.add_user(NASTY)
    desk.box.control.join(desk.group, user)
    desk.box.control.say(user, desk.group, NASTY)
    await desk.bot("sendMessage", chat_id=desk.group.id, text=NASTY, reply_markup=button(NASTY, "x"))
    await desk.tab.until(f"{FIRST}.innerText.split('onerror').length > 4")
    assert await desk.tab.run("document.querySelectorAll('img').length") == 0
    assert await desk.tab.run("document.title") != "taken"


async def test_a_wrong_call_is_shown_as_a_violation(desk: Desk) -> None:
    url = f"{desk.box.url}/bot{desk.box.token}/sendMessage"
    async with desk.http.post(url, json={"chat_id": desk.group.id}) as response:
        assert response.status == 400
    await desk.tab.until("document.querySelector('#people .badge:not([hidden])')?.textContent === '1'")
    await desk.click("document.getElementById('people')", "What the server saw1")
    await desk.click("document.getElementById('drawer')", "Violations1")
    await desk.tab.until("document.getElementById('drawer').innerText.includes('message text is empty')")


async def test_on_a_narrow_screen_there_is_one_phone_and_nothing_to_scroll_sideways(desk: Desk) -> None:
    await desk.says("A game " * 30, reply_markup=button("Join", "j:1"))
    await desk.tab.size(390, 800)
    await desk.tab.open(desk.box.url)
    await desk.tab.until("document.querySelectorAll('.phone').length === 1")
    await desk.reads(FIRST, "A game")
    assert await desk.tab.run(f"{FIRST}.scrollWidth <= {FIRST}.clientWidth")


async def test_simulated_players_are_added_with_a_click(desk: Desk) -> None:
    before = len(desk.group.members)
    await desk.click("document.getElementById('people')", "Add 5")
    await desk.box.control.until(lambda: len(desk.group.members) == before + 5)
    await desk.tab.until("document.querySelectorAll('.crowd .avatar').length === 5")


async def test_premium_boosts_and_channels_are_chosen_in_menus(desk: Desk) -> None:
    people = "document.getElementById('people')"
    boris = desk.person("Борис")
    row = f"[...{people}.querySelectorAll('li')].find(row => row.innerText.includes('Борис'))"
    for choice, shown in (("Give Premium", "Premium"), ("Boost the group", "boosts")):
        await desk.click(row, choice)
        await desk.tab.until(f"[...{row}.querySelectorAll('small')].some(each => each.textContent === '{shown}')")
    assert desk.box.world.users[boris].premium
    assert list(desk.group.boosts) == [boris]
    await desk.click(row, "End the boost")
    await desk.click(row, "Take Premium away")
    await desk.box.control.until(lambda: not desk.group.boosts and not desk.box.world.users[boris].premium)
    await desk.click(people, "New channel")
    await desk.tab.until("document.querySelector('dialog.ask input') !== null")
    await desk.tab.run("document.querySelector('dialog.ask input').value = 'tombola_news'")
    await desk.click("document.querySelector('dialog.ask')", "OK")
    await desk.tab.until(f"{people}.querySelector('select').selectedOptions[0].textContent === 'tombola_news'")
    assert "channel" in {chat.type for chat in desk.box.world.chats.values()}


# -- the first minute -------------------------------------------------------------------------------------------


async def test_whoever_may_open_a_game_is_offered_one_until_there_is_one(desk: Desk) -> None:
    await desk.click(FIRST, "🎱 Open a game")
    await desk.reads(SECOND, "/create_game Friday draw")
    assert not await desk.tab.run(f"{SECOND}.innerText.includes('Open a game')"), "only administrators open games"
    await desk.says("A game", reply_markup=button("Join", "j:1"))
    await desk.tab.until(f"{FIRST}.querySelector('.chips').hidden")


async def test_all_commands_are_a_button_away(desk: Desk) -> None:
    await desk.bot("setMyCommands", commands=[{"command": "games", "description": "Games on now"}])
    await desk.tab.open(desk.box.url)
    await desk.tab.until(f"{FIRST}?.querySelector('.slash') && {FIRST}.innerText.includes('Friday games')")
    await desk.tab.until(f"({FIRST}.querySelector('.slash').click(), {FIRST}.innerText.includes('Games on now'))")
    await desk.click(FIRST, "/gamesGames on now")
    await desk.reads(SECOND, "/games")


async def test_a_crowd_that_joins_takes_one_line(desk: Desk) -> None:
    await desk.click("document.getElementById('people')", "Add 25")
    await desk.box.control.until(lambda: len(desk.group.members) > 25)
    await desk.reads(FIRST, "and 22 others joined the group")
    assert await desk.tab.run(f"[...{FIRST}.querySelectorAll('.service')].length") <= 4


async def test_moments_are_in_the_readers_language(desk: Desk) -> None:
    unix = int(desk.box.world.now()) + 3600
    await desk.says(f'Closes <tg-time unix="{unix}" format="r">soon</tg-time>')
    await desk.tab.until(f"/in \\d+ minutes/.test({FIRST}.innerText)")
    await desk.tab.until(f"/через \\d+ мин/.test({SECOND}.innerText)")


async def test_a_toast_leaves_the_buttons_free(desk: Desk) -> None:
    for number in range(12):
        await desk.says(f"A game {number}", reply_markup=button("Join", f"j:{number}"))
    await desk.click(FIRST, "Join")
    query = await desk.box.control.until(lambda: next(iter(desk.box.world.queries.values()), None))
    await desk.bot("answerCallbackQuery", callback_query_id=query.id, text="You are in")
    await desk.reads(FIRST, "You are in")
    below = f"{FIRST}.querySelector('.toast').getBoundingClientRect().bottom"
    assert await desk.tab.run(f"{below} < [...{FIRST}.querySelectorAll('.key')].at(-1).getBoundingClientRect().top")


async def test_an_alert_takes_the_keyboard_and_escape_closes_it(desk: Desk) -> None:
    await desk.says("A game", reply_markup=button("Join", "j:1"))
    await desk.click(FIRST, "Join")
    query = await desk.box.control.until(lambda: next(iter(desk.box.world.queries.values()), None))
    await desk.bot("answerCallbackQuery", callback_query_id=query.id, text="Not you", show_alert=True)
    await desk.tab.until("document.activeElement.closest('.alert')?.innerText.includes('Not you')")
    for kind in ("keyDown", "keyUp"):
        await desk.tab.ask("Input.dispatchKeyEvent", type=kind, key="Escape", code="Escape")
    await desk.tab.until("!document.querySelector('.alert')")


async def test_on_a_narrow_screen_people_come_from_the_side_and_go_again(desk: Desk) -> None:
    await desk.tab.size(390, 800)
    await desk.tab.open(desk.box.url)
    await desk.tab.until("document.querySelectorAll('.phone').length === 1")
    assert await desk.tab.run(f"{FIRST}.getBoundingClientRect().width") == 390
    people = "getComputedStyle(document.getElementById('people')).visibility"
    assert await desk.tab.run(people) == "hidden"
    await desk.tab.until(f"{FIRST}.querySelector('.to-people') && true")
    await desk.tab.run(f"{FIRST}.querySelector('.to-people').click()")
    await desk.tab.until(f"{people} === 'visible'")
    await desk.tab.run("[...document.querySelectorAll('.person')].find(p => p.innerText.includes('Борис')).click()")
    await desk.tab.until(f"{people} === 'hidden' && {SECOND}?.getBoundingClientRect().width === 390")
    await desk.reads(SECOND, "Борис")


async def test_what_is_replied_to_never_makes_a_message_too_wide(desk: Desk) -> None:
    sent = await desk.says("A question with very many words " * 5)
    desk.box.control.say(desk.box.world.users[desk.person("Ann")], desk.group, "Yes", reply_to=sent["message_id"])
    await desk.reads(FIRST, "Yes")
    wide = f"Math.max(...[...{FIRST}.querySelectorAll('.bubble')].map(b => b.getBoundingClientRect().width))"
    assert await desk.tab.run(f"{wide} <= {FIRST}.querySelector('.messages').clientWidth")


async def test_a_call_of_the_bots_says_where_it_went_and_what_it_said(desk: Desk) -> None:
    await desk.says("Numbers for <b>everybody</b>")
    await desk.click("document.getElementById('people')", "What the server saw0")
    await desk.tab.until("document.getElementById('drawer').innerText.includes('Friday games: Numbers for everybody')")
