"""``/privacy``: a person sees, gets and erases what is stored of them, in private alone."""

import json
from datetime import date
from typing import Any

import pytest

from fsm.kind import ChatTopic
from fsm.schedule import Schedule
from handlers.commands.privacy import LINK
from play.access import Actor
from play.privacy import KIND
from tests.handlers.room import ANN, BEN, GROUP, HOST, Room, as_shown, name_of, plain, text


async def push(room: Room, choice: str, *, by: int = ANN, chat: int = ANN) -> None:
    """Tap a button of the summary."""
    data = f"priv:{choice}"
    markup = {"inline_keyboard": [[{"text": choice, "callback_data": data}]]}
    await room.tap(data, room.message("mine", by=by, chat=chat, reply_markup=markup), by=by)


async def test_a_group_sees_a_button_that_leads_to_private_and_nothing_else(room: Room) -> None:
    await room.say("/privacy")
    (answer,) = await room.sent()
    assert plain(answer.params["text"]) == text("privacy-in-private")
    assert answer.params["reply_markup"]["inline_keyboard"][0][0]["url"].endswith(f"?start={LINK}")
    await push(room, "export", chat=GROUP)
    assert not room.telegram.named("sendDocument")


async def test_a_person_sees_what_is_stored_and_the_policy_of_the_operator(room: Room) -> None:
    await room.play()
    await room.sent()
    for line in ("/privacy", f"/start {LINK}"):
        await room.say(line, chat=ANN)
        shown = await room.answer()
        assert text("privacy-games", count=1) in shown
        assert "https://example.org/privacy" in shown


async def test_a_person_gets_everything_as_a_document(room: Room) -> None:
    await room.play()
    await push(room, "export")
    ((_, raw),) = room.telegram.uploads
    document: dict[str, Any] = json.loads(raw)
    assert document["player_id"] == ANN
    assert {"players", "game_participants", "player_stats"} <= document["data"].keys()
    assert name_of(BEN) not in json.dumps(document["data"]["game_participants"])


async def test_an_erasure_asks_first_and_then_leaves_no_name(room: Room) -> None:
    await room.play()
    await room.sent()
    await push(room, "erase")
    assert text("privacy-erase-sure") == await room.answer()
    assert await room.pool.fetchval("SELECT count(*) FROM jobs") == 0
    await push(room, "show")
    await room.sent()
    await push(room, "sure")
    assert text("privacy-erasing") == await room.answer()
    await push(room, "sure")
    assert room.toasts()[-1] == as_shown("rejected-erasure-under-way")
    await room.work(room.deps.play.privacy.kind)
    assert text("privacy-erased") == await room.answer()
    left = await room.pool.fetch("SELECT name FROM game_participants ORDER BY name")
    assert {row[0] for row in left} == {"—", name_of(BEN)}
    job = await room.pool.fetchrow("SELECT key, data::text, asked_by FROM jobs WHERE kind = $1", KIND)
    assert job is not None
    assert (job[1], job[2]) == ("{}", 0)
    await room.deps.stores.audit.flush()
    row = await room.pool.fetchrow("SELECT actor_id, target FROM audit_log WHERE action = 'erase-person'")
    assert row is not None
    assert (row["actor_id"], row["target"].partition(" ")[0]) == (0, "job")


async def test_a_person_leaves_a_lobby_first(room: Room) -> None:
    game_id = await room.open()
    await room.join(game_id, ANN, BEN)
    await room.project()
    await push(room, "sure")
    await room.work(room.deps.play.privacy.kind)
    assert (await room.state(game_id)).players.keys() == {BEN}


@pytest.mark.parametrize("choice", ["", "nonsense", "sure:7"])
async def test_an_unknown_button_shows_the_summary(room: Room, choice: str) -> None:
    await push(room, choice)
    assert as_shown("privacy-title") in plain((await room.sent())[0].params["text"])


async def test_a_subscription_is_not_counted_as_a_pack(room: Room) -> None:
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    before = await room.deps.play.privacy.summary(ANN)
    await room.pool.execute("INSERT INTO game_subscriptions VALUES ($1, $2)", GROUP, ANN)
    after = await room.deps.play.privacy.summary(ANN)
    assert (after["account"], after["packs"]) == (before["account"] + 1, before["packs"])


async def test_a_group_is_told_that_the_recurring_games_of_an_erased_host_are_paused(room: Room) -> None:
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    play, host = room.deps.play, Actor(HOST, "Hana", GROUP)
    template = await play.templates.save(host, GROUP, "Night", "pick_number", "Friday night", {})
    friday = Schedule(unit="week", every=1, weekdays=1 << 4, month_day=0, minute=1200, starts_on=date(2026, 12, 4))
    paused, _ = [await play.recurring.add(host, ChatTopic(GROUP), template, friday) for _ in range(2)]
    await play.recurring.pause(host, GROUP, paused.id)
    await play.privacy.erase(HOST, asked_by=HOST, locale=None)
    await room.work(play.privacy.kind)
    # As a number of its own: the digits may well be a part of the alias or of a time.
    assert await room.pool.fetchval("SELECT count(*) FROM jobs WHERE data::text ~ $1", rf"\y{HOST}\y") == 0
    await room.work(play.occurrences.kind)
    (told,) = await room.sent()
    assert told.chat_id == GROUP
    assert plain(told.params["text"]) == text("recurring-not-a-host", name="Friday night")
    assert {each.paused for each in await room.deps.stores.recurring.of_chat(GROUP)} == {"host", "not-a-host"}
