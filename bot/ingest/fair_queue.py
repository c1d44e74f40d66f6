"""A fair queue: many updates from one person or chat delay only that person or chat."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from bot.ingest.updates import RetryLater

AT_ONCE = 64
"""Number of updates handled at the same time. Many of them wait for a store or for Telegram."""
OF_A_CHAT = 16
"""Number of updates of one chat handled at the same time."""
WAITING = 1000
"""Maximum number of waiting updates, about one second's work. Telegram keeps the others and delivers them again."""
MOST_OUTSIDE = 4 * AT_ONCE
"""Maximum number of updates that have given up their turns while they wait. Others keep theirs."""


Chats: TypeAlias = "OrderedDict[int, OrderedDict[int, deque[asyncio.Future[None]]]]"
"""Chat -> person -> waiting updates. The chat and the person whose turn is next come first."""


@dataclass(slots=True)
class _Turn:
    """The turn of the update that a task handles."""

    queue: "FairQueue"
    chat_id: int
    held: bool = True
    over: bool = False


_TURN: ContextVar[_Turn | None] = ContextVar("turn", default=None)


@asynccontextmanager
async def outside() -> AsyncIterator[None]:
    """Give up the turn of the current update during the block, so that others are served while it waits.

    After the block the turn is taken back at once, even if others have all turns then: the update is half done. Without
    a turn, or if many updates wait like this, nothing changes.
    """
    turn = _TURN.get()
    if turn is None or not turn.queue.leave(turn):
        yield
        return
    try:
        yield
    finally:
        turn.queue.come_back(turn)


class FairQueue:
    """Grants turns to updates, round robin over the chats and, within a chat, over its people.

    Groups and private chats alternate: thousands of newcomers in private delay no group's game.

    Args:
        at_once: maximum number of turns at the same time.
        of_a_chat: maximum number of turns of one chat at the same time.
        waiting: maximum number of waiting updates.
    """

    def __init__(self, *, at_once: int = AT_ONCE, of_a_chat: int = OF_A_CHAT, waiting: int = WAITING) -> None:
        self._at_once = self._now = at_once
        self._of_a_chat = of_a_chat
        self._most = waiting
        self._running = Counter[int]()
        """Chat -> number of its current turns."""
        self._groups: Chats = OrderedDict()
        self._private: Chats = OrderedDict()
        self._group_next = True
        self._outside = 0
        self.waiting = 0

    @asynccontextmanager
    async def turn(self, chat_id: int, person_id: int) -> AsyncIterator[None]:
        """Wait for a turn and hold it until the end of the block. Raises ``RetryLater`` if too many updates wait."""
        if chat_id in self._chats(chat_id) or not self._has_room(chat_id):
            await self._wait(chat_id, person_id)
        else:
            self._running[chat_id] += 1
        turn = _Turn(self, chat_id)
        token = _TURN.set(turn)
        try:
            yield
        finally:
            _TURN.reset(token)
            turn.over = True
            if turn.held:
                self._end(chat_id)

    def leave(self, turn: _Turn) -> bool:
        """Give up a turn for a while. Returns False if it is not held, or if too many others have done so."""
        if not turn.held or turn.over or self._outside >= MOST_OUTSIDE:
            return False
        turn.held = False
        self._outside += 1
        self._end(turn.chat_id)
        return True

    def come_back(self, turn: _Turn) -> None:
        """Take back a turn that was given up, unless its update is handled by now."""
        self._outside -= 1
        if not turn.over:
            turn.held = True
            self._running[turn.chat_id] += 1

    def _chats(self, chat_id: int) -> Chats:
        """Return the queues of all groups or of all private chats, whichever this chat belongs to."""
        return self._groups if chat_id < 0 else self._private

    def _has_room(self, chat_id: int) -> bool:
        return self._running.total() < self._now and self._running[chat_id] < self._of_a_chat

    async def _wait(self, chat_id: int, person_id: int) -> None:
        """Wait for this update's turn."""
        if self.waiting >= self._most:
            self._refuse_one()
        turn = asyncio.get_running_loop().create_future()
        self._chats(chat_id).setdefault(chat_id, OrderedDict()).setdefault(person_id, deque()).append(turn)
        self.waiting += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._end(chat_id)  # cancelled just after its turn was granted
            else:
                self._remove(chat_id, person_id, turn)
            raise

    def _refuse_one(self) -> None:
        """Refuse the newest update of the person with most waiting. Raises ``RetryLater`` if no person has two."""
        crowd = max(
            (
                (len(turns), chat_id, person_id)
                for chat_id, people in chain(self._groups.items(), self._private.items())
                for person_id, turns in people.items()
            ),
            default=(0, 0, 0),
        )
        if crowd[0] < 2:
            raise RetryLater("too many updates wait")
        _, chat_id, person_id = crowd
        newest = self._chats(chat_id)[chat_id][person_id][-1]
        self._remove(chat_id, person_id, newest)
        newest.set_exception(RetryLater("too many updates of this person wait"))

    def _remove(self, chat_id: int, person_id: int, turn: asyncio.Future[None]) -> None:
        people = self._chats(chat_id)[chat_id]
        people[person_id].remove(turn)
        self.waiting -= 1
        if not people[person_id]:
            del people[person_id]
        if not people:
            del self._chats(chat_id)[chat_id]

    def _end(self, chat_id: int) -> None:
        """End a turn."""
        self._running[chat_id] -= 1
        if not self._running[chat_id]:
            del self._running[chat_id]
        self._grant()

    def narrow(self, at_once: int | None) -> None:
        """Limit the turns at the same time further; None lifts this limit. Turns that have begun end first."""
        self._now = self._at_once if at_once is None else at_once
        self._grant()

    def _grant(self) -> None:
        """Grant turns while there is room."""
        while self.waiting and self._running.total() < self._now:
            following = self._following()
            if following is None:
                return
            self._begin(following)

    def _following(self) -> int | None:
        """Return the chat whose turn is next; None if all chats that wait have as many turns as one chat may have."""
        kinds = (self._groups, self._private) if self._group_next else (self._private, self._groups)
        return next((chat for chats in kinds for chat in chats if self._running[chat] < self._of_a_chat), None)

    def _begin(self, chat_id: int) -> None:
        """Grant a turn to the next person of a chat. Then move the person and the chat to the end of their queues."""
        chats = self._chats(chat_id)
        self._group_next = chats is self._private
        people = chats[chat_id]
        person_id, turns = people.popitem(last=False)
        turn = turns.popleft()
        self.waiting -= 1
        if turns:
            people[person_id] = turns
        if people:
            chats.move_to_end(chat_id)
        else:
            del chats[chat_id]
        self._running[chat_id] += 1
        turn.set_result(None)
