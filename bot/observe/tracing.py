"""Traces of updates through all processes, by OpenTelemetry. Imported only if ``tracing.endpoint`` is set.

No context is passed from process to process, because everything already carries the game and the id of the command
that caused it: the feed's entries hold the ids of their commands, and calls to Telegram hold the eight digits of
``trace_of``. Trace id, id of the root span, and the decision to sample are computed from them, so that all processes
come to the same ones. A tap that is not sampled costs one checksum in each process, and without an endpoint nothing.
"""

import random
import re
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override

from bot.ingest.webhook import App, Receive, Scope, Send
from bot.observe.trace_ids import SPACE, root_id, sampling, trace_id
from fsm.engine import Commit, CommitResult, Committed, GameStore, Record, RecordCommand, Stored
from fsm.kind import Command, Game, Instant, Kind
from storage.feed import Entry, Handle, trace_of
from telegram.outbox import Outgoing
from telegram.sender import Outcome, Settled

MOST_WAITING: Final = 2048
"""Maximum number of finished spans that wait for the collector. Beyond it new ones are dropped."""
EXPORT_SECONDS: Final = 5.0
"""Time limit of an export. A thread makes it, and a collector that does not answer delays nothing else."""
MOST_DECISIONS: Final = 10_000
"""Maximum number of decisions whose times are kept until their commands are answered."""
SERVER_ERROR: Final = 500
CLOSE_SECONDS: Final = 3.0
"""Time limit of sending the last spans at the end."""
_GAME = re.compile(r"(?<=/games/)[0-9a-z]{14,22}")
_NO_PARENT = trace.set_span_in_context(trace.INVALID_SPAN)
_propagator = TraceContextTextMapPropagator()
_NAMES: Final[Mapping[str, str]] = MappingProxyType({"projector": "project", "boards": "render"})
"""Consumer group -> name of its span; other groups have their own name."""


