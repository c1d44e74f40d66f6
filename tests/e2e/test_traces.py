"""Traces of taps and requests through two processes, as a collector receives them."""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pydantic import SecretStr

from bot import process
from bot.clock import SystemEntropy
from bot.observe import span_exporter
from bot.observe.span_exporter import Span as QueuedSpan
from bot.observe.trace_ids import root_id, trace_id
from bot.observe.tracing import Tracing
from bot.runtime import ALL_ROLES
from bot.settings import TracingSection, Web
from fsm.engine import Engine
from fsm.kind import ChatTopic, Host
from fsm.lobby import AlreadyJoined, Join, OpenGame
from fsm.pick_number import PickNumberRules
from fsm.registry import KINDS
from play.access import Role
from storage.feed import trace_of
from tests.e2e.conftest import seated
from tests.engine.memory import CountedSeeds, MemoryGames, Shelf
from tests.support.clock import TurnedClock
from tests.support.collector import Collector, collecting
from tests.support.hostile import hostile
from tests.support.silent import silent

pytestmark = pytest.mark.slow
GAME = "07aaaaaaaaaaaa"
FRONT = frozenset({"ingress", "web"})
TAP = {"update", "decide", "commit", "feed", "project", "render", "send"}


@pytest_asyncio.fixture
async def collector() -> AsyncIterator[Collector]:
    """Run a receiver of traces."""
    async with collecting() as found:
        yield found


def by_trace(spans: list[Span]) -> dict[bytes, list[Span]]:
    """Return the spans of each trace."""
    found = defaultdict(list)
    for span in spans:
        found[span.trace_id].append(span)
    return found


def attribute(span: Span, name: str) -> str:
    """Return an attribute of a span that is text; empty if there is none."""
    return next((each.value.string_value for each in span.attributes if each.key == f"tombola.{name}"), "")


