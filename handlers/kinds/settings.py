"""The types that settings are made of, and the settings that every kind of game has.

Each kind has a section ``[games.<kind>]`` in ``config.toml``. The section is a ``LobbySection`` with the kind's own
settings, and stands as ``SECTION`` in the module ``settings`` of the kind's folder.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from fsm.pick_number import Beacon

OPTIONAL_URL = r"^(https?://[^\s/]+(/\S*)?)?$"


PLAIN = re.compile(r"(?!-0*(\.0*)?$)-?[0-9]+(\.[0-9]+)?")
"""A number as configuration files write it: ASCII digits, and a point before decimals."""


def plain_number(value: object) -> object:
    """Refuse all that pydantic would take for a number beside plain ones, such as `true`, `1_000`, `１２` and `-0`."""
    if isinstance(value, bool) or (isinstance(value, str) and not PLAIN.fullmatch(value.strip())):
        raise ValueError("not a number")
    return value


Whole = Annotated[int, BeforeValidator(plain_number)]
Number = Annotated[float, BeforeValidator(plain_number)]
Seconds = Annotated[float, BeforeValidator(plain_number), Field(ge=0.001, le=604_800)]
"""A span of time; fractions are welcome, down to the millisecond that games count in."""
Phase = Annotated[float, BeforeValidator(plain_number), Field(ge=0.001, le=86_400)]
"""How long a phase of a game may last: the rules say so too."""
Reveal = Annotated[float, BeforeValidator(plain_number), Field(ge=0.001, le=60)]
"""How long a game shows something."""


class Section(BaseModel):
    """Settings that belong together; nothing changes after the start."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


def form(pattern: str) -> AfterValidator:
    """Check a secret against a pattern; pydantic's own `pattern` can't look into one."""

    def check(secret: SecretStr) -> SecretStr:
        if not re.fullmatch(pattern, secret.get_secret_value()):
            raise ValueError("wrong form")
        return secret

    return AfterValidator(check)


NO_SECRET = SecretStr("")


def milliseconds(seconds: float) -> int:
    """Convert a setting to the unit of the rules."""
    return round(seconds * 1000)


SHOW_WAIT_MS = 90_000
"""How long a phase waits at most for the chat to see it: longer than a group's minute can hold a board back."""


class LobbySection(Section):
    """The settings of the lobby, which every kind has."""

    min_players: Whole = Field(default=2, ge=1, le=1000)
    max_players: Whole = Field(default=100, ge=1, le=1000)
    lobby_seconds: Phase = 900
    join_seconds: Phase = 60

    def lobby(self) -> dict[str, Any]:
        """The rules of the lobby, as keywords for a kind's rules."""
        return {
            "min_players": self.min_players,
            "max_players": self.max_players,
            "lobby_ms": milliseconds(self.lobby_seconds),
            "join_ms": milliseconds(self.join_seconds),
        }

    def rules(self, beacon: Beacon | None) -> Any:
        """The rules that a game begins with, unless its chat or host sets others. Every kind has its own."""
        raise NotImplementedError

    def contradictions(self, section: str) -> Iterator[tuple[str, str]]:
        """Name the settings that do not fit the others: the key, and the value it must have instead."""
        if self.min_players > self.max_players:
            yield "min_players", f"at most {section}.max_players, {self.max_players}"
