"""HTTP: methods, headers, entity tags, cursors, limits, compression, origins, languages."""

import asyncio
import csv
import gzip
import io
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest

from api.app import HEADERS, application
from api.chats import BanView, SettingsView
from api.client import Client, Refused
from api.games import JoinBody, OpenBody
from api.live.hub import make_hub
from api.problems import MEDIA_TYPE
from api.services import Limits, Services
from api.table import ENDPOINTS
from fsm.kind import ChatTopic, Host
from fsm.lobby import Cancel, OpenGame
from fsm.pick_number import PickNumberRules
from play.access import Role
from questions.isolation import FileReader
from storage.api_requests import ApiRequests
from storage.keys import rate_key
from storage.live_tickets import LiveTickets
from tests.api.conftest import Served, address, body, check_documented, query

ROOT = Path(__file__).parents[2]


async def test_methods_headers_and_problems(served: Served) -> None:
    token = await served.token(Role.VIEWER)
    async with httpx.AsyncClient(
        timeout=60, base_url=f"{served.url}/api/v1", headers={"authorization": f"Bearer {token}"}
    ) as http:
        got, head = await http.get("/token"), await http.head("/token")
        assert head.status_code == 200
        assert head.content == b""
        assert {**HEADERS, "cache-control": "no-cache"}.items() <= dict(got.headers).items()
        assert len(got.headers["x-trace-id"]) == 8
        options = await http.options("/tokens")
        assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
        wrong = await http.delete("/tokens", headers={"accept-language": "ru"})
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
        assert (wrong.headers["content-language"], wrong.json()["code"]) == ("ru", "method-not-allowed")
        for languages, best in (
            ("ru;q=0, es", "es"),
            ("ru;q=0.5,es;q=0.9", "es"),
            ("es;q=1.0, ru", "es"),
            ("es;q=x", "es"),
        ):
            told = await http.delete("/tokens", headers={"accept-language": languages})
            assert told.headers["content-language"] == best, languages
        assert wrong.json()["trace"] == wrong.headers["x-trace-id"]
        for path in ("/nowhere", "/token/", "/chats/x", "/games/%00", "/games/%0A", "/games/a%0Ab"):
            nothing = await http.get(path)
            assert (nothing.status_code, nothing.json()["code"]) in {(404, "not-found"), (404, "unknown-game")}, path
        for query in (
            "limit=0",
            "limit=101",
            "limit=x",
            "limit=null",
            "limit=1&limit=2",
            "unknown=1",
            "chat=1e9",
            "live=1",
        ):
            assert (await http.get(f"/games?{query}")).json()["code"] == "invalid-request", query
        for path in ("games?phase=%00", "games?kind=%00", "audit?target=%00", "jobs?kind=a%00", "leaderboard?kind=%00"):
            assert (await http.get(f"/{path}")).json()["code"] == "invalid-request", path
        for query in ("since=0", "until=1700000000", "until=null", "format=null", "format=NULL"):
            path = f"/chats/{served.chat_id}/results?{query}"
            assert (await http.get(path)).json()["code"] == "invalid-request", query
        assert (await http.get("/games?cursor=abc")).json()["code"] == "bad-cursor"
        fresh = await http.get("/token", headers={"if-none-match": f'"other", W/{got.headers["etag"]}'})
        assert (fresh.status_code, fresh.content) == (304, b"")
        compressed = await http.get("/openapi.json", headers={"accept-encoding": "gzip"})
        assert compressed.headers["content-encoding"] == "gzip"
        for unwanted in ("gzip;q=0", "br, gzip; q=0.00", "xgzip"):
            plain = await http.get("/openapi.json", headers={"accept-encoding": unwanted})
            assert (plain.headers.get("content-encoding"), plain.headers["vary"]) == (None, "Accept-Encoding"), unwanted
        assert (
            "access-control-allow-origin" not in (await http.get("/token", headers={"origin": "https://a.b"})).headers
        )
        for authorization in ("", "Basic abc", "Bearer", "Bearer tombola_a_b", f"Bearer {token}x", f"bearer  {token}"):
            refused = await http.get("/token", headers={"authorization": authorization})
            valid = authorization == f"bearer  {token}"
            assert (refused.status_code, "www-authenticate" in refused.headers) == (
                (200, False) if valid else (401, True)
            )


