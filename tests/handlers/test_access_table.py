"""One table of every action that a person can take in Telegram, with the access that it needs.

People without that access try each action through the real handlers. Every new command, verb or widget must be added
here. The meaning of each need is tested in ``tests/play/test_access.py``.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiogram import Router
from aiogram_dialog import Dialog
from aiogram_dialog.utils import CB_SEP

from fsm.kind import ChatTopic
from handlers.command_menus import ALL
from handlers.commands import hosts, newgame, players, recurring
from handlers.dialogs import commands as dialog_commands
from handlers.kinds import commands as kinds
from handlers.kinds.registry import FACES, VERBS
from play.access import Access, Actor, Needs
from tests.handlers.room import ANN, BEN, BOT_ID, FORUM, GROUP, HOST, OPERATOR, OTHER_GROUP, Room, plain, text

from handlers import routing  # isort: skip

HANDLERS = Path(__file__).parents[2] / "handlers"
BANNED, ABSENT = 31, 32
BETWEEN_MS = 60_000
"""Interval of a person's messages: answers to one person have a budget."""

COMMANDS: Mapping[Needs, frozenset[str]] = {
    Needs.NOTHING: frozenset({"start", "help", "language", "privacy"}),
    Needs.USE: frozenset({"verify", "pack"}),
    Needs.LOOK: frozenset({"status", "games", "stats", "leaderboard", "history", "fair"}),
    Needs.PLAY: frozenset({"leave", "nextgame"}),
    Needs.JOIN: frozenset({"join"}),
    Needs.OPEN: frozenset({"newgame", "create_game", "start_quiz"}),
    Needs.HOST: frozenset({"startnow", "extend", "remove", "cancel_game", "ban", "unban", "recurring", "settings"}),
    Needs.OPERATE: frozenset({"admin"}),
}
VERB_NEEDS: Mapping[Needs, frozenset[str]] = {
    Needs.NOTHING: frozenset({"h", "k", "n"}),  # the rules of a kind, closing one's own message, a taken number
    Needs.LOOK: frozenset({"o", "b", "g", "f"}),
    Needs.PLAY: frozenset({"l", "p", "a", "c", "d"}),
    Needs.JOIN: frozenset({"j"}),
    Needs.HOST: frozenset({"s", "e", "x", "xx", "r", "z", "y"}),
}
OTHER_UPDATES: Mapping[str, Needs] = {
    "quiz: message: uploaded": Needs.USE,
    "quiz: poll_answer: voted": Needs.PLAY,
}
"""Updates that the router of a kind handles itself, except taps."""
BUTTONS: Mapping[str, Needs] = {
    "top:": Needs.LOOK,
    "hist:": Needs.LOOK,
    "weeks:": Needs.LOOK,
    "listed:": Needs.USE,
    "file:": Needs.USE,
    "lang:": Needs.NOTHING,
    "priv:": Needs.NOTHING,
    "new:": Needs.OPEN,
    "rec:": Needs.HOST,
    "next:": Needs.NOTHING,
}
"""Buttons of lists and previews. A language chosen in a group is the group's, and then needs a host; to be told of
games, a person must be one who may play them, and anybody may stop that."""
DIALOGS: Mapping[Needs, Mapping[str, str]] = {
    Needs.OPEN: {
        "NewGame_pick_number:summary": "create ready prize all save quiz close",
        "NewGame_pick_number:all": "field back",
        "NewGame_pick_number:field": "value back typed",
        "NewGame_pick_number:name": "back name",
        "NewGame_quiz:summary": "create ready prize all save pick_number close",
        "NewGame_quiz:all": "field back",
        "NewGame_quiz:field": "value back typed",
        "NewGame_quiz:name": "back name",
    },
    Needs.HOST: {
        "Chat:main": "kind templates openers host_plays messages pin picture season public indexed language zone close",
        "Chat:language": "locale back",
        "Chat:zone": "in back place",
        "Chat:templates": "one back",
        "Chat:template": "rename delete back",
        "Chat:rename": "back name",
        "Chat:delete": "yes back",
        "Settings_pick_number:summary": "field reset main",
        "Settings_pick_number:field": "value back typed",
        "Settings_quiz:summary": "field reset main",
        "Settings_quiz:field": "value back typed",
    },
    Needs.USE: {
        "Packs:every": "pack sample close",
        "Packs:one": "view export rename delete back",
        "Packs:rename": "back name",
        "Packs:delete": "yes back",
        "Packs:page": "question before after add back",
        "Packs:question": "change remove difficulty photo back None",
        "Packs:write": "back lines",
    },
    Needs.OPERATE: {
        "Admin:menu": "to_games to_ban to_cast to_tokens to_flags to_audit to_dashboard to_menu close",
        "Admin:games": "game earlier later to_menu",
        "Admin:game": "end to_games",
        "Admin:end": "end_now to_game",
        "Admin:ban": "unban to_menu whom",
        "Admin:cast": "stop to_cast to_menu word",
        "Admin:dashboard": "to_menu",
        "Admin:sure": "send to_menu",
        "Admin:tokens": "revoke to_menu token",
        "Admin:flags": "to_menu flag",
        "Admin:audit": "newer older to_audit to_menu of",
    },
}
"""Window -> its widgets. ``None`` stands for a photo sent to the window."""
INPUTS = frozenset({"typed", "name", "None", "lines", "whom", "word", "token", "place", "flag", "of"})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Needs]]:
    """Return the list of requested decisions: person and needs."""
    found: list[tuple[int, Needs]] = []
    real = Access.authorise

    async def authorise(self: Access, actor: Actor, where: Any, needs: Needs, **more: Any) -> None:
        found.append((actor.id, needs))
        await real(self, actor, where, needs, **more)

    monkeypatch.setattr(Access, "authorise", authorise)
    return found


