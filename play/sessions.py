"""Sessions of people on the pages.

In the Mini App, Telegram vouches for the person by a signature with the bot's token. The dashboard is entered by a link
that the bot sends to the person.
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from fsm.engine import Clock
from fsm.kind import Instant, PlayerId, Rejected
from play.access import Actor, Banned, Role, Token
from play.texts import tidy
from play.tokens import NotAuthenticated
from storage.app_sessions import SECRET_BYTES, AppSessions, StoredSession, session_name
from storage.people import People

MARK: Final = "tombola-app_"
"""Beginning of the secrets of sessions."""
LAUNCH_MS: Final = 3_600_000
"""Age up to which signed launch data begins a session. A page that is loaded again sends the same data."""
EARLY_MS: Final = 60_000
"""Difference of the clocks by which launch data may come from the future."""
LONGEST_MS: Final = 12 * 3_600_000
"""Age at which a session ends even if it is in use."""
LONGEST_LAUNCH: Final = 4096
MOST_FIELDS: Final = 32
LINK_SECONDS: Final = 300
"""Time within which a one-time link is opened."""


@dataclass(unsafe_hash=True)
class BadLaunch(Rejected):
    """The launch data has no valid signature of this bot."""


@dataclass(unsafe_hash=True)
class StaleLaunch(Rejected):
    """The launch data is too old."""


@dataclass(unsafe_hash=True)
class BadLogin(Rejected):
    """The link was used, is too old, or was never made."""


class _TelegramUser(msgspec.Struct, frozen=True):
    id: PlayerId
    first_name: str = ""
    last_name: str = ""
    language_code: str = ""
    is_premium: bool = False


@dataclass(frozen=True, slots=True)
class Launch:
    """The content of signed launch data.

    Attributes:
        player_id: the person's id in Telegram.
        name: the person's name.
        language: the language of the person's app.
        premium: whether the person has Telegram Premium.
        at: the time at which Telegram signed it.
    """

    player_id: PlayerId
    name: str
    language: str
    premium: bool
    at: Instant


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is valid now.

    Attributes:
        name: its name, which proves nothing.
        actor: the person; in the dashboard an operator has the rights of an operator's token.
        dashboard: whether it is a session of the dashboard.
    """

    name: str
    actor: Actor
    dashboard: bool = False

    @property
    def is_operator(self) -> bool:
        """True if the person acts as an operator."""
        return self.actor.token is not None


class _Link(msgspec.Struct, frozen=True):
    """The person that a one-time link lets in."""

    player_id: PlayerId
    name: str


