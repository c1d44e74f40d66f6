"""The hub of live updates: one for a process. It follows the feed, and passes each change on to all who watch.

The state of a watched game is kept at exactly the position that the tail of the feed has reached. So the snapshot of a
new subscription and the events after it fit together, in any process: a cursor is a position in the feed.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from loguru import logger

from api.live.followed import Followed, Gap, events_of
from api.live.messages import (
    LONGEST_CURSOR,
    ClosingMessage,
    Frame,
    Reason,
    RefusedMessage,
    UnsubscribedMessage,
    encode,
)
from api.live.principals import (
    LIFETIME,
    NOT_AUTHENTICATED,
    OF_SESSION,
    OF_TOKEN,
    RESTART,
    RETRY_MS,
    UNAVAILABLE,
    Confirm,
    LiveFigures,
    LiveLimits,
    Principal,
)
from api.live.subscription import Subscription
from api.problems import AWAY, BadCursor, TooManyConnections, TooManyWatched
from fsm.engine import Clock, Stored, Unavailable
from fsm.kind import ChatTopic, Event, Game, Rejected, UnknownGame
from play.access import Access, Actor, Needs
from play.application import Application
from storage.archive import Archive
from storage.codec import Codec
from storage.feed import Entry
from storage.feed_tail import START, FeedTail, Position
from storage.games import RedisGames
from storage.keys import shard_of_chat
from storage.leases import jitter
from storage.stores import Stores

READY_SECONDS: Final = 10.0
"""Longest time until a subscription has its games and has reached the position of its cursor."""
LINGER_SECONDS: Final = 30.0
"""Time after the last subscription's end at which the feed is no longer followed."""
CHECK_SECONDS: Final = 2.0
"""Interval at which the rights of all subscribers are checked. A check takes two seconds at most."""
MOST_GAMES_OF_CHAT: Final = 100
MOST_LOADS: Final = 16
"""Games that are loaded at the same time."""
AGAIN_SECONDS: Final = 0.5
ALL: Final = "*"


