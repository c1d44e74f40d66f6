"""The moments of a game that are messages: its start, its result, its cancellation. Progress is edits of the board.

A message replies to the board, so that a tap leads there. Its id in the outbox is derived from the game, so that events
that are delivered twice send it once. The chat's setting decides which moments are messages (``play/telling.py``).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import msgspec
from loguru import logger

from fsm.achievements import BY_NAME
from fsm.engine import Clock, Engine, Unavailable
from fsm.kind import Game, Instant, UnknownGame
from fsm.lobby import CANCELLED, COMPLETED, PLAYERS_JOINING, WAITING_FOR_PLAYERS
from handlers.audience import CAPTION, Audience, audience_of, reply_to_board, slot_of
from handlers.kinds import registry
from handlers.own_boards import EDIT, OWN, OwnBoards
from handlers.pictures import Pictures
from handlers.reminders import Reminders
from handlers.views import lobby
from handlers.views.message import NO_PREVIEW, Message, send_params
from play.telling import LIVELY, MESSAGES, PICTURE, PIN, QUIET, YES
from play.texts import Markup, Texts, name_html, units
from storage.achievements import Achievements
from storage.feed import Entry
from storage.people import AWAY, People
from storage.pins import Pin, Pins
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing
from telegram.sender import Outcome, Settled

ACHIEVEMENTS_SECONDS = 1.0
"""Longest time for which a result waits until its game is in PostgreSQL."""
ACHIEVERS = 5
"""Number of players whose achievements one result announces."""
LONGEST = 4096
"""Longest message, in UTF-16 units."""
LINE = "\n"
REMEMBERED = 50_000
"""Number of games whose last phase and deadline are kept in memory."""
LOBBY = frozenset({WAITING_FOR_PLAYERS, PLAYERS_JOINING})
FINAL = frozenset({COMPLETED, CANCELLED})
PINNED, UNPINNED = "pin", "unpin"
BOARD_SLOT = slot_of("")


class Moments:
    """Sends the messages of a game beside its board, pins the board, and brings own boards up to date."""

    def __init__(  # noqa: PLR0913 -- called once, with keywords
        self,
        *,
        engine: Engine,
        outbox: Outbox,
        texts: Texts,
        people: People,
        pins: Pins,
        own_boards: OwnBoards,
        reminders: Reminders,
        pictures: Pictures,
        achievements: Achievements,
        clock: Clock,
        bot_username: str,
    ) -> None:
        self._engine = engine
        self._outbox = outbox
        self._texts = texts
        self._people = people
        self._pins = pins
        self._own_boards = own_boards
        self._reminders = reminders
        self._pictures = pictures
        self._achievements = achievements
        self._clock = clock
        self._bot_username = bot_username
        self._seen: OrderedDict[str, tuple[str, Instant | None]] = OrderedDict()
        """Game -> its phase and deadline when its messages were last brought up to date."""

    # -- the feed ------------------------------------------------------------------------------------------------

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Consume a batch of the feed. If this raises ``Unavailable``, the feed delivers the batch again."""
        latest: dict[str, Entry] = {entry.game_id: entry for entry in entries}
        for game_id, entry in latest.items():
            scene = (entry.phase, entry.deadline)
            if self._seen.get(game_id) == scene:
                continue
            try:
                outcome = await self._engine.at_least(game_id, entry.first_version)
            except UnknownGame:
                continue
            await self._bring(outcome.state, outcome.version)
            self._seen[game_id] = scene
            self._seen.move_to_end(game_id)
            if len(self._seen) > REMEMBERED or entry.phase in FINAL:
                self._seen.pop(game_id if entry.phase in FINAL else next(iter(self._seen)))

    async def _bring(self, game: Game, version: int) -> None:
        """Send the message of a game's moment, if there is one, and bring everything beside the board up to date."""
        if game.cancel_reason == "bot_removed":
            return
        self._reminders.note(game)
        audience = await audience_of(self._people, game.place.chat_id)
        if not audience.wants(MESSAGES, QUIET) and (message := self._message(game, audience)) is not None:
            if game.phase == COMPLETED:
                message = await self._with_achievements(message, game, audience)
            await self._outbox.put(await self._outgoing(game, message, audience))
        if game.phase in FINAL:
            await self._unpin(game.id)
        await self._own_boards.refresh(game, version, self._clock.now())

    def _message(self, game: Game, audience: Audience) -> Message | None:
        """Render the message of a game's moment; None if the game is in the middle of something."""
        face, texts, locale = registry.of_state(game), self._texts, audience.locale
        if game.phase in FINAL:
            return face.board(game, texts, locale, bot_username=self._bot_username)
        if game.phase == PLAYERS_JOINING and audience.wants(MESSAGES, LIVELY):
            return lobby.last_call(game, face.kind, texts, locale)
        return None if game.phase in LOBBY or face.start is None else face.start(game, texts, locale)

    async def _with_achievements(self, message: Message, game: Game, audience: Audience) -> Message:
        """Add the achievements of the game to its result, if the projector has been fast enough.

        Others are announced by the next result. While PostgreSQL is away the result has none.
        """
        try:
            async with asyncio.timeout(ACHIEVEMENTS_SECONDS):
                while not await self._achievements.projected(game.id):  # noqa: ASYNC110 -- PostgreSQL tells nobody
                    await asyncio.sleep(ACHIEVEMENTS_SECONDS / 10)
                earned = await self._achievements.announce(game.place.chat_id, game.id, self._clock.now())
        except AWAY as problem:
            logger.debug("the result of {} has no achievements: {}", game.id, type(problem).__name__)
            return message
        lines: dict[str, list[str]] = {}
        places = {each.player_id: number for number, each in enumerate(getattr(game, "standings", ()))}
        for _, achievement, name in sorted(earned, key=lambda each: places.get(each[0], len(places))):
            if achievement in BY_NAME:  # a newer version may know more
                words = self._texts.html(audience.locale, f"achievement-{achievement}")
                lines.setdefault(name, []).append(f"{BY_NAME[achievement].mark} {words}")
        text, most = message.text, CAPTION if audience.wants(PICTURE, YES) else LONGEST
        for name, names in list(lines.items())[:ACHIEVERS]:
            listed = Markup(" · ".join(names))
            line = self._texts.html(audience.locale, "achievements-line", name=name_html(name), names=listed)
            longer = f"{text}{lobby.PARAGRAPH if text == message.text else LINE}{line}"
            if units(longer) > most:
                break
            text = longer
        return Message(text, message.keyboard)

    async def _outgoing(self, game: Game, message: Message, audience: Audience) -> Outgoing:
        name = game.phase if game.phase in FINAL else "call" if game.phase in LOBBY else "begun"
        outgoing = Outgoing(
            id=f"{name}:{game.id}",
            chat_id=game.place.chat_id,
            topic_id=game.place.topic_id or None,
            method="sendMessage",
            params={**send_params(message), **await reply_to_board(self._outbox, game)},
            priority=Priority.URGENT if game.phase in FINAL else Priority.NORMAL,
            created_at=self._clock.now(),
            game_id=game.id,
        )
        if game.phase == COMPLETED and audience.wants(PICTURE, YES):
            return await self._with_picture(outgoing, game, audience)
        return outgoing

    async def _with_picture(self, outgoing: Outgoing, game: Game, audience: Audience) -> Outgoing:
        """Return the message as a photo with a caption; unchanged if no picture can be drawn."""
        image = await self._pictures.podium(game, audience.locale)
        if image is None:
            return outgoing
        params = {name: value for name, value in outgoing.params.items() if name != "link_preview_options"}
        text = params.pop("text")
        if units(text) > CAPTION:  # the board has the whole text
            text = text.partition(f"{lobby.PARAGRAPH}{lobby.FOLDED}")[0]
        return msgspec.structs.replace(outgoing, method="sendPhoto", params={**params, "caption": text}, photo=image)

    # -- results of sent messages --------------------------------------------------------------------------------

    async def settled(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """Pin a board that was sent, note and edit own boards, and send as text a picture that was refused."""
        name, _, rest = outgoing.id.partition(":")
        if outgoing.slot is not None and outgoing.slot.startswith(BOARD_SLOT):
            if outcome.settled is Settled.SENT and outcome.message_id is not None:
                await self._pin(outgoing, outcome.message_id)
        elif name == OWN and outgoing.method == "sendMessage":
            await self._own_boards.sent(outgoing, outcome, self._clock.now())
        elif name == EDIT:
            game_id, _, known = rest.split(":")
            found = await self._game(game_id, at_least=int(known))
            game, version = found or (None, 0)
            await self._own_boards.edited(outgoing, outcome, game, version, self._clock.now())
        elif (name == UNPINNED and outcome.settled is not Settled.MIGRATED) or (
            name == PINNED and outcome.settled in {Settled.NO_RIGHTS, Settled.MESSAGE_GONE, Settled.REFUSED}
        ):
            await self._pins.forget(rest.partition(":")[0])
        elif outgoing.photo is not None and outcome.settled in {Settled.REFUSED, Settled.NO_RIGHTS}:
            await self._without_picture(outgoing)

    async def _without_picture(self, outgoing: Outgoing) -> None:
        """Send as text a result or a chart whose picture Telegram refuses, for example in a group without photos."""
        params = {name: value for name, value in outgoing.params.items() if name != "caption"}
        text = {"text": outgoing.params["caption"], "link_preview_options": NO_PREVIEW}
        await self._outbox.put(
            msgspec.structs.replace(
                outgoing,
                id=f"{outgoing.id}:text",
                method="sendMessage",
                params={**params, **text},
                created_at=self._clock.now(),
                photo=None,
            )
        )

    async def _game(self, game_id: str, *, at_least: int | None = None) -> tuple[Game, int] | None:
        """Return a game and its version; None if it is no longer kept, or the store is away.

        ``at_least`` is the lowest version that suffices; None for the present one. The sender may run in a process
        whose memory has an old state of the game.
        """
        try:
            looking = self._engine.look(game_id) if at_least is None else self._engine.at_least(game_id, at_least)
            outcome = await looking
        except (UnknownGame, Unavailable):
            return None
        return outcome.state, outcome.version

    # -- pins ----------------------------------------------------------------------------------------------------

    async def _pin(self, outgoing: Outgoing, message_id: int) -> None:
        """Pin the board of a live game, if the chat wants that. The note comes first, so that a crash loses no pin."""
        if not (await audience_of(self._people, outgoing.chat_id)).wants(PIN, YES):
            return
        game_id = outgoing.game_id or ""
        if not await self._is_live(game_id):
            return
        pin = Pin(game_id, outgoing.chat_id, message_id)
        await self._pins.note(pin)
        params = {"message_id": message_id, "disable_notification": True}
        await self._put_pin(f"{PINNED}:{game_id}:{message_id}", outgoing.chat_id, "pinChatMessage", params)
        if not await self._is_live(game_id):
            # The game has ended meanwhile: its end found no note, or its unpinning is ahead of the pin in the queue.
            # The outbox takes each id once, so this call has another.
            await self._put_unpin(f"{UNPINNED}:{game_id}:{message_id}", pin)

    async def _is_live(self, game_id: str) -> bool:
        found = await self._game(game_id)
        return found is not None and found[0].phase not in FINAL

    async def _unpin(self, game_id: str) -> None:
        """Unpin the board of a game that has ended. The note goes when Telegram has answered."""
        pin = await self._pins.of(game_id)
        if pin is not None:
            await self._put_unpin(f"{UNPINNED}:{game_id}", pin)

    async def _put_unpin(self, id_: str, pin: Pin) -> None:
        await self._put_pin(id_, pin.chat_id, "unpinChatMessage", {"message_id": pin.message_id})

    async def _put_pin(self, id_: str, chat_id: int, method: str, params: dict[str, Any]) -> None:
        await self._outbox.put(
            Outgoing(
                id=id_,
                chat_id=chat_id,
                method=method,
                params=params,
                priority=Priority.NORMAL,
                created_at=self._clock.now(),
            )
        )

    async def take_over(self) -> None:
        """Undo the pins of games that ended while no consumer ran, and schedule the reminders of live ones."""
        for pin in await self._pins.all():
            try:
                live = (await self._engine.look(pin.game_id)).state.phase not in FINAL
            except UnknownGame:
                live = False
            if not live:
                await self._unpin(pin.game_id)
        await self._reminders.take_over()