def by_action(table: Mapping[Needs, frozenset[str]]) -> dict[str, Needs]:
    return {action: needs for needs, actions in table.items() for action in actions}


# -- the table is complete --------------------------------------------------------------------------------------


def test_every_command_is_in_the_table() -> None:
    ours = {**players.COMMANDS, **hosts.COMMANDS, **newgame.COMMANDS, **recurring.COMMANDS, **kinds.COMMANDS}
    starts = {**kinds.DIALOG_COMMANDS, **dialog_commands.OPERATOR_COMMANDS}
    found = {name: command.needs for name, command in ours.items()}
    found |= {name: command.needs for name, command in starts.items()}
    assert found == by_action(COMMANDS)
    assert found.keys() == ALL


def test_every_verb_of_a_tap_is_in_the_table(room: Room) -> None:
    found = {name: verb.needs for verbs in VERBS.values() for name, verb in verbs.items()}
    found |= {name: showing.needs for name, showing in room.deps.taps._showing.items()}
    assert {**found, **dict.fromkeys("hkn", Needs.NOTHING)} == by_action(VERB_NEEDS)
    assert room.deps.taps._known == by_action(VERB_NEEDS).keys()


def test_every_button_of_a_list_is_in_the_table() -> None:
    filters = {
        each.callback._beginning
        for router in (routing._buttons_router(), *routers_of_kinds())
        for handler in router.callback_query.handlers
        for each in handler.filters or []
        if hasattr(each.callback, "_beginning")
    }
    assert filters == BUTTONS.keys()


def routers_of_kinds() -> list[Router]:
    return [face.imported("router").router() for face in FACES.values() if face.router is not None]


def test_every_update_that_a_kind_handles_itself_is_in_the_table() -> None:
    found = {
        f"{router.name}: {observer}: {handler.callback.__name__}"
        for router in routers_of_kinds()
        for observer, handlers in router.observers.items()
        if observer != "callback_query"
        for handler in handlers.handlers
    }
    assert found == OTHER_UPDATES.keys()


def widgets(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "buttons", ()):
        yield from widgets(child)


