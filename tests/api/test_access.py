"""Every endpoint, with every sort of token: the table decides, and the same table is tried over HTTP."""

import asyncio
import re
from collections import Counter
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import httpx
import msgspec
import pytest

from api.client import Client
from api.endpoint import About, Endpoint
from api.games import JoinBody, OpenBody
from api.openapi import describe, refusals_of
from api.openapi_responses import code as code_of
from api.table import ENDPOINTS
from fsm.kind import Rejected
from fsm.question import Question
from play.access import GRANTED, Needs, Role
from play.standard_webhooks import signed
from storage.keys import joined_by_api_key, rate_key
from tests.api.conftest import Served, address, body, check_documented, query

ELSEWHERE = -1_009_999_999_999
"""A chat that no game is in."""
REFUSED = {"not-authenticated", "elsewhere", "not-a-host", "not-an-operator", "needs-a-person", "needs-a-token"}


def may(endpoint: Endpoint, role: Role, *, limited: bool, here: bool) -> bool:
    """Return whether a token has access, by the table alone."""
    if endpoint.public or endpoint.needs is Needs.NOTHING:
        return True
    if endpoint.needs not in GRANTED[role]:
        return False
    if not limited or endpoint.about is About.NOTHING:
        return True
    return here and endpoint.about is not About.EVERYWHERE


async def test_every_endpoint_is_open_to_the_roles_and_chats_of_the_table_and_closed_to_all_others(
    served: Served,
) -> None:
    async with (
        await served.client(Role.HOST, served.chat_id) as host,
        httpx.AsyncClient(timeout=60, event_hooks={"response": [check_documented]}) as http,
    ):
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"))
        tokens = {
            (role, scope): await served.token(role, *scope)
            for role in Role
            for scope in ((), (served.chat_id,), (ELSEWHERE,))
        }
        strangers = await served.strangers()

        refusals: Counter[str] = Counter()

        async def code(endpoint: Endpoint, token: str | None, number: int) -> str:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            if endpoint.writes:
                headers["idempotency-key"] = f"{endpoint.name}-{number}"
            content = body(endpoint, served)
            if isinstance(content, dict):
                content, headers["content-type"] = msgspec.json.encode(content), "application/json"
            url = f"{served.url}/api/v1{address(endpoint, served, game.id)}"
            given = query(endpoint, served)
            response = await http.request(endpoint.method, url, params=given, content=content, headers=headers)
            assert response.status_code != 500, (endpoint.name, response.text)
            kind = response.headers.get("content-type", "")
            told = str(response.json()["code"]) if kind.startswith("application/problem+json") else ""
            if told in REFUSED:
                refusals[told] += 1
            return told

        for endpoint in ENDPOINTS:
            await served.table.bot.redis.delete(rate_key("@127.0.0.1"))  # strangers have a small rate
            # At the same time, because each write waits for its row in the audit log, and rows are written together.
            every = await asyncio.gather(
                *(code(endpoint, token, number) for number, token in enumerate([*strangers, *tokens.values()]))
            )
            assert {told == "not-authenticated" for told in every[: len(strangers)]} == {not endpoint.public}, endpoint
            for (role, scope), told in zip(tokens, every[len(strangers) :], strict=True):
                allowed = may(endpoint, role, limited=bool(scope), here=served.chat_id in scope)
                assert (told not in REFUSED) == allowed, (endpoint.name, role, scope, told)
        await served.table.bot.stores.audit.flush()
        counted = "SELECT count(*) FROM audit_log WHERE face = 'api' AND outcome = $1"
        for told, count in refusals.items():
            assert await served.table.bot.pool.fetchval(counted, told) == count, told


