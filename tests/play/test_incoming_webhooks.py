"""Webhooks in: signed calls open and end games of one chat, once each."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from fsm.kind import Rejected, UnknownGame
from play.access import Actor, Elsewhere, NotAHost, NotAnOperator
from play.bans import EVERYWHERE
from play.flags import UnknownFlag
from play.incoming_webhooks import BadCall, IncomingWebhooks, ReplayedCall, UnknownSource
from play.standard_webhooks import BadSignature, StaleCall, shown
from storage.webhooks import WebhookSource
from tests.handlers.room import ANN, FORUM, GROUP, HOST, OPERATOR, Room

CHIEF = Actor(HOST, chat_id=GROUP)


async def source_of(room: Room, chat_id: int = GROUP) -> WebhookSource:
    return await room.deps.play.incoming.add(Actor(HOST, chat_id=chat_id), chat_id, description="Calendar")


def call(source: WebhookSource, room: Room, type_: str, id_: str = "msg1", **data: Any) -> tuple[dict[str, str], bytes]:
    """Return a call, signed by the public library at the room's time."""
    body = json.dumps({"type": type_, "data": data})
    at = datetime.fromtimestamp(room.clock.at // 1000, UTC)
    signature = Webhook(shown(source.secret)).sign(id_, at, body)
    headers = {
        "webhook-id": id_,
        "webhook-timestamp": str(room.clock.at // 1000),
        "webhook-signature": signature,
    }
    return headers, body.encode()


def incoming(room: Room) -> IncomingWebhooks:
    return room.deps.play.incoming


async def test_a_signed_call_opens_a_game_in_the_chat_of_its_source_and_another_ends_it(room: Room) -> None:
    source = await source_of(room)
    opening = call(source, room, "game.open", kind="pick_number", title="Friday", rules={"winners": "2"})
    opened = await incoming(room).handle(source.id, *opening)
    state: Any = opened.state
    assert (state.place.chat_id, state.title, state.rules.winners, state.host.name) == (GROUP, "Friday", 2, "Calendar")
    ended = await incoming(room).handle(source.id, *call(source, room, "game.end", "msg2", game_id=state.id))
    assert ended.state.phase == "cancelled"


async def test_a_replay_is_refused(room: Room) -> None:
    source = await source_of(room)
    opening = call(source, room, "game.open", kind="pick_number")
    await incoming(room).handle(source.id, *opening)
    with pytest.raises(ReplayedCall):
        await incoming(room).handle(source.id, *opening)
    room.clock.at += 301_000
    with pytest.raises(StaleCall):
        await incoming(room).handle(source.id, *opening)


async def test_a_call_that_was_interrupted_may_be_repeated(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    source = await source_of(room)
    opening = call(source, room, "game.open", kind="pick_number")

    async def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(IncomingWebhooks, "_act", interrupted)
        with pytest.raises(KeyboardInterrupt):
            await incoming(room).handle(source.id, *opening)
    opened = await incoming(room).handle(source.id, *opening)
    assert opened.state.phase == "waiting_for_players"


async def test_a_source_of_operators_sets_flags_and_opens_no_game(room: Room) -> None:
    chief = Actor(OPERATOR, chat_id=OPERATOR)
    with pytest.raises(NotAnOperator):
        await incoming(room).add(CHIEF, EVERYWHERE)
    source = await incoming(room).add(chief, EVERYWHERE, description="Analysis")
    setting = call(source, room, "flag.set", flag="native-polls", percent=0, reason="errors burn")
    done = await incoming(room).handle_flag(source.id, *setting)
    assert (done.name, done.setting.percent, done.setting.reason) == ("native-polls", 0, "errors burn")
    assert not room.deps.play.flags.is_on("native-polls", GROUP)
    with pytest.raises(ReplayedCall):
        await incoming(room).handle_flag(source.id, *setting)
    for id_, chats, named in (("on", {"on_chats": [7]}, {7}), ("share", {}, {7}), ("off", {"on_chats": []}, set())):
        changing = call(source, room, "flag.set", id_, flag="native-polls", percent=1, **chats)
        assert (await incoming(room).handle_flag(source.id, *changing)).setting.on_chats == named
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("game.open", {"kind": "pick_number"}),
        ("flag.set", {"flag": "native-polls", "percent": 101}),
        ("flag.set", {"flag": "native-polls"}),
        ("flag.set", {"flag": "native-polls", "percent": 1, "on_chats": list(range(1001))}),
        ("flag.set", {"flag": "native-polls", "percent": 1, "on_chats": [1 << 70]}),
    ]
    for number, (type_, data) in enumerate(wrong):
        with pytest.raises(BadCall):
            await incoming(room).handle_flag(source.id, *call(source, room, type_, f"wrong{number}", **data))
    with pytest.raises(UnknownFlag):
        await incoming(room).handle_flag(source.id, *call(source, room, "flag.set", "other", flag="other", percent=1))
    assert [each.id for each in await incoming(room).sources(chief, EVERYWHERE)] == [source.id]
    ours = await source_of(room)
    with pytest.raises(BadSignature):
        await incoming(room).handle_flag(
            ours.id, *call(ours, room, "flag.set", "host", flag="native-polls", percent=100)
        )
    await incoming(room).remove(chief, EVERYWHERE, source.id)
    with pytest.raises(BadSignature):
        await incoming(room).handle_flag(
            source.id, *call(source, room, "flag.set", "gone", flag="native-polls", percent=1)
        )


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("game.explode", {}),
        ("game.open", {}),
        ("game.open", {"kind": "chess"}),
        ("game.open", {"kind": "pick_number", "rules": {"colour": "red"}}),
        ("game.open", {"kind": "pick_number", "rules": {"winners": "many"}}),
        ("game.end", {"game_id": 7}),
    ],
)
async def test_other_events_are_refused(room: Room, type_: str, data: dict[str, Any]) -> None:
    source = await source_of(room)
    with pytest.raises(BadCall):
        await incoming(room).handle(source.id, *call(source, room, type_, **data))


