"""Updates that aiogram cannot read: each is one bounded line of the log and one count, without traceback or warning."""

import json
import warnings
from typing import Any

import pytest
from loguru import logger

from handlers.routing import WHY_CHARACTERS
from tests.handlers.room import ANN, Room, chat_of, user

MESSAGE = {"message_id": 1, "date": 0, "chat": chat_of(ANN), "from": user(ANN)}


@pytest.mark.parametrize(
    "members",
    [
        {"message": MESSAGE | {"date": {"no": "date"}}},
        {"message": MESSAGE | {"chat": {"id": "x" * 5000}}},
        {"message": "text"},
        {"callback_query": {"id": 5}},
        {"something_new": {"a": 1}},
        {},
    ],
)
async def test_an_update_that_cannot_be_read_is_one_line_of_the_log(room: Room, members: dict[str, Any]) -> None:
    lines = list[str]()
    sink = logger.add(lines.append, format="{message}\n{exception}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            await room.aiogram_path(json.dumps({"update_id": 7, **members}).encode())
    finally:
        logger.remove(sink)
    [line] = lines
    assert line.startswith("update 7 is left out: ")
    assert len(line) < WHY_CHARACTERS + 50
    assert "Traceback" not in line
    assert room.errors == ["unreadable update"]
    assert await room.sent() == []
