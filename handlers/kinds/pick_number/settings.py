"""The section ``[games.pick_number]`` of the configuration."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from fsm.pick_number import Beacon, PickNumberRules
from handlers.kinds.settings import SHOW_WAIT_MS, LobbySection, Number, Phase, Reveal, Whole, milliseconds, plain_number


class PickNumberSection(LobbySection):
    """The default rules of Pick Your Number, which chats and hosts can change."""

    min_players: Whole = Field(default=2, ge=2, le=1000)
    selection_seconds: Phase = 300
    reveal_seconds: Reveal = 2
    range_multiplier: Number = Field(default=5.0, ge=1, le=100)
    max_number: Whole = Field(default=1000, ge=2, le=10_000)
    winners: Whole = Field(default=1, ge=1, le=10)
    prize_pool: Annotated[Decimal, BeforeValidator(plain_number)] = Field(
        default=Decimal(0),
        ge=0,
        max_digits=20,
        decimal_places=8,
        description="an amount from 0, of up to 20 digits and 8 decimals",
    )
    absent: Literal["drop", "auto"] = "drop"
    beacon_policy: Literal["wait", "void"] = "wait"

    def rules(self, beacon: Beacon | None) -> PickNumberRules:
        """Return the default rules."""
        return PickNumberRules(
            **self.lobby(),
            winners=self.winners,
            prize_pool=self.prize_pool,
            absent=self.absent,
            selection_ms=milliseconds(self.selection_seconds),
            reveal_ms=milliseconds(self.reveal_seconds),
            show_wait_ms=SHOW_WAIT_MS,
            range_multiplier=Decimal(str(self.range_multiplier)),
            max_number=self.max_number,
            beacon=beacon,
            beacon_policy=self.beacon_policy,
        )

    def contradictions(self, section: str) -> Iterator[tuple[str, str]]:
        """Yield the settings that contradict others, as `LobbySection.contradictions` does."""
        yield from super().contradictions(section)
        if self.max_number < self.max_players:
            yield "max_number", f"at least {section}.max_players, {self.max_players}"


SECTION = PickNumberSection
