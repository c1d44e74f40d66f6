"""``/recurring``, ``/nextgame`` and the time zone of a group, from the command to the message."""

from datetime import UTC, datetime, timedelta

import pytest

from play.access import ANONYMOUS, Actor
from storage import keys
from storage.recurring import RecurringGame
from telegram.outbox import Outgoing
from telegram.sender import Outcome, Settled
from tests.handlers.room import ANN, BEN, BOT, GROUP, HOST, Room, as_shown, chat_of, plain, text
from tests.handlers.test_dialogs import answer_it, buttons, open_settings, window
from tests.handlers.test_dialogs import press as press_dialog
from tests.handlers.test_newgame import buttons as buttons_of
from tests.handlers.test_newgame import press

HANA = Actor(HOST, "Hana", GROUP)
MONDAY = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()) * 1000


@pytest.fixture
async def template(room: Room) -> int:
    room.clock.at = MONDAY
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    return await room.deps.play.templates.save(HANA, GROUP, "Night", "pick_number", "Friday night", {})


async def ask(room: Room) -> Outgoing:
    """Send /recurring as the host. Returns the answer."""
    await room.say("/recurring", by=HOST, ephemeral_message_id=7)
    (out,) = await room.sent()
    return out


async def tap(room: Room, out: Outgoing, label: str) -> Outgoing:
    """Tap a button of the form. Returns the window that follows."""
    (shown,) = await press(room, out, label)
    return shown


async def only(room: Room) -> RecurringGame:
    (found,) = await room.deps.stores.recurring.of_chat(GROUP)
    return found


# -- /recurring -------------------------------------------------------------------------------------------------


async def test_a_few_taps_make_a_game_that_opens_every_friday_and_only_the_host_sees_the_form(
    room: Room, template: int
) -> None:
    asked = await ask(room)
    assert asked.params["ephemeral_message_parameters"] == {"receiver_user_id": HOST}
    which = await tap(room, asked, text("rec-new"))
    form = await tap(room, which, "⭐ Night")
    assert len(plain(form.params["text"]).splitlines()) == 3
    assert "Fri, 20:00 · every week · UTC" in plain(form.params["text"])
    for label in ("+15 min", "Wed", "📣 Announced 30 min ahead"):
        form = await tap(room, form, label)
    assert "Wed, Fri, 20:15 · every week" in plain(form.params["text"])
    card = await tap(room, form, text("rec-create"))
    made = await only(room)
    assert (made.template_id, made.schedule.weekdays, made.schedule.minute) == (template, 0b1_0100, 1215)
    assert made.announce_minutes == 60
    assert made.next_at == int(datetime(2026, 12, 2, 20, 15, tzinfo=UTC).timestamp()) * 1000
    assert text("rec-created") in plain(card.params["text"])
    assert room.errors == []


@pytest.mark.parametrize(
    ("taps", "expected"),
    [
        (1, ("week", 2, 1 << 4, 0)),
        (2, ("day", 1, 0, 0)),
        (3, ("month", 1, 0, 1)),
    ],
)
@pytest.mark.usefixtures("template")
async def test_the_form_has_other_rhythms(room: Room, taps: int, expected: tuple[str, int, int, int]) -> None:
    form = await tap(room, await tap(room, await ask(room), text("rec-new")), "⭐ Night")
    for _ in range(taps):
        label = next(label for label in buttons_of(form) if label.startswith("🔁"))
        form = await tap(room, form, label)
    await tap(room, form, text("rec-create"))
    schedule = (await only(room)).schedule
    assert (schedule.unit, schedule.every, schedule.weekdays, schedule.month_day) == expected


@pytest.mark.usefixtures("template")
async def test_a_host_skips_takes_back_pauses_resumes_and_deletes(room: Room) -> None:
    form = await tap(room, await tap(room, await ask(room), text("rec-new")), "⭐ Night")
    card = await tap(room, form, text("rec-create"))
    card = await tap(room, card, text("rec-skip", date="Fri 4 Dec"))
    assert text("rec-skipping", date="Fri 4 Dec") in plain(card.params["text"])
    card = await tap(room, card, text("rec-unskip", date="Fri 4 Dec"))
    assert text("rec-skip", date="Fri 4 Dec") in buttons_of(card)
    card = await tap(room, card, text("rec-pause"))
    assert text("rec-paused-host") in plain(card.params["text"])
    card = await tap(room, card, text("rec-resume"))
    assert (await only(room)).paused == ""
    sure = await tap(room, card, text("rec-delete"))
    listed = await tap(room, sure, text("rec-delete"))
    assert as_shown("rec-none").splitlines()[0] in plain(listed.params["text"]).replace("<b>", "").replace("</b>", "")
    assert await room.deps.stores.recurring.of_chat(GROUP) == []


