"""Long polling: one replica asks for updates at a time, and another takes over."""

import asyncio
from typing import Any, Protocol

import msgspec
from loguru import logger

from bot.bot_api import ApiError, Conflict, RetryAfter, Unauthorized
from bot.doors import Again, Doors
from storage.leases import jitter

WAIT_SECONDS = 25
BATCH = 100
LONGEST_PAUSE = 20.0


class Api(Protocol):
    """What carries out calls."""

    async def call_raw(self, method: str, params: dict[str, Any], *, seconds: float) -> msgspec.Raw:
        """The result as JSON. Raises ApiError."""


class Poller:
    """Polls while this process holds the lease."""

    def __init__(self, *, api: Api, doors: Doors, allowed_updates: list[str]) -> None:
        self._api = api
        self._doors = doors
        self._allowed = allowed_updates

    async def lead(self, _fence: int = 0) -> None:
        """Poll until cancelled. An update is confirmed to Telegram after it was handled, not before."""
        offset, failures = 0, 0
        while True:
            try:
                updates = await self._poll(offset)
                if updates:
                    await asyncio.shield(self._doors.deliver_batch(updates))
                    offset = max(_update_id(update) for update in updates) + 1
                failures = 0
            except Unauthorized:
                raise
            except RetryAfter as limited:
                await asyncio.sleep(limited.seconds)
            except (ApiError, Again) as problem:
                failures += 1
                pause = jitter(min(LONGEST_PAUSE, 0.25 * 2.0**failures))
                if isinstance(problem, Conflict):
                    logger.warning("somebody else polls with this token: {}", problem)
                elif failures > 1:
                    logger.warning("no updates for now, next try in {:.1f} s: {}", pause, problem)
                await asyncio.sleep(pause)

    async def _poll(self, offset: int) -> list[bytes]:
        params = {
            "offset": offset,
            "limit": BATCH,
            "timeout": WAIT_SECONDS,
            "allowed_updates": self._allowed,
        }
        raw = await self._api.call_raw("getUpdates", params, seconds=WAIT_SECONDS + 10)
        return [bytes(update) for update in _decode_list(raw)]


class _Numbered(msgspec.Struct):
    update_id: int


_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_id = msgspec.json.Decoder(_Numbered).decode


def _update_id(raw: bytes) -> int:
    return _decode_id(raw).update_id
