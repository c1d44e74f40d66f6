"""The short form of a new game in a group: seen by one person, with its state in its buttons."""

from typing import Any

import pytest
from redis.asyncio import Redis

from fsm.kind import ChatTopic
from handlers.kinds.registry import FACES
from play.access import ANONYMOUS
from storage.connections import Pool
from telegram.outbox import Outgoing
from tests.handlers.room import ANN, FORUM, GROUP, HOST, Room, build_room, chat_of, plain, text

EPHEMERAL = 7


def buttons(out: Outgoing) -> dict[str, dict[str, Any]]:
    """Return the buttons of a message by their labels."""
    rows = out.params.get("reply_markup", {"inline_keyboard": []})["inline_keyboard"]
    return {plain(button["text"]): button for row in rows for button in row}


async def form(room: Room, *, by: int = HOST, **more: Any) -> Outgoing:
    """Ask for the form with an ephemeral command. Returns the answer."""
    await room.say("/newgame", by=by, ephemeral_message_id=EPHEMERAL, **more)
    (out,) = await room.sent()
    return out


async def press(room: Room, out: Outgoing, label: str, *, by: int = HOST, seen_by_all: bool = False) -> list[Outgoing]:
    """Tap a button of the form. Returns the calls that follow."""
    button = buttons(out)[plain(label)]
    message = {
        "message_id": 50 if seen_by_all else 0,
        "date": 0,
        "chat": chat_of(GROUP),
        "text": "form",
        "reply_markup": {"inline_keyboard": [[button]]},
        **({} if seen_by_all else {"ephemeral_message_id": EPHEMERAL + 1}),
    }
    await room.tap(button["callback_data"], message, by=by)
    return await room.sent()


async def test_two_taps_open_a_game_and_only_the_host_sees_the_form(room: Room) -> None:
    asked = await form(room)
    assert asked.params["ephemeral_message_parameters"] == {"receiver_user_id": HOST}
    assert plain(asked.params["text"]) == text("form-kind")
    (shown,) = await press(room, asked, text("quiz-newgame-choose"))
    assert shown.method == "editEphemeralMessageText"
    lines = plain(shown.params["text"]).splitlines()
    assert len(lines) == 4, "a title and three lines"
    assert text("form-no-prize") in lines
    assert await press(room, shown, text("dlg-newgame-create")) == []
    (game_id,) = await room.deps.stores.games.live_in(ChatTopic(GROUP))
    assert (await room.state(game_id)).host.id == HOST
    assert room.telegram.named("deleteEphemeralMessage") == [
        {"chat_id": GROUP, "receiver_user_id": HOST, "ephemeral_message_id": EPHEMERAL + 1}
    ]
    assert room.toasts()[-1] == text("dlg-newgame-opened")
    assert room.errors == []


async def test_a_preset_changes_the_lines_and_the_game(room: Room) -> None:
    (shown,) = await press(room, await form(room), text("quiz-newgame-choose"))
    (quick,) = await press(room, shown, text("form-ready-quick"))
    assert "5 questions" in plain(quick.params["text"])
    await press(room, quick, text("dlg-newgame-create"))
    (game_id,) = await room.deps.stores.games.live_in(ChatTopic(GROUP))
    state: Any = await room.state(game_id)
    assert (state.rules.questions, state.rules.join_ms) == (5, 20_000)


async def test_the_form_speaks_the_language_of_the_one_person_who_sees_it(room: Room) -> None:
    await room.say("/language ru", by=HOST)
    await room.sent()
    asked = await form(room)
    assert plain(asked.params["text"]) == text("form-kind")
    for seen_by_all in (False, True):
        (shown,) = await press(room, asked, text("quiz-newgame-choose"), seen_by_all=seen_by_all)
        assert text("form-no-prize") in plain(shown.params["text"]).splitlines()


@pytest.mark.parametrize(("command", "asks"), [("/newgame", "form-kind"), ("/settings", "form-settings-where")])
async def test_an_old_app_shows_the_first_question_in_the_language_of_the_form(
    room: Room, command: str, asks: str
) -> None:
    await room.say("/language ru", by=HOST)
    await room.sent()
    await room.say(command, by=HOST)  # no ephemeral command: the whole group sees the answer
    (asked,) = await room.sent()
    assert plain(asked.params["text"]) == plain(text(asks))


async def test_a_template_is_two_taps_away(room: Room) -> None:
    saved = await room.deps.stores.templates.save(GROUP, "Friday", "pick_number", "Our draw", {"winners": "2"})
    (shown,) = await press(room, await form(room), "⭐ Friday")
    assert "Our draw" in plain(shown.params["text"])
    more = buttons(shown)[text("form-more")]["url"]
    assert more == f"https://t.me/TombolaBot?start=new_{GROUP}_0_t{saved}_pick_number"
    await press(room, shown, text("dlg-newgame-create"))
    (game_id,) = await room.deps.stores.games.live_in(ChatTopic(GROUP))
    state: Any = await room.state(game_id)
    assert (state.title, state.rules.winners) == ("Our draw", 2)


