"""GraphQL: the decisions and answers of REST, few queries for a page, and limits that hold before anything is read."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, get_origin

import httpx
import msgspec
import pytest
from graphql import get_introspection_query
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from api.client import GraphQLErrors, Refused
from api.endpoint import Endpoint
from api.games import JoinBody, OpenBody
from api.graphql.limits import MOST_ALIASES, MOST_COST, MOST_LEVELS, MOST_TOKENS, Limits
from api.graphql.links import LINKS
from api.graphql.schema import Graph, build, field_names, is_field
from api.graphql.server import Server
from api.table import ENDPOINTS
from play.access import Role
from storage.keys import rate_key
from tests.api.conftest import Served
from tests.api.test_access import ELSEWHERE, REFUSED, may

FIELDS = [endpoint for endpoint in ENDPOINTS if is_field(endpoint)]
NAMES = field_names(FIELDS)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return build(ENDPOINTS, LINKS)


def asked(endpoint: Endpoint, served: Served, game_id: str) -> str:
    """Return a field of a query, about the group and its game."""
    filled = {
        "chat": served.chat_id, "player": 4242, "game": f'"{game_id}"', "token": '"aaaaaaaaaa"', "pack": 1, "job": 1,
        "endpoint": '"a"', "delivery": 1, "source": '"a"', "old": 0, "new": 0,
        "recurring": 1, "template": 1, "flag": '"a"', "size": 1, "page": f'"{"a" * 32}"',
    }  # fmt: skip
    wanted = [*endpoint.parameters, *endpoint.query.__struct_fields__]
    arguments = ", ".join(
        f"{name}: {filled[name]}" for name in wanted if name in endpoint.parameters or name in needed(endpoint)
    )
    leaf = get_origin(endpoint.result) is dict
    return f"{NAMES[endpoint.name]}{f'({arguments})' if arguments else ''} {'' if leaf else '{ __typename }'}"


def needed(endpoint: Endpoint) -> set[str]:
    """Return the parameters of an endpoint that name its chat, or that it requires."""
    required = {each.name for each in msgspec.structs.fields(endpoint.query) if each.required}
    return required | ({"chat"} & {*endpoint.query.__struct_fields__})


def batched(endpoints: list[Endpoint], size: int) -> list[list[Endpoint]]:
    return [endpoints[start : start + size] for start in range(0, len(endpoints), size)]


async def test_every_field_is_open_to_the_roles_and_chats_of_the_table_and_closed_to_all_others(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host, httpx.AsyncClient(timeout=60) as http:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"))
        strangers = await served.strangers()
        for token in strangers:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            response = await http.post(
                f"{served.url}/api/graphql", json={"query": "{ ownToken { prefix } }"}, headers=headers
            )
            assert (response.status_code, response.json()["code"]) == (401, "not-authenticated")
        refusals: Counter[str] = Counter()
        for role in Role:
            for scope in ((), (served.chat_id,), (ELSEWHERE,)):
                token = await served.token(role, *scope)
                for together in batched(FIELDS, 20):
                    await served.table.bot.redis.delete(rate_key(token.split("_")[1]))
                    response = await http.post(
                        f"{served.url}/api/graphql",
                        json={"query": f"{{ {' '.join(asked(each, served, game.id) for each in together)} }}"},
                        headers={"authorization": f"Bearer {token}"},
                    )
                    assert response.status_code == 200, response.text
                    told = response.json()
                    codes = {each["path"][0]: each["extensions"]["code"] for each in told.get("errors", [])}
                    assert "bug" not in codes.values(), response.text
                    for endpoint in together:
                        name = NAMES[endpoint.name]
                        allowed = may(endpoint, role, limited=bool(scope), here=served.chat_id in scope)
                        assert (codes.get(name) not in REFUSED) == allowed, (name, role, scope, codes.get(name))
                        assert allowed or told["data"][name] is None
                    refusals.update(code for code in codes.values() if code in REFUSED)
    await served.table.bot.stores.audit.flush()
    counted = "SELECT count(*) FROM audit_log WHERE face = 'api' AND outcome = $1"
    for code, count in {**refusals, "not-authenticated": len(strangers)}.items():
        assert await served.table.bot.pool.fetchval(counted, code) == count, code


async def test_a_page_of_fifty_games_with_players_and_chats_takes_at_most_five_statements(served: Served) -> None:
    pool = served.table.bot.pool
    for number in range(50):
        await pool.execute(
            "INSERT INTO games (id, kind, chat_id, title, host_id, rules, prize_pool, opened_at, status, version,"
            " players) VALUES ($1, 'quiz', $2, 'x', 1, '{}', 0, now(), 'players_joining', 3, 2)",
            f"00{number:020}", -1 - number % 7,
        )  # fmt: skip
    await pool.execute(
        "INSERT INTO players (id, name) SELECT n, 'P' || n FROM generate_series(1, 30) n ON CONFLICT DO NOTHING"
    )
    await pool.execute(
        "INSERT INTO game_participants (game_id, player_id, name, joined_at)"
        " SELECT g.id, n, 'P' || n, now() + n * interval '1 s' FROM games g, generate_series(1, 30) n WHERE title = 'x'"
    )
    await pool.execute("INSERT INTO chats (id, type, title) VALUES (-1, 'group', 'Chess')")
    query = """{ games(kind: "quiz", limit: 50) { items {
        id chatId chat { title } participants { id name joinedAt } two: participants(limit: 2) { name }
    } } }"""
    async with await served.client(Role.OPERATOR) as operator:
        await operator.get_own_token()  # the token is known from now on
        statements: list[str] = []
        for store in (served.table.bot.stores.archive, served.table.bot.stores.people):
            store._pool = Counting(store._pool, statements)  # type: ignore[assignment]
        games = (await operator.query(query))["games"]["items"]
    assert len(games) == 50
    assert [player["name"] for player in games[0]["participants"]] == [f"P{n}" for n in range(1, 21)]
    assert [player["name"] for player in games[49]["two"]] == ["P1", "P2"]
    assert {game["chat"]["title"] for game in games if game["chat"]} == {"Chess"}
    assert 3 <= len(statements) <= 5, statements


class Counting:
    """A pool whose statements are counted, but for those of the process's own tasks, which have names."""

    def __init__(self, pool: Any, statements: list[str]) -> None:
        self._pool = pool
        self._statements = statements

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._pool, name)

        def counted(statement: str, *args: Any, **kwargs: Any) -> Any:
            task = asyncio.current_task()
            if task is not None and task.get_name().startswith("Task-"):
                self._statements.append(statement)
            return method(statement, *args, **kwargs)

        return counted


