"""The consumer of Pick Your Number: announces the commitment and the entries of a draw, in messages never edited.

The consumer reads committed events only, so no announcement can differ from the stored game. The announcement's id in
the outbox is derived from the game, so it is sent once.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, cast

from fsm.kind import UnknownGame
from fsm.lobby import CANCELLED, COMPLETED
from fsm.pick_number import DRAWING, KIND, NUMBER_SELECTION, PickNumberGame
from handlers.audience import audience_of, reply_to_board
from handlers.kinds.consumer import ConsumerContext, KindConsumer
from handlers.kinds.pick_number import announcements
from handlers.views.message import send_params
from play.telling import LIVELY, MESSAGES, QUIET
from storage.feed import Entry
from telegram.limits import Priority
from telegram.outbox import Outgoing
from telegram.sender import Outcome

REMEMBERED = 10_000
"""Number of games whose last announced phase is kept in memory."""
SEALED = frozenset({NUMBER_SELECTION, DRAWING, COMPLETED, CANCELLED})
"""Phases in which a game may have something to announce."""


class PickNumberConsumer:
    """Announces the commitment and the entries of draws."""

    def __init__(self, context: ConsumerContext) -> None:
        self._context = context
        self._announced: OrderedDict[str, str] = OrderedDict()
        """Game -> its phase at the last announcement."""

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Announce the games whose phase has changed. If this raises ``Unavailable``, the batch is delivered again."""
        latest = {entry.game_id: entry for entry in entries if entry.kind == KIND.name and entry.phase in SEALED}
        for game_id, entry in latest.items():
            if self._announced.get(game_id) != entry.phase:
                await self._announce(game_id, entry.first_version)
                self._announced[game_id] = entry.phase
                self._announced.move_to_end(game_id)
                if len(self._announced) > REMEMBERED:
                    self._announced.popitem(last=False)

    async def _announce(self, game_id: str, version: int) -> None:
        try:
            state = (await self._context.engine.at_least(game_id, version)).state
        except UnknownGame:
            return
        game = cast("PickNumberGame", state)
        if not game.statement:  # cancelled before the commitment, or a game of format 1
            return
        audience, texts = await audience_of(self._context.people, game.place.chat_id), self._context.texts
        shared: dict[str, Any] = await reply_to_board(self._context.outbox, game)
        # Rendered from the full state, not from a view: neither announcement shows a seed.
        opening = announcements.opening(game, texts, audience.locale)
        silent = {"disable_notification": True}
        wanted = [
            self._outgoing(game, "opening", opening, shared | (silent if audience.wants(MESSAGES, QUIET) else {}))
        ]
        if game.closed_at is not None:
            closing = announcements.closing(game, texts, audience.locale)
            heard = audience.wants(MESSAGES, LIVELY)
            wanted.append(self._outgoing(game, "closing", closing, shared | ({} if heard else silent)))
        await self._context.outbox.put_many(wanted)

    def _outgoing(
        self, game: PickNumberGame, name: str, announcement: announcements.Announcement, shared: Mapping[str, Any]
    ) -> Outgoing:
        params = {**send_params(announcement.message), **shared}
        if announcement.file is not None:
            params["caption"] = params.pop("text")
            del params["link_preview_options"]
        return Outgoing(
            id=f"{name}:{game.id}",
            chat_id=game.place.chat_id,
            topic_id=game.place.topic_id or None,
            method="sendMessage" if announcement.file is None else "sendDocument",
            params=params,
            file=None if announcement.file is None else (f"entries-{game.id}.txt", announcement.file),
            priority=Priority.URGENT,
            created_at=self._context.clock.now(),
            game_id=game.id,
        )

    async def settled(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """Do nothing, because a refused announcement is not sent in another form."""


async def consumer(context: ConsumerContext) -> KindConsumer:
    """Make the consumer of Pick Your Number."""
    announcing = PickNumberConsumer(context)
    return KindConsumer(announcing.handle, announcing.settled, before_board=announcing.handle)