async def test_the_list_tells_what_became_of_each_and_a_deleted_template_is_named(room: Room, template: int) -> None:
    form = await tap(room, await tap(room, await ask(room), text("rec-new")), "⭐ Night")
    await tap(room, form, text("rec-create"))
    await room.pool.execute("UPDATE recurring_games SET last_outcome = 'busy'")
    assert text("rec-last-busy") in plain((await ask(room)).params["text"])
    await room.deps.play.templates.delete(HANA, GROUP, template)
    assert text("rec-no-template") in plain((await ask(room)).params["text"])


async def test_a_group_without_templates_is_shown_the_way_to_make_one(room: Room) -> None:
    asked = await ask(room)
    assert plain(asked.params["text"]) == text("rec-none")
    shown = await tap(room, asked, text("rec-new"))
    assert plain(shown.params["text"]) == text("rec-no-templates")
    assert buttons_of(shown)[text("rec-to-form")]["url"].startswith(f"https://t.me/{BOT}?start=new_{GROUP}_")


@pytest.mark.parametrize(
    "data", ["rec:c:1:week9:16:1200:30", "rec:f:1:week1:0:1200:30", "rec:c:1:week1:16:1440:30", "rec:s:x", "rec:g:0",
             "rec:c:1:month1:32:1200:30", "rec:f:1:week1:16:1200:31", "rec:s:1:99999999", "rec:", "rec:d"]
)  # fmt: skip
@pytest.mark.usefixtures("template")
async def test_forged_buttons_lead_to_the_list_or_a_refusal_and_make_nothing(room: Room, data: str) -> None:
    message = {"message_id": 0, "date": 0, "chat": chat_of(GROUP), "text": "x", "ephemeral_message_id": 8}
    await room.tap(data, message, by=HOST)
    await room.sent()
    assert room.toasts()
    assert await room.deps.stores.recurring.of_chat(GROUP) == []
    assert room.errors == []


# -- the time zone ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "zone"), [("buenos", "America/Argentina/Buenos_Aires"), ("utc+5:45", "Asia/Kathmandu")]
)
async def test_a_time_zone_is_found_by_city_or_offset(room: Room, written: str, zone: str) -> None:
    await open_settings(room)
    await press_dialog(room, text("dlg-name-time_zone"))
    await answer_it(room, "Atlantis")
    assert plain(window(room)["text"]) == as_shown("form-zone-unknown")
    await answer_it(room, written)
    label = next(label for label, data in buttons(window(room)).items() if data.endswith(zone))
    await press_dialog(room, label)
    assert await room.deps.play.recurring.zone(GROUP) == zone
    assert text("dlg-name-time_zone") in plain(window(room)["text"])


# -- /nextgame --------------------------------------------------------------------------------------------------


async def words(room: Room) -> list[Outgoing]:
    """Let the projector and the jobs run. Returns the private words."""
    await room.project()
    room.clock.turn(25)  # nobody sends boards here, so the words wait for no link to one
    await room.work(room.deps.play.next_games.kind)
    return [out for out in await room.sent() if out.id.startswith("next:")]


async def follow(room: Room, *people: int) -> None:
    """Let people start the bot, and follow the group."""
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    for person in people:
        await room.say("/start", by=person, chat=person)
        await room.say("/nextgame", by=person)
    await room.sent()


async def test_a_word_comes_in_private_when_a_game_opens_until_the_person_stops_it(room: Room) -> None:
    await follow(room, ANN)
    game_id = await room.open()
    (word,) = await words(room)
    assert (word.chat_id, word.id) == (ANN, f"next:{game_id}:{ANN}")
    assert plain(word.params["text"]) == text("next-word", title="Friday", chat="Friends <3")
    button = buttons_of(word)[text("next-stop")]
    message = {
        "message_id": 5,
        "date": 0,
        "chat": chat_of(ANN),
        "text": "x",
        "reply_markup": {"inline_keyboard": [[button]]},
    }
    await room.tap(button["callback_data"], message, by=ANN)
    (off,) = await room.sent()
    assert plain(off.params["text"]) == text("next-off", chat="Friends <3")
    assert await room.deps.stores.subscriptions.of_player(ANN) == []


async def test_hosts_players_and_people_who_cannot_play_get_no_word(room: Room) -> None:
    gone, banned = 23, 24
    await follow(room, HOST, ANN, BEN, gone, banned)
    room.telegram.remove(GROUP, gone)
    await room.redis.delete(keys.member_key(GROUP, gone))  # a minute later
    await room.deps.stores.people.ban(GROUP, banned, HOST, "")
    game_id = await room.open()
    await room.join(game_id, ANN)
    assert [word.chat_id for word in await words(room)] == [BEN]
    assert await room.deps.stores.subscriptions.of_player(gone) == []


async def test_people_who_surely_do_not_meet_the_conditions_of_a_game_get_no_word(room: Room) -> None:
    await follow(room, ANN, BEN)
    await room.deps.stores.people.flush()
    now = datetime.fromtimestamp(room.clock.at / 1000, UTC)
    for person, days in ((ANN, 8), (BEN, 6)):
        await room.pool.execute("UPDATE players SET created_at = $2 WHERE id = $1", person, now - timedelta(days=days))
    # Nobody can tell who has Premium before they tap.
    await room.open(line="/create_game Friday +7d +premium")
    assert [word.chat_id for word in await words(room)] == [ANN]


