"""Logging through loguru: text lines for people or JSON lines for machines, both without secrets."""

import asyncio
import contextvars
import logging
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec
import stamina.instrumentation
from loguru import logger

from bot.settings import Settings, hidden
from storage.ticks import until_tick

if TYPE_CHECKING:
    from loguru import Message, Record

TRACE: contextvars.ContextVar[str] = contextvars.ContextVar("trace", default="")
"""Trace id of the current work, which follows it from the update to the message."""
HIDDEN = "***"
LINE = "<green>{time:HH:mm:ss.SSS}</green> <level>{level: <7}</level> <cyan>{name}</cyan> {message}"
DETAILS = " <dim>{extra}</dim>"
"""Appended to the message if the line has details such as a trace id."""


def set_up_for(settings: Settings) -> None:
    """Send all logs to standard error as configured, without any secret of the settings."""
    set_up(level=settings.log.level, as_json=settings.log.as_json, hidden=hidden(settings))


def set_up(*, level: str, as_json: bool, hidden: Iterable[str]) -> None:
    """Send all logs, including the standard library's, to standard error. Every string in ``hidden`` is masked."""
    secrets_ = tuple(secret for secret in hidden if secret)

    def patch(record: "Record") -> None:
        trace = TRACE.get()
        if trace:
            record["extra"].setdefault("trace", trace)
        record["message"] = _blotted(record["message"], secrets_)

    def write_json(message: "Message") -> None:
        sys.stderr.write(_blotted(_json_line(message.record), secrets_) + "\n")

    def write_line(message: "Message") -> None:
        sys.stderr.write(_blotted(message, secrets_))

    logger.remove()
    logger.configure(patcher=patch)
    if as_json:
        logger.add(write_json, level=level, backtrace=False, diagnose=False)
    else:
        logger.add(
            write_line,
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


def _format(record: "Record") -> str:
    return LINE + (DETAILS if record["extra"] else "") + "\n{exception}"


def _tried_again(details: stamina.instrumentation.RetryDetails) -> None:
    """Log a retry: the first at INFO, later ones at DEBUG.

    The call's arguments are omitted, as they may hold secrets.
    """
    level, problem = "INFO" if details.retry_num == 1 else "DEBUG", type(details.caused_by).__name__
    logger.log(level, "{}: retry {} in {:.1f} s", problem, details.retry_num, details.wait_for)


def _blotted(text: str, hidden: tuple[str, ...]) -> str:
    for secret in hidden:
        text = text.replace(secret, HIDDEN)
    return text


def _json_line(record: "Record") -> str:
    line: dict[str, Any] = {
        "time": record["time"].isoformat(),
        "level": record["level"].name,
        "logger": record["name"],
        "message": record["message"],
        **{str(key): value for key, value in record["extra"].items() if value is not None},
    }
    error = record["exception"]
    if error is not None and error.value is not None:
        line["error"] = f"{type(error.value).__name__}: {error.value}"
        line["traceback"] = _traceback(error.value)
    return msgspec.json.encode(line, enc_hook=str).decode()


def _traceback(error: BaseException) -> list[str]:
    frames: list[str] = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        frames.append(f"{code.co_filename}:{step.tb_lineno} {code.co_qualname}")
        step = step.tb_next
    return frames


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