async def test_fields_have_the_answers_of_rest_and_cursors_go_on_in_either(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number", title="Friday"))
        person = served.table.people[2]
        await host.join_game(game.id, JoinBody(person.id, person.first_name))
        found = await host.query(
            "query ($game: String!) { game(game: $game) { id title state participants { id name } chat { id } } }",
            game=game.id,
        )
        shown = await host.get_game(game.id)
        assert found["game"]["state"] == msgspec.to_builtins(shown.state)
        assert found["game"]["participants"] == [{"id": person.id, "name": person.first_name}]
        await served.projected(game.id, shown.version)
        query = """query ($game: String!, $after: String) {
            events(game: $game, limit: 1, cursor: $after) { items { name data } next }
        }"""
        first = (await host.query(query, game=game.id))["events"]
        events, _ = await host.list_events(game.id)
        assert first["items"][0] == {"name": events[0].name, "data": msgspec.to_builtins(events[0].data)}
        rest, _ = await host.list_events(game.id, cursor=first["next"])
        assert [each.version for each in rest] == [each.version for each in events[1:]]
        with pytest.raises(GraphQLErrors) as caught:
            await host.query(query, game=game.id, after="forged")
        assert caught.value.problems["events"]["code"] == "bad-cursor"
        page = await host.persisted_query("chat_page", chat=served.chat_id)
        assert [each["title"] for each in page["games"]["items"]] == ["Friday"]
        assert (await host.persisted_query("game_page", game=game.id))["game"]["chat"]["id"] == served.chat_id


REFUSALS = (
    ("{ games { items { participants { name } } next", "bad-query"),
    ("{ nothing }", "bad-query"),
    ("mutation { cancel }", "bad-query"),
    ("subscription { games { next } }", "bad-query"),
    ("{ game { id } }", "bad-query"),
    ("query ($n: Int!) { games(limit: $n) { next } }", "bad-query"),
    ("query A { ownToken { role } } query B { ownToken { role } }", "bad-query"),
    ("{ " + "ownToken { role } " * MOST_TOKENS + "}", "query-too-long"),
    ("{ a" * 40 + "}" * 40, "query-too-deep"),
    ("{ a" * 300 + "}" * 300, "query-too-deep"),
    ("{ games { items { chat { id { id { id { id } } } } } } }", "query-too-deep"),
    ("{ " + " ".join(f"a{n}: ownToken {{ role }}" for n in range(MOST_ALIASES + 1)) + " }", "too-many-aliases"),
    ("{ " + "__typename " * (MOST_ALIASES + 2) + "}", "too-many-aliases"),
    ("{ games { items { id } } " + "... { games { items { id } } }" * (MOST_ALIASES + 1) + " }", "too-many-aliases"),
    ("{ a: __schema { types { name } } }", "too-many-aliases"),
    ("{ __schema { types { name a: fields { name } } } }", "too-many-aliases"),
    ("{ ...A } fragment A on Query { __schema { types { name ... { name } } } }", "too-many-aliases"),
    ("{ games(limit: 50) { items { participants(limit: 50) { id } } } }", "query-too-costly"),
    ("{ games(limit: 51) { next } }", "invalid-request"),
    ("{ games(limit: 0) { next } }", "invalid-request"),
)
"""A query that is refused as a whole, and the code."""


async def test_a_query_beyond_a_limit_or_with_a_mistake_is_refused_as_a_whole(served: Served) -> None:
    async with await served.client(Role.OPERATOR) as operator:
        for query, code in REFUSALS:
            with pytest.raises(Refused) as caught:
                await operator.query(query)
            assert (caught.value.problem.status, caught.value.problem.code) == (422, code), query


def test_fragments_that_double_at_each_level_are_refused_without_being_expanded(graph: Graph) -> None:
    doubling = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    limits = Limits(graph)
    document = limits.checked("{ ...F0 } " + doubling + " fragment F60 on Query { ownToken { role } }")
    with pytest.raises(Exception, match="query-too-costly"):
        limits.cost(document, {}, None)
    with pytest.raises(Exception, match="bad-query"):
        limits.checked("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }")


def test_the_cost_counts_objects_and_queries_and_a_variable_counts_as_its_value(graph: Graph) -> None:
    limits = Limits(graph)
    document = limits.checked("query ($n: Int = 7) { games(limit: $n) { items { chat { id } participants { id } } } }")
    for variables, count in (({}, 7), ({"n": 30}, 30), ({"n": 30.0}, 30)):
        cost = limits.cost(document, variables, None)
        assert cost.queries == 3
        assert count * 21 < cost.total < count * 25 + 40 < MOST_COST
    assert MOST_LEVELS == 6
    for number in (-1, -1.0, 51, 51.0, 1e6):
        with pytest.raises(Exception, match="invalid-request"):
            limits.cost(document, {"n": number}, None)


def test_introspection_counts_as_the_reads_that_take_as_long(graph: Graph) -> None:
    limits = Limits(graph)
    assert limits.cost(limits.checked(get_introspection_query()), {}, None).queries == 20
    assert limits.cost(limits.checked("{ ownToken { __typename } }"), {}, None).queries == 1


async def test_null_in_a_variable_of_an_argument_that_needs_a_value_is_a_mistake_of_the_query(served: Served) -> None:
    async with await served.client(Role.OPERATOR) as operator:
        with pytest.raises(GraphQLErrors) as caught:
            await operator.query("query ($n: Int = 7) { games(limit: $n) { next } }", n=None)
        assert [problem["code"] for problem in caught.value.problems.values()] == ["bad-query"]


async def test_a_field_that_is_refused_is_null_with_the_problem_of_rest_and_the_others_stay(served: Served) -> None:
    async with await served.client(Role.VIEWER, served.chat_id) as viewer:
        with pytest.raises(GraphQLErrors) as caught:
            await viewer.query('{ ownToken { role } game(game: "00nosuchgame00") { id } audit { next } }')
    assert caught.value.data == {"ownToken": {"role": "viewer"}, "game": None, "audit": None}
    codes = {path: (problem["code"], problem["status"]) for path, problem in caught.value.problems.items()}
    assert codes == {"game": ("unknown-game", 404), "audit": ("not-an-operator", 403)}


async def test_the_character_nul_is_refused_in_every_text_of_a_query(served: Served) -> None:
    async with await served.client(Role.OPERATOR) as operator:
        page = r'query($chat: Long!) { historyOfChat(chat: $chat, cursor: "a\u0000") { next } }'
        for query, variables in (
            (r'{ games(kind: "a\u0000") { next } }', {}),
            ('{ games(kind: "a\0") { next } }', {}),
            ("query($kind: String!) { games(kind: $kind) { next } }", {"kind": "\0"}),
            ("query($id: String!) { game(game: $id) { id } }", {"id": "0" * 21 + "\0"}),
            (page, {"chat": served.chat_id}),
        ):
            with pytest.raises(GraphQLErrors) as caught:
                await operator.query(query, **variables)
            codes = {problem["code"] for problem in caught.value.problems.values()}
            assert codes <= {"invalid-request", "unknown-game"}, (query, codes)
        with pytest.raises(Refused) as refused:
            await operator.query("{ games\0 { next } }")
        assert refused.value.problem.code == "bad-query"


async def test_a_bug_is_told_by_its_trace_alone(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(served.table.bot.stores.archive, "listed", broken)
    async with await served.client(Role.OPERATOR) as operator, httpx.AsyncClient(timeout=60) as http:
        response = await http.post(
            f"{served.url}/api/graphql",
            json={"query": "{ games { next } }"},
            headers={"authorization": f"Bearer {operator._token}"},
        )
    error = response.json()["errors"][0]
    assert error["extensions"]["code"] == "bug"
    assert error["extensions"]["trace"] == response.headers["x-trace-id"]
    assert "secret" not in response.text
    assert "Traceback" not in response.text


async def test_introspection_and_free_queries_need_a_token_and_batches_are_refused(served: Served) -> None:
    url = f"{served.url}/api/graphql"
    async with await served.client(Role.VIEWER) as viewer, httpx.AsyncClient(timeout=60) as http:
        kinds = await viewer.query(get_introspection_query(descriptions=True))
        names = {each["name"] for each in kinds["__schema"]["queryType"] and kinds["__schema"]["types"]}
        assert {"Query", "Game", "GameSummary", "Player", "Rank"} <= names
        headers = {"authorization": f"Bearer {viewer._token}"}
        batch = await http.post(url, json=[{"query": "{ ownToken { role } }"}], headers=headers)
        assert (batch.status_code, batch.json()["code"]) == (422, "invalid-request")
        free = await http.get(url, params={"query": "{ ownToken { role } }"}, headers=headers)
        assert (free.status_code, free.json()["code"]) == (404, "unknown-query")
        put = await http.put(url, headers=headers)
        assert (put.status_code, put.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
        assert (await http.post(url, json={"query": get_introspection_query()})).status_code == 401


async def test_a_persisted_query_is_cached_by_its_tag_and_a_public_one_needs_no_token(served: Served) -> None:
    url = f"{served.url}/api/graphql"
    async with await served.client(Role.VIEWER, served.chat_id) as viewer, httpx.AsyncClient(timeout=60) as http:
        public = await http.get(url, params={"id": "log_head"})
        assert public.json()["data"]["logHead"]["size"] >= 0
        assert public.headers["cache-control"] == "public, max-age=30"
        unchanging = {"id": "log_consistency", "variables": '{"old": 0, "new": 0}'}
        tag = (await http.get(url, params=unchanging)).headers["etag"]
        assert (await http.get(url, params=unchanging, headers={"if-none-match": tag})).status_code == 304
        variables = msgspec.json.encode({"chat": served.chat_id}).decode()
        closed = await http.get(url, params={"id": "chat_page", "variables": variables})
        assert closed.status_code == 401
        headers = {"authorization": f"Bearer {viewer._token}"}
        mine = await http.get(url, params={"id": "chat_page", "variables": variables}, headers=headers)
        assert mine.headers["cache-control"] == "private, no-cache"
        assert "Authorization" in mine.headers["vary"]
        with pytest.raises(GraphQLErrors) as caught:
            await viewer.persisted_query("chat_page", chat=ELSEWHERE)
        assert {problem["code"] for problem in caught.value.problems.values()} == {"elsewhere"}


async def test_a_query_counts_as_the_requests_that_it_saves(served: Served) -> None:
    async with await served.client(Role.OPERATOR) as operator:
        fields = " ".join(f"a{n}: leaderboard {{ next }}" for n in range(10))

        async def ask_often() -> None:
            for _ in range(100):
                await operator.query(f"{{ {fields} }}")

        with pytest.raises(Refused) as caught:
            await ask_often()
        assert caught.value.problem.code == "too-many-requests"
        assert caught.value.retry_after is not None


def test_each_persisted_query_is_valid_and_only_the_public_log_needs_no_token(shared_server: Server) -> None:
    assert {name for name, each in shared_server.persisted.items() if each.public} == {"log_head", "log_consistency"}
    assert {"game_page", "chat_page"} <= shared_server.persisted.keys()


@pytest.fixture(scope="module")
def shared_server() -> Server:
    return Server(ENDPOINTS, None)  # type: ignore[arg-type]


def test_graphql_is_imported_when_it_is_used() -> None:
    program = "import sys, api.app; sys.exit(any(each in sys.modules for each in ('strawberry', 'graphql')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# -- subscriptions ----------------------------------------------------------------------------------------------

LIVE = """subscription ($games: [String!], $chats: [Long!], $cursor: String) {
    live(games: $games, chats: $chats, cursor: $cursor)
}"""


PROTOCOL = Subprotocol("graphql-transport-ws")


@asynccontextmanager
async def socket(served: Served, payload: dict[str, Any]) -> AsyncIterator[ClientConnection]:
    """Open a WebSocket and begin the protocol."""
    url = f"{served.url.replace('http', 'ws')}/api/graphql"
    async with connect(url, subprotocols=[PROTOCOL]) as connection:
        await connection.send(json.dumps({"type": "connection_init", "payload": payload}))
        yield connection


async def heard(connection: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(60):
        told: dict[str, Any] = json.loads(await connection.recv())
    return told


async def batch(connection: ClientConnection) -> dict[str, Any]:
    """Return the next batch of a subscription."""
    while (message := await heard(connection))["type"] == "complete":
        pass  # of an earlier subscription
    told: dict[str, Any] = message["payload"]["data"]["live"]
    return told


async def versions(connection: ClientConnection, last: int) -> list[int]:
    """Read until an event, and return the versions of the events on the way."""
    found: list[int] = []
    while last not in found:
        for message in (await batch(connection))["messages"]:
            assert message["type"] == "events", message
            found += [event["version"] for event in message["events"]]
    return found


async def code_of_end(connection: ClientConnection) -> int:
    """Return the code with which the server closes a connection."""
    async with asyncio.timeout(60):
        await connection.wait_closed()
    assert connection.close_code is not None
    return connection.close_code


async def refusal(connection: ClientConnection) -> str:
    """Return the code of the refusal with which a subscription ends."""
    told = await heard(connection)
    while told["type"] == "complete":
        told = await heard(connection)
    return str(told["payload"]["errors"][0]["extensions"]["code"])


async def watch(connection: ClientConnection, id_: str, query: str = LIVE, **variables: Any) -> None:
    payload = {"query": query, "variables": variables}
    await connection.send(json.dumps({"id": id_, "type": "subscribe", "payload": payload}))


async def test_a_subscription_has_the_batches_of_live_updates_and_goes_on_at_a_cursor(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"))
        ticket = (await host.create_live_ticket()).ticket
        person = served.table.people[2]
        async with socket(served, {"ticket": ticket}) as connection:
            assert (await heard(connection))["type"] == "connection_ack"
            await watch(connection, "1", games=[game.id])
            first = await batch(connection)
            assert [each["type"] for each in first["messages"]] == ["snapshot"]
            while (cursor := first["cursor"]) is None:  # a cursor comes with the last batch of a position
                first = await batch(connection)
            await host.join_game(game.id, JoinBody(person.id, person.first_name))
            assert await versions(connection, 2) == [2]
        async with socket(served, {"authorization": f"Bearer {host._token}"}) as connection:
            assert (await heard(connection))["type"] == "connection_ack"
            await watch(connection, "1", chats=[served.chat_id], cursor=cursor)
            assert await versions(connection, 2) == [2]
            await connection.send(json.dumps({"id": "1", "type": "complete"}))
            await watch(connection, "2", "{ reads }")
            while (answer := await heard(connection))["id"] != "2":
                pass  # a batch that was on its way
            assert answer["payload"] == {"data": {"reads": "/api/graphql"}}


async def test_a_subscription_is_refused_without_a_valid_token_and_for_another_chat(served: Served) -> None:
    revoked = await served.token(Role.VIEWER, served.chat_id)
    for payload in ({}, {"authorization": "Bearer tombola_x_y"}, {"ticket": "forged"}, {"ticket": 7}):
        async with socket(served, payload) as connection:
            assert await code_of_end(connection) == 4403
    async with socket(served, {"authorization": f"Bearer {revoked}"}) as connection:
        assert (await heard(connection))["type"] == "connection_ack"
        await watch(connection, "1", chats=[ELSEWHERE])
        assert await refusal(connection) == "elsewhere"
        await watch(connection, "2", games=["00nosuchgame00"])
        assert await refusal(connection) == "unknown-game"
        await watch(connection, "3", chats=[served.chat_id], cursor="forged")
        assert await refusal(connection) == "bad-cursor"
        await watch(connection, "4")
        assert await refusal(connection) == "invalid-request"
        await watch(connection, "5", chats=[served.chat_id])
        assert "cursor" in await batch(connection)
        await served.table.bot.play.tokens.revoke(revoked.split("_")[1])
        assert await code_of_end(connection) == 4401
    await served.table.bot.stores.audit.flush()
    counted = "SELECT count(*) FROM audit_log WHERE action = 'watch_live' AND outcome = $1"
    assert await served.table.bot.pool.fetchval(counted, "not-authenticated") == 4
    assert await served.table.bot.pool.fetchval(counted, "elsewhere") == 1


async def test_a_websocket_from_another_page_is_refused(served: Served) -> None:
    url = f"{served.url.replace('http', 'ws')}/api/graphql"
    with pytest.raises(InvalidStatus) as invalid:
        await connect(url, subprotocols=[PROTOCOL], origin=Origin("https://elsewhere.example"))
    assert invalid.value.response.status_code == 403
    await served.table.bot.stores.audit.flush()
    counted = "SELECT count(*) FROM audit_log WHERE action = 'watch_live' AND outcome = 'wrong-origin'"
    assert await served.table.bot.pool.fetchval(counted) == 1


async def test_messages_of_a_websocket_count_against_the_rate_of_its_token(served: Served) -> None:
    token = await served.token(Role.VIEWER, served.chat_id)
    async with socket(served, {"authorization": f"Bearer {token}"}) as connection:
        assert (await heard(connection))["type"] == "connection_ack"
        # As if other connections of the token had used its rate.
        requests = served.table.bot.stores.api_requests
        async with asyncio.timeout(60):
            while not await requests.wait_ms(token.split("_")[1], a_second=0.01, burst=1):
                pass
        await connection.send(json.dumps({"type": "ping"}))
        assert await code_of_end(connection) == 1008