async def test_a_word_links_to_the_board_and_a_game_that_has_begun_gets_none(room: Room) -> None:
    await follow(room, ANN)
    game_id = await room.open()
    await room.project()
    outbox = room.deps.telegram.outbox
    await outbox.put(
        Outgoing(id="b", chat_id=-1009, method="sendMessage", params={"text": "x"}, slot=f"board:{game_id}")
    )
    await room.sent()
    (word,) = await words(room)
    assert buttons_of(word)[text("next-go")]["url"] == "https://t.me/c/9/1"
    await room.join(game_id, BEN)
    await room.join(game_id, HOST)
    await room.start(game_id)
    await room.pool.execute("UPDATE jobs SET status = 'queued', progress = '{}'")
    assert await words(room) == []


async def test_somebody_without_a_private_chat_is_led_there_by_the_command_and_by_the_announcements_button(
    room: Room,
) -> None:
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    await room.say("/nextgame", by=ANN, ephemeral_message_id=7)
    (out,) = await room.sent()
    link = buttons_of(out)[text("next-to-private")]["url"]
    assert link == f"https://t.me/{BOT}?start=next_{-GROUP}"
    keyboard = {"inline_keyboard": [[{"text": "x", "callback_data": "next:on"}]]}
    message = {"message_id": 9, "date": 0, "chat": chat_of(GROUP), "text": "x", "reply_markup": keyboard}
    await room.tap("next:on", message, by=ANN)
    assert room.telegram.named("answerCallbackQuery")[-1]["url"] == link
    await room.say(f"/start {link.partition('=')[2]}", by=ANN, chat=ANN)
    assert await room.answer() == text("next-on-in-private", chat="Friends")
    await room.tap("next:on", message, by=ANN)
    assert room.toasts()[-1] == text("next-on-toast")
    assert await room.deps.stores.subscriptions.of_player(ANN) == [(GROUP, "Friends")]


async def test_a_forged_link_subscribes_nobody_to_a_group_that_they_are_not_in(room: Room) -> None:
    room.telegram.remove(GROUP, ANN)
    await room.say(f"/start next_{-GROUP}", by=ANN, chat=ANN)
    assert await room.answer() == text("rejected-not-a-member")
    await room.say("/start next_x", by=ANN, chat=ANN)
    assert await room.answer() == text("dlg-stale")
    await room.say("/nextgame", by=ANONYMOUS)
    assert await room.answer() == text("rejected-needs-a-person")


async def test_the_list_in_private_drops_a_group(room: Room) -> None:
    await follow(room, ANN)
    await room.say("/nextgame", by=ANN, chat=ANN)
    (listed,) = await room.sent()
    button = buttons_of(listed)[plain(text("next-stop-chat", chat="Friends"))]
    keyboard = {"inline_keyboard": [[button]]}
    message = {"message_id": 5, "date": 0, "chat": chat_of(ANN), "text": "x", "reply_markup": keyboard}
    await room.tap(button["callback_data"], message, by=ANN)
    (shown,) = await room.sent()
    assert plain(shown.params["text"]) == text("next-none")


async def test_a_subscription_ends_when_the_bot_is_blocked_or_the_person_leaves(room: Room) -> None:
    await follow(room, ANN, BEN)
    word = Outgoing(id=f"next:x:{ANN}", chat_id=ANN, method="sendMessage", params={})
    await room.deps.play.next_games.settled(word, Outcome(Settled.CHAT_GONE))
    assert await room.deps.stores.subscriptions.of_player(ANN) == []
    await room.update(
        message={**room.message(None, by=BEN), "left_chat_member": {"id": BEN, "is_bot": False, "first_name": "B"}}
    )
    assert await room.deps.stores.subscriptions.of_player(BEN) == []


async def test_thousands_of_subscribers_are_told_by_pages_and_a_death_repeats_nobody(room: Room) -> None:
    many = 250
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    await room.pool.execute(
        "INSERT INTO game_subscriptions (chat_id, player_id) SELECT $1, 1000 + n FROM generate_series(1, $2::int) AS n",
        GROUP, many,
    )  # fmt: skip
    await room.pool.execute(
        "INSERT INTO chats (id, type, title) SELECT 1000 + n, 'private', '' FROM generate_series(1, $1::int) AS n", many
    )
    for person in range(1001, 1001 + many):
        room.telegram.person(person)
    game_id = await room.open()
    found = await words(room)
    assert sorted(word.chat_id for word in found) == list(range(1001, 1001 + many))
    await room.pool.execute("UPDATE jobs SET status = 'queued', progress = '{\"after\": 1100}' WHERE key = $1", game_id)
    assert await words(room) == [], "the outbox knows the words"