def test_the_table_gives_no_more_to_strangers_and_viewers_than_it_should() -> None:
    """The server and the tests above follow the table alone, so a second list finds a mistake in it."""
    assert {each.name for each in ENDPOINTS if each.public} == {
        *("get_openapi", "get_reference", "get_reference_style", "get_log_head", "get_log_consistency"),
        *("receive_call", "receive_flag_call", "create_session", "create_dashboard_session"),
        *("get_public_chat", "get_public_leaderboard", "get_public_game", "get_public_proof"),
    }
    assert {each.name for each in ENDPOINTS if each.needs is Needs.NOTHING and not each.public} == {"get_own_token"}
    to_viewers = {each.name for each in ENDPOINTS if each.writes and each.needs in GRANTED[Role.VIEWER]}
    assert to_viewers == {"create_live_ticket"}
    assert {each.name for each in ENDPOINTS if each.people} == {
        *("list_games", "get_game", "list_players", "start_game", "extend_game", "get_proof", "create_live_ticket"),
        *("join_game", "leave_game", "pick_number", "answer_question"),
        *("get_player_of_chat", "get_leaderboard_of_chat", "get_history_of_chat"),
        *("get_rights", "get_settings", "change_settings", "open_game", "list_packs"),
        *("get_dashboard_session", "end_dashboard_session", "list_own_chats"),
    }
    everywhere = {each.name for each in ENDPOINTS if each.about is About.NOTHING and not each.public}
    assert everywhere == {"get_own_token", "create_live_ticket", "get_health"} | {
        *("get_dashboard_session", "end_dashboard_session", "list_own_chats"),
    }


async def test_live_updates_are_open_to_the_tokens_of_the_chat_and_closed_to_all_others(served: Served) -> None:
    async with (
        await served.client(Role.HOST, served.chat_id) as host,
        httpx.AsyncClient(timeout=60, event_hooks={"response": [check_documented]}) as http,
    ):
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"))
        strangers = await served.strangers()
        refusals: Counter[str] = Counter()

        async def code(watched: dict[str, Any], token: str | None = None, ticket: str | None = None) -> str:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            params = watched if ticket is None else {**watched, "ticket": ticket}
            async with http.stream("GET", f"{served.url}/api/v1/live", params=params, headers=headers) as response:
                told = "" if response.status_code == 200 else str(msgspec.json.decode(await response.aread())["code"])
            if told:
                refusals[told] += 1
            return told

        for watched in ({"game": game.id}, {"chat": served.chat_id}):
            await served.table.bot.redis.delete(rate_key("@127.0.0.1"))  # strangers have a small rate
            for stranger in strangers:
                assert await code(watched, stranger) == "not-authenticated"
            assert await code(watched, ticket=strangers[1]) == "not-authenticated"
            for role in Role:
                for scope in ((), (served.chat_id,), (ELSEWHERE,)):
                    token = await served.token(role, *scope)
                    expected = "elsewhere" if scope == (ELSEWHERE,) else ""
                    assert await code(watched, token) == expected, (watched, role, scope)
                    async with Client(served.url, token) as holder:
                        ticket = (await holder.create_live_ticket()).ticket
                    assert await code(watched, ticket=ticket) == expected, (watched, role, scope)
                    assert await code(watched, ticket=ticket) == "not-authenticated", "a ticket opens one connection"
        await served.table.bot.stores.audit.flush()
        counted = "SELECT count(*) FROM audit_log WHERE action = 'watch_live' AND outcome = $1"
        for told, count in refusals.items():
            assert await served.table.bot.pool.fetchval(counted, told) == count, told


