"""The webhook: closed without the secret, and robust against any content."""

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import aiohttp
import msgspec
import pytest_asyncio

from bot.ingest.updates import chat_of
from tests.e2e.conftest import Table, seated

SECRET = "X-Telegram-Bot-Api-Secret-Token"
RIGHT = {SECRET: "e2e-secret"}


@pytest_asyncio.fixture
async def hooked(postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Table]:
    """Create a group of five people and the bot, by webhook."""
    async with seated(postgres_dsn, redis_dsn, "webhook") as found:
        yield found


async def post(table: Table, body: bytes, headers: Any = None) -> int:
    url = f"http://127.0.0.1:{table.bot.port}/telegram/webhook"
    async with aiohttp.ClientSession() as session, session.post(url, data=BytesIO(body), headers=headers) as response:
        return response.status


WRONG: tuple[Any, ...] = (
    {},
    {SECRET: ""},
    {SECRET: "e2e-secreT"},
    {SECRET: "e2e-secret "[:9]},
    {SECRET: "é"},
    [*RIGHT.items(), (SECRET, "x")],
)


async def test_without_the_secret_nothing_is_processed(hooked: Table) -> None:
    game_id = await hooked.open()
    board = await hooked.says("Everyone takes a number")
    await hooked.join(game_id, hooked.host)
    forged = {
        "update_id": 9_000_000,
        "callback_query": {
            "id": "1",
            "from": {"id": hooked.people[1].id, "is_bot": False, "first_name": "Forged"},
            "message": {"message_id": board.id, "date": 1, "chat": {"id": hooked.group.id, "type": "group"}},
            "chat_instance": "1",
            "data": f"j:{game_id}",
        },
    }
    for headers in WRONG:
        assert await post(hooked, msgspec.json.encode(forged), headers) == 401, headers
    assert list((await hooked.bot.engine.look(game_id)).state.players) == [hooked.host.id]


DEEP = b"[" * 100_000 + b"]" * 100_000


BODIES = (
    (b"", 400),
    (b"\xff{", 400),
    (b"[]", 400),
    (b'{"update_id":"1"}', 400),
    (b'{"update_id":1,"message":' + DEEP + b"}", 400),
    (b'{"update_id":2,"callback_query":' + DEEP + b"}", 400),
    (b'{"update_id":3,"something_new":{}}', 200),
    (b'{"a":"' + b"x" * 2_000_000 + b'"}', 413),
)


async def test_what_is_no_update_is_refused_and_the_game_goes_on(hooked: Table) -> None:
    for body, status in BODIES:
        assert await post(hooked, body, RIGHT) == status, body[:40]
    await hooked.open()
    hooked.no_complaints()


def test_whose_an_update_is_that_is_nested_without_end_is_nobodys_business() -> None:
    assert chat_of(b'{"update_id":1,"message":' + DEEP + b"}") == 0
