"""Aliases: the numbers under which the results of erased people stay, and the removal of a person from stored JSON."""

import secrets
from typing import Any, Final

import msgspec

from fsm.kind import PlayerId

ERASED_NAME: Final = "—"
"""The name of an erased person. It is the same in all languages."""
PROVEN: Final = frozenset({"pick_number"})
"""Kinds of game with proofs, whose events keep the numbers of their players."""
LEAST, SPAN = 10**15, 8 * 10**15
"""Bounds of aliases without their sign: beyond the ids of all chats, and exact in every reader of JSON."""
NUMBERS: Final = frozenset({"player_id", "by", "earlier_winners", "absent"})
"""Fields that hold a person's number, or a list of such numbers."""


def new_alias() -> int:
    """Return a random alias."""
    return -(LEAST + secrets.randbelow(SPAN))


def scrubbed(raw: bytes | str, player: PlayerId, alias: int | None) -> bytes:
    """Return JSON without a person's name; with an alias, also without their number."""
    return msgspec.json.encode(_scrubbed(msgspec.json.decode(raw), player, alias))


def _scrubbed(value: Any, player: PlayerId, alias: int | None) -> Any:
    if isinstance(value, list):
        return [_scrubbed(each, player, alias) for each in value]
    if not isinstance(value, dict):
        return value
    person = player in (value.get("player_id"), value.get("id"))
    return {
        (str(alias) if alias is not None and key == str(player) else key): ERASED_NAME
        if person and key == "name"
        else _number(key, each, player, alias, named=person and "name" in value)
        for key, each in value.items()
    }


def _number(key: str, value: Any, player: PlayerId, alias: int | None, *, named: bool) -> Any:
    """Return the value of a field with the alias in place of the person's number."""
    if alias is not None and (key in NUMBERS or (key == "id" and named)):
        if value == player:
            return alias
        if isinstance(value, list):
            return [alias if each == player else _scrubbed(each, player, alias) for each in value]
    return _scrubbed(value, player, alias)
