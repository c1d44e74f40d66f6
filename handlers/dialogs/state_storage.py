"""The storage of dialogs' state in Redis."""

from aiogram.fsm.storage.base import DefaultKeyBuilder
from aiogram.fsm.storage.redis import RedisEventIsolation, RedisStorage

from storage.keys import DIALOG_PREFIX
from storage.stores import Stores

STATE_SECONDS = 86_400
"""Lifetime of a dialog's state after its last use."""
LOCK_SECONDS = 20
"""Longest time that one update holds a dialog's lock, and longest time that another waits for it."""
_KEYS = DefaultKeyBuilder(prefix=DIALOG_PREFIX, with_bot_id=True, with_business_connection_id=True, with_destiny=True)


def dialog_storage(stores: Stores) -> RedisStorage:
    """Return the storage of dialogs' state in the given ``redis.asyncio.Redis``."""
    return RedisStorage(stores.redis, key_builder=_KEYS, state_ttl=STATE_SECONDS, data_ttl=STATE_SECONDS)


def dialog_locks(stores: Stores) -> RedisEventIsolation:
    """Return the locks that serialise the updates of one dialog across all processes."""
    return RedisEventIsolation(
        stores.redis,
        key_builder=_KEYS,
        lock_kwargs={"timeout": LOCK_SECONDS, "blocking_timeout": LOCK_SECONDS, "sleep": 0.02},
    )