class Sessions:
    """Begins and checks sessions.

    Args:
        store: the repository.
        people: the bans, which end sessions.
        clock: the clock by which launch data is judged.
        bot_token: the bot's token, the secret of the signatures.
        operators: the ids of the operators. Not copied: a later change of the collection counts.
    """

    def __init__(
        self, store: AppSessions, people: People, clock: Clock, bot_token: str, operators: Collection[PlayerId] = ()
    ) -> None:
        self._store = store
        self._people = people
        self._clock = clock
        self._operators = operators
        self._key = hmac.digest(b"WebAppData", bot_token.encode(), "sha256")

    async def begin(self, launch_data: str) -> tuple[str, Launch]:
        """Begin a session. Returns its secret, and the content of the launch data.

        Raises:
            BadLaunch: the data was not signed for this bot, or is no launch data.
            StaleLaunch: it is too old.
            Banned: the person is banned from all chats.
            Unavailable: Redis is away.
        """
        launch, now = read_launch(launch_data, self._key), self._clock.now()
        if not -EARLY_MS <= now - launch.at <= LAUNCH_MS:
            raise StaleLaunch
        if await self._is_banned(launch.player_id):
            raise Banned
        stored = StoredSession(launch.player_id, launch.name, launch.premium, launch.at + LONGEST_MS)
        return MARK + await self._store.add(stored), launch

    async def link(self, player_id: PlayerId, name: str) -> str:
        """Return the secret of a one-time link for a person. It counts for ``LINK_SECONDS``. Raises ``Unavailable``."""
        return await self._store.add_login(msgspec.json.encode(_Link(player_id, name)), LINK_SECONDS)

    async def begin_by_link(self, secret: str) -> tuple[str, Session]:
        """Begin a session of the dashboard, and spend the link. Returns the session's secret, and the session.

        Raises ``BadLogin``, ``Banned`` and ``Unavailable``.
        """
        found = await self._store.take_login(secret)
        if found is None:
            raise BadLogin
        try:
            link = msgspec.json.decode(found, type=_Link)
        except msgspec.ValidationError:  # the state of a login by OpenID Connect
            raise BadLogin from None
        return await self._begin_dashboard(link.player_id, link.name)

    async def _begin_dashboard(self, player_id: PlayerId, name: str) -> tuple[str, Session]:
        if await self._is_banned(player_id):
            raise Banned
        until = self._clock.now() + LONGEST_MS
        stored = StoredSession(player_id, tidy(name), premium=False, until=until, dashboard=True)
        secret = await self._store.add(stored)
        return MARK + secret, Session(session_name(secret), self._actor(stored), dashboard=True)

    async def end(self, session: Session) -> None:
        """End a session. Harmless to repeat. Raises ``Unavailable``."""
        await self._store.end(session.name)

    async def check(self, secret: str, *, dashboard: bool = False) -> Session:
        """Return a valid session, of the dashboard or of the Mini App: each has its own way to send its secret.

        Raises ``NotAuthenticated``, ``Banned``, which ends the session, and ``Unavailable``.
        """
        text = secret.removeprefix(MARK)
        if len(text) != 2 * SECRET_BYTES or not text.isascii():
            raise NotAuthenticated
        name = session_name(text)
        found = await self._store.used(name)
        if found is None or found.until <= self._clock.now() or found.dashboard != dashboard:
            raise NotAuthenticated
        if await self._is_banned(found.player_id):
            await self._store.end(name)  # an unban does not bring it back
            raise Banned
        return Session(name, self._actor(found), found.dashboard)

    async def actors(self, names: Collection[str]) -> Mapping[str, Actor]:
        """Return the actors of those sessions that are valid now, by name. Raises ``Unavailable``."""
        now = self._clock.now()
        return {
            name: self._actor(found)
            for name, found in (await self._store.all_found(names)).items()
            if found.until > now and not await self._is_banned(found.player_id)
        }

    async def _is_banned(self, player_id: PlayerId) -> bool:
        return await self._people.is_banned(0, player_id)

    def _actor(self, session: StoredSession) -> Actor:
        """Return the actor of a session. Each call decides anew if it is an operator."""
        if session.dashboard and session.player_id in self._operators:
            return Actor(session.player_id, session.name, token=Token(Role.OPERATOR))
        return Actor(session.player_id, session.name, premium=session.premium)


def read_launch(launch_data: str, key: bytes) -> Launch:
    """Return the content of launch data (Telegram's `initData`) that was signed with a key. Raises ``BadLaunch``."""
    if len(launch_data) > LONGEST_LAUNCH:
        raise BadLaunch
    try:
        pairs = parse_qsl(launch_data, keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadLaunch from None
    fields = dict(pairs)
    if len(fields) != len(pairs):  # of a field that is given twice, signer and reader could take different ones
        raise BadLaunch
    given = fields.pop("hash", "")
    lines = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    expected = hmac.new(key, lines.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise BadLaunch
    try:
        user = msgspec.json.decode(fields["user"], type=_TelegramUser)
        at = int(fields["auth_date"]) * 1000
    except (KeyError, ValueError):
        raise BadLaunch from None
    name = tidy(f"{user.first_name} {user.last_name}")
    return Launch(user.id, name, user.language_code, user.is_premium, at)
