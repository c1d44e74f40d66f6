"""Long polling: one replica asks for updates at a time, and another takes over."""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
from loguru import logger

from bot.bot_api import ApiError, CircuitOpen, Conflict, RetryAfter, ServerDown, Unauthorized
from bot.doors import Doors
from storage.leases import LeaseLostError, jitter

WAIT_SECONDS = 25
BATCH = 100
LONGEST_PAUSE = 4.0
"""Between two polls while Telegram is away: taps wait there, and can't be answered after some 15 seconds."""
AGAIN_PAUSE = 1.0
"""Between two polls while an update can't be handled: the same offset asked for sooner gives one update at a time."""
PATIENCE_SECONDS = 30.0
"""How long a replica asks in vain before it lets another one try: perhaps it alone can't reach Telegram."""
FINISH_SECONDS = 3.0
"""How long a batch in hand may take when the process stops."""
WEBHOOK_SET = "webhook"


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
        self._offset = 0
        self._handled: set[int] = set()
        """Updates that are handled and can't be confirmed yet, as one before them is not."""

    async def lead(self, _fence: int = 0) -> None:
        """Poll until cancelled. An update is confirmed to Telegram after it was handled, not before.

        Raises ``LeaseLostError`` where Telegram can't be reached for long, and ``Unauthorized``.
        """
        failures, answered = 0, time.monotonic()
        self._offset, self._handled = 0, set()
        while True:
            try:
                pause = await self._once()
                failures, answered = 0, time.monotonic()
            except Unauthorized:
                raise
            except (RetryAfter, CircuitOpen) as told:
                self._give_up(told, answered)
                pause = told.seconds
            except ApiError as problem:
                self._give_up(problem, answered)
                failures += 1
                pause = jitter(min(LONGEST_PAUSE, 0.25 * 2.0**failures))
                await self._refused(problem, failures, pause)
            if pause:
                await asyncio.sleep(pause)

    def _give_up(self, problem: ApiError, answered: float) -> None:
        """Raise ``LeaseLostError`` where Telegram has not been reached for long."""
        if isinstance(problem, ServerDown) and time.monotonic() - answered > PATIENCE_SECONDS:
            raise LeaseLostError from problem

    async def _once(self) -> float:
        """Ask for updates and handle them. Returns how long to wait before the next time."""
        updates = {_update_id(raw): raw for raw in await self._poll(self._offset)}
        new = {id_: raw for id_, raw in updates.items() if id_ not in self._handled}
        batch = asyncio.ensure_future(self._doors.deliver_batch(list(new.values())))
        try:
            again = await asyncio.shield(batch)
        except asyncio.CancelledError:
            await self._finish(batch, updates)
            raise
        self._note(updates, again)
        return AGAIN_PAUSE if again else 0.0

    def _note(self, updates: Mapping[int, bytes], again: Sequence[bytes]) -> None:
        """Move on to the first update that is not handled."""
        if not updates:
            return
        left = {_update_id(raw) for raw in again}
        self._offset = min(left) if left else max(updates) + 1
        self._handled |= updates.keys() - left
        self._handled = {id_ for id_ in self._handled if id_ > self._offset}

    async def _finish(self, batch: "asyncio.Future[list[bytes]]", updates: Mapping[int, bytes]) -> None:
        """Asked to stop: let the batch in hand come to its end and confirm it, so that nobody handles it again."""
        await asyncio.wait({batch}, timeout=FINISH_SECONDS)
        if not batch.done() or batch.cancelled() or batch.exception() is not None or not updates:
            return
        self._note(updates, batch.result())
        with contextlib.suppress(ApiError):
            params = {"offset": self._offset, "limit": 1, "timeout": 0}
            await self._api.call_raw("getUpdates", params, seconds=1.0)

    async def _refused(self, problem: ApiError, failures: int, pause: float) -> None:
        if isinstance(problem, Conflict) and WEBHOOK_SET in problem.text:
            logger.warning("a webhook is set, and removed, as telegram.mode is polling")
            await self._api.call_raw("deleteWebhook", {}, seconds=10)
        elif isinstance(problem, Conflict):
            logger.warning("somebody else polls with this token: {}", problem)
        elif failures > 1:
            logger.warning("no updates for now, next try in {:.1f} s: {}", pause, problem)

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
