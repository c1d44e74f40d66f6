"""Live updates and clients that may not, clients that misbehave, and connections that the server ends."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from api.client import Client, LiveEnded, updated
from api.games import AnswerBody, OpenBody, PickBody
from api.live.hub import Hub, make_hub
from api.live.principals import LiveLimits, Principal
from bot import process
from bot.settings import Database, Live, Redis, Settings, Telegram, Web
from play.access import Role
from play.tokens import actor_of
from storage.feed import Feed
from tests.api.conftest import Served
from tests.api.live_clients import PATIENCE, Socket, Watcher, socket, stream
from tests.api.test_live import joined, opened, rest, without_nulls

Replicas = Callable[..., Any]


@pytest_asyncio.fixture
async def replicas(served: Served, postgres_dsn: str, redis_dsn: str) -> Replicas:
    """Return a function that runs a second process, with the role web alone, and settings of live updates."""

    @asynccontextmanager
    async def running(**live: float) -> AsyncIterator[str]:
        settings = Settings(
            telegram=Telegram(token=SecretStr(served.table.box.token), api_base=served.table.box.url),
            database=Database(dsn=SecretStr(postgres_dsn)),
            redis=Redis(dsn=SecretStr(redis_dsn), shards=2),
            web=Web(port=0),
            live=Live.model_validate(live),
        )
        async with process.running(settings, frozenset({"web"}), clock=served.table.clock) as bot:
            yield f"http://127.0.0.1:{bot.port}"

    return running


@asynccontextmanager
async def hub_of(served: Served, **limits: float) -> AsyncIterator[Hub]:
    """Run a hub of its own, as another process would."""
    bot = served.table.bot
    hub = make_hub(bot.play, bot.stores, LiveLimits(**limits))  # type: ignore[arg-type]
    running = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        running.cancel()
        await asyncio.wait([running])


async def closed(watcher: Socket) -> tuple[int, dict[str, Any]]:
    """Read until the server closes. Returns the code and the last message."""
    try:
        while True:
            await watcher.read()
    except ConnectionClosed as end:
        return (end.rcvd.code if end.rcvd is not None else 1006), watcher.told[-1] if watcher.told else {}


async def refused(url: str, **options: Any) -> tuple[int, str]:
    """Try to connect. Returns the status and the code of the refusal."""
    response = None
    while response is None or response.status_code == 503:  # on a slow machine a token can't be checked in time
        with pytest.raises(InvalidStatus) as problem:
            await anext(aiter(_nothing(url, options)))
        response = problem.value.response
    return response.status_code, json.loads(response.body or b"{}").get("code", "")


async def _nothing(url: str, options: dict[str, Any]) -> AsyncIterator[None]:
    async with socket(url, **options):
        yield


async def may_connect(url: str, token: str) -> bool:
    """Return whether a connection is accepted."""
    try:
        await anext(aiter(_nothing(url, {"token": token})))
    except InvalidStatus:
        return False
    return True


# -- who may ----------------------------------------------------------------------------------------------------


async def test_a_ticket_opens_one_connection_and_nothing_else_opens_any(served: Served) -> None:
    token = await served.token(Role.VIEWER, served.chat_id)
    async with Client(served.url, token) as viewer:
        made = await viewer.create_live_ticket("once")
        assert made.ticket is not None
        assert (await viewer.create_live_ticket("once")).ticket is None
        async with socket(served.url, ticket=made.ticket) as watcher:
            await watcher.subscribe(chats=[served.chat_id])
            assert watcher.cursor is not None
        assert await refused(served.url, ticket=made.ticket) == (401, "not-authenticated")
        assert await refused(served.url, ticket="guessed") == (401, "not-authenticated")
        assert await refused(served.url) == (401, "not-authenticated")
        # A token has no place in an address.
        assert await refused(served.url, ticket=token) == (401, "not-authenticated")
        unused = (await viewer.create_live_ticket()).ticket or ""
        await served.table.bot.play.tokens.revoke(token.split("_")[1])
        assert await refused(served.url, ticket=unused) == (401, "not-authenticated")
        assert await refused(served.url, token=token) == (401, "not-authenticated")


async def test_pages_of_other_origins_are_refused(served: Served) -> None:
    token = await served.token(Role.VIEWER)
    assert await refused(served.url, token=token, origin="https://evil.example") == (403, "wrong-origin")
    async with socket(served.url, token, origin=served.url) as watcher:
        await watcher.subscribe(chats=[served.chat_id])
    with pytest.raises(httpx.HTTPStatusError, match="wrong-origin"):
        async with stream(served.url, token, {"origin": "https://evil.example"}, chat=served.chat_id):
            pass


async def test_other_peoples_games_and_chats_are_refused_and_audited_and_the_connection_stays(served: Served) -> None:
    host_token, other = await served.token(Role.HOST), await served.token(Role.OPERATOR, -1_009_999_999_999)
    async with Client(served.url, host_token) as host, socket(served.url, other) as watcher:
        game_id = await opened(host, served)
        for wanted in ({"games": [game_id]}, {"chats": [served.chat_id]}, {"games": ["0" * 22]}, {"games": ["no"]}):
            await watcher.subscribe(**wanted)
        codes = [message["code"] for message in watcher.told]
        assert codes == ["elsewhere", "elsewhere", "unknown-game", "unknown-game"]
        await watcher.ask(type="subscribe", games=[game_id], cursor="not a cursor")
        await watcher.ask(type="subscribe", chats=[2**60])
        await watcher.ask(type="subscribe", chats="all")
        for code in ("bad-cursor", "invalid-request", "invalid-request"):
            assert [message["code"] for message in await watcher.read()] == [code]
        await watcher.subscribe(chats=[-1_009_999_999_999])
        assert watcher.cursor is not None
        with pytest.raises(httpx.HTTPStatusError, match="elsewhere"):
            async with stream(served.url, other, game=game_id):
                pass
        async with await served.client(Role.OPERATOR) as operator, asyncio.timeout(PATIENCE):
            while True:
                entries, _ = await operator.list_audit(limit=100)
                if [entry.outcome for entry in entries if entry.action == "watch_live"].count("elsewhere") >= 3:
                    break
                await asyncio.sleep(0.05)


async def test_a_revoked_token_an_expired_one_and_an_old_connection_are_closed(
    served: Served, replicas: Replicas
) -> None:
    async with replicas(lifetime_seconds=1) as url, AsyncExitStack() as stack:
        revoked, expiring = await served.token(Role.VIEWER), await served.token(Role.VIEWER, days=1)
        first, second, third = [
            await stack.enter_async_context(socket(address, token))
            for address, token in ((served.url, revoked), (served.url, expiring), (url, revoked))
        ]
        for each in (first, second):
            await each.subscribe(chats=[served.chat_id])
        code, last = await closed(third)
        assert (code, last["code"]) == (1001, "lifetime")
        await served.table.bot.play.tokens.revoke(revoked.split("_")[1])
        code, last = await closed(first)
        assert (code, last) == (4401, {"type": "closing", "code": "not-authenticated", "retry_ms": None})
        served.table.clock.turn(2 * 86_400)
        code, last = await closed(second)
        assert (code, last["code"]) == (4401, "not-authenticated")


async def test_a_token_that_loses_a_chat_gets_no_more_of_its_games(served: Served) -> None:
    token = await served.token(Role.HOST, served.chat_id, 5)
    async with Client(served.url, token) as host, socket(served.url, token) as watcher:
        game_id = await opened(host, served)
        await watcher.subscribe(games=[game_id], chats=[served.chat_id, 5])
        await served.table.bot.pool.execute("UPDATE api_tokens SET chats = '{5}'")
        while not (lost := await watcher.read()):
            pass
        assert [(message["type"], message["code"]) for message in lost] == [("unsubscribed", "elsewhere")] * 2
        assert {message.get("game_id") or message["chat_id"] for message in lost} == {game_id, served.chat_id}
        await watcher.subscribe(chats=[5])
        assert watcher.cursor is not None


# -- secrets ----------------------------------------------------------------------------------------------------


async def test_no_secret_leaves_before_its_time(served: Served) -> None:
    token, operator = await served.token(Role.HOST, served.chat_id), await served.token(Role.OPERATOR)
    async with Client(served.url, token) as host, socket(served.url, operator) as watcher:
        await watcher.subscribe(chats=[served.chat_id])
        game_id = await opened(host, served, picks="secret")
        await joined(host, served, game_id, 1, 2, 3)
        await host.start_game(game_id)
        people = served.table.people
        picked = [
            await host.pick_number(game_id, PickBody(people[person].id, number)) for person, number in ((1, 3), (2, 5))
        ]
        await watcher.until(game_id, picked[-1].version)
        state = (await served.table.bot.engine.look(game_id)).state
        seed: str = getattr(state, "seed", "")
        told = json.dumps(watcher.told)
        assert len(seed) == 64
        assert seed not in told
        picks = [m for m in watcher.told if any(e["name"] == "number_picked" for e in m.get("events", ()))]
        assert picks
        for message in picks:
            assert [set(event["data"]) for event in message["events"]] == [{"player_id"}] * len(message["events"])
            assert set(message["patch"].get("state", {})) <= {"picks"}
            assert set(message["patch"]["state"]["picks"].values()) == {0}
        await host.pick_number(game_id, PickBody(served.table.people[3].id, 7))
        await served.table.turn(1)
        while watcher.games[game_id]["phase"] != "completed":
            await served.table.turn(1)
            await watcher.read()
        assert watcher.games[game_id]["state"]["seed"] == seed
        assert without_nulls(watcher.games[game_id]) == without_nulls(await rest(host, game_id))


async def test_the_answers_of_others_are_hidden_from_a_player_and_from_everybody_else(served: Served) -> None:
    bot = served.table.bot
    token = await served.token(Role.HOST, served.chat_id)
    async with Client(served.url, token) as host, hub_of(served) as hub:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="quiz"))
        people = [person.id for person in served.table.people[1:3]]
        for number in (1, 2):
            await joined(host, served, game.id, number)
        await host.start_game(game.id)
        actor = actor_of(await bot.play.tokens.check(token))
        subscriptions = [
            await hub.subscribe(Principal("api", token.split("_")[1], actor, viewer), games=[game.id])
            for viewer in (None, people[0])
        ]
        watchers = [Watcher(), Watcher()]
        answered = [await host.answer_question(game.id, AnswerBody(person, 0, 1)) for person in people]
        for watcher, subscription in zip(watchers, subscriptions, strict=True):
            while watcher.games.get(game.id, {}).get("version", 0) < answered[-1].version:
                watcher.take(json.loads((await anext(subscription)).json))
        assert "questions" in watchers[0].games[game.id]["state"]
        none, own = (watcher.games[game.id]["state"]["replies"] for watcher in watchers)
        assert none == {str(person): {"remaining": 0} for person in people}
        assert own[str(people[0])]["choice"] == 1
        assert own[str(people[1])] == {"remaining": 0}
        given = [e for w in watchers for m in w.told for e in m.get("events", ()) if e["name"] == "answer_given"]
        assert {name for event in given for name in event["data"]} == {"player_id", "question", "remaining", "at"}


# -- clients that misbehave -------------------------------------------------------------------------------------


async def test_a_websocket_that_is_refused_is_no_error_in_the_log(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    # Anybody could fill the log with such errors.
    with pytest.raises(InvalidStatus, match="401"):
        await connect(f"{served.url.replace('http', 'ws', 1)}/api/v1/live")
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("sent", "code"), [("{", 1008), (b"\x00\x01", 1008), ('{"type":"subscribe",' + " " * 20_000, 1009)]
)
async def test_garbage_closes_the_connection(served: Served, sent: str | bytes, code: int) -> None:
    token = await served.token(Role.VIEWER)
    async with socket(served.url, token) as watcher:
        await watcher.connection.send(sent)
        assert (await closed(watcher))[0] == code


async def test_a_client_that_asks_for_what_it_may_not_again_and_again_is_closed(served: Served) -> None:
    token = await served.token(Role.VIEWER, 5)
    async with socket(served.url, token) as watcher:
        for _ in range(25):
            await watcher.ask(type="subscribe", chats=[served.chat_id])
        code, last = await closed(watcher)
        assert (code, last["type"]) == (1008, "closing")


async def end_of_graphql(url: str, token: str, code: int) -> None:
    """Open a WebSocket of GraphQL, and expect that the server closes it with a code."""
    address = f"{url.replace('http', 'ws')}/api/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as connection:
        await connection.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        async with asyncio.timeout(PATIENCE):
            await connection.wait_closed()
    assert connection.close_code == code


async def test_connections_and_subscriptions_have_limits(served: Served, replicas: Replicas) -> None:
    token, other = await served.token(Role.VIEWER), await served.token(Role.VIEWER)
    async with replicas(max_connections_per_token=3, max_connections=4, max_subscriptions=2) as url:
        async with AsyncExitStack() as stack:
            watcher, *_ = [await stack.enter_async_context(socket(url, token)) for _ in range(3)]
            for _ in range(20):
                assert await refused(url, token=token) == (429, "too-many-connections")
            await stack.enter_async_context(socket(url, other))
            assert await refused(url, token=other) == (429, "too-many-connections")
            await end_of_graphql(url, other, 1008)
            await watcher.subscribe(chats=[1, 2])
            await watcher.subscribe(chats=[3])
            assert watcher.told[-1]["code"] == "too-many-watched"
            await watcher.ask(type="unsubscribe", chats=[1])
            told = len(watcher.told)
            await watcher.subscribe(chats=[3])
            assert len(watcher.told) == told, "not refused, and without games"
        async with asyncio.timeout(PATIENCE):
            while not await may_connect(url, token):  # noqa: ASYNC110 -- the closed connections make room
                await asyncio.sleep(0.05)


async def test_a_slow_client_skips_to_the_present_state_and_others_miss_nothing(served: Served) -> None:
    token = await served.token(Role.HOST, served.chat_id)
    actor = actor_of(await served.table.bot.play.tokens.check(token))
    principal = Principal("api", token.split("_")[1], actor)
    async with Client(served.url, token) as host, hub_of(served, waiting=2) as hub:
        game_id = await opened(host, served)
        slow = await hub.subscribe(principal, games=[game_id])
        quick, told = await hub.subscribe(principal, games=[game_id]), Watcher()

        async def follow(version: int) -> None:
            while told.games.get(game_id, {}).get("version", 0) < version:
                told.take(json.loads((await anext(quick)).json))

        version = 0
        for number in range(1, 5):
            version = await joined(host, served, game_id, number)
            await follow(version)
        assert hub.figures.slow == 1
        late = Watcher()
        while late.cursor is None:
            late.take(json.loads((await anext(slow)).json))
        assert [(message["type"], message["reason"]) for message in late.told] == [("snapshot", "slow")]
        assert late.games[game_id] == await rest(host, game_id)
        assert told.versions[game_id] == list(range(2, version + 1))
        # From here on it gets everything again.
        ended = await host.cancel_game(game_id)
        while late.games[game_id]["version"] < ended.version:
            late.take(json.loads((await anext(slow)).json))
        assert without_nulls(late.games[game_id]) == without_nulls(await rest(host, game_id))


async def test_a_client_that_never_reads_does_not_hold_up_the_others(served: Served) -> None:
    token = await served.token(Role.HOST, served.chat_id)
    port = int(served.url.rpartition(":")[2])
    async with Client(served.url, token) as host, socket(served.url, token) as watcher:
        game_id = await opened(host, served)
        with sockets.create_connection(("127.0.0.1", port)) as mute:
            head = f"GET /api/v1/live?chat={served.chat_id} HTTP/1.1\r\nHost: x\r\n"
            mute.sendall(f"{head}Authorization: Bearer {token}\r\n\r\n".encode())
            await watcher.subscribe(games=[game_id])
            await watcher.until(game_id, await joined(host, served, game_id, 1, 2))


# -- the server's own ends ---------------------------------------------------------------------------------------


async def test_a_process_that_stops_tells_its_clients_to_come_back(served: Served, replicas: Replicas) -> None:
    token = await served.token(Role.HOST, served.chat_id)
    async with AsyncExitStack() as clients:
        async with Client(served.url, token) as host, replicas() as url:
            game_id = await opened(host, served)
            watcher = await clients.enter_async_context(socket(url, token))
            await watcher.subscribe(games=[game_id])
            events = await clients.enter_async_context(stream(url, token, game=game_id))
            await events.read()
        code, last = await closed(watcher)
        assert (code, last["code"]) == (1012, "restart")
        assert last["retry_ms"] > 0
        while not events.told or events.told[-1]["type"] != "closing":
            await events.read()
        assert events.told[-1]["code"] == "restart"


async def test_another_process_continues_from_a_cursor_or_says_that_it_cannot(
    served: Served, replicas: Replicas
) -> None:
    token = await served.token(Role.HOST, served.chat_id)
    bot = served.table.bot
    async with Client(served.url, token) as host:
        game_id = await opened(host, served)
        async with socket(served.url, token) as watcher:
            await watcher.subscribe(chats=[served.chat_id])
            await watcher.until(game_id, await joined(host, served, game_id, 1))
        version = await joined(host, served, game_id, 2)
        async with replicas() as url, socket(url, token) as other:
            other.games, other.versions = watcher.games, watcher.versions
            await other.subscribe(chats=[served.chat_id], cursor=watcher.cursor)
            assert other.versions[game_id] == list(range(2, version + 1))
            assert other.games[game_id] == await rest(host, game_id)
        feed = Feed(bot.stores.listening, bot.stores.games.shards, "boards", owner="test")
        async with asyncio.timeout(PATIENCE):
            while any([await bot.redis.xlen(f"tombola:{{{shard}}}:feed") for shard in bot.stores.games.shards]):
                await feed.trim(keep_ms=0)
        # Nothing happened since this cursor, so it is complete although the stream is empty.
        async with replicas() as url, socket(url, token) as third, socket(url, token) as late:
            await third.subscribe(chats=[served.chat_id], cursor=other.cursor)
            assert third.told == []
            await late.subscribe(chats=[served.chat_id], cursor=watcher.cursor)
            assert [(message["type"], message["reason"]) for message in late.told] == [("snapshot", "expired")]
            assert late.games[game_id] == await rest(host, game_id)


async def test_the_typed_client_follows_a_game_over_a_break(served: Served, replicas: Replicas) -> None:
    token = await served.token(Role.HOST, served.chat_id)
    async with Client(served.url, token) as host, replicas(lifetime_seconds=1) as url, Client(url, token) as viewer:
        game_id = await opened(host, served)
        game = None
        versions: list[int] = []
        breaks = 0
        async for message in viewer.live(chats=[served.chat_id]):
            assert message.game_id == game_id
            if not hasattr(message, "code"):
                game = updated(game, message)
            versions += [event.version for event in getattr(message, "events", ())]
            if game is not None and game.version < 6:
                await joined(host, served, game_id, game.players)
                await served.table.bot.play.tokens.check(token)
                breaks += 1
            elif game is not None:
                break
        assert versions == list(range(2, 7))
        await served.table.bot.play.tokens.revoke(token.split("_")[1])
        with pytest.raises((LiveEnded, Exception)):
            async for _ in viewer.live(chats=[served.chat_id]):
                pass
