"""The poller's lease is for who can poll."""

from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from bot import polling
from bot.bot_api import RetryAfter, ServerDown
from storage.leases import LeaseLostError

if TYPE_CHECKING:
    from bot.doors import Doors


class CutOff:
    """A Bot API that can't be reached, once it has said that it is busy."""

    def __init__(self) -> None:
        self.asked = 0

    async def call_raw(self, method: str, params: dict[str, Any], *, seconds: float) -> msgspec.Raw:
        del params, seconds
        self.asked += 1
        if self.asked == 1:
            busy = RetryAfter(method, "Too Many Requests", 429)
            busy.seconds = 0.001
            raise busy
        raise ServerDown(method, "ClientConnectorError")


async def test_who_alone_can_not_reach_telegram_lets_another_process_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "PATIENCE_SECONDS", 0.0)
    api = CutOff()
    with pytest.raises(LeaseLostError):
        await polling.Poller(api=api, doors=cast("Doors", None), allowed_updates=[]).lead()
    assert api.asked == 2
