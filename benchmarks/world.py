"""Games with their players, and the updates that Telegram would send for their taps.

An update carries the tapped message with its whole keyboard, so it is built from the board that Tombola itself shows.
Every stack gets the same bytes.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from html import unescape
from typing import Any

import msgspec

from fsm.draw import commitment
from fsm.engine import Engine
from fsm.kind import ChatTopic, Game, Host, Player
from fsm.lobby import Join, OpenGame
from fsm.pick_number import NUMBER_SELECTION, PickNumberGame, PickNumberRules
from handlers.kinds.registry import of_state
from handlers.views.message import send_params
from play.texts import Texts
from storage import keys

SECRET = "benchmark-secret"  # noqa: S105 -- token of a short-lived local server
PATH = "/telegram/webhook"
TOKEN = "4242:AAEbenchmarkbenchmarkbenchmarkbenchm"  # noqa: S105
SHAPES = {"many-small": (1000, 20), "few-huge": (10, 1000), "one-game": (1, 1000)}
"""Number of games, and of players in each."""
DAY_MS = 86_400_000
AT_ONCE = 50
"""Number of games that are opened concurrently."""
SHARDS = 8
COMMAND = "/help"
TAGS = re.compile(r"<[^>]+>")

HEAD = (
    f"POST {PATH} HTTP/1.1\r\nHost: bot.example.org\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n"
    f"Accept-Encoding: gzip, deflate\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: %d\r\n\r\n"
).encode()


class TapGame(msgspec.Struct):
    """One game. Player ``n``, from 0, has the id ``first_player + n`` and the numbers ``2n + 1`` and ``2n + 2``.

    The last player never picks, so that the selection stays open.
    """

    id: str
    chat_id: int
    first_player: int
    pickers: int
    message: str
    """The tapped message, as JSON."""


class World(msgspec.Struct):
    """All games of a benchmark."""

    games: list[TapGame]

    @property
    def players(self) -> int:
        """Return the number of players in each game, including the one who never picks."""
        return self.games[0].pickers + 1


class Spot:
    """A player in a game and the two numbers between which the player moves."""

    __slots__ = ("_after", "_before", "_message", "_turn")

    def __init__(self, game: TapGame, player: int) -> None:
        id_ = game.first_player + player
        self._before = (
            f'{{"update_id":%d,\n"callback_query":{{"id":"%d","from":{{"id":{id_},"is_bot":false,"first_name":"Player",'
            f'"last_name":"{player}","username":"player_{id_}","language_code":"en"}},"message":'
        ).encode()
        after = f',"chat_instance":"-{id_}4242","data":"p:{game.id}:%d"}}}}'
        self._message = game.message.encode()
        self._after = tuple((after % number).encode() for number in (2 * player + 1, 2 * player + 2))
        self._turn = 0

    def request(self, update_id: int) -> bytes:
        """Return the next tap as an HTTP request."""
        before, after = self._before % (update_id, update_id * 4096), self._after[self._turn]
        self._turn = 1 - self._turn
        return HEAD % (len(before) + len(self._message) + len(after)) + before + self._message + after


class Asking:
    """A player who asks for help in the group, which is an ordinary command."""

    __slots__ = ("_after", "_before")

    def __init__(self, game: TapGame, player: int) -> None:
        id_ = game.first_player + player
        chat = f'{{"id":{game.chat_id},"title":"Friday games","type":"supergroup"}}'
        self._before = b'{"update_id":%d,\n"message":{"message_id":%d,'
        self._after = (
            f'"from":{{"id":{id_},"is_bot":false,"first_name":"Player","last_name":"{player}","username":"player_{id_}",'
            f'"language_code":"en"}},"chat":{chat},"date":1767225600,"text":"{COMMAND}",'
            f'"entities":[{{"offset":0,"length":{len(COMMAND)},"type":"bot_command"}}]}}}}'
        ).encode()

    def request(self, update_id: int) -> bytes:
        """Return the next command as an HTTP request."""
        before = self._before % (update_id, update_id)
        return HEAD % (len(before) + len(self._after)) + before + self._after


def planned(shape: str, *, games: int = 0, players: int = 0) -> World:
    """Return the games of a shape; ``games`` and ``players`` replace the shape's numbers."""
    count, each = SHAPES[shape]
    count, each = games or count, players or each
    texts = Texts()
    return World([_planned(index, each, texts) for index in range(count)])


def seeded(name: str) -> int:
    """Return the number in the id of the game of that name: every process of a benchmark knows it."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest())


def _planned(index: int, players: int, texts: Texts) -> TapGame:
    chat_id = -1_001_000_000_000 - index
    game_id = keys.new_game_id(ChatTopic(chat_id), SHARDS, seeded(f"benchmark:{index}"))
    first = 700_000_000 + index * players
    message = msgspec.json.encode(_message(playing(game_id, chat_id, first, players), texts)).decode()
    return TapGame(game_id, chat_id, first, players - 1, message)


def _message(state: PickNumberGame, texts: Texts) -> dict[str, Any]:
    """Return the board in the form in which Telegram includes it in a tap."""
    params = send_params(of_state(state).board(state, texts, "en", bot_username="benchmark_bot"))
    return {
        "message_id": 4242,
        "from": {"id": 4242, "is_bot": True, "first_name": "Tombola", "username": "benchmark_bot"},
        "chat": {"id": state.place.chat_id, "title": "Friday games", "type": "supergroup"},
        "date": 1_767_225_600,
        "text": unescape(TAGS.sub("", params["text"])),
        "reply_markup": params["reply_markup"],
    }


def rules_for(players: int) -> PickNumberRules:
    """Return rules with two numbers for each player, and a day to pick them."""
    return PickNumberRules(
        min_players=2, max_players=players, numbers=2 * players, lobby_ms=DAY_MS, join_ms=DAY_MS, selection_ms=DAY_MS
    )


def playing(game_id: str, chat_id: int, first: int, players: int) -> PickNumberGame:
    """Return a game in which numbers can be picked. ``first`` is the id of the first player."""
    return PickNumberGame(
        id=game_id,
        phase=NUMBER_SELECTION,
        place=ChatTopic(chat_id),
        host=Host(first, "Player 0"),
        title="Friday's numbers",
        opened_at=0,
        deadline=DAY_MS,
        players={first + n: Player(first + n, f"Player {n}", 0) for n in range(players)},
        rules=rules_for(players),
        highest=2 * players,
        commitment=commitment("00" * 32),
    )


async def open_games(engine: Engine, world: World) -> Sequence[Game]:
    """Open all games in a real engine and let everybody join. Returns the states, in which numbers can be picked."""
    room = asyncio.Semaphore(AT_ONCE)

    async def opened(game: TapGame) -> Game:
        async with room:
            return await _open(engine, game)

    return await asyncio.gather(*(opened(game) for game in world.games))


async def _open(engine: Engine, game: TapGame) -> Game:
    players = game.pickers + 1
    host = Host(game.first_player, "Player 0")
    opening = OpenGame("pick_number", game.id, ChatTopic(game.chat_id), host, "Friday's numbers", rules_for(players))
    await engine.execute(game.id, opening, command_id=f"open:{game.id}")
    joining = [
        engine.execute(game.id, Join(game.first_player + n, f"Player {n}"), command_id=f"join:{game.id}:{n}")
        for n in range(players)
    ]
    outcome = [await order for order in joining][-1]
    assert outcome.state.phase == NUMBER_SELECTION, outcome.state.phase
    return outcome.state