async def test_only_the_secret_of_the_source_signs(room: Room) -> None:
    mine, other = await source_of(room), await source_of(room, FORUM)
    opening = call(mine, room, "game.open", kind="pick_number")
    for id_, headers in ((other.id, opening[0]), ("in" + "0" * 16, opening[0]), (mine.id, {})):
        with pytest.raises(BadSignature):
            await incoming(room).handle(id_, headers, opening[1])
    with pytest.raises(BadSignature):
        await incoming(room).handle(mine.id, opening[0], opening[1] + b" ")


async def test_a_source_reaches_no_game_of_another_chat(room: Room) -> None:
    mine, other = await source_of(room), await source_of(room, FORUM)
    opened: Any = await incoming(room).handle(mine.id, *call(mine, room, "game.open", kind="pick_number"))
    with pytest.raises(Elsewhere):
        await incoming(room).handle(other.id, *call(other, room, "game.end", game_id=opened.state.id))
    with pytest.raises(UnknownGame):
        await incoming(room).handle(other.id, *call(other, room, "game.end", "msg3", game_id="00" + "z" * 20))


async def test_hosts_manage_the_sources_of_their_chat_alone(room: Room) -> None:
    source = await source_of(room)
    assert "secret=" not in repr(source)
    refusals: list[type[Rejected]] = []
    for actor, chat in ((Actor(ANN, chat_id=GROUP), GROUP), (CHIEF, FORUM)):
        with pytest.raises(Rejected) as refused:
            await incoming(room).sources(actor, chat)
        refusals.append(refused.type)
    assert refusals == [NotAHost, Elsewhere]
    with pytest.raises(UnknownSource):
        await incoming(room).remove(CHIEF, GROUP, "in" + "0" * 16)
    await incoming(room).remove(CHIEF, GROUP, source.id)
    assert await incoming(room).sources(CHIEF, GROUP) == []
    with pytest.raises(BadSignature):
        await incoming(room).handle(source.id, *call(source, room, "game.open", kind="pick_number"))
