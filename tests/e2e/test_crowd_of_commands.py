"""Hundreds of simultaneous commands through the webhook: another person's command is answered among the first."""

import asyncio
import json

import aiohttp
import pytest

from tests.e2e.conftest import Table, seated

CROWD = 400


def start(update_id: int, person: int, chat: int) -> bytes:
    kind = {"type": "private"} if chat == person else {"type": "supergroup", "title": "Friday games"}
    user = {"id": person, "is_bot": False, "first_name": f"Player {person}"}
    message = {"message_id": update_id, "date": 1, "chat": {"id": chat, **kind}, "from": user, "text": "/start"}
    return json.dumps({"update_id": update_id, "message": message}, separators=(",", ":")).encode()


@pytest.mark.parametrize("whose", ["one person", "one group"])
async def test_another_person_s_command_does_not_wait_for_a_crowd(
    whose: str, postgres_dsn: str, redis_dsn: str
) -> None:
    async with (
        seated(postgres_dsn, redis_dsn, "webhook") as table,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        done = list[int]()

        async def send(update_id: int, person: int, chat: int) -> None:
            status = await _posted(session, table, start(update_id, person, chat))
            assert status == 200
            done.append(update_id)

        await send(1, 999, 999)  # aiogram is imported from now on
        group = table.group.id
        crowd = [(10 + number, 1000 + number, group) if whose == "one group" else (10 + number, 1000, 1000)
                 for number in range(CROWD)]  # fmt: skip
        tasks = [asyncio.create_task(send(*one)) for one in crowd]
        while len(done) < 5:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        before = len(done)
        await send(9_999, 5, 5)
        assert done.index(9_999) - before < CROWD / 3
        await asyncio.gather(*tasks)
        assert len(done) == CROWD + 2


async def _posted(session: aiohttp.ClientSession, table: Table, body: bytes) -> int:
    headers = {"X-Telegram-Bot-Api-Secret-Token": "e2e-secret"}
    url = f"http://127.0.0.1:{table.bot.port}/telegram/webhook"
    async with session.post(url, data=body, headers=headers) as response:
        return response.status