class _GivenIds(IdGenerator):
    """Generator that returns the ids that were put into it, else random ones. One thread uses it."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.trace = self.span = 0

    def generate_trace_id(self) -> int:
        given, self.trace = self.trace, 0
        return given or self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        given, self.span = self.span, 0
        return given or self._random.generate_span_id()


class _CautiousSession(requests.Session):
    """A session that follows no redirect and reads no body: a collector could send an endless one, or lead elsewhere.

    The status alone decides. The connection of an unread body is closed, which costs one connection for each export.
    """

    @override
    def send(self, request: requests.PreparedRequest, **given: Any) -> requests.Response:
        response = super().send(request, **{**given, "stream": True, "allow_redirects": False})
        response.close()
        response._content, response._content_consumed = b"", True  # noqa: SLF001
        return response


class Tracing:
    """Makes the spans of one process and sends them to a collector.

    Args:
        endpoint: base address of a collector for OTLP over HTTP.
        ratio: the share of traces to record, 0 to 1.
        resource: attributes of the process.
        headers: headers of each export, such as an authorization.
    """

    def __init__(
        self, endpoint: str, ratio: float, resource: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> None:
        self.sampled = sampling(ratio)
        """Function that tells if the trace with these eight digits is recorded."""
        self._below = round(ratio * SPACE)
        self._ids = _GivenIds()
        self._decisions: dict[int, tuple[Command | None, int, int]] = {}
        self._recorded: dict[str, str] = {}
        """Eight digits of a recorded update -> id of its trace in hex, until its tap is answered."""
        self._provider = TracerProvider(
            # The decision is made before a span is begun; a span with a parent follows that.
            sampler=ParentBased(ALWAYS_ON),
            resource=Resource.create(dict(resource)),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(
            f"{endpoint.rstrip('/')}/v1/traces",
            headers=dict(headers or {}),
            timeout=EXPORT_SECONDS,
            session=_CautiousSession(),
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, max_queue_size=MOST_WAITING, export_timeout_millis=EXPORT_SECONDS * 1000)
        )
        self._tracer = self._provider.get_tracer("tombola")

    def flush(self) -> None:
        """Send the finished spans. Blocks for some seconds at most."""
        self._provider.force_flush(round(EXPORT_SECONDS * 1000))

    def close(self) -> None:
        """Send the finished spans and stop. Blocks for some seconds at most."""
        # The provider would wait for half a minute for a collector that answers byte by byte.
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    # -- spans --------------------------------------------------------------------------------------------------
    # A beginning may come from the clock that all processes share, which may be ahead of this machine's.

    def _root(self, name: str, game_id: str, short: str, began: int, ended: int, **attributes: Any) -> None:
        whole = trace_id(game_id, short)
        self._ids.trace, self._ids.span = whole, root_id(whole)
        self._end(self._tracer.start_span(
            name, context=_NO_PARENT, start_time=min(began, ended), kind=SpanKind.SERVER,
            attributes=_attributes(game_id, short, attributes),
        ), ended, attributes)  # fmt: skip

    def _child(self, name: str, game_id: str, short: str, began: int, ended: int, **attributes: Any) -> None:
        whole = trace_id(game_id, short)
        parent = SpanContext(whole, root_id(whole), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        context = trace.set_span_in_context(NonRecordingSpan(parent))
        self._end(self._tracer.start_span(
            name, context=context, start_time=min(began, ended), attributes=_attributes(game_id, short, attributes)
        ), ended, attributes)  # fmt: skip

    @staticmethod
    def _end(span: trace.Span, ended: int, attributes: Mapping[str, Any]) -> None:
        if attributes.get("outcome") in {"error", "unavailable"}:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)

    # -- the ingress: update, decide, commit --------------------------------------------------------------------

    def recording(self, record: RecordCommand) -> RecordCommand:
        """Return a callback of the engine that also makes the root span of each sampled command."""

        def recorded(
            game_id: str, command: Command, command_id: str, received: Instant, chat_id: int | None, outcome: str
        ) -> None:
            record(game_id, command, command_id, received, chat_id, outcome)
            decided = self._decisions.pop(id(command), None)
            short = trace_of(command_id)
            if not self.sampled(short):
                return
            if len(self._recorded) >= MOST_DECISIONS:  # typed commands and requests of the API ask for no trace
                self._recorded.clear()
            self._recorded[short] = f"{trace_id(game_id, short):032x}"
            name = type(command).__name__
            self._root(
                "update", game_id, short, received * 1_000_000, time.time_ns(), command=name, outcome=outcome,
                id=command_id,
            )  # fmt: skip
            if decided is not None:
                self._child("decide", game_id, short, decided[1], decided[2], command=name)

        return recorded

    def trace_of_tap(self, short: str) -> str:
        """Return the id of an answered tap's trace, in hex; empty if it is not recorded."""
        return self._recorded.pop(short, "")

    def kinds(self, kinds: Mapping[str, Kind[Any]]) -> dict[str, Kind[Any]]:
        """Return the kinds of game with rules that note the times of their decisions."""
        return {name: replace(kind, decide=self._timed(kind.decide)) for name, kind in kinds.items()}

    def _timed(self, decide: Callable[..., Any]) -> Callable[..., Any]:
        def decided(state: Game | None, command: Command, *arguments: Any) -> Any:
            began = time.time_ns()
            try:
                return decide(state, command, *arguments)
            finally:
                if len(self._decisions) >= MOST_DECISIONS:  # commands whose askers have gone are never answered
                    self._decisions.clear()
                # The command is kept with its times, so that its identity is not given to another object meanwhile.
                self._decisions[id(command)] = (command, began, time.time_ns())

        return decided

    def store(self, store: GameStore) -> GameStore:
        """Return a game store whose commits have spans."""
        return _TracedStore(self, store)

    def committed(self, commits: Sequence[Commit], began: int, ended: int, outcomes: Sequence[str]) -> None:
        """Make the spans of a flight of commits."""
        for commit, outcome in zip(commits, outcomes, strict=True):
            for record in commit.records:
                short = trace_of(record.command_id)
                if self.sampled(short):
                    self._child(
                        "commit", commit.game_id, short, began, ended, games=len(commits),
                        records=len(commit.records), outcome=outcome,
                    )  # fmt: skip

    # -- the API ------------------------------------------------------------------------------------------------

    def api(self, app: App) -> App:
        """Return an ASGI application whose requests have spans.

        A request belongs to the trace of its caller, if it names one that is recorded; else a write to a game to that
        of the write.
        """

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            began, status = time.time_ns(), 500

            async def sending(message: Any) -> None:
                nonlocal status
                status = message.get("status", status)
                await send(message)

            try:
                await app(scope, receive, sending)
            finally:
                self._answered(scope, began, status)

        return traced

    def _answered(self, scope: Scope, began: int, status: int) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        context = _propagator.extract(headers)
        caller = trace.get_current_span(context).get_span_context()
        game = _GAME.search(scope["path"])
        key = headers.get("idempotency-key", "")
        command = scope.get("state", {}).get("command", "")
        short = trace_of(command) if command else ""
        outcome = "error" if status >= SERVER_ERROR else "done"
        attributes = {"method": scope["method"], "path": scope["path"], "status": status, "outcome": outcome}
        name = f"api {scope['method']}"
        if caller.is_valid and caller.trace_flags.sampled:
            span = self._tracer.start_span(name, context=context, start_time=began, attributes=_named(attributes))
            self._end(span, time.time_ns(), attributes)
        elif game is not None and self.sampled(short):
            self._child(name, game[0], short, began, time.time_ns(), **attributes)
        elif not key and random.randrange(SPACE) < self._below:  # noqa: S311 -- a sample
            span = self._tracer.start_span(
                name, context=_NO_PARENT, start_time=began, attributes=_named(attributes),
            )  # fmt: skip
            self._end(span, time.time_ns(), attributes)

    # -- the worker: feed, project, render, send ----------------------------------------------------------------

    def handling(self, group: str, handle: Handle) -> Handle:
        """Return a handler of the feed that also makes spans: the wait in the feed, and the handling."""
        name = _NAMES.get(group, group)

        async def handled(entries: Sequence[Entry]) -> None:
            began = time.time_ns()
            await handle(entries)
            ended = time.time_ns()
            for entry in entries:
                for short in entry.traces:
                    if self.sampled(short):
                        added = int(entry.id.partition("-")[0] or 0) * 1_000_000
                        self._child("feed", entry.game_id, short, added, max(added, began), group=group)
                        self._child(name, entry.game_id, short, began, ended, entries=len(entries))

        return handled

    def sending(self, report: Callable[[Outgoing, Outcome], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """Return a callback of the sender that also makes the spans of calls to Telegram: from queued to answered."""

        async def reported(outgoing: Outgoing, outcome: Outcome) -> None:
            short = outgoing.trace or ""
            if self.sampled(short):
                failed = outcome.settled not in {Settled.SENT, Settled.EDITED, Settled.UNCHANGED}
                self._child(
                    "send", outgoing.game_id or "", short, outgoing.created_at * 1_000_000, time.time_ns(),
                    method=outgoing.method, settled=outcome.settled.value, outcome="error" if failed else "done",
                )  # fmt: skip
            await report(outgoing, outcome)

        return reported


def _attributes(game_id: str, short: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"tombola.game": game_id, "tombola.trace": short, **_named(attributes)}


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {f"tombola.{name}": value for name, value in attributes.items()}


class _TracedStore:
    """A game store whose commits have spans."""

    def __init__(self, tracing: Tracing, store: GameStore) -> None:
        self._tracing = tracing
        self._store = store

    async def load(self, game_id: str) -> Stored | None:
        """Load a game."""
        return await self._store.load(game_id)

    async def records_since(self, game_id: str, known: Stored) -> Sequence[Record] | None:
        """Return the records after a known state."""
        return await self._store.records_since(game_id, known)

    async def commit(self, commits: Sequence[Commit]) -> Sequence[Any]:
        """Commit a flight."""
        began = time.time_ns()
        outcomes = ["unavailable"] * len(commits)
        try:
            results = await self._store.commit(commits)
            outcomes = [_outcome(result) for result in results]
        finally:
            self._tracing.committed(commits, began, time.time_ns(), outcomes)
        return results


def _outcome(result: Committed | Any) -> str:
    if isinstance(result, CommitResult):
        return result.value
    return "error" if isinstance(result, Exception) else "waiting"
