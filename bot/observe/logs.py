"""Logging through loguru: text lines for people or JSON lines for machines, all without secrets and of bounded size."""

import asyncio
import contextvars
import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import stamina.instrumentation
from loguru import logger

from bot import VERSION
from bot.observe.log_lines import (
    CUT,
    LONGEST_LINE,
    LONGEST_TEXT,
    MakeLine,
    ecs_lines,
    masked,
    on_one_line,
    own_line,
    shortened,
    text_of,
)
from bot.observe.trace_ids import sampling, trace_id
from bot.settings import Settings, hidden
from storage.ticks import until_tick

if TYPE_CHECKING:
    from loguru import Message, Record

TRACE: contextvars.ContextVar[str] = contextvars.ContextVar("trace", default="")
"""Trace id of the current work, which follows it from the update to the message."""
LINE = "<green>{time:HH:mm:ss.SSS}</green> <level>{level: <7}</level> <cyan>{name}</cyan> {message}"
FRAMES = 40
"""Innermost frames of a traceback that are kept, of each exception in a chain."""
LONGEST_ENTRY = LONGEST_LINE
"""Limit of an entry for people in characters, with its traceback."""
DETAILS = " <dim>{extra}</dim>"
"""Appended to the message if the line has details such as a trace id."""


def set_up_for(settings: Settings, roles: Iterable[str] = ()) -> None:
    """Send all logs to standard error as configured, without any secret of the settings."""
    line: MakeLine | None = own_line if settings.log.as_json else None
    if settings.log.ecs:
        line = ecs_lines(
            version=VERSION,
            environment=settings.environment,
            roles=tuple(roles),
            trace_id=recorded_trace(settings),
        )
    set_up(level=settings.log.level, line=line, hidden=hidden(settings))


def set_up(*, level: str, line: MakeLine | None = None, hidden: Iterable[str] = ()) -> None:
    """Send all logs, including the standard library's, to standard error.

    Args:
        level: the lowest level to log.
        line: the format of machine-readable lines; None means lines for people.
        hidden: texts to mask.
    """
    # the longest first: one may be a part of another
    secrets_ = tuple(sorted(filter(None, hidden), key=len, reverse=True))

    def patch(record: "Record") -> None:
        if line is None:
            record["error"] = _error(record, secrets_)  # type: ignore[typeddict-unknown-key]
        trace = TRACE.get()
        if trace:
            record["extra"].setdefault("trace", trace)
        message = shortened(masked(record["message"], secrets_))
        record["message"] = message if line is not None else on_one_line(message)  # JSON escapes by itself

    def write_json(message: "Message") -> None:
        assert line is not None
        sys.stderr.write(line(message.record, secrets_) + "\n")

    def write_text(message: "Message") -> None:
        sys.stderr.write(shortened(masked(message, secrets_).rstrip("\n"), LONGEST_ENTRY) + "\n")

    logger.remove()
    logger.configure(patcher=patch)
    if line is not None:
        logger.add(write_json, level=level, backtrace=False, diagnose=False)
    else:
        logger.add(
            write_text,
            level=level,
            format=_format,
            colorize=sys.stderr.isatty(),
            backtrace=False,
            diagnose=False,  # it would print the values of variables, including secrets
        )
    logging.basicConfig(handlers=[_ToLoguru()], level=logging.INFO, force=True)
    stamina.instrumentation.set_on_retry_hooks([_tried_again])
    for noisy in ("apscheduler", "aiogram.event", "httpx", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Its warnings concern mistakes of clients. Anybody could fill the log with them, one line for each connection.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    # while PostgreSQL is away it logs a traceback for each connection
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)


def recorded_trace(settings: Settings) -> Callable[[str, str], str] | None:
    """Return a function from a game and the eight digits to the id of their trace, empty if it is not recorded.

    Returns None without traces.
    """
    if not settings.tracing.endpoint:
        return None
    sampled = sampling(settings.tracing.ratio)

    def recorded(game_id: str, short: str) -> str:
        return f"{trace_id(game_id, short):032x}" if game_id and sampled(short) else ""

    return recorded


def _format(record: "Record") -> str:
    return LINE + (DETAILS if record["extra"] else "") + "\n{error}"


def _error(record: "Record", secrets: Sequence[str]) -> str:
    """Return the traceback of a record's exception, empty if it has none.

    Each line is indented and without control characters: the text of an exception can hold a title or a name that
    forges a line of the log, or commands a terminal. Beginning and end of long ones are kept.
    """
    error = record["exception"]
    if error is None or error.value is None:
        return ""
    try:
        lines = traceback.format_exception(error.value, limit=-FRAMES)
    except Exception:  # noqa: BLE001 -- code of any library: the line must not be lost
        lines = [f"{type(error.value).__name__}: {text_of(error.value)}"]
    text = masked("".join(lines), secrets)
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT // 4]}\n{CUT}\n{text[-LONGEST_TEXT // 4 * 3 :]}"
    return "".join(f"  {on_one_line(each)}\n" for each in text.split("\n") if each.strip())


def _tried_again(details: stamina.instrumentation.RetryDetails) -> None:
    """Log a retry: the first at INFO, later ones at DEBUG.

    The call's arguments are omitted, as they may hold secrets.
    """
    level, problem = "INFO" if details.retry_num == 1 else "DEBUG", type(details.caused_by).__name__
    logger.log(level, "{}: retry {} in {:.1f} s", problem, details.retry_num, details.wait_for)


class _ToLoguru(logging.Handler):
    """Forwards records of the standard library's loggers to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        """Forward one record."""
        try:
            level: str | int = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno

        def named(found: "Record") -> None:
            found["name"] = record.name

        logger.opt(exception=record.exc_info).patch(named).log(level, "{}", record.getMessage())


async def watch_loop(observe: Callable[[float], None], every: float = 1.0) -> None:
    """Observe the delay of a timer of the event loop, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        left = until_tick(every)
        wanted = loop.time() + left
        await asyncio.sleep(left)
        observe(max(0.0, loop.time() - wanted))
