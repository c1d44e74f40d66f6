"""Log lines: as JSON, with the names of ECS, without secrets, of bounded size."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as budget
from hypothesis import strategies as st
from loguru import logger
from pydantic import SecretStr

from bot.observe import logs
from bot.observe.log_lines import LONGEST_LINE
from bot.observe.trace_ids import trace_id
from bot.settings import Api, Settings

TOKEN = '12345:Sec"ret\\Token'
"""A secret with characters that JSON escapes."""
Lines = Callable[[], list[dict[str, Any]]]
FORMATS = ({"json": True}, {"ecs": True})


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Give logging back as it was."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    logger.remove()
    logger.configure(patcher=lambda _: None)
    logger.add(sys.stderr)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Return a function that returns the lines since its last call."""
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def set_up(**given: Any) -> None:
    logs.set_up_for(
        Settings(
            api=Api(token_key=SecretStr(TOKEN)),
            log={"level": "DEBUG", **given},
            tracing={"endpoint": "http://127.0.0.1:1", "ratio": 0.5},
        ),
        ("web", "ingress"),
    )


def fail(text: str) -> None:
    try:
        raise LookupError(text)  # noqa: TRY301
    except LookupError as error:
        logger.bind(game="0123456789abcd", chat=-5).opt(exception=error).error("failed: {}", text)


def test_a_line_has_the_names_of_ecs(lines: Lines) -> None:
    set_up(ecs=True)
    with logger.contextualize(trace="7fffffff"):
        fail("нет такого")
    [line] = lines()
    assert list(line)[:3] == ["@timestamp", "log.level", "message"]
    assert (line["log.level"], line["message"]) == ("error", "failed: нет такого")
    assert line["@timestamp"].endswith("Z")
    assert (line["error.type"], line["error.message"]) == ("LookupError", "нет такого")
    assert "test_logs.py" in line["error.stack_trace"]
    assert (line["labels.chat"], line["labels.trace"]) == ("-5", "7fffffff")
    assert line["trace.id"] == f"{trace_id('0123456789abcd', '7fffffff'):032x}"
    assert line["service.node.roles"] == ["ingress", "web"]
    assert line["service.environment"] == "production"
    assert line["log.origin.function"] == "fail"


def test_a_line_links_to_a_trace_only_if_that_is_recorded(lines: Lines) -> None:
    set_up(ecs=True)
    for trace, game in (("80000000", "0123456789abcd"), ("7fffffff", None), (None, None)):
        logger.bind(trace=trace, game=game).info("taken")
    assert all("trace.id" not in line for line in lines())


@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_secrets_are_masked_in_every_value_also_where_json_escapes_their_characters(
    form: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(**form)
    fail(f"refused: {TOKEN} in {TOKEN * 5000}")
    logger.bind(data=TOKEN).info("said {}", TOKEN)
    written = capsys.readouterr().err
    assert len(written.splitlines()) == 2
    for line in written.splitlines():
        assert all("Sec" not in str(value) for value in json.loads(line).values())


@pytest.mark.parametrize("form", FORMATS, ids=str)
@budget(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    unit=st.text(st.characters(), min_size=1, max_size=20),  # surrogates and control characters too
    times=st.integers(1, 4000),
)
def test_a_line_of_any_text_is_json_of_bounded_size(
    form: dict[str, Any], unit: str, times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(**form)
    fail(unit * times)
    [line] = capsys.readouterr().err.rstrip("\n").split("\n")
    assert len(line.encode()) <= LONGEST_LINE
    assert json.loads(line)["message"].startswith("failed: ")


def test_a_deep_traceback_fits(lines: Lines) -> None:
    set_up(ecs=True)

    def deep(steps: int) -> None:
        if not steps:
            raise LookupError("the bottom")
        deep(steps - 1)

    try:
        deep(600)
    except LookupError as error:
        logger.opt(exception=error).error("failed")
    [line] = lines()
    assert line["error.message"] == "the bottom"
    assert line["error.stack_trace"].splitlines()[0].endswith("deep")


class Speechless(Exception):
    """An error whose text can't be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize("form", [*FORMATS, {}], ids=str)
def test_what_cannot_say_its_text_loses_no_line_and_shows_no_secret(
    form: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(**form)
    try:
        raise Speechless  # noqa: TRY301
    except Speechless as error:
        logger.opt(exception=error).error("failed with {}", TOKEN)
    shown = capsys.readouterr().err
    assert "failed with ***" in shown
    assert "Speechless" in shown
    assert TOKEN not in shown


def test_a_value_forges_no_line_for_people_and_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    set_up()
    logger.bind(title="a\nb\x1b[2J").info("opened {}", "x\n2026-01-01 | ERROR | forged\r\x1b[31m\x9b2J")
    [line] = capsys.readouterr().err.rstrip("\n").split("\n")
    assert r"x\n2026-01-01 | ERROR | forged\r\x1b[31m\x9b2J" in line
    assert "\x1b[2J" not in line


@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_a_value_divides_no_line_of_json_and_commands_no_terminal(
    form: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    title = 'a"\n{"message":"forged"}\r\x1b[2J\x7f\x85\x9b2J\u2028\u2029\u202e\u2066\\'
    set_up(**form)
    logger.bind(title=title).info("opened {}", title * 3000)
    text = capsys.readouterr().err.removesuffix("\n")
    assert text.splitlines() == [text]
    assert all(character.isprintable() for character in text)
    found = json.loads(text)
    assert title in {found.get("title"), found.get("labels.title")}
    assert found["message"].startswith(f"opened {title}")


def test_a_text_entry_is_bounded_and_no_text_of_an_exception_forges_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up()
    forged = "12:00:00.000 | INFO    | forged"
    fail(f"Friday\n{forged}\r{forged}\x1b[2J\x85{forged}\u2028{TOKEN}")
    fail("x" * 5_000_000)
    entries = capsys.readouterr().err
    assert len(entries) <= 2 * LONGEST_LINE
    assert "Sec" not in entries
    assert "LookupError: Friday" in entries
    starts = [line for line in entries.splitlines() if not line.startswith("  ")]
    assert [" ERROR " in line for line in starts] == [True, True]
    assert not set(entries) & {*map(chr, range(10)), *map(chr, range(11, 32)), "\x85", "\u2028"}


def test_a_long_chain_of_exceptions_and_a_broken_one_keep_their_entry(capsys: pytest.CaptureFixture[str]) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError

    set_up()
    error: Exception = Mute()
    for number in range(500):
        link = LookupError(number)
        link.__cause__, error = error, link
    logger.opt(exception=error).error("failed")
    logger.opt(exception=Mute()).error("failed")
    entries = capsys.readouterr().err
    assert len(entries) <= 2 * LONGEST_LINE
    assert "LookupError: 499" in entries
    assert len([line for line in entries.splitlines() if not line.startswith("  ")]) == 2
