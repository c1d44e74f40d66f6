"""``/nextgame``: people who asked for it get a private word when a game opens in a chat, until they stop it.

The projector enqueues a job for each opened game whose chat has subscribers, in the transaction that stores the game.
The job puts the words into the outbox, a page of people at a time, behind everything that games send.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from loguru import logger

from fsm.engine import Clock, Engine
from fsm.kind import ChatTopic, Game, PlayerId, Rejected, UnknownGame
from fsm.lobby import PLAYERS_JOINING, WAITING_FOR_PLAYERS, is_barred
from fsm.registry import kind_of
from play.access import Access, Actor, Needs, NotAMember
from play.members import Members
from play.texts import DEFAULT_LOCALE, Texts
from storage.connections import POSTGRES_GONE
from storage.job_runner import JobKind, Run, TryAgain
from storage.people import People
from storage.subscriptions import MOST_SUBSCRIPTIONS, NEXT_GAME, Subscriptions
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing
from telegram.sender import Outcome, Settled

PAGE: Final = 100
BOARD_WAIT_MS: Final = 20_000
"""Time for which the words wait for the game's board, to which they link."""
USEFUL_MS: Final = 15 * 60_000
"""Time after which a word that could not be sent is dropped."""
ITEM: Final = "next:"
"""Beginning of the ids of the words in the outbox: ``next:<game>:<person>``."""
STOP: Final = "next:off:"
"""Beginning of the callback data of the button that ends a subscription; the chat follows."""
SUPERGROUP: Final = "-100"


@dataclass(unsafe_hash=True)
class TooManySubscriptions(Rejected):
    """The person is subscribed to as many chats as they may be."""

    limit: int = MOST_SUBSCRIPTIONS


class _Progress(msgspec.Struct, frozen=True):
    after: PlayerId = 0


