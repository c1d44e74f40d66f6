"""Hosts: Telegram's answer decides, and is not remembered for longer than allowed."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from play.hosts import Hosts
from storage.administrators import TTL_MS, Administrators
from telegram.client import BotApi
from tests.handlers.room import ANN, GROUP, HOST, OTHER_GROUP, Room, chat_of, user
from tests.support.clock import TurnedClock
from tests.support.telegram import TOKEN, Refusal, Telegram, serving


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    """Run a Telegram with a host in the group."""
    async with serving(Telegram(TurnedClock())) as telegram:
        telegram.appoint(GROUP, HOST)
        yield telegram


@pytest.fixture
async def api(telegram: Telegram) -> AsyncIterator[BotApi]:
    api = BotApi(TOKEN, telegram.base)
    yield api
    await api.close()


@pytest.fixture
def hosts(api: BotApi, redis: Redis) -> Hosts:
    return Hosts(api, Administrators(redis))


async def test_administrators_are_hosts_and_others_are_not(hosts: Hosts) -> None:
    assert await hosts.is_host(GROUP, HOST)
    assert not await hosts.is_host(GROUP, ANN)


async def test_telegram_is_asked_once_a_minute_at_most_by_all_processes_together(
    hosts: Hosts, telegram: Telegram, api: BotApi, redis: Redis
) -> None:
    for _ in range(5):
        await hosts.is_host(GROUP, HOST)
    await Hosts(api, Administrators(redis)).is_host(GROUP, ANN)
    assert len(telegram.calls) == 1
    assert 0 < await redis.pttl(f"tombola:hosts:{GROUP}") <= TTL_MS


async def test_whoever_writes_as_the_group_is_a_host_and_as_another_chat_is_not(
    hosts: Hosts, telegram: Telegram
) -> None:
    assert await hosts.is_host(GROUP, 1087968824, sender_chat_id=GROUP)
    assert not await hosts.is_host(GROUP, HOST, sender_chat_id=-100777)
    assert telegram.calls == []


async def test_a_group_that_has_moved_is_asked_about_where_it_is_now(hosts: Hosts, telegram: Telegram) -> None:
    telegram.appoint(OTHER_GROUP, HOST)
    telegram.chat(GROUP).migrated_to = OTHER_GROUP
    assert await hosts.is_host(GROUP, HOST)
    assert not await hosts.is_host(GROUP, ANN)


@pytest.mark.parametrize(
    "refusal", [Refusal("Bad Request: PEER_ID_INVALID"), Refusal("Forbidden: bot was kicked from the group chat", 403)]
)
async def test_a_chat_that_the_bot_is_not_in_has_no_hosts_and_that_is_no_bug(
    hosts: Hosts, telegram: Telegram, redis: Redis, refusal: Refusal
) -> None:
    telegram.down = refusal
    assert not await hosts.is_host(GROUP, HOST)
    telegram.down = None
    assert await hosts.is_host(GROUP, HOST)
    assert await redis.exists(f"tombola:hosts:{GROUP}")


async def test_nobody_is_a_host_in_private(hosts: Hosts, telegram: Telegram) -> None:
    assert not await hosts.is_host(HOST, HOST)
    assert telegram.calls == []


@pytest.mark.parametrize("kind", ["chat_member", "my_chat_member"])
async def test_who_ceases_to_be_an_administrator_is_no_host_from_then_on(room: Room, kind: str) -> None:
    assert await room.deps.play.hosts.is_host(GROUP, HOST)
    room.telegram.appoint(GROUP)
    admin = {"status": "administrator", "user": user(HOST), "can_delete_messages": True}  # the format of older servers
    change = {
        "chat": chat_of(GROUP),
        "from": user(ANN),
        "date": 0,
        "old_chat_member": admin,
        "new_chat_member": {"status": "member", "user": user(HOST)},
    }
    await room.update(**{kind: change})
    assert not await room.deps.play.hosts.is_host(GROUP, HOST)