class Hub:
    """Follows the feed while somebody watches, and passes changes on.

    Args:
        tail: reads the feed.
        games: live games, from which a game is loaded when it is first watched.
        archive: ended games, and the live games of chats.
        codec: decodes events.
        access: authorises the watching of games and chats.
        confirm: for each kind of principal, the check of their validity.
        clock: the wall clock.
        limits: bounds.
    """

    def __init__(
        self,
        *,
        tail: FeedTail,
        games: RedisGames,
        archive: Archive,
        codec: Codec,
        access: Access,
        confirm: Mapping[str, Confirm],
        clock: Clock,
        limits: LiveLimits,
    ) -> None:
        self.limits = limits
        self.figures = LiveFigures()
        self._tail = tail
        self._games = games
        self._archive = archive
        self._codec = codec
        self._access = access
        self._confirm = confirm
        self._clock = clock
        self._subscriptions: set[Subscription] = set()
        self._of_principal: Counter[tuple[str, str]] = Counter()
        self._followed: dict[str, Followed] = {}
        self._in_chat: dict[int, set[Subscription]] = {}
        """Chat -> subscriptions that watch it."""
        self._watched: Counter[int] = Counter()
        """Chat -> subscriptions, those under way included, for which its new games are followed."""
        self._some = asyncio.Event()
        """Set while there is a subscription, so that without any no timer wakes the process."""
        self._hurry = asyncio.Event()
        """Set when the rights must be checked at once."""
        self._unsure = False
        """True if announcements of revocations may have been lost since the last check."""
        self._loads = asyncio.Semaphore(MOST_LOADS)
        self._tasks: asyncio.TaskGroup | None = None
        self._closed = False
        self._empty: asyncio.Event | None = None
        """Set at a stop, when the last subscription has ended."""

    # -- the process's calls ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow the feed while somebody watches, until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._keep_following())
            self._tasks.create_task(self._keep_checking())
            self._tasks.create_task(self._keep_beating())

    async def close(self, seconds: float) -> None:
        """End all subscriptions with the advice to connect again, and wait until the clients have been told."""
        self._closed = True
        for subscription in list(self._subscriptions):
            self.end(subscription, RESTART)
        if self._subscriptions:
            self._empty = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._empty.wait()

    def revoked(self, name: str, kind: str = OF_TOKEN) -> None:
        """End the subscriptions of a revoked principal at once. `*`: unknown which, so check all of them at once."""
        if name == ALL:
            self._unsure = True
            self._hurry.set()
            return
        for subscription in list(self._subscriptions):
            if (subscription.principal.kind, subscription.principal.name) == (kind, name):
                self.end(subscription, NOT_AUTHENTICATED)

    @property
    def connections(self) -> int:
        """The number of subscriptions."""
        return len(self._subscriptions)

    @property
    def games_followed(self) -> int:
        """The number of games that are watched."""
        return len(self._followed)

    # -- the clients' calls -------------------------------------------------------------------------------------

    async def principal(self, kind: str, name: str) -> Principal | None:
        """Return a principal, if it is valid now. Raises ``Unavailable``."""
        actor = (await self._confirm[kind]([name])).get(name)
        if actor is None:
            return None
        return Principal(kind, name, actor, viewer=None if actor.token is not None else actor.id)

    async def subscribe(
        self, principal: Principal, *, games: Iterable[str] = (), chats: Iterable[int] = (), cursor: str | None = None
    ) -> Subscription:
        """Watch games and chats. The caller iterates over the result, and closes it with ``unsubscribe``.

        Raises the errors of ``open`` and ``add``.
        """
        subscription = self.open(principal)
        try:
            await self.add(subscription, games=games, chats=chats, cursor=cursor)
        except BaseException:
            self.unsubscribe(subscription)
            raise
        return subscription

    def open(self, principal: Principal) -> Subscription:
        """Return a subscription to nothing yet. Raises ``TooManyConnections`` and ``Unavailable``."""
        if self._closed:
            raise Unavailable("the process is stopping")
        key = (principal.kind, principal.name)
        if len(self._subscriptions) >= self.limits.connections:
            raise TooManyConnections(limit=self.limits.connections)
        limits = self.limits
        most = limits.connections_of_one if principal.viewer is None else limits.connections_of_person
        if self._of_principal[key] >= most:
            raise TooManyConnections(limit=most)
        subscription = Subscription(self.renew, principal, time.monotonic())
        self._subscriptions.add(subscription)
        self._of_principal[key] += 1
        self._some.set()
        return subscription

    async def add(
        self,
        subscription: Subscription,
        *,
        games: Iterable[str] = (),
        chats: Iterable[int] = (),
        cursor: str | None = None,
    ) -> None:
        """Watch more games and chats: first their snapshots, or the events since the cursor, then all that happens.

        Raises:
            UnknownGame: there is no such game.
            BadCursor: the cursor is none of this deployment's.
            TooManyWatched: the connection watches too much.
            Rejected: the refusals of ``Access.authorise``.
            Unavailable: a store is away.
        """
        new_games, new_chats = list(dict.fromkeys(games)), list(dict.fromkeys(chats))
        self._check_room(subscription, new_games, new_chats)
        actor = subscription.principal.actor
        for chat_id in new_chats:
            await self._access.authorise(actor, ChatTopic(chat_id), Needs.LOOK)
        positions = None if cursor is None else self._read_cursor(cursor)
        pinned: list[Followed] = []
        self._watched.update(new_chats)  # from now on new games of these chats are followed
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._tail.caught_up.wait()
                for game_id in new_games:
                    pinned.append(followed := await self._follow(game_id))
                    await self._access.authorise(actor, followed.known, Needs.LOOK)
                direct = list(pinned)
                if positions is not None:
                    await self._reach(positions, {*(f.shard for f in direct), *map(self._shard_of_chat, new_chats)})
                for chat_id in new_chats:
                    await self._pin_games(chat_id, positions, pinned)
            # There is no `await` from here on: snapshots and registrations belong to one position of the tail.
            self._register(subscription, direct, pinned, new_chats)
            there = {each.id: each for each in [*pinned, *self._live_in(new_chats)]}
            self._catch_up(subscription, list(there.values()), positions)
        except TimeoutError:
            raise Unavailable("the feed can't be followed") from None
        finally:
            for followed in pinned:
                followed.pins -= 1
            for chat_id in new_chats:
                self._unwatch(chat_id)
            for followed in [*pinned, *self._live_in(new_chats)]:
                self._release(followed)

    def remove(self, subscription: Subscription, *, games: Iterable[str] = (), chats: Iterable[int] = ()) -> None:
        """Watch games and chats no longer. Those that are not watched are ignored."""
        for game_id in games:
            self._detach(subscription, game_id)
        for chat_id in subscription.chats.intersection(chats):
            self._leave_chat(subscription, chat_id)

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription whose client has gone. Harmless to repeat."""
        if subscription not in self._subscriptions:
            return
        self._subscriptions.discard(subscription)
        key = (subscription.principal.kind, subscription.principal.name)
        self._of_principal[key] -= 1
        if not self._of_principal[key]:
            del self._of_principal[key]
        self.remove(subscription, games=list(subscription.games), chats=set(subscription.chats))
        if not self._subscriptions:
            self._some.clear()
            if self._empty is not None:
                self._empty.set()

    def renew(self, subscription: Subscription, reason: Reason) -> None:
        """Queue the snapshots of all games of a subscription, and the present cursor."""
        viewer = subscription.principal.viewer
        followed = [self._followed[game_id] for game_id in subscription.games]
        snapshots = [each.snapshot(viewer, reason) for each in followed if each.state is not None]
        self._push_all(subscription, snapshots, ())
        for each in followed:
            if each.state is not None and each.is_final:
                self._part(each)

    # -- subscribing --------------------------------------------------------------------------------------------

    def _check_room(self, subscription: Subscription, games: Collection[str], chats: Collection[int]) -> None:
        direct = {game_id for game_id, is_direct in subscription.games.items() if is_direct}
        if len(direct.union(games)) + len(subscription.chats.union(chats)) > self.limits.subscriptions:
            raise TooManyWatched(limit=self.limits.subscriptions)

    def _shard_of_chat(self, chat_id: int) -> str:
        return shard_of_chat(chat_id, len(self._games.shards))

    async def _reach(self, positions: Mapping[str, Position], shards: Iterable[str]) -> None:
        """Wait until this process has read as far as the process that wrote the cursor."""
        try:
            async with asyncio.timeout(READY_SECONDS / 4):
                for shard in shards:
                    await self._tail.reached(shard, positions[shard])
        except TimeoutError:
            return  # the store has lost entries: the position counts as too old

    async def _pin_games(self, chat_id: int, positions: Mapping[str, Position] | None, pinned: list[Followed]) -> None:
        """Pin the games of a chat: the live ones, and those that have ended since the positions."""
        shard, final = self._shard_of_chat(chat_id), self._is_final
        listed = [game.id for game in await self._archive.live_games(chat_id, MOST_GAMES_OF_CHAT)]
        # PostgreSQL follows with a delay. All entries that it has not read are in the window of the tail.
        opened = [
            entry.game_id
            for entry in self._tail.since(shard, START)
            if entry.first_version == 1 and self._chat_of(entry) == chat_id
        ]
        ended = (
            {entry.game_id for entry in self._tail.since(shard, positions[shard]) if final(entry)} if positions else {}
        )
        for game_id in list(dict.fromkeys([*listed, *opened, *ended]))[-MOST_GAMES_OF_CHAT:]:
            try:
                followed = await self._follow(game_id)
            except UnknownGame:
                continue
            if followed.known.place.chat_id == chat_id and (game_id in ended or not followed.is_final):
                pinned.append(followed)
            else:
                followed.pins -= 1
                self._release(followed)

    def _is_final(self, entry: Entry) -> bool:
        return self._codec.kind(entry.kind).machine.is_final(entry.phase)

    def _chat_of(self, entry: Entry) -> int | None:
        """Return the chat in which an entry's event opens a game; None if it opens none."""
        opening = events_of(entry, self._codec)[0][2]
        place = getattr(opening, "place", None)
        return place.chat_id if isinstance(place, ChatTopic) else None

    def _live_in(self, chats: Collection[int]) -> list[Followed]:
        """Return the followed games of chats that are live."""
        if not chats:
            return []
        return [
            each
            for each in list(self._followed.values())
            if each.state is not None and each.state.place.chat_id in chats and not each.is_final
        ]

    def _register(
        self, subscription: Subscription, direct: Iterable[Followed], all_: Iterable[Followed], chats: Iterable[int]
    ) -> None:
        if subscription not in self._subscriptions:
            return
        for followed in direct:
            self._attach(subscription, followed, direct=True)
        for chat_id in chats:
            if chat_id not in subscription.chats:
                subscription.chats.add(chat_id)
                self._in_chat.setdefault(chat_id, set()).add(subscription)
                self._watched[chat_id] += 1
        for followed in [*all_, *self._live_in(set(chats))]:
            if followed.id not in subscription.games and not followed.is_final:
                self._attach(subscription, followed, direct=False)

    def _attach(self, subscription: Subscription, followed: Followed, *, direct: bool) -> None:
        subscription.games[followed.id] = direct or subscription.games.get(followed.id, False)
        viewer = subscription.principal.viewer
        followed.audiences.setdefault(viewer, set()).add(subscription)
        if followed.state is not None:
            followed.view(viewer)  # the base of the next patch

    def _detach(self, subscription: Subscription, game_id: str) -> None:
        if subscription.games.pop(game_id, None) is None:
            return
        followed, viewer = self._followed[game_id], subscription.principal.viewer
        audience = followed.audiences[viewer]
        audience.discard(subscription)
        if not audience:
            del followed.audiences[viewer]
            followed.forget_views(viewer)
        self._release(followed)

    def _leave_chat(self, subscription: Subscription, chat_id: int) -> None:
        subscription.chats.discard(chat_id)
        self._in_chat[chat_id].discard(subscription)
        if not self._in_chat[chat_id]:
            del self._in_chat[chat_id]
        self._unwatch(chat_id)
        for game_id, is_direct in list(subscription.games.items()):
            if not is_direct and self._followed[game_id].known.place.chat_id == chat_id:
                self._detach(subscription, game_id)

    def _unwatch(self, chat_id: int) -> None:
        self._watched[chat_id] -= 1
        if not self._watched[chat_id]:
            del self._watched[chat_id]

    def _release(self, followed: Followed) -> None:
        """Forget a game that nobody watches."""
        if followed.pins or followed.audiences or (followed.loaded is not None and not followed.loaded.done()):
            return
        if followed.state is None or followed.is_final or followed.state.place.chat_id not in self._watched:
            self._followed.pop(followed.id, None)

    def tell(self, subscription: Subscription, message: RefusedMessage) -> None:
        """Queue a message to one client."""
        self._push(subscription, Frame(None, (encode(message),)), time.monotonic())

    def _catch_up(
        self, subscription: Subscription, games: Sequence[Followed], positions: Mapping[str, Position] | None
    ) -> None:
        """Queue the snapshots of games, or the events since the positions."""
        snapshots, missed = list[bytes](), list[bytes]()
        viewer = subscription.principal.viewer
        for followed in games:
            if positions is None:
                snapshots.append(followed.snapshot(viewer, "subscribed"))
                continue
            events = self._events_since(followed, positions.get(followed.shard, START))
            self.figures.resumed["expired" if events is None else "complete"] += 1
            if events is None:
                snapshots.append(followed.snapshot(viewer, "expired"))
            elif events:
                missed.append(followed.missed(viewer, events))
        self._push_all(subscription, snapshots, missed)

    def _events_since(self, followed: Followed, position: Position) -> list[tuple[int, int, Event]] | None:
        """Return the events of a game after a position; None if some may be missing."""
        if position > self._tail.positions.get(followed.shard, START) or not self._tail.covers(
            followed.shard, position
        ):
            return None
        found: list[tuple[int, int, Event]] = []
        for entry in self._tail.since(followed.shard, position):
            if entry.game_id == followed.id:
                found += events_of(entry, self._codec)
        versions = [version for version, _, _ in found]
        if found and versions != list(range(followed.version - len(found) + 1, followed.version + 1)):
            return None
        return found

    def _push_all(self, subscription: Subscription, snapshots: Iterable[bytes], missed: Sequence[bytes]) -> None:
        """Queue snapshots, one a batch, and then missed events with the cursor.

        The cursor comes last, and together with all missed events: a client whose connection breaks before it asks
        again from its earlier cursor, and one that has it gets no event twice.
        """
        now = time.monotonic()
        for snapshot in snapshots:
            self._push(subscription, Frame(None, (snapshot,)), now)
        self._push(subscription, Frame(self.cursor(), tuple(missed)), now)

    def _push(self, subscription: Subscription, frame: Frame, now: float) -> None:
        if subscription.is_behind or subscription.closing is not None:
            return
        # The snapshots of a new subscription are queued together, so there is room for as many.
        if subscription.waiting >= self.limits.waiting + len(subscription.games):
            subscription.fall_behind()
            self.figures.slow += 1
        else:
            subscription.push(frame, now)
            self.figures.messages += 1

    # -- cursors ------------------------------------------------------------------------------------------------

    def cursor(self) -> str:
        """Return the present position in the feed as text: for each shard the id of the last entry, in hex."""
        positions = self._tail.positions
        return ".".join(
            "" if (at := positions.get(shard, START)) == START else f"{at.ms:x}-{at.seq:x}"
            for shard in self._games.shards
        )

    def _read_cursor(self, text: str) -> dict[str, Position]:
        parts, shards = text[:LONGEST_CURSOR].split("."), self._games.shards
        if len(parts) != len(shards):
            raise BadCursor
        try:
            return {shard: _position(part) for shard, part in zip(shards, parts, strict=True)}
        except ValueError:
            raise BadCursor from None

    # -- games --------------------------------------------------------------------------------------------------

    async def _follow(self, game_id: str) -> Followed:
        """Return a game at the position of the tail, pinned. Raises ``UnknownGame`` and ``Unavailable``."""
        followed = self._followed.get(game_id)
        if followed is None:
            followed = self._followed[game_id] = Followed(game_id)
            followed.loaded = asyncio.get_running_loop().create_future()
            assert self._tasks is not None, "run before"
            self._tasks.create_task(self._load(followed, followed.loaded))
        followed.pins += 1
        try:
            if followed.loaded is not None:
                await asyncio.shield(followed.loaded)
        except BaseException:
            followed.pins -= 1
            raise
        return followed

    async def _load(self, followed: Followed, promise: "asyncio.Future[None]") -> None:
        try:
            await self._settle(followed)
        except Exception as problem:  # noqa: BLE001 -- all who wait for the game get it
            self._followed.pop(followed.id, None)
            known = isinstance(problem, (Rejected, *AWAY))
            promise.set_exception(problem if known else Unavailable(f"{type(problem).__name__}: {problem}"))
            promise.exception()  # it is retrieved even if nobody waits any more
            if not known:
                logger.opt(exception=problem).error("game {} can't be followed", followed.id)
        else:
            followed.loaded = None
            promise.set_result(None)

    async def _settle(self, followed: Followed) -> bool:
        """Read a game and bring it to the position of the tail. Returns whether it differs from before.

        Raises ``UnknownGame``, ``Gap`` and errors of the stores.
        """
        async with self._loads:
            stored = await self._games.load(followed.id) or await self._ended(followed.id)
            last = await self._tail.last(followed.shard)
            async with asyncio.timeout(READY_SECONDS):
                await self._tail.reached(followed.shard, last)
        # There is no `await` from here on: the window of the tail has all entries after the state that was read.
        fresh = Followed(followed.id)
        fresh.become(stored)
        for entry in self._tail.of_game(followed.id, stored.version):
            fresh.apply(entry, self._codec)
        differs = (fresh.version, fresh.incarnation) != (followed.version, followed.incarnation)
        followed.become(Stored(stored.kind, fresh.known, fresh.version, {}, stored.incarnation))
        followed.broken = False
        return differs

    async def _ended(self, game_id: str) -> Stored:
        row = await self._archive.game(game_id)
        state = None if row is None else await self._archive.finished(game_id)
        if row is None or state is None:
            raise UnknownGame
        return Stored(self._codec.kind(row.kind), state, row.version, {})

    # -- the feed -----------------------------------------------------------------------------------------------

    async def _keep_following(self) -> None:
        while True:
            await self._some.wait()
            async with asyncio.TaskGroup() as reading:
                task = reading.create_task(self._tail.follow(self._handle, self._lost))
                while self._some.is_set():  # noqa: ASYNC110 -- looks again only while the feed is followed
                    await asyncio.sleep(LINGER_SECONDS)
                # Cleared before the tail stops: a subscription that begins now waits for the next start.
                self._tail.caught_up.clear()
                self._followed.clear()
                task.cancel()

    def _handle(self, entries: Sequence[Entry]) -> None:
        """Fold new entries, and pass on their events."""
        changed: dict[Followed, list[tuple[int, int, Event]]] = {}
        for entry in entries:
            followed = self._followed.get(entry.game_id)
            if followed is None:
                followed = self._discover(entry)
            if followed is None or followed.loaded is not None or followed.broken:
                continue
            try:
                events = followed.apply(entry, self._codec)
            except Exception as problem:  # noqa: BLE001 -- one game's trouble is not the other games'
                self._mend(followed, problem)
                continue
            if events:
                changed.setdefault(followed, []).extend(events)
        if changed:
            self._publish(changed, committed_at=min(Position.of(entry.id).ms for entry in entries))

    def _discover(self, entry: Entry) -> Followed | None:
        """Return a game that was opened just now in a watched chat; None for other entries."""
        if not self._watched:
            return None
        if entry.first_version != 1:
            if b'"chat_moved"' in entry.records and self._tasks is not None:
                self._tasks.create_task(self._adopt(entry.game_id))
            return None
        chat_id = self._chat_of(entry)
        if chat_id is None or chat_id not in self._watched:
            return None
        followed = self._followed[entry.game_id] = Followed(entry.game_id)
        for subscription in self._in_chat.get(chat_id, ()):
            self._attach(subscription, followed, direct=False)
        return followed

    async def _adopt(self, game_id: str) -> None:
        """Show a game to those who watch the chat that it has moved to."""
        try:
            followed = await self._follow(game_id)
        except (Rejected, *AWAY) as problem:
            logger.debug("game {} has moved and can't be followed: {}", game_id, problem)
            return
        for subscription in self._in_chat.get(followed.known.place.chat_id, ()):
            if game_id not in subscription.games:
                self._attach(subscription, followed, direct=False)
                self._push_all(subscription, [followed.snapshot(subscription.principal.viewer, "moved")], ())
        followed.pins -= 1
        self._release(followed)

    def sent(self, frame: Frame) -> None:
        """Observe the age of a batch that a client's connection has taken."""
        if frame.committed_at is not None:
            self.figures.lag(max(0, self._clock.now() - frame.committed_at) / 1000)

    def _publish(self, changed: Mapping[Followed, Sequence[tuple[int, int, Event]]], committed_at: int) -> None:
        """Pass on the events of games. Subscriptions that get the same messages share one batch."""
        outgoing: dict[Subscription, tuple[bytes, ...]] = {}
        for followed, events in changed.items():
            for viewer, audience in followed.audiences.items():
                message = (followed.change(viewer, events),)
                for subscription in audience:
                    outgoing[subscription] = outgoing.get(subscription, ()) + message
        cursor, now = self.cursor(), time.monotonic()
        frames: dict[tuple[int, ...], Frame] = {}
        for subscription, messages in outgoing.items():
            key = tuple(map(id, messages))
            frame = frames.get(key)
            if frame is None:
                frame = frames[key] = Frame(cursor, messages, committed_at)
            self._push(subscription, frame, now)
        for followed in changed:
            if followed.is_final:
                self._part(followed)

    def _part(self, followed: Followed) -> None:
        """Take an ended game from the subscriptions that watch it because of its chat."""
        for audience in list(followed.audiences.values()):
            for subscription in list(audience):
                # A client that has fallen behind first gets the snapshot of the end.
                if not subscription.games[followed.id] and not subscription.is_behind:
                    self._detach(subscription, followed.id)
        self._release(followed)

    def _mend(self, followed: Followed, problem: Exception) -> None:
        """Read a game again that can't be followed otherwise."""
        level = "INFO" if isinstance(problem, Gap) else "ERROR"
        logger.opt(exception=problem).log(level, "game {} is read again", followed.id)
        followed.broken = True
        self._compare_soon(followed)

    def _lost(self) -> None:
        """Compare all games with the store, which may have lost data."""
        for followed in list(self._followed.values()):
            if followed.loaded is None:
                self._compare_soon(followed)

    def _compare_soon(self, followed: Followed) -> None:
        assert self._tasks is not None, "run before"
        self._tasks.create_task(self._compare(followed))

    async def _compare(self, followed: Followed) -> None:
        """Read a game, and send snapshots if its state is not the one that was followed. Retries until it succeeds."""
        while self._followed.get(followed.id) is followed:
            try:
                differs = await self._settle(followed)
            except Exception as problem:  # noqa: BLE001 -- tried again; a game that is gone has no watchers for long
                logger.debug("game {} can't be compared: {}", followed.id, problem)
                await asyncio.sleep(jitter(AGAIN_SECONDS))
                continue
            if differs:
                for viewer, audience in followed.audiences.items():
                    followed.forget_views(viewer)
                    for subscription in audience:
                        self._push_all(subscription, [followed.snapshot(viewer, "restored")], ())
            return

    # -- rights and signs of life -------------------------------------------------------------------------------

    async def _keep_checking(self) -> None:
        while True:
            await self._some.wait()
            try:
                async with asyncio.timeout(jitter(CHECK_SECONDS)):
                    await self._hurry.wait()
            except TimeoutError:
                pass
            self._hurry.clear()
            await self._check()

    async def _check(self) -> None:
        """End the subscriptions whose principals are no longer valid, and take away what they may not watch."""
        names: dict[str, set[str]] = {}
        for subscription in self._subscriptions:
            names.setdefault(subscription.principal.kind, set()).add(subscription.principal.name)
        actors: dict[tuple[str, str], Actor] = {}
        away: set[str] = set()
        for kind, wanted in names.items():
            try:
                actors |= {(kind, name): actor for name, actor in (await self._confirm[kind](wanted)).items()}
            except AWAY:
                away.add(kind)
        now, unsure, self._unsure = time.monotonic(), self._unsure, self._unsure and bool(away)
        verdicts: dict[tuple[Actor, str | int], Rejected | None] = {}
        for subscription in list(self._subscriptions):
            principal = subscription.principal
            if principal.name not in names.get(principal.kind, ()):
                continue  # subscribed since
            if principal.kind not in away:
                actor = actors.get((principal.kind, principal.name))
                if actor is None:
                    self.end(subscription, NOT_AUTHENTICATED)
                    continue
                if actor != principal.actor:
                    subscription.principal = replace(principal, actor=actor)
            elif unsure:
                # Revocations may have been missed, and no check is possible.
                self.end(subscription, UNAVAILABLE)
                continue
            if now - subscription.opened_at > self.limits.lifetime_seconds:
                self.end(subscription, LIFETIME)
                continue
            await self._check_rights(subscription, verdicts)

    async def _check_rights(
        self, subscription: Subscription, verdicts: dict[tuple[Actor, str | int], Rejected | None]
    ) -> None:
        actor, lost = subscription.principal.actor, list[UnsubscribedMessage]()
        for chat_id in list(subscription.chats):
            refusal = await self._verdict(actor, chat_id, ChatTopic(chat_id), verdicts)
            if refusal is not None and chat_id in subscription.chats:
                self._leave_chat(subscription, chat_id)
                lost.append(UnsubscribedMessage(code=refusal.code, chat_id=chat_id))
        for game_id in list(subscription.games):
            followed = self._followed.get(game_id)
            if followed is None or followed.state is None:
                continue
            refusal = await self._verdict(actor, game_id, followed.state, verdicts)
            if refusal is not None and game_id in subscription.games:
                self._detach(subscription, game_id)
                lost.append(UnsubscribedMessage(code=refusal.code, game_id=game_id))
        if lost:
            self._tell_lost(subscription, lost)

    async def _verdict(
        self,
        actor: Actor,
        about: str | int,
        where: Game | ChatTopic,
        verdicts: dict[tuple[Actor, str | int], Rejected | None],
    ) -> Rejected | None:
        """Return the refusal to watch a game or chat; None if it is allowed, or can't be decided now."""
        key = (actor, about)
        if key not in verdicts:
            verdicts[key] = None
            try:
                await self._access.authorise(actor, where, Needs.LOOK)
            except Rejected as refusal:
                verdicts[key] = refusal
            except AWAY:
                pass
        return verdicts[key]

    def _tell_lost(self, subscription: Subscription, lost: Sequence[UnsubscribedMessage]) -> None:
        """Tell a client that it no longer watches some games and chats.

        Batches that wait are dropped, as they may be about them. The client gets the snapshots of its other games.
        """
        waited = subscription.forget_waiting()
        self._push(subscription, Frame(None, tuple(map(encode, lost))), time.monotonic())
        if waited:
            self.renew(subscription, "slow")

    async def _keep_beating(self) -> None:
        while True:
            await self._some.wait()
            await asyncio.sleep(min(1.0, self.limits.heartbeat_seconds))
            if not self._tail.caught_up.is_set():
                continue
            now, frame = time.monotonic(), Frame(self.cursor())
            for subscription in list(self._subscriptions):
                silent = now - subscription.pushed_at >= self.limits.heartbeat_seconds
                if silent and not subscription.waiting:
                    self._push(subscription, frame, now)

    def end(self, subscription: Subscription, code: str) -> None:
        """End a subscription for a reason, which its client is told."""
        if subscription.closing is None:
            self.figures.closed[code] += 1
            retry = RETRY_MS.get(code)
            # Spread, so that the clients of a process that stops do not all connect again at once.
            subscription.end(ClosingMessage(code=code, retry_ms=None if retry is None else round(jitter(retry))))


def make_hub(play: Application, stores: Stores, limits: LiveLimits | None = None) -> Hub:
    """Return a hub for the tokens of the API and the sessions of people."""
    return Hub(
        tail=FeedTail(stores.listening, stores.games.shards),
        games=stores.games,
        archive=stores.archive,
        codec=stores.codec,
        access=play.access,
        confirm={OF_TOKEN: play.tokens.actors, OF_SESSION: play.sessions.actors},
        clock=play.clock,
        limits=limits or LiveLimits(),
    )


def _position(text: str) -> Position:
    """Return a position from its part of a cursor. Raises ValueError."""
    if not text:
        return START
    ms, _, seq = text.partition("-")
    if len(ms) > 16 or len(seq) > 16:
        raise ValueError(text)
    return Position(int(ms, 16), int(seq, 16))