def test_every_widget_of_a_dialog_is_in_the_table(room: Room) -> None:
    dialogs = [router for router in dialog_commands.dialogs_router(room.deps).sub_routers if isinstance(router, Dialog)]
    windows: list[tuple[Any, Any]] = [each for dialog in dialogs for each in dialog.windows.items()]
    found: dict[Needs, dict[str, str]] = {}
    for state, window in windows:
        if state.state.startswith("AiogramDialog"):
            continue  # a page of the library about itself, which nothing opens
        ids = [each.widget_id for each in widgets(window.keyboard) if each.widget_id]
        ids += [str(window.on_message.widget_id)] if window.on_message else []
        found.setdefault(state.group.needs, {})[state.state] = " ".join(ids)
    assert found == DIALOGS


FACTS = frozenset({"is_banned", "is_host", "is_member", "has_departed", "remembered_welcome"})
"""Facts about people on which `Access` decides. Nothing else asks for them."""
PEOPLE = re.compile(r"(\w*_)?(person|people|user|player|sender|author|actor|owner|host|operator|administrator|admin)s?")
IDS = re.compile(rf"{PEOPLE.pattern}_ids?|owners?|hosts|operators|administrators|admins|ANONYMOUS|bot_id")
NO_DECISIONS: Mapping[str, str] = {
    "command_menus.publish: operators": "their private chats have further commands in their menus",
    "context.anonymous: ANONYMOUS": "the definition",
    "context.personal: anonymous": "chooses a language",
    "context.actor: anonymous": "tells Access that an anonymous administrator acts as the group",
    "commands/leaderboard._line: person.id": "a person's own row is bold",
    "commands/leaderboard._line: player_id": "a person's own row is bold",
    "commands/lookup.meant: ANONYMOUS": "finds the person that a command is about",
    "commands/lookup.meant: author.id": "finds the person that a command is about",
    "commands/players._own_part: anonymous": "an anonymous administrator has no line about their own picks",
    "dialogs/admin._written: actor_id": "a line of the audit log names its author",
    "kinds/pick_number/view._numbers: owners": "a board shows which numbers are taken",
    "kinds/pick_number/view._own_part: player_id": "a board shows a player's own result",
    "kinds/quiz/view._summary: player_id": "a board shows a player's own result",
    "membership_updates._presence: is_member": "reads Telegram's notice",
    "parsing._answers_us: bot_id": "a reply to the bot is meant for it",
    "parsing._answers_us: from_user.id": "a reply to the bot is meant for it",
    "parsing._common: anonymous": "the shared name of anonymous administrators is not noted",
    "parsing._is_calm: anonymous": "all anonymous administrators of a group share one bucket",
    "parsing._is_for_us: ANONYMOUS": "tells anonymous administrators from channels and other bots",
    "parsing._is_for_us: sender.id": "tells anonymous administrators from channels and other bots",
}
"""Function and subject -> the reason why its look at a person's identity grants and refuses nothing."""