async def test_every_path_has_its_methods_and_every_response_its_headers(served: Served) -> None:
    graphql, live = f"{served.url}/api/graphql", f"{served.url}/api/v1/live"
    async with httpx.AsyncClient(timeout=60) as http:
        for path in ("/api", "/health/"):  # no redirect, which would name the host of the request
            assert (await http.get(served.url + path, headers={"host": "other.example"})).status_code == 404
    paths: dict[str, set[str]] = {graphql: {"GET", "POST"}, live: {"GET"}}
    for endpoint in ENDPOINTS:
        paths.setdefault(address(endpoint, served, "0" * 22), set()).add(endpoint.method)
    hooks = {"response": [check_documented]}
    async with httpx.AsyncClient(timeout=60, base_url=f"{served.url}/api/v1", event_hooks=hooks) as http:

        async def ask(method: str, path: str, token: str = "") -> httpx.Response:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            response = await http.request(method, path, headers=headers)
            assert "x-trace-id" in response.headers, path
            assert HEADERS.keys() <= response.headers.keys(), path
            assert response.status_code < 500, path
            return response

        for path, methods in paths.items():
            headed = "GET" in methods and path != live
            allowed = ", ".join(sorted({*methods, "OPTIONS", *(["HEAD"] if headed else [])}))
            asked = await ask("OPTIONS", path)
            assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allowed, b"")
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - methods:
                wrong = await ask(method, path)
                assert (wrong.status_code, wrong.headers["allow"]) == (405, allowed), (method, path)
                assert wrong.headers["content-type"] == MEDIA_TYPE
        for path in ("/nowhere", "/", "/games/", "/../graphql/nowhere", "/games/%2e%2e"):
            assert (await ask("GET", path)).status_code in {401, 404}, path
        for path, methods in paths.items():
            if "GET" not in methods or path == live:
                continue
            await served.table.bot.redis.delete(rate_key("@127.0.0.1"))  # strangers have a small rate
            token = await served.token(Role.OPERATOR)
            got, head = await ask("GET", path, token), await ask("HEAD", path, token)
            assert (head.status_code, head.content) == (got.status_code, b""), path
            for name in ("content-type", "etag", "content-disposition"):
                changing = name == "etag" and path in {"/token", "/processes", "/health", "/audit", "/tokens"}
                assert changing or head.headers.get(name) == got.headers.get(name), (path, name)


async def test_a_read_has_the_same_response_with_and_without_uvicorn(served: Served) -> None:
    token = await served.token(Role.OPERATOR)
    changing = {"/token", "/processes", "/health", "/audit", "/tokens", "/log/head"}
    async with httpx.AsyncClient(timeout=60, base_url=f"{served.url}/api/v1") as http:
        for endpoint in ENDPOINTS:
            if endpoint.method != "GET":
                continue
            path, answers = address(endpoint, served, "0" * 22), list[Any]()
            for more in ({}, {"content-length": "0"}):  # with a length it is no plain read
                await served.table.bot.redis.delete(rate_key("@127.0.0.1"))  # strangers have a small rate
                got = await http.get(path, headers={"authorization": f"Bearer {token}", **more})
                headers = {name: value for name, value in got.headers.items() if name != "x-trace-id"}
                if got.status_code != 200 or path in changing:
                    headers.pop("content-length", "")  # a refusal has the trace; these change by themselves
                    headers.pop("etag", "")
                    answers.append((got.status_code, headers))
                else:
                    answers.append((got.status_code, headers, got.content))
            assert answers[0] == answers[1], path


async def test_any_request_may_be_sent_again(served: Served) -> None:
    """A load balancer may do that: a read changes nothing, and a write has one effect and one response."""
    async with Client(served.url, await served.token(Role.OPERATOR)) as operator:
        game = await operator.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"))
        for endpoint in ENDPOINTS:
            if endpoint.signed or not endpoint.writes:
                continue
            path, given = address(endpoint, served, game.id), query(endpoint, served)
            sent = {"query": given, "body": body(endpoint, served), "key": f"again-{endpoint.name}"}
            first = await operator.send(endpoint.method, path, **sent)
            again = await operator.send(endpoint.method, path, **sent)
            assert again.headers.get("idempotency-replayed") == "true", (endpoint.name, again.text)
            hidden = {"token": None, "secret": None, "ticket": None}
            shown = first.json() if first.content else None
            expected = {**shown, **{name: hidden[name] for name in hidden.keys() & shown.keys()}} if shown else None
            repeated = again.json() if again.content else None
            assert (again.status_code, repeated) == (first.status_code, expected), endpoint.name


