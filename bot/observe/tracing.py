"""Traces of updates through all processes, by OpenTelemetry. Imported only if ``tracing.endpoint`` is set.

No context is passed from process to process, because everything already carries the game and the id of the command
that caused it: the feed's entries hold the ids of their commands, and calls to Telegram hold the eight digits of
``trace_of``. Trace id, id of the root span, and the decision to sample are computed from them, so that all processes
come to the same ones. A command that is not sampled costs one checksum in each process, and creates no object. Without
an endpoint nothing here is imported.
"""

import random
import re
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from typing_extensions import override

from bot.ingest.webhook import App, Receive, Scope, Send
from bot.observe.span_exporter import Span, SpanExporter
from bot.observe.trace_ids import SPACE, sampling, trace_id
from fsm.engine import Commit, CommitResult, Committed, Engine, GameStore, Outcome, Promise, Record, Stored, outcome_of
from fsm.kind import Command, Game, Instant, Kind
from storage.feed import Entry, Handle, trace_of
from telegram.outbox import Outgoing
from telegram.sender import Outcome as CallOutcome
from telegram.sender import Settled

MOST_TRACED: Final = 10_000
"""Maximum number of traced commands and taps that are remembered until they are answered."""
SERVER_ERROR: Final = 500
_GAME = re.compile(r"(?<=/games/)[0-9a-z]{14,22}")
_CALLER = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f][13579bdf]")
"""Header ``traceparent`` of a caller that records its trace (W3C Trace Context): trace and span."""
_NAMES: Final[Mapping[str, str]] = MappingProxyType({"projector": "project", "boards": "render"})
"""Consumer group -> name of its span; other groups have their own name."""


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
        self.below = round(ratio * SPACE)
        """A command is recorded if the checksum of its id is lower: the same decision, without the digits."""
        self.shown: dict[str, str] = {}
        """Id of a command -> id of its trace in hex, for traced commands whose answers were not counted yet."""
        self.commands: dict[object, TracedCommand] = {}
        """The traced commands of the engine, by their id, and by the identity of their object for the rules."""
        exporter = SpanExporter(endpoint, resource, headers)
        self.add, self.close = exporter.add, exporter.close

    # -- the ingress: update, decide, commit --------------------------------------------------------------------

    def engine(self, kinds: Mapping[str, Kind[Any]], store: GameStore, *given: Any, **options: Any) -> Engine:
        """Return an engine that makes spans of the commands that are sampled."""
        timed = {name: replace(kind, decide=self._timed(kind.decide)) for name, kind in kinds.items()}
        return _TracedEngine(self, timed, _TracedStore(self, store, timed), *given, **options)

    def _timed(self, decide: Callable[..., Any]) -> Callable[..., Any]:
        commands = self.commands

        def decided(state: Game | None, command: Command, received: Instant, seed: str) -> Any:
            if not commands or (traced := commands.get(id(command))) is None:
                return decide(state, command, received, seed)
            began = time.time_ns()
            try:
                return decide(state, command, received, seed)
            finally:
                traced.add("decide", began, {"command": traced.name})

        return decided

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
        headers = dict(scope["headers"])
        caller = _CALLER.fullmatch(headers.get(b"traceparent", b"").strip())
        command = scope.get("state", {}).get("command", "")
        short = trace_of(command) if command else ""
        game = _GAME.search(scope["path"])
        if caller is not None:
            trace, parent = (bytes.fromhex(each.decode()) for each in caller.groups())
            place: dict[str, Any] = {"trace": trace, "parent": parent}
        elif game is not None and self.sampled(short):
            place = {"game_id": game[0], "short": short}
        elif not headers.get(b"idempotency-key") and random.randrange(SPACE) < self.below:  # noqa: S311 -- a sample
            place = {}
        else:
            return
        outcome = "error" if status >= SERVER_ERROR else "done"
        attributes = {"method": scope["method"], "path": scope["path"], "status": status, "outcome": outcome}
        self.add(Span(f"api {scope['method']}", began, time.time_ns(), attributes, **place))

    # -- the worker: feed, project, render, send ----------------------------------------------------------------

    def handling(self, group: str, handle: Handle) -> Handle:
        """Return a handler of the feed that also makes spans: the wait in the feed, and the handling."""
        name = _NAMES.get(group, group)

        async def handled(entries: Sequence[Entry]) -> None:
            began = time.time_ns()
            await handle(entries)
            ended = time.time_ns()
            for entry in entries:
                for command_id in entry.command_ids:
                    if zlib.crc32(command_id.encode()) < self.below:
                        self._handled(entry, trace_of(command_id), group, (began, ended), name, len(entries))

        return handled

    def _handled(self, entry: Entry, short: str, group: str, times: tuple[int, int], name: str, entries: int) -> None:
        began, ended = times
        added = int(entry.id.partition("-")[0] or 0) * 1_000_000
        self.add(Span("feed", added, max(added, began), {"group": group}, entry.game_id, short))
        self.add(Span(name, began, ended, {"entries": entries}, entry.game_id, short))

    def sending(self, report: Callable[[Outgoing, CallOutcome], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """Return a callback of the sender that also makes the spans of calls to Telegram: from queued to answered."""

        async def reported(outgoing: Outgoing, outcome: CallOutcome) -> None:
            if outgoing.trace and outgoing.game_id and self.sampled(outgoing.trace):
                failed = outcome.settled not in {Settled.SENT, Settled.EDITED, Settled.UNCHANGED}
                attributes = {
                    "method": outgoing.method,
                    "settled": outcome.settled.value,
                    "outcome": "error" if failed else "done",
                }
                began = outgoing.created_at * 1_000_000
                self.add(Span("send", began, time.time_ns(), attributes, outgoing.game_id, outgoing.trace))
            await report(outgoing, outcome)

        return reported


@dataclass(slots=True)
class TracedCommand:
    """The engine's promise to the asker of a traced command: makes its root span when it is answered."""

    tracing: Tracing
    game_id: str
    command: Command
    """Kept, so that its identity is not given to another object meanwhile."""
    command_id: str
    received: Instant | None
    asker: Promise[Outcome]
    began: int
    short: str

    @property
    def name(self) -> str:
        """The name of its type."""
        return type(self.command).__name__

    def add(self, name: str, began: int, attributes: Mapping[str, object], *, is_root: bool = False) -> None:
        """Make a span that ends now."""
        self.tracing.add(Span(name, began, time.time_ns(), attributes, self.game_id, self.short, is_root))

    def done(self) -> bool:
        """Tell whether the asker has its answer, or no longer waits."""
        return self.asker.done()

    def set_result(self, outcome: Outcome, /) -> None:
        """Pass the outcome on."""
        self._answered(outcome)
        self.asker.set_result(outcome)

    def set_exception(self, exception: Exception, /) -> None:
        """Pass the refusal or error on."""
        self._answered(exception)
        self.asker.set_exception(exception)

    def _answered(self, result: Outcome | Exception) -> None:
        tracing = self.tracing
        tracing.commands.pop(self.command_id, None)
        tracing.commands.pop(id(self.command), None)
        began = self.began if self.received is None else self.received * 1_000_000
        attributes = {"command": self.name, "outcome": outcome_of(result), "id": self.command_id}
        self.add("update", began, attributes, is_root=True)
        if len(tracing.shown) >= MOST_TRACED:  # answers to typed commands and to the API are not counted as taps
            tracing.shown.clear()
        tracing.shown[self.command_id] = f"{trace_id(self.game_id, self.short):032x}"


class _TracedEngine(Engine):
    """An engine that decides for each command whether it is traced, once."""

    def __init__(self, tracing: Tracing, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._tracing = tracing

    @override
    def submit(
        self,
        game_id: str,
        command: Command | None,
        *,
        command_id: str,
        received: Instant | None,
        asker: Promise[Outcome],
    ) -> None:
        if command is not None and zlib.crc32(command_id.encode()) < self._tracing.below:
            asker = self._traced(game_id, command, command_id, received, asker)
        super().submit(game_id, command, command_id=command_id, received=received, asker=asker)

    def _traced(
        self, game_id: str, command: Command, command_id: str, received: Instant | None, asker: Promise[Outcome]
    ) -> TracedCommand:
        commands = self._tracing.commands
        if len(commands) >= MOST_TRACED:  # commands whose askers have gone are never answered
            commands.clear()
        traced = TracedCommand(
            self._tracing, game_id, command, command_id, received, asker, time.time_ns(), trace_of(command_id)
        )
        commands[command_id] = commands[id(command)] = traced
        return traced


class _TracedStore:
    """A game store that makes spans of the commits of traced commands."""

    def __init__(self, tracing: Tracing, store: GameStore, kinds: Mapping[str, Kind[Any]]) -> None:
        self._commands = tracing.commands
        self._store = store
        self._kinds = kinds

    async def load(self, game_id: str) -> Stored | None:
        """Load a game, with the rules that make spans of their decisions."""
        stored = await self._store.load(game_id)
        return stored and replace(stored, kind=self._kinds[stored.kind.name])

    async def records_since(self, game_id: str, known: Stored) -> Sequence[Record] | None:
        """Return the records after a known state."""
        return await self._store.records_since(game_id, known)

    async def commit(self, commits: Sequence[Commit]) -> Sequence[Any]:
        """Commit a flight."""
        if not self._commands:
            return await self._store.commit(commits)
        began = time.time_ns()
        outcomes = ["unavailable"] * len(commits)
        try:
            results = await self._store.commit(commits)
            outcomes = [_outcome(result) for result in results]
        finally:
            self._committed(commits, began, outcomes)
        return results

    def _committed(self, commits: Sequence[Commit], began: int, outcomes: Sequence[str]) -> None:
        for commit, outcome in zip(commits, outcomes, strict=True):
            for record in commit.records:
                if (traced := self._commands.get(record.command_id)) is not None:
                    counts = {"games": len(commits), "records": len(commit.records)}
                    traced.add("commit", began, {**counts, "outcome": outcome})


def _outcome(result: Committed | Any) -> str:
    if isinstance(result, CommitResult):
        return result.value
    return "error" if isinstance(result, Exception) else "waiting"
