"""The consumer of Pick Your Number: announces the commitment and the entries of a draw, in messages never edited.

The consumer reads committed events only, so no announcement can differ from the stored game. The announcement's id in
the outbox is derived from the game, so it is sent once.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import cast

from fsm.kind import UnknownGame
from fsm.lobby import CANCELLED, COMPLETED
from fsm.pick_number import DRAWING, KIND, NUMBER_SELECTION, PickNumberGame
from handlers.kinds.consumer import ConsumerContext, KindConsumer
from handlers.kinds.pick_number import announcements
from handlers.views.message import send_params
from play.texts import DEFAULT_LOCALE
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
        wanted = [self._outgoing(game, "opening", await self._rendered(game, closed=False))]
        if game.closed_at is not None:
            wanted.append(self._outgoing(game, "closing", await self._rendered(game, closed=True)))
        await self._context.outbox.put_many(wanted)

    async def _rendered(self, game: PickNumberGame, *, closed: bool) -> announcements.Announcement:
        chat = await self._context.people.chat(game.place.chat_id)
        locale = chat.locale if chat is not None and chat.locale else DEFAULT_LOCALE
        # Rendered from the full state, not from a view: neither announcement shows a seed.
        return (announcements.closing if closed else announcements.opening)(game, self._context.texts, locale)

    def _outgoing(self, game: PickNumberGame, name: str, announcement: announcements.Announcement) -> Outgoing:
        params = send_params(announcement.message)
        if announcement.file is not None:
            params = {"caption": params["text"], "parse_mode": params["parse_mode"]}
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
    return KindConsumer(announcing.handle, announcing.settled)