async def test_things_of_another_chat_are_unknown_under_the_address_of_ones_own(served: Served) -> None:
    stores = served.table.bot.stores
    await stores.webhooks.add("ep1", ELSEWHERE, "https://a.example/", (), "", b"s" * 32, 1)
    await stores.webhooks.add_source("in1", ELSEWHERE, 0, "", b"s" * 32, 1)
    pack = await stores.questions.add_pack(
        ELSEWHERE, "Sums", "en", [Question(id="q1", text="2 + 2?", answers=("4", "5"))]
    )
    things = {"endpoint": "ep1", "source": "in1", "pack": pack.id, "delivery": 1}
    token = await served.token(Role.HOST, served.chat_id)
    tried = 0
    async with httpx.AsyncClient(timeout=60, event_hooks={"response": [check_documented]}) as http:
        for endpoint in ENDPOINTS:
            if "chat" not in endpoint.parameters or not things.keys() & set(endpoint.parameters):
                continue
            values = {"chat": served.chat_id, **things}
            path = re.sub(r"{(\w+)}", lambda found: str(values[found[1]]), endpoint.path)  # noqa: B023 -- used at once
            response = await http.request(
                endpoint.method,
                f"{served.url}/api/v1{path}",
                json=body(endpoint, served),
                headers={"authorization": f"Bearer {token}", "idempotency-key": endpoint.name},
            )
            harmless = endpoint.method == "DELETE" and response.status_code == 204
            assert harmless or response.status_code == 404, (endpoint.name, response.text)
            tried += 1
    assert tried > 10
    assert await stores.webhooks.endpoint("ep1") is not None
    assert await stores.webhooks.source("in1") is not None
    assert await stores.questions.pack(pack.id, ELSEWHERE) is not None


async def test_calls_of_sources_are_refused_and_audited(served: Served) -> None:
    stores, now = served.table.bot.stores, served.table.bot.play.clock.now() // 1000
    await stores.webhooks.add_source("in1", served.chat_id, 0, "", b"s" * 32, 1)
    opening = msgspec.json.encode({"type": "game.open", "data": {"kind": "pick_number"}})
    ending = msgspec.json.encode({"type": "game.end", "data": {"game_id": "0" * 22}})
    calls = [
        ("in1", {}, opening, "bad-signature"),
        ("in1", signed([b"x" * 32], "m1", now, opening), opening, "bad-signature"),
        ("in1", signed([b"s" * 32], "m1", now, opening), opening + b" ", "bad-signature"),
        ("in2", signed([b"s" * 32], "m1", now, opening), opening, "bad-signature"),
        ("in1", signed([b"s" * 32], "m1", now - 301, opening), opening, "stale-call"),
        ("in1", signed([b"s" * 32], "m2", now, b"{}"), b"{}", "bad-call"),
        ("in1", signed([b"s" * 32], "m3", now, ending), ending, "unknown-game"),
        ("in1", signed([b"s" * 32], "m4", now, opening), opening, "done"),
        ("in1", signed([b"s" * 32], "m4", now, opening), opening, "replayed-call"),
    ]
    async with httpx.AsyncClient(timeout=60, event_hooks={"response": [check_documented]}) as http:
        for source, headers, content, expected in calls:
            response = await http.post(f"{served.url}/api/v1/hooks/{source}", headers=headers, content=content)
            told = "done" if response.status_code == 200 else response.json()["code"]
            assert told == expected, (headers, response.text)
    await stores.audit.flush()
    rows = await stores.audit.page(100)
    audited = [row.outcome for row in rows if row.action == "receive_call"]
    assert audited[::-1] == [expected for *_, expected in calls]


async def test_a_token_makes_the_moves_only_of_players_for_whom_the_api_has_joined(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"))
        tapping, calling = served.table.people[1], served.table.people[2]
        await served.table.tap(tapping, r"^j:")
        await host.join_game(game.id, JoinBody(calling.id, calling.first_name))
        await host.start_game(game.id)
        for path, code in (("picks", "joined-elsewhere"), (f"players/{tapping.id}/leave", "joined-elsewhere")):
            sent = {"player_id": tapping.id, "number": 3} if path == "picks" else None
            response = await host.send("POST", f"/games/{game.id}/{path}", body=sent)
            assert response.json()["code"] == code
        response = await host.send("POST", f"/games/{game.id}/picks", body={"player_id": calling.id, "number": 3})
        assert response.status_code == 200
        # Redis forgets it; the events of the game still say by which command the player joined.
        await served.table.bot.redis.delete(joined_by_api_key(game.id))
        await served.projected(game.id, 3)
        response = await host.send("POST", f"/games/{game.id}/picks", body={"player_id": calling.id, "number": 4})
        assert response.status_code == 200
        response = await host.send("POST", f"/games/{game.id}/picks", body={"player_id": tapping.id, "number": 5})
        assert response.json()["code"] == "joined-elsewhere"


def test_every_refusal_and_every_role_stands_in_the_document() -> None:
    document = describe(ENDPOINTS)
    for endpoint in ENDPOINTS:
        operation = document["paths"][f"/api/v1{endpoint.path}"][endpoint.method.lower()]
        codes = {code for response in operation["responses"].values() for code in _codes(response)}
        assert {"bug", "away", "too-many-requests"} <= codes
        if endpoint.writes:
            assert "idempotency-key-missing" in codes
            assert any(each["name"] == "Idempotency-Key" for each in operation["parameters"])
        assert operation["summary"], endpoint.name
        assert operation["x-roles"] == (
            [] if endpoint.public else [r.value for r in Role if endpoint.needs in GRANTED[r]]
        )
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names)) == len(ENDPOINTS) + len(document["paths"]["/api/graphql"])