def looks_at_identity(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each comparison of people in a module, and each use of a fact about them: the function and the subject.

    Whether a person plays in a game is a rule, so ``player_id in game.players`` does not count.
    """
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute) and (node.attr in FACTS or node.attr in {"anonymous", "operators"}):
                yield function.name, node.attr
            elif isinstance(node, ast.Compare) and not all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
                sides = [node.left, *node.comparators]
                if not any(ast.unparse(side).startswith(("game.", "state.")) for side in sides):
                    yield from ((function.name, subject) for side in sides if (subject := person_of(side)))


def person_of(side: ast.expr) -> str | None:
    """Return the name of the person, or of the set of people, that one side of a comparison stands for."""
    match side:
        case ast.Attribute(value=value, attr="id"):
            name = getattr(value, "attr", getattr(value, "id", ""))
            return f"{name}.id" if PEOPLE.fullmatch(name) else None
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name if IDS.fullmatch(name) else None
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return next((found for each in elements if (found := person_of(each))), None)
    return None


def test_nothing_in_the_handlers_decides_by_itself() -> None:
    found = set()
    for path in HANDLERS.rglob("*.py"):
        module = path.relative_to(HANDLERS).with_suffix("").as_posix()
        found |= {
            f"{module}.{function}: {subject}" for function, subject in looks_at_identity(ast.parse(path.read_text()))
        }
    assert found == NO_DECISIONS.keys()


@pytest.mark.parametrize(
    "decision",
    [
        "player in context.deps.play.access.operators",
        "await hosts.is_host(chat_id, player_id)",
        "context.person.id == whom.id",
        "update.person.id not in owners",
        "owners != [ANONYMOUS]",
        "tap.user_id == game_host.id",
        "actor.id in admins",
    ],
)
def test_a_comparison_that_decides_is_found(decision: str) -> None:
    assert list(looks_at_identity(ast.parse(f"async def f():\n    if {decision}:\n        return")))


def test_a_rule_of_a_game_is_no_decision() -> None:
    assert not list(looks_at_identity(ast.parse("def f():\n    return tap.user_id in game.players")))


# -- commands ---------------------------------------------------------------------------------------------------

GROUP_COMMANDS = [
    (name, needs) for name, needs in by_action(COMMANDS).items() if needs not in {Needs.NOTHING, Needs.OPERATE}
]


async def test_a_banned_person_gets_no_further_by_any_command(room: Room, asked: list[tuple[int, Needs]]) -> None:
    game_id = await room.open()
    await room.deps.stores.people.ban(0, BANNED, OPERATOR, "")
    await room.sent()
    for name, needs in GROUP_COMMANDS:
        asked.clear()
        room.clock.at += BETWEEN_MS
        await room.say(f"/{name}", by=BANNED)
        assert await room.answer() == text("rejected-banned"), name
        assert asked == [(BANNED, needs)], name
    for name in ("pack", "verify", "status", "stats", "leaderboard", "history"):
        room.clock.at += BETWEEN_MS
        await room.say(f"/{name}", by=BANNED, chat=BANNED)
        assert await room.answer() == text("rejected-banned"), name
    for line in (f"/start g_{game_id}", f"/start f_{game_id}", "/start verify"):
        room.clock.at += BETWEEN_MS
        await room.say(line, by=BANNED, chat=BANNED)
        assert await room.answer() == text("rejected-banned"), line
    assert not (await room.state(game_id)).players


async def test_only_hosts_give_the_commands_of_hosts(room: Room, asked: list[tuple[int, Needs]]) -> None:
    await room.open()
    room.telegram.appoint(GROUP, HOST, BEN)
    await room.deps.play.hosts.invalidate(GROUP)
    assert await room.deps.play.hosts.is_host(GROUP, BEN)
    room.telegram.appoint(GROUP, HOST)
    await room.deps.play.hosts.invalidate(GROUP)
    await room.sent()
    for person in (ANN, BEN):
        for name, needs in GROUP_COMMANDS:
            if needs in {Needs.OPEN, Needs.HOST}:
                asked.clear()
                room.clock.at += BETWEEN_MS
                await room.say(f"/{name}", by=person)
                assert await room.answer() == text("rejected-not-a-host"), name
                assert asked == [(person, needs)], name
    await room.say("/language ru", by=ANN)
    assert await room.answer() == text("rejected-not-a-host")


async def test_people_who_are_not_in_the_group_join_and_see_nothing(room: Room) -> None:
    game_id = await room.open()
    room.telegram.remove(GROUP, ABSENT, "kicked")
    await room.sent()
    await room.say("/join", by=ABSENT)
    assert await room.answer() == text("rejected-not-a-member")
    for line in (f"/status {game_id}", f"/fair {game_id}", f"/start g_{game_id}", f"/start f_{game_id}"):
        await room.say(line, by=ABSENT, chat=ABSENT)
        assert await room.answer() == text("rejected-not-a-member"), line
        await room.say(line.replace("/start g_", "/status ").replace("/start f_", "/fair "), by=BEN, chat=OTHER_GROUP)
        assert await room.answer() == text("rejected-elsewhere"), line
    assert not (await room.state(game_id)).players


async def test_to_everybody_else_there_are_no_commands_of_operators(room: Room) -> None:
    for person, chat in ((ANN, ANN), (OPERATOR, GROUP)):
        await room.say("/admin", by=person, chat=chat)
        assert [plain(each.params["text"]) for each in await room.sent()] in ([], [text("cmd-not-understood")])
    assert not room.telegram.windows()


# -- taps -------------------------------------------------------------------------------------------------------


def data_of(verb: str, game_id: str) -> str:
    return f"{verb}:{game_id}" + {"p": ":3", "a": ":0:1", "d": ":0:1", "c": ":0", "b": ":0", "g": ":0"}.get(verb, "")


async def tapped(room: Room, data: str, *, by: int, chat: int = GROUP) -> str | None:
    """Return the answer to a tap on a button of the message."""
    room.clock.at += 1000
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": data}]]}
    await room.tap(data, {**room.message("board", chat=chat), "reply_markup": markup}, by=by)
    return room.toasts()[-1]


async def test_every_verb_asks_for_what_it_needs(room: Room, asked: list[tuple[int, Needs]]) -> None:
    games = {"pick_number": await room.open()}
    await room.open(line="/start_quiz", chat=FORUM)
    (games["quiz"],) = await room.deps.stores.games.live_in(ChatTopic(FORUM))
    places = {"pick_number": GROUP, "quiz": FORUM}
    await room.deps.stores.people.ban(0, BANNED, OPERATOR, "")
    for chat in places.values():
        room.telegram.remove(chat, ABSENT, "left")
    for verb, needs in by_action(VERB_NEEDS).items():
        if needs is Needs.NOTHING:
            continue
        kind = "quiz" if verb in {"a", "d", "c", "z", "y"} else "pick_number"
        data, chat = data_of(verb, games[kind]), places[kind]
        refusals = {
            (BANNED, chat): "rejected-banned",
            (BANNED, BANNED): "rejected-banned",
            (ANN, OTHER_GROUP): "rejected-elsewhere",
        }
        if needs is Needs.HOST:
            refusals |= {(ANN, chat): "rejected-not-a-host", (ABSENT, ABSENT): "rejected-not-a-host"}
        elif needs is Needs.JOIN:
            refusals |= {(ABSENT, chat): "rejected-not-a-member", (ABSENT, ABSENT): "rejected-join-in-group"}
        else:
            refusals |= {(ABSENT, ABSENT): "rejected-not-a-member"}
        for (person, where), refusal in refusals.items():
            asked.clear()
            assert await tapped(room, data, by=person, chat=where) == text(refusal), (verb, person, where)
            assert asked == [(person, needs)], (verb, person, where)
    for game_id in games.values():
        assert not (await room.state(game_id)).players


async def test_buttons_of_lists_ask_for_what_they_need(room: Room, asked: list[tuple[int, Needs]]) -> None:
    await room.deps.stores.people.ban(0, BANNED, OPERATOR, "")
    for beginning, needs in BUTTONS.items():
        data = beginning + {"lang:": "ru", "next:": "on"}.get(beginning, "1")
        asked.clear()
        said = await tapped(room, data, by=BANNED)
        assert asked[0] == (BANNED, needs)
        own = beginning == "priv:"  # a banned person sees their data, in private
        assert said == text("privacy-in-private" if own else "rejected-banned"), data
    assert await tapped(room, "lang:ru", by=ANN) == text("rejected-not-a-host")


# -- dialogs ----------------------------------------------------------------------------------------------------


async def opened_dialog(room: Room, group: str) -> tuple[int, dict[str, Any]]:
    """Open the dialog as somebody with access. Returns the person and the dialog's message."""
    way: Mapping[str, tuple[str, int, int, str | None]] = {
        "NewGame_pick_number": (f"/start new_{GROUP}_0__pick_number", HOST, HOST, None),
        "NewGame_quiz": (f"/start new_{GROUP}_0__quiz", HOST, HOST, None),
        "Chat": (f"/start set_{GROUP}", HOST, HOST, None),
        "Settings_pick_number": (f"/start set_{GROUP}", HOST, HOST, "kind:pick_number"),
        "Settings_quiz": (f"/start set_{GROUP}", HOST, HOST, "kind:quiz"),
        "Packs": ("/pack", ANN, ANN, None),
        "Admin": ("/admin", OPERATOR, OPERATOR, None),
    }
    command, person, chat, then = way[group]
    await room.say(command, by=person, chat=chat)
    (message,) = room.telegram.windows()
    if then is not None:
        await room.tap(f"{intent_of(message)}{CB_SEP}{then}", message, by=person)
        (message,) = room.telegram.windows()
    return person, message


def intent_of(message: Mapping[str, Any]) -> str:
    return str(message["reply_markup"]["inline_keyboard"][0][0]["callback_data"].partition(CB_SEP)[0])


async def lose_the_right(room: Room, needs: Needs, person: int, how: str) -> str:
    """Take from a person the access that the dialog needs. Returns the refusal."""
    if how == "banned":
        await room.deps.stores.people.ban(0, person, OPERATOR, "")
        return "rejected-banned"
    if needs is Needs.OPERATE:
        room.deps.play.access.operators.remove(person)  # type: ignore[attr-defined] # a set, in this room
        return "rejected-not-an-operator"
    room.telegram.appoint(GROUP)
    await room.deps.play.hosts.invalidate(GROUP)
    return "rejected-not-a-host"


@pytest.mark.parametrize(
    ("needs", "how"),
    [
        (Needs.OPEN, "demoted"),
        (Needs.OPEN, "banned"),
        (Needs.HOST, "demoted"),
        (Needs.HOST, "banned"),
        (Needs.USE, "banned"),
        (Needs.OPERATE, "demoted"),
    ],
)
async def test_no_action_of_an_open_dialog_is_done_for_somebody_who_may_no_longer(
    room: Room, asked: list[tuple[int, Needs]], needs: Needs, how: str
) -> None:
    groups = dict.fromkeys(window.partition(":")[0] for window in DIALOGS[needs])
    for group in groups:
        person, message = await opened_dialog(room, group)
        refusal = await lose_the_right(room, needs, person, how)
        before = len(room.telegram.writes), await room.sent(), await room.pool.fetch("SELECT * FROM bans, chats")
        actions = {
            each for window, ids in DIALOGS[needs].items() if window.startswith(f"{group}:") for each in ids.split()
        }
        for action in sorted(actions):
            room.clock.at += 1000
            asked.clear()
            if action not in INPUTS:
                await room.tap(f"{intent_of(message)}{CB_SEP}{action}:1", message, by=person)
                assert room.toasts()[-1] == text(refusal), action
            else:
                sender = {"id": BOT_ID, "is_bot": True, "first_name": "Tombola"}
                reply = {} if person == message["chat"]["id"] else {"reply_to_message": {**message, "from": sender}}
                await room.say("5", by=person, chat=message["chat"]["id"], **reply)
                assert await room.answer() == text(refusal), action
            assert asked == [(person, needs)], action
        assert len(room.telegram.writes) == before[0], "no window has changed"
        assert await room.sent() == []
        assert await room.pool.fetch("SELECT * FROM bans, chats") == before[2]
        await regain(room, needs, person)
        room.telegram.clear_messages()
    assert room.errors == []


async def regain(room: Room, needs: Needs, person: int) -> None:
    await room.deps.stores.people.unban(0, person)
    room.telegram.appoint(GROUP, HOST)
    await room.deps.play.hosts.invalidate(GROUP)
    if needs is Needs.OPERATE:
        room.deps.play.access.operators.add(person)  # type: ignore[attr-defined] # a set, in this room


async def test_a_file_of_a_banned_person_is_not_even_loaded(room: Room) -> None:
    await room.deps.stores.people.ban(0, ANN, OPERATOR, "")
    document = {"file_id": "f1", "file_unique_id": "u", "file_name": "pack.csv", "file_size": 10}
    await room.say(None, by=ANN, chat=ANN, document=document)
    assert await room.answer() == text("rejected-banned")
