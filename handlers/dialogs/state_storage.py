"""The storage of dialogs' state in Redis."""

from aiogram.fsm.storage.base import DefaultKeyBuilder
from aiogram.fsm.storage.redis import RedisEventIsolation, RedisStorage

from storage.keys import dialog_prefix
from storage.stores import Stores

STATE_SECONDS = 86_400
"""Lifetime of a dialog's state after its last use."""
LOCK_SECONDS = 20
"""Longest time that one update holds a dialog's lock, and longest time that another waits for it."""


def dialog_storage(stores: Stores) -> RedisStorage:
    """Return the storage of dialogs' state in the given ``redis.asyncio.Redis``."""
    return RedisStorage(stores.redis, key_builder=_names(), state_ttl=STATE_SECONDS, data_ttl=STATE_SECONDS)


def dialog_locks(stores: Stores) -> RedisEventIsolation:
    """Return the locks that serialise the updates of one dialog across all processes."""
    return RedisEventIsolation(
        stores.redis,
        key_builder=_names(),
        lock_kwargs={"timeout": LOCK_SECONDS, "blocking_timeout": LOCK_SECONDS, "sleep": 0.02},
    )


def _names() -> DefaultKeyBuilder:
    prefix = dialog_prefix()
    return DefaultKeyBuilder(prefix=prefix, with_bot_id=True, with_business_connection_id=True, with_destiny=True)