class NextGames:
    """Subscribes people, and sends the words.

    Args:
        stored: the subscriptions.
        engine: looks at games.
        people: private chats, bans, departures and languages.
        access: authorises people.
        members: the members of chats.
        outbox: sends the words.
        texts: their texts.
        clock: the wall clock.
        slot_of: returns the outbox slot of a game's board.
    """

    def __init__(  # noqa: PLR0913 -- called once, with keywords
        self,
        *,
        stored: Subscriptions,
        engine: Engine,
        people: People,
        access: Access,
        members: Members,
        outbox: Outbox,
        texts: Texts,
        clock: Clock,
        slot_of: Callable[[str], str],
    ) -> None:
        self._stored = stored
        self._engine = engine
        self._people = people
        self._access = access
        self._members = members
        self._outbox = outbox
        self._texts = texts
        self._clock = clock
        self._slot_of = slot_of

    # -- people -------------------------------------------------------------------------------------------------

    async def subscribe(self, actor: Actor, chat_id: int) -> bool:
        """Subscribe a person to a chat. Returns True if the bot may write to them.

        Telegram is asked for the membership. If it cannot tell, a person in the chat itself may subscribe, but not one
        elsewhere, as a link can name any chat. Raises ``TooManySubscriptions``, and the errors of ``Access.authorise``.
        """
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.PLAY)
        member = chat_id < 0 and await self._members.is_member(chat_id, actor.id)
        if member is False or (member is None and actor.chat_id != chat_id):
            raise NotAMember
        if await self._stored.add(chat_id, actor.id) is None:
            raise TooManySubscriptions
        return await self._has_chat(actor.id)

    async def unsubscribe(self, player_id: PlayerId, chat_id: int) -> None:
        """End a person's subscription, if there is one."""
        await self._stored.remove(chat_id, player_id)

    async def of_player(self, player_id: PlayerId) -> list[tuple[int, str]]:
        """Return the chats that a person is subscribed to: id and title."""
        return await self._stored.of_player(player_id)

    async def left(self, chat_id: int, player_id: PlayerId) -> None:
        """End the subscription of a person who has left a chat. Skipped while PostgreSQL is away: words ask again."""
        try:
            await self._stored.remove(chat_id, player_id)
        except POSTGRES_GONE as problem:
            logger.warning("a subscription stays for now: {}", type(problem).__name__)

    async def blocked(self, player_id: PlayerId) -> None:
        """End all subscriptions of a person who has blocked the bot. Skipped while PostgreSQL is away."""
        try:
            await self._stored.remove_all(player_id)
        except POSTGRES_GONE as problem:
            logger.warning("the subscriptions of a person stay for now: {}", type(problem).__name__)

    async def settled(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """End the subscriptions of a person whom a word could not reach."""
        if outcome.settled is Settled.CHAT_GONE and outgoing.id.startswith(ITEM):
            await self.blocked(outgoing.chat_id)

    async def _has_chat(self, player_id: PlayerId) -> bool:
        private = await self._people.chat(player_id)
        return private is not None and private.active

    # -- words --------------------------------------------------------------------------------------------------

    @property
    def kind(self) -> JobKind:
        """The kind of job that sends the words about one game."""
        return JobKind(name=NEXT_GAME, work=self._work, at_once=1, attempts=20)

    async def _work(self, run: Run) -> None:
        """Put the words about a game into the outbox, while people can still join it."""
        game = await self._open_game(run.job.key)
        if game is None:
            return
        link = await self._link(game)
        progress = msgspec.json.decode(run.job.progress, type=_Progress)
        while page := await self._stored.of_chat(game.place.chat_id, progress.after, PAGE):
            words = [await self._word(game, player, link) for player in page if await self._wants(game, player)]
            run.check()
            await self._outbox.put_many(words)
            progress = _Progress(page[-1])
            await run.record(msgspec.json.encode(progress))
            if await self._open_game(game.id) is None:
                return

    async def _open_game(self, game_id: str) -> Game | None:
        """Return a game that people can join; None if it has begun or ended."""
        try:
            game = (await self._engine.look(game_id)).state  # another replica may have started it
        except UnknownGame:
            return None
        return game if game.phase in {WAITING_FOR_PLAYERS, PLAYERS_JOINING} else None

    async def _link(self, game: Game) -> str | None:
        """Return the link to the game's board; None for a basic group, whose messages have none.

        Raises ``TryAgain`` if the board is still to be sent.
        """
        living = await self._outbox.slot_message(self._slot_of(game.id))
        if living is None:
            if self._clock.now() - game.opened_at < BOARD_WAIT_MS:
                raise TryAgain("the board has not been sent yet", 2)
            return None
        chat, topic = str(living[0]), game.place.topic_id
        if not chat.startswith(SUPERGROUP):
            return None
        within = f"{topic}/{living[1]}" if topic else str(living[1])
        return f"https://t.me/c/{chat.removeprefix(SUPERGROUP)}/{within}"

    async def _wants(self, game: Game, player: PlayerId) -> bool:
        """Return whether a subscriber gets the word: somebody who can join, is not in the game, and can be reached."""
        chat_id = game.place.chat_id
        rules: Any = getattr(game, "rules", None)
        if player == game.host.id or player in game.players or is_barred(rules, player):
            return False
        if not await self._has_chat(player) or await self._people.is_banned(chat_id, player):
            return False
        if await self._members.is_member(chat_id, player) is False:
            await self._stored.remove(chat_id, player)
            return False
        return await self._access.may_meet_conditions(player, chat_id, rules)

    async def _word(self, game: Game, player: PlayerId, link: str | None) -> Outgoing:
        locale = await self._people.locale_of_player(player) or await self._locale(game.place.chat_id)
        chat = await self._people.chat(game.place.chat_id)
        title = game.title or self._texts.plain(locale, f"{kind_of(game).slug}-name")
        html = self._texts.html(locale, "next-word", title=title, chat=chat.title if chat is not None else "")
        stop = {"text": self._texts.plain(locale, "next-stop"), "callback_data": f"{STOP}{game.place.chat_id}"}
        go = [{"text": self._texts.plain(locale, "next-go"), "url": link, "style": "primary"}] if link else []
        keyboard: list[list[dict[str, Any]]] = [*([go] if go else []), [stop]]
        return Outgoing(
            id=f"{ITEM}{game.id}:{player}",
            chat_id=player,
            method="sendMessage",
            params={"text": str(html), "parse_mode": "HTML", "reply_markup": {"inline_keyboard": keyboard}},
            priority=Priority.COSMETIC,
            created_at=self._clock.now(),
            expires_at=self._clock.now() + USEFUL_MS,
        )

    async def _locale(self, chat_id: int) -> str:
        chat = await self._people.chat(chat_id)
        return chat.locale if chat is not None and chat.locale else DEFAULT_LOCALE
