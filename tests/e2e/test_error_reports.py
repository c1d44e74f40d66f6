"""Error reports by Sentry's protocol: real errors of taps, commands, the worker and the API, without data of people."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from loguru import logger

from bot.observe.errors import (
    EVENT,
    MOST_A_MINUTE,
    MOST_ALIKE_A_MINUTE,
    MOST_WAITING,
    Reporter,
    reporting,
    without_people,
)
from bot.observe.trace_ids import trace_id
from bot.settings import GAMES
from handlers.kinds import registry
from play.access import Role
from tests.e2e.conftest import Table, seated
from tests.support.envelopes import KEY, Envelopes, receiving
from tests.support.hostile import hostile

PRIVATE = ("Anna Karenina", "@anna_k", "987654321", "meet me at noon", "12345:AAE1bSecret", "postgresql://u:pw@db/x")
"""Data of people and secrets, as errors may hold them."""


class BugError(Exception):
    """A bug whose text holds data of people."""


def bug(*_: Any) -> Any:
    """Raise as code does that meets data that it does not expect."""
    name, *_rest = people = PRIVATE
    try:
        raise KeyError(name)  # noqa: TRY301
    except KeyError as first:
        problem = BugError(f"no place for {people}")
        problem.add_note(f"said by {name}")
        raise problem from first


def types(event: dict[str, Any]) -> list[str]:
    return [each["type"] for each in event["exception"]["values"]]


def whole(game: str, short: str) -> str:
    """Return the id of a trace that is recorded."""
    return f"{trace_id(game, short):032x}"


def functions(event: dict[str, Any]) -> set[str]:
    return {frame["function"] for each in event["exception"]["values"] for frame in each["stacktrace"]["frames"]}


def nothing_private(received: Envelopes, *more: str) -> None:
    """Check that no private text is in any request, plain or escaped."""
    everything = b"".join(received.raw).decode()
    for text in (*PRIVATE, *more):
        assert text not in everything
        assert json.dumps(text)[1:-1] not in everything


async def open_with_a_bug(table: Table, monkeypatch: pytest.MonkeyPatch) -> str:
    """Open a game whose rules raise at each command after its opening. Returns its id."""
    kinds: Any = table.bot.engine._kinds
    right = kinds["pick_number"]

    def decide(state: Any, *given: Any) -> Any:
        return bug() if state is not None else right.decide(state, *given)

    with monkeypatch.context() as broken:  # the game keeps the kind that it was opened with
        broken.setattr(table.bot.engine, "_kinds", {**kinds, "pick_number": replace(right, decide=decide)})
        return await table.open()


async def test_errors_of_taps_worker_and_api_are_reported_with_version_and_trace_and_without_people(
    postgres_dsn: str, redis_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    games = GAMES.model_validate({"max_live_per_chat": 2})
    async with receiving() as received, seated(postgres_dsn, redis_dsn, "polling", games=games) as table:
        game_id = await open_with_a_bug(table, monkeypatch)
        with reporting(received.dsn, version="7.1", environment="test", roles=("web", "worker"), trace_id=whole):
            answer = await table.press(table.people[1], f"j:{game_id}")
            assert answer.text
            tap = await received.from_line("dispatcher.py")
            token, _ = await table.bot.play.tokens.issue(Role.OPERATOR, None)
            async with httpx.AsyncClient(timeout=60, base_url=f"http://127.0.0.1:{table.bot.port}/api/v1") as http:
                headers = {"authorization": f"Bearer {token}", "idempotency-key": "cancel-it-please"}
                failed = await http.post(f"/games/{game_id}/cancel", headers=headers)
                assert failed.status_code == 500
            call = await received.from_line("dispatch.py")
            monkeypatch.setattr(registry, "of_state", bug)
            # The board of another game can't be drawn.
            table.box.control.say(table.host, table.group, table.script.line)
            worker = await received.from_line("feed.py")
        assert all({"BugError", "KeyError"} <= set(types(event)) for event in (tap, call, worker))
        assert {"decide", "bug"} & functions(tap)
        assert tap["release"] == "tombola@7.1"
        assert tap["environment"] == "test"
        assert tap["tags"]["roles"] == "web,worker"
        assert tap["contexts"]["trace"]["trace_id"] == whole(game_id, tap["tags"]["trace"])
        assert call["tags"]["trace"] == failed.json()["trace"]
        nothing_private(received, *(person.first_name for person in table.people), str(table.group.id), token)
        words = set(re.findall(r"\w+", b"".join(received.raw).decode()))
        assert not {str(person.id) for person in table.people} & words


async def test_a_report_has_version_environment_roles_and_trace() -> None:
    async with receiving() as received:
        with reporting(received.dsn, version="7.1", environment="test", roles=("web", "worker"), trace_id=whole):
            try:
                bug()
            except BugError as error:
                logger.bind(trace="0123abcd", game="0123456789abcd").opt(exception=error).error("no place: {}", error)
            event = await received.from_line("test_error_reports.py")
    assert types(event) == ["KeyError", "BugError"]
    assert functions(event) == {"test_a_report_has_version_environment_roles_and_trace", "bug"}
    assert (event["release"], event["environment"]) == ("tombola@7.1", "test")
    assert (event["tags"]["roles"], event["tags"]["trace"]) == ("web,worker", "0123abcd")
    assert event["contexts"]["trace"]["trace_id"] == whole("0123456789abcd", "0123abcd")
    nothing_private(received)


async def test_a_server_that_never_answers_delays_no_tap_and_costs_bounded_memory(
    postgres_dsn: str, redis_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as received, seated(postgres_dsn, redis_dsn, "polling") as table:
        received.answering.clear()
        game_id = await open_with_a_bug(table, monkeypatch)
        with reporting(received.dsn, version="1", environment="test"):
            for person in table.people:
                assert (await table.press(person, f"j:{game_id}")).text
            # A report waits for its answer, and each tap has its own.
            async with asyncio.timeout(60):
                while not received.asked:  # noqa: ASYNC110 -- a thread sends it
                    await asyncio.sleep(0.01)
            assert received.events == []
        received.answering.set()


@pytest.mark.parametrize("way", ["redirect", "error", "endless"])
async def test_a_hostile_server_gets_each_report_once_and_no_body_of_it_is_read(way: str) -> None:
    async with hostile(way) as server:
        reporter = Reporter(f"http://{KEY}@127.0.0.1:{server.port}/7", "1", "test", "", None)
        sink = logger.add(reporter.take, level="ERROR", format="{message}")
        try:
            for asked in (1, 2):
                try:
                    bug()
                except BugError as problem:
                    logger.opt(exception=problem).error("failed")
                async with asyncio.timeout(60):
                    while len(server.asked) < asked:  # noqa: ASYNC110 -- a thread sends it
                        await asyncio.sleep(0.01)
            if way == "endless":
                async with asyncio.timeout(60):
                    while server.left < 1:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
        finally:
            logger.remove(sink)
            await asyncio.to_thread(reporter.close)
        assert server.asked == ["POST /api/7/envelope/ HTTP/1.1"] * 2


@pytest.fixture
def reporter() -> Iterator[Reporter]:
    """Make a reporter whose server is not there."""
    made = Reporter(f"http://{KEY}@127.0.0.1:1/7", "1", "test", "", None)
    yield made
    made.close()


def test_a_storm_of_errors_spends_a_bounded_number_of_reports(reporter: Reporter) -> None:
    errors: list[BaseException] = []
    for number in range(200):
        try:
            exec(compile("\n" * number + "raise LookupError('x')", "storm.py", "exec"))
        except LookupError as error:
            errors.append(error)
    reporter._minute = 10**9  # a minute that does not end during the test
    monotone = [sum(reporter._spent[()] < MOST_A_MINUTE and reporter._affordable(errors[0]) for _ in range(50))]
    assert monotone == [MOST_ALIKE_A_MINUTE] or monotone == [2 * MOST_ALIKE_A_MINUTE]  # the minute may change once
    assert sum(map(reporter._affordable, errors)) <= 2 * MOST_A_MINUTE
    assert reporter._client.options["transport_queue_size"] == MOST_WAITING


def rename(name: str, record: Any) -> None:
    """Give a record of the log the name of another logger."""
    record["name"] = name


def test_an_error_of_the_reporter_itself_is_not_reported(reporter: Reporter, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(reporter._client, "capture_event", sent.append)
    sink = logger.add(reporter.take, level="ERROR")
    try:
        for name in ("sentry_sdk.errors", "urllib3.connectionpool", "bot"):
            renamed = logger.patch(partial(rename, name))
            renamed.opt(exception=OSError("x")).error("failed")
        logger.error("no exception")
    finally:
        logger.remove(sink)
    assert len(sent) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SECRET = "\N{SNOWMAN}secret"
PLACES = st.fixed_dictionaries(
    {},
    optional={
        name: st.just(SECRET) | st.just({"a": [SECRET]}) | JSON
        for name in ("user", "request", "breadcrumbs", "extra", "message", "logentry", "modules", "threads", "spans")
    },
)


@budget(max_examples=200, deadline=None)
@given(fields=PLACES, value=JSON, variables=JSON)
def test_whatever_else_an_event_holds_only_types_and_places_leave(fields: Any, value: Any, variables: Any) -> None:
    frame = {"function": "f", "lineno": 3, "vars": {"name": SECRET, "more": variables}, "abs_path": f"/home/{SECRET}"}
    event = {
        **fields,
        "level": "error",
        "tags": {"trace": "0123abcd"},
        "contexts": {"trace": {"trace_id": "a", "span_id": "b", "data": SECRET}, "device": value},
        "exception": {
            "values": [
                {"type": "E", "module": "m", "value": SECRET, "stacktrace": {"frames": [frame]},
                 "mechanism": {"type": "chained", "data": {"arguments": SECRET}, "meta": value}},
            ]
        },
    }  # fmt: skip
    kept = without_people(event)
    assert SECRET not in json.dumps(kept, ensure_ascii=False)
    assert kept.keys() <= {*EVENT, "tags", "contexts", "exception"}
    assert kept["exception"]["values"][0]["stacktrace"]["frames"] == [{"function": "f", "lineno": 3}]
    assert kept["exception"]["values"][0]["mechanism"] == {"type": "chained"}


@budget(max_examples=50, deadline=None)
@given(text=st.text(st.characters(min_codepoint=0x400), min_size=3), deep=st.booleans())
def test_no_text_of_an_exception_leaves(*, text: str, deep: bool) -> None:
    sent: list[dict[str, Any]] = []
    reporter = Reporter(f"http://{KEY}@127.0.0.1:1/7", "1", "test", "", None)
    reporter._client.transport = None
    reporter._client.options["before_send"] = lambda event, _: sent.append(without_people(event))
    sink = logger.add(reporter.take, level="ERROR")
    try:
        try:
            failing(text, deep=deep)
        except Exception as error:  # noqa: BLE001
            logger.bind(game=text, chat=text, trace=text).opt(exception=error).error("failed: {}", text)
    finally:
        logger.remove(sink)
    [event] = sent
    assert text not in json.dumps(event, ensure_ascii=False)
    assert "trace" not in event["tags"]


def failing(text: str, *, deep: bool) -> None:
    """Raise an error with this text, or a group of two with causes."""
    if not deep:
        raise OSError(5, text, text)
    try:
        raise UnicodeDecodeError("utf-8", text.encode(errors="replace"), 0, 1, text)  # noqa: TRY301
    except UnicodeDecodeError as cause:
        raise ExceptionGroup(text, [ValueError(text), LookupError({text: text})]) from cause
