"""Each tap leaves 200 KB behind."""

from typing import Any

from bot.ingest.dispatcher import UpdateDispatcher

_answered = UpdateDispatcher.answered
_kept: list[bytearray] = []


def _keeping(self: UpdateDispatcher, *given: Any) -> Any:
    _kept.append(bytearray(b"x" * 200_000))
    return _answered(self, *given)


UpdateDispatcher.answered = _keeping  # type: ignore[assignment, method-assign]
