"""The types of settings, and the settings that all kinds of games share.

Each kind has a section ``[games.<kind>]`` in ``config.toml``. Its model is a subclass of ``LobbySection``, assigned to
``SECTION`` in the module ``settings`` of the kind's folder.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from fsm.pick_number import Beacon

OPTIONAL_URL = r"^(https?://[^\s/]+(/\S*)?)?$"


PLAIN = re.compile(r"(?!-0*(\.0*)?$)-?[0-9]+(\.[0-9]+)?")
"""A number in the notation of configuration files: ASCII digits with a point before decimals, and no negative zero."""


def plain_number(value: object) -> object:
    """Refuse values that pydantic would convert to a number although they are none: `true`, `1_000`, `１２`, `-0`."""
    if isinstance(value, bool) or (isinstance(value, str) and not PLAIN.fullmatch(value.strip())):
        raise ValueError("not a number")
    return value


Whole = Annotated[int, BeforeValidator(plain_number)]
Number = Annotated[float, BeforeValidator(plain_number)]
Seconds = Annotated[float, BeforeValidator(plain_number), Field(ge=0.001, le=604_800)]
"""A span of time, with fractions down to a millisecond, which is the unit of games."""
Phase = Annotated[float, BeforeValidator(plain_number), Field(ge=0.001, le=86_400)]
"""Length of a phase of a game, with the same bounds as in the rules."""
Reveal = Annotated[float, BeforeValidator(plain_number), Field(ge=0.001, le=60)]
"""Time for which a game shows a result before it goes on."""


class Section(BaseModel):
    """A frozen group of settings that rejects unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


def form(pattern: str) -> AfterValidator:
    """Return a validator that matches a secret against a pattern, which pydantic's own `pattern` cannot do."""

    def check(secret: SecretStr) -> SecretStr:
        if not re.fullmatch(pattern, secret.get_secret_value()):
            raise ValueError("wrong form")
        return secret

    return AfterValidator(check)


NO_SECRET = SecretStr("")


def milliseconds(seconds: float) -> int:
    """Convert a setting in seconds to milliseconds, the unit of the rules."""
    return round(seconds * 1000)


SHOW_WAIT_MS = 90_000
"""Longest time that a phase waits for the chat to see it. A group's limit of messages a minute delays a board for less
than that."""


class LobbySection(Section):
    """The settings of the lobby, which every kind has."""

    min_players: Whole = Field(default=2, ge=1, le=1000)
    max_players: Whole = Field(default=100, ge=1, le=1000)
    lobby_seconds: Phase = 900
    join_seconds: Phase = 60

    def lobby(self) -> dict[str, Any]:
        """Return the rules of the lobby, as keyword arguments for a kind's rules."""
        return {
            "min_players": self.min_players,
            "max_players": self.max_players,
            "lobby_ms": milliseconds(self.lobby_seconds),
            "join_ms": milliseconds(self.join_seconds),
        }

    def rules(self, beacon: Beacon | None) -> Any:
        """Return the kind's default rules, which chats and hosts can change. Subclasses implement this."""
        raise NotImplementedError

    def contradictions(self, section: str) -> Iterator[tuple[str, str]]:
        """Yield the settings that contradict others: the key, and a description of the value it must have."""
        if self.min_players > self.max_players:
            yield "min_players", f"at most {section}.max_players, {self.max_players}"