NOT_BY_THE_API = {
    "bad-query": "for GraphQL alone",
    "query-too-long": "for GraphQL alone",
    "query-too-deep": "for GraphQL alone",
    "too-many-aliases": "for GraphQL alone",
    "query-too-costly": "for GraphQL alone",
    "query-too-slow": "for GraphQL alone",
    "unknown-query": "for GraphQL alone",
    "method-not-allowed": "there is no operation in whose responses it could stand",
    "bad-question": "content of the bank and of packs was checked before",
    "wrong-question-count": "content of the bank and of packs was checked before",
    "not-paused": "no endpoint resumes a quiz",
    "poll-runs": "no endpoint pauses a quiz",
    "join-in-group": "for people who join from their private chat",
    "not-yours": "for dialogs",
    "answer-incomplete": "an answer by the API is whole",
    "name-taken": "no endpoint renames a template",
    "too-many-subscriptions": "no endpoint subscribes a person",
    "altered-signature": "no endpoint proves a wallet",
    "malformed-signature": "no endpoint proves a wallet",
    "wrong-checksum": "no endpoint proves a wallet",
}
"""Code of a refusal below the faces -> reason for which no endpoint answers with it."""


def test_every_refusal_below_the_faces_stands_in_the_document_or_has_a_reason_not_to() -> None:
    for package in map(import_module, ("fsm", "questions", "storage", "play", "api")):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    known, found = [Rejected], set()
    while known:
        refusal = known.pop()
        known += refusal.__subclasses__()
        if refusal.__module__.partition(".")[0] in {"fsm", "questions", "storage", "play", "api"}:
            found.add(code_of(refusal))
    documented = {code_of(refusal) for endpoint in ENDPOINTS for refusal in refusals_of(endpoint)}
    documented |= set(describe(ENDPOINTS)["x-live"]["refusals"])
    assert found - {code_of(Rejected)} - documented == NOT_BY_THE_API.keys()


def test_every_link_of_the_document_leads_to_an_operation_with_all_its_parameters() -> None:
    document = describe(ENDPOINTS)
    operations = {each["operationId"]: each for path in document["paths"].values() for each in path.values()}
    links = [
        link
        for operation in operations.values()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) > 100
    for link in links:
        wanted = {each["name"] for each in operations[link["operationId"]]["parameters"] if each["in"] == "path"}
        assert link["parameters"].keys() == wanted
        assert all(value.startswith(("$response.body#/", "$request.path.")) for value in link["parameters"].values())


def _codes(response: dict[str, Any]) -> set[str]:
    return set(response.get("content", {}).get("application/problem+json", {}).get("examples", {}))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_a_row_of_the_table_is_consistent(endpoint: Endpoint) -> None:
    assert endpoint.body in {None, bytes} or endpoint.example is not None
    assert (endpoint.status == 204) == (endpoint.result is None and not endpoint.media_types)
    if endpoint.about is About.CHAT:
        assert "chat" in endpoint.parameters
    if endpoint.about is About.GAME:
        assert "game" in endpoint.parameters
    if endpoint.public:
        assert endpoint.needs is Needs.NOTHING
        assert not endpoint.writes
