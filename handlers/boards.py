"""The boards: one living message for each game, rendered from the game's state and edited in place.

`Boards` is a consumer of the feed. A change of phase is rendered before its feed entry is acknowledged. Progress within
a phase (players who joined, numbers that are taken) is gathered for a moment, so that many changes become one edit.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from operator import itemgetter
from typing import NamedTuple, TypeVar

from loguru import logger
from msgspec.structs import replace

from fsm.engine import Clock, Engine, Outcome, Unavailable
from fsm.kind import ChatTopic, Game, Instant, Rejected, UnknownGame
from fsm.lobby import CANCELLED, COMPLETED, Cancel, MoveChat
from fsm.showing import BoardShown
from handlers.app_links import AppLinks
from handlers.audience import audience_of, below_slot_of, reply_to_board, slot_of
from handlers.kinds import registry
from handlers.kinds.begins import begins_of
from handlers.views import lobby
from handlers.views.message import Message, send_params
from play.telling import LIVELY, MESSAGES, QUIET
from play.texts import Texts
from storage.administrators import Administrators
from storage.feed import Entry
from storage.games import LIVE_TTL_MS, RedisGames
from storage.leases import STORE_GONE, jitter
from storage.people import People
from storage.set_aside import SetAside
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing
from telegram.sender import Outcome as Sent
from telegram.sender import Settled

FINAL = frozenset({COMPLETED, CANCELLED})
GATHER_MS = 300
"""Time for which progress is gathered before it is rendered, in milliseconds."""
BETWEEN_MS = 2_000
"""Shortest interval between two renderings of one game's progress, in milliseconds. In the long run Telegram allows a
group one message or edit every three seconds, so shorter intervals would cause a pause later."""
READY = 60
"""Number of chats with progress that could be sent now, at which no more is rendered: two seconds of Telegram's overall
rate. A board that is rendered later shows more, and one that would be replaced before it is sent is never rendered."""
PROGRESS = "board progress"
RESTORED_TRIES, RESTORED_AGAIN_SECONDS = 120, 2.0
"""Attempts to tell the chats of restored games while Redis is away, and the pause between two, in seconds."""
TRIES = 5
"""Attempts to render a game's progress before it is set aside until the game changes again."""
REMEMBERED = 50_000
"""Number of games whose last rendered scene and time this process keeps in memory."""