async def test_every_preset_goes_on_in_the_long_form(room: Room) -> None:
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    asked = await form(room)
    followed = 0
    for face in FACES.values():
        for preset in face.imported("dialog").DIALOG.ready:
            (form_of_kind,) = await press(room, asked, text(f"{face.kind.slug}-newgame-choose"))
            (shown,) = await press(room, form_of_kind, text(f"form-ready-{preset}"))
            payload = buttons(shown)[text("form-more")]["url"].partition("?start=")[2]
            await room.say(f"/start {payload}", by=HOST, chat=HOST)
            (window,) = room.telegram.windows()
            three_lines = plain(shown.params["text"]).partition("\n")[2]
            assert three_lines in plain(window["text"]), f"{payload} opens the form with the preset"
            followed += 1
    assert followed >= 2 * len(FACES)


async def test_a_template_that_has_gone_is_told(room: Room) -> None:
    saved = await room.deps.stores.templates.save(GROUP, "Friday", "quiz", "", {})
    asked = await form(room)
    await room.deps.stores.templates.delete(GROUP, saved or 0)
    assert await press(room, asked, "⭐ Friday") == []
    assert room.toasts()[-1] == text("rejected-no-such-template")


async def test_an_anonymous_admin_shows_the_way_and_another_goes_it_alone(room: Room) -> None:
    await room.say("/newgame", by=ANONYMOUS)
    (asked,) = await room.sent()
    assert "ephemeral_message_parameters" not in asked.params
    await press(room, asked, text("quiz-newgame-choose"), by=ANN, seen_by_all=True)
    assert room.toasts()[-1] == text("rejected-not-a-host")
    assert room.telegram.named("deleteMessage") == []
    (shown,) = await press(room, asked, text("quiz-newgame-choose"), seen_by_all=True)
    assert room.telegram.named("deleteMessage") == [{"chat_id": GROUP, "message_id": 50}], "nobody else needs it"
    assert shown.method == "sendMessage"
    assert shown.params["ephemeral_message_parameters"]["receiver_user_id"] == HOST
    assert "callback_query_id" in shown.params["ephemeral_message_parameters"]


async def test_in_a_topic_the_link_to_the_long_form_names_it(room: Room) -> None:
    asked = await form(room, chat=FORUM, message_thread_id=5, is_topic_message=True)
    assert asked.topic_id == 5
    (shown,) = await press(room, asked, text("pick-number-newgame-choose"))
    assert "_pick_number" in buttons(shown)[text("form-more")]["url"]


async def test_settings_show_the_way_to_the_private_chat(room: Room) -> None:
    await room.say("/settings", by=HOST, ephemeral_message_id=EPHEMERAL)
    (out,) = await room.sent()
    assert buttons(out)[text("form-settings")]["url"] == f"https://t.me/TombolaBot?start=set_{GROUP}"


@pytest.mark.parametrize("data", ["new:chess", "new:quiz:nothing", "new:quiz:t0", "new:quiz:t9x", "new:::::"])
async def test_forged_buttons_break_nothing(room: Room, data: str) -> None:
    message = {"message_id": 0, "date": 0, "chat": chat_of(GROUP), "text": "x", "ephemeral_message_id": EPHEMERAL}
    await room.tap(data, message, by=HOST)
    assert [out.method for out in await room.sent()] == ["editEphemeralMessageText"]
    assert room.errors == []


@pytest.mark.parametrize(("line", "prizes"), [("Friday 2", ("bike", "book")), ("Friday 5", ("bike", "book", "mug"))])
async def test_the_prizes_of_the_group_fit_the_winners_of_a_line(
    room: Room, line: str, prizes: tuple[str, ...]
) -> None:
    settings = {"pick_number": {"winners": "3", "prizes": "bike|book|mug"}}
    await room.deps.stores.people.change_settings(GROUP, settings)
    state: Any = await room.state(await room.open(line=f"/create_game {line}"))
    assert state.rules.prizes == prizes


# -- the host plays too -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["/create_game Friday", "/start_quiz 5 15"])
async def test_the_host_joins_their_own_game(redis: Redis, pool: Pool, line: str) -> None:
    async with build_room(redis, pool, host_joins=True) as room:
        state = await room.state(await room.open(line=line))
        assert list(state.players) == [HOST]
        await room.say(line, by=ANONYMOUS, chat=FORUM)
        (game_id,) = await room.deps.stores.games.live_in(ChatTopic(FORUM))
        assert not (await room.state(game_id)).players, "an anonymous admin cannot play"


async def test_where_hosts_do_not_play_the_host_does_not_join(redis: Redis, pool: Pool) -> None:
    async with build_room(redis, pool, host_joins=True) as room:
        await room.deps.stores.people.change_settings(GROUP, {"host_plays": "no"})
        assert not (await room.state(await room.open())).players


@pytest.mark.parametrize(
    "link", [f"new_{GROUP}_{2**63}__", f"new_{GROUP}_-5__", f"new_{-(2**63) - 1}_0__", f"new_{GROUP}_٣__"]
)
async def test_a_link_whose_numbers_the_stores_cannot_hold_opens_no_form(room: Room, link: str) -> None:
    await room.say(f"/start {link}", by=HOST, chat=HOST)
    assert await room.answer() == text("dlg-stale")