async def exemplars(port: int) -> set[str]:
    """Return the ids of the traces that the histogram of taps has as examples, as Prometheus reads them."""
    async with httpx.AsyncClient(timeout=60) as http:
        headers = {"accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
        text = (await http.get(f"http://127.0.0.1:{port}/metrics", headers=headers)).text
    assert text.endswith("# EOF\n")
    return set(re.findall(r'^tombola_tap_seconds_bucket{le="[^"]+"} \S+ # {trace_id="(\w{32})"}', text, re.MULTILINE))


async def test_one_trace_shows_a_tap_from_the_update_to_the_edited_message_across_two_processes(
    postgres_dsn: str, redis_dsn: str, collector: Collector
) -> None:
    tracing = TracingSection(endpoint=collector.url, ratio=1, authorization=SecretStr("Bearer secret"))
    async with seated(postgres_dsn, redis_dsn, "polling", roles=FRONT, tracing=tracing) as table:
        behind = table.settings.model_copy(update={"web": Web(port=0)})
        async with process.running(behind, ALL_ROLES - FRONT, clock=table.clock, entropy=SystemEntropy()) as worker:
            table.bot = replace(table.bot, deadlines=worker.deadlines)
            game_id = await table.play()
            shown = await exemplars(table.bot.port)
            token, _ = await table.bot.play.tokens.issue(Role.VIEWER, None)
            parent = f"00-{'a' * 31}1-{'b' * 15}2-01"
            async with httpx.AsyncClient(timeout=60, base_url=f"http://127.0.0.1:{table.bot.port}/api/v1") as http:
                headers = {"authorization": f"Bearer {token}", "traceparent": parent}
                assert (await http.get(f"/games/{game_id}", headers=headers)).status_code == 200
    traces = by_trace(collector.spans)
    names = {span.name for span in collector.spans}
    assert names >= TAP
    whole = [spans for spans in traces.values() if {span.name for span in spans} >= TAP]
    assert whole, "no trace has all its parts"
    for spans in whole:
        (root,) = [span for span in spans if span.name == "update"]
        identity = trace_id(game_id, attribute(root, "trace"))
        assert int.from_bytes(root.trace_id) == identity
        assert (int.from_bytes(root.span_id), root.parent_span_id) == (root_id(identity), b"")
        assert {span.parent_span_id for span in spans if span is not root} == {root.span_id}
        assert attribute(root, "trace") == trace_of(attribute(root, "id"))
        assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
    (request,) = traces[bytes.fromhex("a" * 31 + "1")]
    assert (request.name, request.parent_span_id.hex()) == ("api GET", "b" * 15 + "2")
    assert shown
    assert {bytes.fromhex(each) for each in shown} <= {
        span.trace_id for span in collector.spans if span.name == "update"
    }
    assert collector.authorizations == {"Bearer secret"}


async def test_the_share_is_kept_and_is_the_same_in_every_process() -> None:
    shorts = [trace_of(f"tg:{number}") for number in range(20_000)]
    one, other = (Tracing("http://127.0.0.1:1", 0.1, {}) for _ in range(2))
    try:
        sampled = [short for short in shorts if one.sampled(short)]
        assert sampled == [short for short in shorts if other.sampled(short)]
        assert 0.08 < len(sampled) / len(shorts) < 0.12
        assert not one.sampled("")
    finally:
        one.close()
        other.close()


async def test_a_game_that_another_process_opened_is_traced_too_and_a_tap_finds_its_trace(collector: Collector) -> None:
    shelf, clock, seeds = Shelf(KINDS), TurnedClock(1_700_000_000_000), CountedSeeds()
    tracing = Tracing(collector.url, 1, {"service.name": "tombola"})
    here = tracing.engine(KINDS, MemoryGames(shelf), clock, seeds)
    there = Engine(KINDS, MemoryGames(shelf), clock, seeds)
    place, host = ChatTopic(-1), Host(1, "Hana")
    await there.execute(GAME, OpenGame("pick_number", GAME, place, host, "x", PickNumberRules()), command_id="tg:1")
    await here.execute(GAME, Join(2, "Ivo"), command_id="tg:2")
    with pytest.raises(AlreadyJoined):
        await here.execute(GAME, Join(2, "Ivo"), command_id="tg:3")
    assert {command: len(trace) for command, trace in tracing.shown.items()} == {"tg:2": 32, "tg:3": 32}
    assert not tracing.commands, "an answered command is remembered"
    await asyncio.gather(here.close(), there.close(), asyncio.to_thread(tracing.close))
    spans = {name: [span for span in collector.spans if span.name == name] for name in ("update", "decide", "commit")}
    assert [len(found) for found in spans.values()] == [2, 2, 1]
    assert [attribute(span, "outcome") for span in spans["update"]] == ["done", "already-joined"]


async def test_a_command_that_is_not_sampled_makes_nothing() -> None:
    shelf, clock = Shelf(KINDS), TurnedClock(1_700_000_000_000)
    tracing = Tracing("http://127.0.0.1:1", 0, {})
    engine = tracing.engine(KINDS, MemoryGames(shelf), clock, CountedSeeds())
    opening = OpenGame("pick_number", GAME, ChatTopic(-1), Host(1, "Hana"), "x", PickNumberRules())
    await engine.execute(GAME, opening, command_id="tg:1")
    await engine.close()
    await asyncio.to_thread(tracing.close)
    assert (tracing.shown, tracing.commands) == ({}, {})


async def test_a_dead_collector_loses_spans_and_nothing_else(
    postgres_dsn: str, redis_dsn: str, collector: Collector
) -> None:
    async with silent() as server:
        tracing = TracingSection(endpoint=f"http://127.0.0.1:{server.port}", ratio=1)
        async with seated(postgres_dsn, redis_dsn, "polling", tracing=tracing) as table:
            await table.play()
    assert collector.spans == []


@pytest.mark.parametrize("way", ["redirect", "error", "endless", "slow"])
async def test_a_hostile_collector_leads_nowhere_and_holds_nothing_up(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(span_exporter, "CLOSE_SECONDS", 0.2)
    async with hostile(way) as server:
        tracing = Tracing(server.url, 1, {})
        tracing.add(QueuedSpan("update", 0, 1, {}, "0123456789abcd", "0123abcd", is_root=True))
        closing = asyncio.create_task(asyncio.to_thread(tracing.close))
        async with asyncio.timeout(60):
            while not server.asked:  # noqa: ASYNC110 -- a thread sends it
                await asyncio.sleep(0.01)
            await closing
            while way == "endless" and not server.left:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert {*server.asked} == {"POST /v1/traces HTTP/1.1"}