class Boards:
    """Renders the boards of games and puts them into the outbox."""

    def __init__(  # noqa: PLR0913 -- called once, with keywords
        self,
        *,
        engine: Engine,
        games: RedisGames,
        outbox: Outbox,
        texts: Texts,
        people: People,
        administrators: Administrators,
        clock: Clock,
        bot_username: str,
        app: AppLinks | None = None,
        aside: SetAside | None = None,
    ) -> None:
        self._engine = engine
        self._games = games
        self._outbox = outbox
        self._texts = texts
        self._people = people
        self._administrators = administrators
        self._clock = clock
        self._bot_username = bot_username
        self._app = app
        self._aside = aside or SetAside()
        self._scenes: OrderedDict[str, _Scene] = OrderedDict()
        self._dirty: dict[str, tuple[Instant, int | None, str]] = {}
        """Game -> the time at which to render its progress, the lowest version to render (None for the version in the
        store), and the trace of the last update that changed it."""
        self._progress = asyncio.Event()
        """Event that is set while `_dirty` is not empty."""
        self._rendered: OrderedDict[str, Instant] = OrderedDict()

    async def living(self, game_id: str) -> tuple[int, int] | None:
        """Return chat id and message id of the game's board; None if it has not been sent."""
        return await self._outbox.slot_message(slot_of(game_id))

    # -- rendering -----------------------------------------------------------------------------------------------

    async def show(
        self,
        game_id: str,
        *,
        at_least: int | None = 0,
        priority: Priority = Priority.NORMAL,
        trace: str = "",
        whole: bool = False,
    ) -> None:
        """Render a game and put its board into the outbox. Raises ``Unavailable``.

        ``at_least`` is the lowest version to render; None reads the newest version from the store. ``whole`` is True if
        no other message will show the result of a game that has ended.
        """
        try:
            looking = self._engine.look(game_id) if at_least is None else self._engine.at_least(game_id, at_least)
            outcome = await looking
        except UnknownGame:
            logger.bind(game=game_id).warning("a game expired before its board was sent")
            return
        state = outcome.state
        if state.cancel_reason == "bot_removed":
            return  # the bot cannot write to the chat any more
        if state.phase in FINAL:
            self._scenes.pop(game_id, None)
            self._rendered.pop(game_id, None)
        else:
            _note(self._scenes, game_id, _scene(state))
            _note(self._rendered, game_id, self._clock.now())
        await self._outbox.put_many(await self._outgoing(outcome.state, outcome.version, priority, trace, whole=whole))

    async def _outgoing(
        self, state: Game, version: int, priority: Priority, trace: str, *, whole: bool = False
    ) -> list[Outgoing]:
        """Return the calls that show a game: its board, and in some phases a message of its own below the board."""
        audience = await audience_of(self._people, state.place.chat_id)
        view, locale, slot = registry.of_state(state), audience.locale, slot_of(state.id)
        message = view.board(state, self._texts, locale, bot_username=self._bot_username)
        if self._app is not None and state.phase not in FINAL:
            message = self._app.added(message, state, self._texts.plain(locale, "button-open-app"))
        if state.phase in FINAL and not whole and audience.reads_result_below(message.text):
            message = lobby.over(state, view.kind, self._texts, locale)
        apart = None if audience.wants(MESSAGES, QUIET) else view.apart(state, self._texts, locale)
        now = self._clock.now()
        shown = Outgoing(
            # The time is part of the id, because the outbox drops ids that it knows, and one version may be sent anew.
            id=f"{slot}:{version}:{now}",
            chat_id=state.place.chat_id,
            topic_id=state.place.topic_id or None,
            method="sendMessage",
            params=send_params(message),
            priority=priority,
            slot=slot,
            version=version,
            created_at=now,
            game_id=state.id,
            trace=trace or None,
            begins=begins_of(state) if view.begins_with_board(state) else None,
        )
        if apart is None:
            return [shown]
        board = replace(shown, params=send_params(apart.above), begins=None)
        below = below_slot_of(state.id, apart.part)
        heard = {} if apart.heard or audience.wants(MESSAGES, LIVELY) else {"disable_notification": True}
        params = {**shown.params, **await reply_to_board(self._outbox, state), **heard}
        return [replace(shown, id=f"{below}:{version}:{now}", slot=below, params=params), board]

    async def _locale(self, chat_id: int) -> str:
        return (await audience_of(self._people, chat_id)).locale

    async def send_anew(self) -> None:
        """Send a new board for every live game, because the chats have lost their messages."""
        for game_id, _ in await self._games.deadlines(self._clock.now() + LIVE_TTL_MS):
            try:
                await self._outbox.forget(slot_of(game_id))
                await self._forget_below(game_id)
                await self.show(game_id)
            except (Unavailable, *STORE_GONE):
                raise
            except Exception as bug:  # noqa: BLE001 -- one game's view must not keep the others from their chats
                self._aside.add("sending anew", game_id, bug)

    async def _forget_below(self, game_id: str) -> None:
        state = (await self._engine.look(game_id)).state
        apart = registry.of_state(state).apart(state, self._texts, await self._locale(state.place.chat_id))
        if apart is not None:
            await self._outbox.forget(below_slot_of(game_id, apart.part))

    async def tell_of_restored(self, games: Sequence[Game]) -> None:
        """Tell the chats of restored games. Of games that have ended, only the result is shown.

        The circuit to Redis may still be open from the loss, so a game that can't be shown yet is tried again.
        """
        at, waiting = self._clock.now(), list(games)
        for tried in range(1, RESTORED_TRIES + 1):
            waiting = [game for game in waiting if not await self._told_of(game, at)]
            if not waiting:
                return
            if tried < RESTORED_TRIES:
                await asyncio.sleep(jitter(RESTORED_AGAIN_SECONDS))
        logger.error("Redis stayed away; {} chats do not know that their game was restored", len(waiting))

    async def _told_of(self, game: Game, at: Instant) -> bool:
        """Tell the chat of a restored game. Returns False if a store is away."""
        try:
            await (self.show(game.id, whole=True) if game.phase in FINAL else self._tell_restored(game, at))
        except (Unavailable, *STORE_GONE):
            return False
        except Exception as bug:  # noqa: BLE001 -- one game's view must not keep the others from being shown
            self._aside.add("showing restored games", game.id, bug)
        return True

    async def _tell_restored(self, game: Game, at: Instant) -> None:
        locale = await self._locale(game.place.chat_id)
        await self._outbox.put(
            Outgoing(
                id=f"restored:{game.id}:{at}",  # the same at each try, so that the outbox takes the notice once
                chat_id=game.place.chat_id,
                topic_id=game.place.topic_id or None,
                method="sendMessage",
                params=send_params(Message(self._texts.html(locale, "game-restored"))),
                priority=Priority.URGENT,
                created_at=at,
                game_id=game.id,
            )
        )
        await self.show(game.id)

    async def show_end(self, game_id: str, *, only_if_removed: bool = False) -> None:
        """Show the end of a game on its board, for a group in which the bot could not write and now can again.

        The message with the result was refused, so the board has all of it. Does nothing if the game or its board is no
        longer kept. If ``only_if_removed`` is True, only a game that the bot's removal cancelled is shown.
        """
        if await self.living(game_id) is None:
            return
        try:
            outcome = await self._engine.look(game_id)
        except UnknownGame:
            return
        if outcome.state.phase in FINAL and (not only_if_removed or outcome.state.cancel_reason == "bot_removed"):
            await self._outbox.put_many(
                await self._outgoing(outcome.state, outcome.version, Priority.NORMAL, "", whole=True)
            )

    async def show_again(self, state: Game, version: int) -> None:
        """Show the result of an ended game that the live store has lost, because its chat may not have seen it."""
        if state.cancel_reason != "bot_removed":
            await self._outbox.put_many(await self._outgoing(state, version, Priority.URGENT, "", whole=True))

    async def take_over(self) -> None:
        """Mark all live games for rendering. The previous consumer may have died with progress that it had gathered."""
        now = self._clock.now()
        for game_id, _ in await self._games.deadlines(now + LIVE_TTL_MS):
            self._dirty.setdefault(game_id, (now, None, ""))
            self._progress.set()

    # -- the feed ------------------------------------------------------------------------------------------------

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Consume a batch of the feed. If this raises ``Unavailable``, the feed delivers the batch again."""
        latest: dict[str, Entry] = {entry.game_id: entry for entry in entries}
        now = self._clock.now()
        for game_id, entry in latest.items():
            if await self._goes_on(entry):
                self._dirty.pop(game_id, None)
                priority = Priority.URGENT if entry.phase in FINAL else Priority.NORMAL
                await self.show(game_id, at_least=entry.first_version, priority=priority, trace=entry.trace)
                await self._close_last(game_id, entry)
            else:
                due = max(now + GATHER_MS, self._rendered.get(game_id, 0) + BETWEEN_MS)
                # Keep the earlier time, so that steady progress cannot postpone its own rendering for ever.
                first = self._dirty[game_id][0] if game_id in self._dirty else due
                self._dirty[game_id] = (min(first, due), entry.first_version, entry.trace)
                self._progress.set()

    async def _close_last(self, game_id: str, entry: Entry) -> None:
        """Edit the messages of the last parts of a game that are over, such as its questions, into their final form."""
        try:
            outcome = await self._engine.at_least(game_id, entry.first_version)
        except UnknownGame:
            return
        state, now = outcome.state, self._clock.now()
        closed = registry.of_state(state).closed(state, self._texts, await self._locale(state.place.chat_id))
        for part, message in closed.items():
            slot = below_slot_of(game_id, part)
            if await self._outbox.slot_message(slot) is None:  # in a quiet chat the board shows all parts
                continue
            await self._outbox.put(
                Outgoing(
                    id=f"{slot}:closed",
                    chat_id=state.place.chat_id,
                    method="editMessageText",  # a message that has been deleted must not come again
                    params=send_params(message),
                    priority=Priority.COSMETIC,
                    slot=slot,
                    version=outcome.version,
                    created_at=now,
                    game_id=game_id,
                    trace=entry.trace or None,
                )
            )

    async def _goes_on(self, entry: Entry) -> bool:
        """Return whether a game has reached its next step, which is shown at once. Raises ``Unavailable``."""
        seen = self._scenes.get(entry.game_id)
        if seen is None or seen.phase != entry.phase:
            return True
        if seen.deadline == entry.deadline:
            return False
        try:
            state = (await self._engine.at_least(entry.game_id, entry.first_version)).state
        except UnknownGame:
            return True
        scene = _scene(state)
        if scene.step != seen.step:
            return True
        _note(self._scenes, entry.game_id, scene)  # same step, new deadline: the phase's time has begun
        return False

    async def keep_showing(self) -> None:
        """Render gathered progress when it is due, until cancelled."""
        while True:
            await self._progress.wait()
            await asyncio.sleep(GATHER_MS / 1000 / 2)
            await self.flush()
            if not self._dirty:
                self._progress.clear()  # an idle process must not wake up

    async def flush(self) -> None:
        """Render the progress that is due, the longest wait first, as far as it can be sent soon."""
        now = self._clock.now()
        due = [(at, game_id, version, trace) for game_id, (at, version, trace) in self._dirty.items() if at <= now]
        if not due:
            return
        try:
            room = max(0, READY - await self._outbox.ready(Priority.COSMETIC))
        except STORE_GONE as reason:
            logger.debug("boards will be updated later: {}", reason)
            return
        due.sort(key=itemgetter(0))
        for _, game_id, version, trace in due[:room]:
            self._dirty.pop(game_id, None)
            try:
                await self.show(game_id, at_least=version, priority=Priority.COSMETIC, trace=trace)
            except (Unavailable, *STORE_GONE) as reason:
                logger.bind(game=game_id).debug("the board will be updated later: {}", reason)
                self._dirty.setdefault(game_id, (now + BETWEEN_MS, version, trace))
            except Exception as bug:  # noqa: BLE001 -- one game's view must not stop the progress of all others
                if (failures := self._aside.add(PROGRESS, game_id, bug)) < TRIES:
                    self._dirty.setdefault(game_id, (now + BETWEEN_MS * 2**failures, version, trace))
            else:
                self._aside.done(PROGRESS, game_id)

    # -- results of sent messages --------------------------------------------------------------------------------

    async def chat_gone(self, outgoing: Outgoing) -> None:
        """Handle a chat that refuses messages: cancel the group's game, or note that the person has blocked the bot."""
        if outgoing.chat_id > 0:
            await self._people.player_blocked(outgoing.chat_id)
        elif outgoing.game_id is not None:
            await self._quietly(outgoing.game_id, Cancel(None, "bot_removed"), f"gone:{outgoing.id}")

    async def chat_migrated(self, outgoing: Outgoing, chat_id: int) -> None:
        """Move a group's live games to its new chat id. The sender has already moved the calls that wait."""
        live = await self._games.live_in(ChatTopic(outgoing.chat_id))  # read before leave_places
        await self._people.chat_migrated(outgoing.chat_id, chat_id)
        await self._administrators.forget(outgoing.chat_id)
        await self._administrators.forget(chat_id)
        for game_id in dict.fromkeys([*live, *([outgoing.game_id] if outgoing.game_id else [])]):
            outcome = await self._quietly(game_id, MoveChat(chat_id), f"moved:{outgoing.id}")
            if outcome is not None:
                topic_id = outcome.state.place.topic_id
                await self._games.leave_topics(game_id, [ChatTopic(outgoing.chat_id, topic_id)])
                await self._games.settle_in(outcome.state.place, game_id)

    async def settled(self, outgoing: Outgoing, outcome: Sent) -> None:
        """Start the time of a phase that was waiting for the chat to see this message.

        A board that Telegram refuses starts the time too, because waiting longer would not help. A refused poll does
        not: the quiz asks with buttons instead (``handlers/kinds/quiz/consumer.py``), and that message starts it.
        """
        begins, game_id = outgoing.begins, outgoing.game_id
        seen = outcome.message_id is not None or outcome.settled is Settled.UNCHANGED
        if begins is None or game_id is None or outcome.settled is Settled.MIGRATED or not (seen or outgoing.slot):
            return
        ends = begins.ends or self._clock.now() + begins.runs_ms
        await self._quietly(game_id, BoardShown(begins.waits, ends), f"shown:{outgoing.id}")

    async def _quietly(self, game_id: str, command: Cancel | MoveChat | BoardShown, command_id: str) -> Outcome | None:
        """Execute a command and return its outcome; None if the game refuses it or a store is unavailable."""
        try:
            return await self._engine.execute(game_id, command, command_id=command_id)
        except (Rejected, Unavailable) as reason:
            logger.bind(game=game_id).info("{} came too late: {}", type(command).__name__, reason)
            return None


class _Scene(NamedTuple):
    """The scene of a game that was rendered last. A new step always comes with a new phase or deadline."""

    phase: str
    deadline: Instant | None
    step: Hashable


def _scene(state: Game) -> _Scene:
    return _Scene(state.phase, state.deadline, registry.of_state(state).step(state))


T = TypeVar("T")


def _note(notes: OrderedDict[str, T], game_id: str, value: T) -> None:
    """Store the value of a game, and drop the oldest entry beyond ``REMEMBERED``."""
    notes[game_id] = value
    notes.move_to_end(game_id)
    if len(notes) > REMEMBERED:
        notes.popitem(last=False)
