"""Sends spans to a collector, from a thread of its own. Imported only if ``tracing.endpoint`` is set.

The event loop only appends a tuple to a queue. Everything else is done here: ids, the messages of OpenTelemetry's
protocol, and the waiting for a collector that is slow or away.
"""

import random
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import requests
from loguru import logger
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from bot.observe.trace_ids import root_id, trace_id

MOST_WAITING: Final = 2048
"""Maximum number of spans that wait for the collector. Beyond it the oldest are dropped."""
BATCH: Final = 512
"""Maximum number of spans in an export."""
GATHER_SECONDS: Final = 5.0
"""Time in which spans gather for one export, unless they are enough for a batch before."""
EXPORT_SECONDS: Final = 5.0
"""Time limit of an export."""
MOST_PAUSE_SECONDS: Final = 60.0
"""Longest pause before a batch that was not taken is sent again. The pauses double up to it."""
CLOSE_SECONDS: Final = 3.0
"""Time limit of sending the last spans at the end."""
THREAD: Final = "spans"
"""Name of the thread that sends."""
_TEMPORARY: Final = frozenset({429, 502, 503, 504})
"""Statuses after which the same export may be repeated, says the specification of OTLP."""
_OK: Final = range(200, 300)
REMEMBERED: Final = 1024
"""Number of attributes and of ids that are kept as messages."""
_ERROR: Final = trace_pb2.Status(code=trace_pb2.Status.STATUS_CODE_ERROR)
_FAILED: Final = frozenset({"error", "unavailable"})


class Span(NamedTuple):
    """A finished span, as the event loop queues it.

    Attributes:
        name: its name.
        began: its beginning in nanoseconds. It may come from the clock that all processes share, which may be ahead of
            this machine's, and so be later than the end.
        ended: its end.
        attributes: attributes, without their common prefix.
        game_id: id of the game that its trace is computed from; empty if ``trace`` is given.
        short: eight digits that its trace is computed from.
        is_root: True for the span of an update, of which all other spans of the trace are children.
        trace: id of a trace that somebody else has begun.
        parent: id of the caller's span in it.
    """

    name: str
    began: int
    ended: int
    attributes: Mapping[str, object]
    game_id: str = ""
    short: str = ""
    is_root: bool = False
    trace: bytes = b""
    parent: bytes = b""


class SpanExporter:
    """A bounded queue of spans, and the thread that sends them.

    Args:
        endpoint: base address of a collector for OTLP over HTTP.
        resource: attributes of the process.
        headers: headers of each export, such as an authorization.
    """

    def __init__(self, endpoint: str, resource: Mapping[str, str], headers: Mapping[str, str] | None = None) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._resource = Resource(attributes=[_attribute(name, value) for name, value in resource.items()])
        self._session = requests.Session()
        self._session.headers.update({**(headers or {}), "content-type": "application/x-protobuf"})
        self._waiting: deque[Span] = deque(maxlen=MOST_WAITING)
        self._any, self._enough, self._closing = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
        self._thread.start()

    def add(self, span: Span) -> None:
        """Queue a span. Never waits."""
        self._waiting.append(span)
        # To set an event takes a lock, also if it is set.
        if not self._any.is_set():
            self._any.set()
        elif len(self._waiting) == BATCH:
            self._enough.set()

    def close(self) -> None:
        """Send the last spans and stop. Blocks for some seconds at most."""
        self._closing.set()
        self._any.set()
        self._enough.set()
        # A collector that answers byte by byte would hold the thread for hours. It ends with the process.
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        failures, batch, closing = 0, b"", False
        while not closing:
            self._any.wait()  # without a time limit: an idle process sleeps
            if failures:
                self._closing.wait(random.uniform(0.5, 1) * min(MOST_PAUSE_SECONDS, 2**failures))  # noqa: S311
            else:
                self._enough.wait(GATHER_SECONDS)
            self._any.clear()
            self._enough.clear()
            closing = self._closing.is_set()  # before the last look at the queue
            batch = self._sent(batch)
            if batch:
                # It stays encoded: while a collector is away, its trials cost no encoding, and the queue drops spans.
                self._any.set()
                failures += 1
            else:
                failures = 0

    def _sent(self, batch: bytes) -> bytes:
        """Send a batch, if it is not empty, and all waiting spans. Returns the first batch that was not taken."""
        while batch or self._waiting:
            batch = batch or self._encoded([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])
            if not self._taken(batch):
                return batch
            batch = b""
        return b""

    def _taken(self, batch: bytes) -> bool:
        """Send a batch. Returns False if it can be sent again."""
        try:
            # No redirect is followed and no body is read: a collector could lead elsewhere, or send an endless one.
            # The connection of an unread body is closed, which costs one connection for each export.
            with self._session.post(
                self._url, data=batch, timeout=EXPORT_SECONDS, stream=True, allow_redirects=False
            ) as response:
                status = response.status_code
        except requests.RequestException as problem:
            logger.debug("the collector of traces does not answer: {}", type(problem).__name__)
            return False
        if status not in _OK:
            logger.debug("the collector of traces answers with {}", status)
        return status not in _TEMPORARY

    def _encoded(self, spans: list[Span]) -> bytes:
        scope = trace_pb2.ScopeSpans(
            scope=InstrumentationScope(name="tombola"), spans=[_message(span) for span in spans]
        )
        resource = trace_pb2.ResourceSpans(resource=self._resource, scope_spans=[scope])
        batch: bytes = ExportTraceServiceRequest(resource_spans=[resource]).SerializeToString()
        return batch


def _message(span: Span) -> trace_pb2.Span:
    """Return a span as OpenTelemetry's message, with its ids."""
    whole, parent, own = span.trace, span.parent, secrets.token_bytes(8)
    attributes = [_attribute(f"tombola.{name}", value) for name, value in span.attributes.items()]
    if span.game_id:
        whole, root = _ids(span.game_id, span.short)
        parent, own = (b"", root) if span.is_root else (root, own)
        attributes += [_attribute("tombola.game", span.game_id), _attribute("tombola.trace", span.short)]
    return trace_pb2.Span(
        trace_id=whole or secrets.token_bytes(16),
        span_id=own,
        parent_span_id=parent,
        name=span.name,
        kind=trace_pb2.Span.SPAN_KIND_SERVER if span.is_root else trace_pb2.Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=min(span.began, span.ended),
        end_time_unix_nano=span.ended,
        attributes=attributes,
        status=_ERROR if span.attributes.get("outcome") in _FAILED else None,
    )


@lru_cache(REMEMBERED)
def _ids(game_id: str, short: str) -> tuple[bytes, bytes]:
    """Return the ids of a trace and of its root span."""
    whole = trace_id(game_id, short)
    return whole.to_bytes(16), root_id(whole).to_bytes(8)


@lru_cache(REMEMBERED)
def _attribute(name: str, value: object) -> KeyValue:
    """Return an attribute as a message. Most are the same again and again, and to make one takes a microsecond."""
    if isinstance(value, int):
        return KeyValue(key=name, value=AnyValue(int_value=value))
    # A path can hold a lone surrogate, which protobuf refuses.
    return KeyValue(key=name, value=AnyValue(string_value=str(value).encode(errors="replace").decode()))
