"""Reports of unexpected errors to a server that speaks Sentry's protocol. Imported only if ``errors.dsn`` is set.

A report is made of an exception that is logged at ERROR or above. It has the types of the exception and of its causes,
and the places in the code that it has passed, but no text of it and no value of a variable: both may hold names and
words of people, ids, tokens and passwords. The text stands in the log, which the report's trace finds.
"""

import contextlib
import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from loguru import logger
from sentry_sdk import Client
from sentry_sdk.transport import HttpTransport
from sentry_sdk.utils import event_from_exception
from typing_extensions import override

from bot.observe.trace_ids import root_id

if TYPE_CHECKING:
    from loguru import Message, Record

MOST_WAITING: Final = 100
"""Maximum number of reports that wait for the server. Beyond it new ones are dropped. A thread sends them."""
MOST_A_MINUTE: Final = 60
MOST_ALIKE_A_MINUTE: Final = 5
"""Limit of reports of one type of exception from one place. The log has all, and `tombola_errors_total` counts them."""
CLOSE_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 10.0
MOST_CHAINED: Final = 10
OWN: Final = ("sentry_sdk", "urllib3")
"""Beginnings of the names of loggers whose errors are not reported: a report of a failed report would fail too."""
SHORT: Final = re.compile(r"[0-9a-f]{8}")
FRAME: Final = ("filename", "module", "function", "lineno", "pre_context", "context_line", "post_context", "in_app")
MECHANISM: Final = ("type", "handled", "exception_id", "parent_id", "is_exception_group", "source")
EVENT: Final = ("event_id", "timestamp", "level", "platform", "release", "environment", "server_name", "sdk")

TraceId = Callable[[str, str], str]


@contextlib.contextmanager
def reporting(
    dsn: str, *, version: str, environment: str, roles: Iterable[str] = (), trace_id: TraceId | None = None
) -> Iterator[None]:
    """Report errors until the end of the block. Then wait a second at most for the last reports.

    Args:
        dsn: address and key of a project.
        version: the version of the program.
        environment: the name of the deployment.
        roles: the roles of the process.
        trace_id: returns the id of the OpenTelemetry trace of a game and the eight digits, in hex; empty if that trace
            is not recorded. None without traces.
    """
    reporter = Reporter(dsn, version, environment, ",".join(sorted(roles)), trace_id)
    sink = logger.add(reporter.take, level="ERROR", format="{message}", backtrace=False, diagnose=False)
    try:
        yield
    finally:
        logger.remove(sink)
        reporter.close()


class _Answer:
    """Status and headers of an answer. Its body, which may have no end, is not read."""

    data = b""

    def __init__(self, status: int, headers: Any) -> None:
        self.status = status
        self.headers = headers

    def close(self) -> None:
        """Do nothing: the answer is closed."""


class _CautiousTransport(HttpTransport):
    """Sends reports to the server of the DSN alone: it follows no redirect, and reads no body."""

    @override
    def _request(self, method: str, endpoint_type: Any, body: Any, headers: Mapping[str, str]) -> Any:
        url = self._auth.get_api_url(endpoint_type)
        answer = self._pool.request(
            *(method, url), body=body, headers=headers, redirect=False, retries=False, preload_content=False,
            timeout=ANSWER_SECONDS,
        )  # fmt: skip
        answer.close()
        return _Answer(answer.status, answer.headers)


class Reporter:
    """Makes reports of log records, and hands them to the thread that sends them."""

    def __init__(self, dsn: str, version: str, environment: str, roles: str, trace_id: TraceId | None) -> None:
        self._client = Client(
            dsn=dsn,
            transport=_CautiousTransport,
            release=f"tombola@{version}",
            environment=environment,
            server_name=socket.gethostname(),
            before_send=_kept,
            transport_queue_size=MOST_WAITING,
            shutdown_timeout=CLOSE_SECONDS,
            default_integrations=False,  # they change the interpreter's hooks and other libraries
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            enable_backpressure_handling=False,
            send_client_reports=False,
            include_local_variables=False,
            max_breadcrumbs=0,
            spotlight=False,
        )
        self._roles = roles
        self._trace_id = trace_id
        self._minute, self._spent = 0, Counter[tuple[Any, ...]]()

    def close(self) -> None:
        """Send the reports that wait, for a second at most."""
        self._client.close(timeout=CLOSE_SECONDS)

    def take(self, message: "Message") -> None:
        """Report the exception of a log record, if it has one and the budget allows it. Waits for nothing."""
        record = message.record
        caught = record["exception"]
        if caught is None or caught.value is None or (record["name"] or "").startswith(OWN):
            return
        if self._affordable(caught.value):
            event: Any = dict(event_from_exception(caught.value, self._client.options)[0])
            event.update(self._about(record))
            self._client.capture_event(event)

    def _affordable(self, error: BaseException) -> bool:
        """Return whether the budget of this minute allows the report. A storm of errors must not cost the taps."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._spent = minute, Counter()
        step, place = error.__traceback__, None
        while step is not None:
            place, step = (step.tb_frame.f_code, step.tb_lineno), step.tb_next
        alike = (type(error), place)
        if self._spent[()] >= MOST_A_MINUTE or self._spent[alike] >= MOST_ALIKE_A_MINUTE:
            return False
        self._spent.update([(), alike])
        return True

    def _about(self, record: "Record") -> dict[str, Any]:
        extra = record["extra"]
        short, game = str(extra.get("trace") or ""), str(extra.get("game") or "")
        tags = {"logged_by": f"{record['file'].name}:{record['line']}", "roles": self._roles}
        about: dict[str, Any] = {"level": "error" if record["level"].no < 50 else "fatal", "tags": tags}
        if SHORT.fullmatch(short):
            tags["trace"] = short
            if self._trace_id is not None and (whole := self._trace_id(game, short)):
                about["contexts"] = {"trace": {"trace_id": whole, "span_id": f"{root_id(int(whole, 16)):016x}"}}
        return about


def _kept(event: Any, _hint: Any) -> Any:
    return without_people(event)


def without_people(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event with only the fields that cannot hold data of people or secrets."""
    kept = {name: event[name] for name in EVENT if name in event}
    kept["tags"] = {name: str(value)[:200] for name, value in event.get("tags", {}).items()}
    if trace := event.get("contexts", {}).get("trace"):
        kept["contexts"] = {"trace": {name: trace[name] for name in ("trace_id", "span_id")}}
    values = event.get("exception", {}).get("values", [])
    kept["exception"] = {"values": [_exception(each) for each in values[-MOST_CHAINED:]]}
    return kept


def _exception(value: Mapping[str, Any]) -> dict[str, Any]:
    frames = (value.get("stacktrace") or {}).get("frames", [])
    mechanism = value.get("mechanism") or {}
    return {
        "type": value.get("type"),
        "module": value.get("module"),
        "mechanism": {name: mechanism[name] for name in MECHANISM if name in mechanism},
        "stacktrace": {"frames": [{name: frame[name] for name in FRAME if name in frame} for frame in frames]},
    }