async def test_a_write_is_checked_before_it_is_made(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host:
        body = {"chat_id": served.chat_id, "kind": "pick_number"}
        for given, code in (
            ({**body, "kind": "chess"}, "invalid-request"),
            ({**body, "rules": {"luck": "1"}}, "invalid-request"),
            ({**body, "rules": {"winners": "many"}}, "invalid-request"),
            ({**body, "rules": {"winners": "99"}}, "bad-rule"),
            ({**body, "title": "x" * 65}, "bad-title"),
            ({**body, "title": "a\0b"}, "invalid-request"),
            ({**body, "rules": {"\0": "1"}}, "invalid-request"),
            ({**body, "title": "x" * 65 + r"\u0000"}, "bad-title"),
            ({**body, "more": 1}, "invalid-request"),
            ({"kind": "quiz"}, "invalid-request"),
            ([], "invalid-request"),
        ):
            refused = await host.send("POST", "/games", body=given)
            assert (refused.status_code, refused.json()["code"]) == (422, code), given
        headers = {"content-type": "text/plain"}
        assert (await host.send("POST", "/games", body=body, headers=headers)).status_code == 415
        for no_json in (b"{", b"8M5\\", b'{"chat_id": "x"', b'{"kind": 1, "title": "\xff"}'):
            cut = await host.send("POST", "/games", body=no_json, headers={"content-type": "application/json"})
            assert cut.status_code == 400, no_json
        large = await host.send("POST", "/games", body={**body, "title": "x" * 70_000})
        assert (large.status_code, large.json()["parameters"]) == (413, {"limit": 65_536})
        for key in ("", "a b", "x" * 129, "a\tb"):
            refused = await host.send("POST", "/games", body=body, key=key)
            assert refused.json()["code"] == "idempotency-key-missing"
        assert (await host.list_games(chat=served.chat_id)) == ([], None)


async def ended_games(served: Served, count: int) -> list[str]:
    """Open and cancel games, one after the other. Returns their ids, latest first."""
    engine, ids = served.table.bot.engine, list[str]()
    for number in range(count):
        place = ChatTopic(served.chat_id)
        game_id = await served.table.bot.games.reserve_id(place, f"tg:{number}")
        opening = OpenGame("pick_number", game_id, place, Host(1, "Ann"), f"=Game {number}", PickNumberRules())
        await engine.execute(game_id, opening, command_id=f"tg:{number}")
        await engine.execute(game_id, Cancel(1, "host"), command_id=f"tg:{number}:end")
        await served.projected(game_id, 2)
        ids.append(game_id)
    return ids[::-1]


async def test_pages_of_a_list_have_each_item_once_and_a_cursor_belongs_to_its_list(served: Served) -> None:
    ids = await ended_games(served, 5)
    async with await served.client(Role.VIEWER, served.chat_id) as viewer:
        for path in ("/games?chat={}&", "/chats/{}/history?"):
            address, found = f"{path.format(served.chat_id)}limit=2", list[str]()
            while address:
                answer = await viewer.send("GET", address)
                found += [item["id"] for item in answer.json()["items"]]
                link = answer.headers.get("link", "")
                assert bool(link) == (answer.json()["next"] is not None)
                address = link.partition(">")[0].removeprefix("</api/v1")
            assert found == ids
        _, cursor = await viewer.list_games(chat=served.chat_id, limit=2)
        assert cursor is not None
        with pytest.raises(Refused) as refused:
            await viewer.list_games(chat=served.chat_id, kind="quiz", cursor=cursor)
        assert refused.value.problem.code == "bad-cursor"


async def test_results_are_exported_as_csv_workbook_and_lines(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number", title="=1+1"))
        for person in served.table.people[1:3]:
            await host.join_game(game.id, JoinBody(person.id, "=Ann"))
        await host.cancel_game(game.id)
        await served.projected(game.id, 5)
        export = f"/chats/{served.chat_id}/results"
        rows = list(csv.DictReader(io.StringIO((await host.send("GET", export)).content.decode("utf-8-sig"))))
        assert [row["name"] for row in rows] == ["'=Ann", "'=Ann"]
        lines = (await host.send("GET", f"{export}?format=jsonl")).text.splitlines()
        assert [json.loads(line)["title"] for line in lines] == ["=1+1", "=1+1"]
        book = await host.send("GET", f"{export}?format=xlsx")
        assert "'=Ann" in ZipFile(io.BytesIO(book.content)).read("xl/worksheets/sheet1.xml").decode()
        later = await host.send("GET", f"{export}?format=jsonl&since=2100-01-01T00:00:00Z")
        assert later.text == ""
        events = (await host.send("GET", f"/games/{game.id}/events")).json()["items"]
        assert [event["version"] for event in events] == [1, 2, 3, 4, 5]
        assert {event["command_id"][:4] for event in events} == {"api:"}


async def test_settings_change_by_themselves_and_only_in_the_state_that_was_read(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host:
        path = f"/chats/{served.chat_id}/settings"
        await served.met()
        tag = (await host.send("GET", path)).headers["etag"]
        wanted: Mapping[str, Any] = {"openers": "everyone", "language": "ru", "rules": {"quiz": {"questions": "7"}}}
        changed = await host.send("PATCH", path, body=wanted, headers={"if-match": tag})
        assert changed.status_code == 200, changed.text
        stale = await host.send("PATCH", path, body={"openers": None}, headers={"if-match": tag})
        assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
        settings = await host.get_settings(served.chat_id)
        assert isinstance(settings, SettingsView)
        assert (settings.openers, settings.language, settings.rules["quiz"]["questions"]) == ("everyone", "ru", "7")
        new = {"if-match": changed.headers["etag"]}
        back = await host.send("PATCH", path, body={"rules": {"quiz": {"questions": None}}}, headers=new)
        assert back.json()["rules"]["quiz"]["questions"] == "10"
        wrong: list[dict[str, Any]] = [
            {"language": "xx"},
            {"rules": {"chess": {}}},
            {"rules": {"quiz": {"luck": "1"}}},
            {"openers": "all"},
        ]
        for body in wrong:
            assert (await host.send("PATCH", path, body=body)).status_code == 422


async def test_a_ban_by_the_api_holds_in_telegram_and_removes_the_player(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"))
        person = served.table.people[1]
        await served.table.tap(person, r"^j:")
        ban = await host.send("PUT", f"/chats/{served.chat_id}/bans/{person.id}", body={"reason": "spam", "days": 1})
        assert (ban.status_code, ban.content) == (204, b"")
        assert await host.list_players(game.id) == []
        answer = await served.table.tap(person, r"^j:")
        assert "ban" in (answer.text or "").lower()
        bans, _ = await host.page(f"/chats/{served.chat_id}/bans", BanView)
        assert [(each.player_id, each.reason) for each in bans] == [(person.id, "spam")]
        protected = await host.send("PUT", f"/chats/{served.chat_id}/bans/{served.table.host.id}", body={})
        assert (protected.status_code, protected.json()["code"]) == (409, "cannot-ban")


async def test_a_pack_is_previewed_stored_exported_and_refused_with_its_mistakes(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host:
        packs, good = f"/chats/{served.chat_id}/packs", b"question,answer,wrong 1\n2 + 2?,4,5\n"
        preview = await host.send("POST", f"{packs}/preview?filename=a.csv", body=good)
        assert preview.json()["questions"] == 1
        bad = await host.send("POST", f"{packs}?filename=a.csv&name=Sums", body=b"question,answer,wrong 1\n2 + 2?,,5\n")
        assert (bad.status_code, bad.json()["code"]) == (422, "pack-unreadable")
        assert bad.json()["errors"][0]["pointer"] == "line 2"
        made = await host.send("POST", f"{packs}?filename=a.csv&name=Sums", body=good)
        assert made.status_code == 201
        taken = await host.send("POST", f"{packs}?filename=a.csv&name=Sums", body=good)
        assert (taken.status_code, taken.json()["code"]) == (409, "pack-name-taken")
        exported = await host.export_pack(served.chat_id, made.json()["id"], format="json")
        assert json.loads(exported)["questions"][0]["answer"] == "4"
        questions, _ = await host.list_questions(served.chat_id, made.json()["id"])
        assert [question.answers for question in questions] == [["4", "5"]]
        await host.delete_pack(served.chat_id, made.json()["id"])
        assert await host.list_packs(served.chat_id) == []


def services_of(served: Served, **more: Any) -> Services:
    """Return services like those of the running bot, with some that differ."""
    bot = served.table.bot

    async def health() -> Mapping[str, Any]:
        return {}

    return Services(
        play=bot.play,
        stores=bot.stores,
        telegram=bot.telegram,
        tokens=bot.play.tokens,
        requests=ApiRequests(bot.redis),
        files=FileReader(),
        hub=make_hub(bot.play, bot.stores),
        tickets=LiveTickets(bot.redis),
        health=health,
        **more,
    )


async def test_a_body_that_does_not_come_is_a_408_and_a_compressed_one_a_415(served: Served) -> None:
    token = await served.token(Role.HOST)
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "k", "content-type": "application/json"}

    async def body_without_end() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    transport = httpx.ASGITransport(application(services_of(served, limits=Limits(body_seconds=0.01))))
    hooks = {"response": [check_documented]}
    async with httpx.AsyncClient(timeout=60, transport=transport, base_url="http://here", event_hooks=hooks) as http:
        for path in ("/v1/games", "/v1/hooks/in1", "/graphql"):
            late = await http.post(path, headers=headers, content=body_without_end())
            assert (late.status_code, late.json()["code"]) == (408, "request-timeout"), path
            assert late.headers["connection"] == "close"
    packed = gzip.compress(b'{"kind": "quiz"}')
    async with httpx.AsyncClient(timeout=60, base_url=f"{served.url}/api", event_hooks=hooks) as http:
        upload = f"/v1/chats/{served.chat_id}/packs?filename=a.csv&name=A"
        for path in ("/v1/games", "/v1/hooks/in1", upload, "/graphql"):
            refused = await http.post(path, headers={**headers, "content-encoding": "gzip"}, content=packed)
            assert (refused.status_code, refused.headers["accept-encoding"]) == (415, "identity"), path


async def test_an_idempotency_key_belongs_to_its_token(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host, await served.client(Role.OPERATOR) as operator:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"), "one")
        joined = await operator.join_game(game.id, JoinBody(served.table.people[1].id, "Ann"), "one")
        assert joined.players == 1, "another token has the key for another request"
        again = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"), "one")
        assert again == game
        refused = await host.send("POST", f"/games/{game.id}/cancel", key="one")
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")


async def test_origins_that_are_configured_may_call_and_a_slow_request_ends(served: Served) -> None:
    services = services_of(served, origins=("https://pages.example",), limits=Limits(seconds=0.0))
    token = await served.token(Role.VIEWER)
    transport = httpx.ASGITransport(application(services))
    async with httpx.AsyncClient(timeout=60, transport=transport, base_url="http://here") as http:
        asked = {"origin": "https://pages.example", "access-control-request-method": "GET"}
        preflight = await http.options("/v1/token", headers=asked)
        assert preflight.headers["access-control-allow-origin"] == "https://pages.example"
        late = await http.get(
            "/v1/token", headers={"authorization": f"Bearer {token}", "origin": "https://pages.example"}
        )
        assert (late.status_code, late.json()["code"], late.headers["retry-after"]) == (503, "away", "1")
        other = await http.get("/v1/token", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
    operator = {"authorization": f"Bearer {await served.token(Role.OPERATOR)}"}
    for reads, statuses in ((0, [503, 503, 400]), (1, [200, 200, 400])):  # writes are not counted
        crowded = httpx.ASGITransport(application(replace(services, limits=Limits(reads=reads))))
        async with httpx.AsyncClient(
            timeout=60, transport=crowded, base_url="http://here/v1", headers=operator
        ) as http:
            opening = {"chat_id": served.chat_id, "kind": "quiz"}  # without an idempotency key
            answers = [await http.get("/token"), await http.head("/token"), await http.post("/games", json=opening)]
            assert [answer.status_code for answer in answers] == statuses
            assert reads or answers[0].headers["retry-after"] == "1"


async def test_the_client_is_used_without_a_token_for_public_endpoints(served: Served) -> None:
    async with Client(served.url) as stranger:
        assert (await stranger.get_log_head()).size == 0
        assert (await stranger.get_log_consistency(old=0, new=0)).path == []


def test_only_the_role_web_imports_the_api() -> None:
    modules = "import bot.launch, bot.process, bot.ingress, bot.consumers, bot.web_role, sys"
    code = f"{modules}; sys.exit(any(name.partition('.')[0] == 'api' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
