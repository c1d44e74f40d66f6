"""Permissions: `Access.authorise` takes every decision about them, for every face.

A face passes the `Actor`, the game or chat that the action is about, if any, and the permission that the action needs
(`Needs`). A refusal is raised as a `Rejected` type without text.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Final

import msgspec

from fsm.kind import ChatTopic, Game, Host, Instant, PlayerId, Rejected
from fsm.lobby import Conditions, conditions
from play.hosts import Hosts
from play.members import Members
from play.texts import tidy
from storage.people import People

ANONYMOUS: Final[PlayerId] = 1087968824
"""Id of GroupAnonymousBot, the sender that Telegram shows for administrators who write as their group."""
OPENERS: Final = "openers"
"""Name of the chat setting that holds the people who may open games: `HOSTS` or `EVERYONE`."""
HOSTS, EVERYONE = "hosts", "everyone"
"""Values of that setting."""


class Needs(Enum):
    """The permission that an action needs."""

    NOTHING = "nothing"
    """Open to everybody, banned people included: the greeting, the help, the person's own language."""
    USE = "use"
    """Open to a person who is not banned: their own figures, packs and wallet."""
    LOOK = "look"
    """Open to members of the chat: its games, and the names, wins and prizes in them."""
    PLAY = "play"
    """Open to a person who is not banned and has not left the group."""
    JOIN = "join"
    """As `PLAY`, but only from within the group, and only after Telegram has confirmed the membership."""
    OPEN = "open"
    """Open to hosts; to everybody if the chat's settings let everyone open games."""
    HOST = "host"
    """Open to the administrators that Telegram lists for the chat."""
    ACT = "act"
    """Open to tokens that may make a player's moves in the player's name. The player needs `JOIN` or `PLAY` as well."""
    OPERATE = "operate"
    """Open to operators, in their private chat with the bot."""


class Role(Enum):
    """The role of an API token; `GRANTED` lists its permissions."""

    VIEWER = "viewer"
    HOST = "host"
    OPERATOR = "operator"


GRANTED: Final[Mapping[Role, frozenset[Needs]]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Needs.NOTHING, Needs.LOOK}),
        Role.HOST: frozenset({Needs.NOTHING, Needs.LOOK, Needs.OPEN, Needs.HOST, Needs.ACT}),
        Role.OPERATOR: frozenset({Needs.NOTHING, Needs.LOOK, Needs.OPEN, Needs.HOST, Needs.ACT, Needs.OPERATE}),
    }
)
"""Permissions of each role. No token has `USE`, `PLAY` or `JOIN`, because these need a person."""


class Token(msgspec.Struct, frozen=True):
    """The rights of an API token.

    Attributes:
        role: the token's role.
        chats: the chats that it is limited to; None for all chats.
    """

    role: Role
    chats: frozenset[int] | None = None


class Actor(msgspec.Struct, frozen=True, gc=False):
    """The person, chat or token that acts.

    Attributes:
        id: the person's id; for a token, the id of its owner.
        name: the name that games show.
        chat_id: the chat that the actor acts from; None for a vote in a poll and for the API.
        sender_chat_id: the chat that an anonymous administrator writes as; None for everybody else.
        token: the rights of an API token; None for a person.
        premium: whether the person has Telegram Premium; None if the face does not tell.
    """

    id: PlayerId
    name: str = ""
    chat_id: int | None = None
    sender_chat_id: int | None = None
    token: Token | None = None
    premium: bool | None = None

    @property
    def host(self) -> Host:
        """The actor as the host of a game. An anonymous administrator hosts as the chat."""
        return Host(self.sender_chat_id or self.id, tidy(self.name))


@dataclass(unsafe_hash=True)
class Banned(Rejected):
    """The person is banned from the games of the chat, or of all chats."""


@dataclass(unsafe_hash=True)
class NotAMember(Rejected):
    """The person is not a member of the group."""


@dataclass(unsafe_hash=True)
class Elsewhere(Rejected):
    """The action is about another chat than the one it came from, or about a chat outside the token's scope."""


@dataclass(unsafe_hash=True)
class JoinInGroup(Rejected):
    """A join from the private chat; games can only be joined in their group."""


@dataclass(unsafe_hash=True)
class NotAHost(Rejected):
    """The person is not an administrator of the group."""


@dataclass(unsafe_hash=True)
class NotAnOperator(Rejected):
    """The person is not an operator, or does not act in private."""


@dataclass(unsafe_hash=True)
class NotYours(Rejected):
    """The dialog belongs to another person."""


@dataclass(unsafe_hash=True)
class NeedsAPerson(Rejected):
    """The action needs a person, and the actor is an anonymous administrator or a token."""


@dataclass(unsafe_hash=True)
class NeedsAToken(Rejected):
    """The action makes another person's move, which a token may and a person may not."""


@dataclass(unsafe_hash=True)
class NotInChannel(Rejected):
    """The game is for members of a channel. ``channel``: its address, or ``private`` if it has none."""

    channel: str


@dataclass(unsafe_hash=True)
class KnownTooShort(Rejected):
    """The game is for people whom the bot has known for a number of days."""

    days: int


@dataclass(unsafe_hash=True)
class NoBoost(Rejected):
    """The game is for people who boost the chat."""


@dataclass(unsafe_hash=True)
class NoPremium(Rejected):
    """The game is for people with Telegram Premium."""


@dataclass(unsafe_hash=True)
class PremiumUnknown(Rejected):
    """The game is for people with Telegram Premium, which only their own taps and messages show."""


@dataclass(unsafe_hash=True)
class ChannelUnreadable(Rejected):
    """The bot cannot see the members of the channel of a condition."""

    channel: str


@dataclass(unsafe_hash=True)
class BoostsUnreadable(Rejected):
    """The bot cannot see the boosts of the chat, because it is no administrator there."""


UNMET: Final = (NotInChannel, KnownTooShort, NoBoost, NoPremium, PremiumUnknown)
"""The refusals of people who do not meet a condition of a game."""
DAY_MS: Final = 86_400_000


class Access:
    """Authorises actions.

    Args:
        people: bans and the settings of chats.
        hosts: the administrators of chats.
        members: the members of chats.
        operators: the ids of the operators, from the settings. Not copied: a later change of the collection counts.
        now: returns the time, in milliseconds since the epoch.
    """

    def __init__(
        self,
        *,
        people: People,
        hosts: Hosts,
        members: Members,
        operators: Collection[PlayerId],
        now: Callable[[], Instant],
    ) -> None:
        self._people = people
        self._hosts = hosts
        self._members = members
        self._operators = operators
        self._now = now

    def allows(self, actor: Actor, game: Game, needs: Needs) -> bool:
        """Return True if memory alone shows that `authorise` would let the actor play. Cheap enough for the hot path.

        False is not a refusal; it means that the caller must await `authorise`.
        """
        chat_id = game.place.chat_id
        return (
            needs is Needs.PLAY
            and actor.chat_id == chat_id
            and actor.token is None
            and self._people.remembered_welcome(chat_id, actor.id)
        )

    async def authorise(
        self, actor: Actor, where: Game | ChatTopic | None, needs: Needs, *, owners: Collection[PlayerId] = ()
    ) -> None:
        """Raise a refusal unless the actor has the permission.

        Args:
            actor: the person, chat or token that acts.
            where: the game or the chat that the action is about; None if it is about neither.
            needs: the permission that the action needs.
            owners: the people whom the dialog that the actor uses belongs to; empty for actions outside dialogs. If an
                anonymous administrator opened it, it belongs to every host, as taps come under the administrator's own
                name.

        Raises:
            Rejected: one of the refusals above.
            Unavailable: the decision needs an answer from Telegram, and Telegram does not give one.
        """
        if owners and actor.id not in owners and ANONYMOUS not in owners:
            raise NotYours
        if needs is Needs.NOTHING:
            return
        chat_id = where.place.chat_id if isinstance(where, Game) else None if where is None else where.chat_id
        if actor.token is not None:
            _check_token(actor.token, chat_id, needs)
        elif needs is Needs.OPERATE:
            if not self.is_operator(actor):
                raise NotAnOperator
        else:
            await self._authorise_person(actor, where, actor.chat_id if chat_id is None else chat_id, needs)

    def is_operator(self, actor: Actor) -> bool:
        """Return whether the actor is an operator in private. In groups operators have no additional rights."""
        return actor.sender_chat_id is None and actor.chat_id == actor.id and actor.id in self._operators

    @property
    def operators(self) -> Collection[PlayerId]:
        """The ids of the operators, for the menus of their private chats. Permissions are asked from `authorise`."""
        return self._operators

    async def _authorise_person(
        self, actor: Actor, where: Game | ChatTopic | None, chat_id: int | None, needs: Needs
    ) -> None:
        if actor.chat_id not in {None, actor.id, chat_id}:  # people may act on a group from private
            raise Elsewhere
        # Anonymous administrators share one user id, so a ban of that id would ban all of them. Chat 0 is all chats.
        if actor.sender_chat_id is None and await self._people.is_banned(chat_id or 0, actor.id):
            raise Banned
        match needs:
            case Needs.HOST:
                await self._host_only(actor, chat_id)
            case Needs.OPEN:
                if chat_id is None or await self.openers(chat_id) != EVERYONE:
                    await self._host_only(actor, chat_id)
                elif actor.sender_chat_id is None:
                    await self._check_opener(actor, chat_id)
            case Needs.ACT:
                raise NeedsAToken
            case Needs.JOIN | Needs.PLAY:
                await self._check_presence(actor, chat_id, needs)
                if needs is Needs.JOIN and isinstance(where, Game):
                    await self.check_conditions(actor, where.place.chat_id, getattr(where, "rules", None))
            case Needs.LOOK:
                playing = isinstance(where, Game) and actor.id in where.players
                if not playing and not _acts_there(actor, chat_id) and not await self._is_member(chat_id, actor.id):
                    raise NotAMember

    async def check_conditions(self, actor: Actor, chat_id: int, rules: object) -> None:
        """Raise one of ``UNMET`` unless a person meets the conditions of a game. Nobody is exempt, hosts included.

        A fact that Telegram cannot tell at the moment, and has not told before, keeps nobody out.
        """
        await self._check_conditions(actor, chat_id, conditions(rules))

    async def may_meet_conditions(self, player_id: PlayerId, chat_id: int, rules: object) -> bool:
        """Return False if it is certain that a person does not meet the conditions of a game.

        Only an update from a person tells whether they have Premium, so that condition is left out.
        """
        try:
            await self._check_conditions(Actor(player_id), chat_id, replace(conditions(rules), premium=False))
        except UNMET:
            return False
        return True

    async def _check_conditions(self, actor: Actor, chat_id: int, wanted: Conditions) -> None:
        if not wanted:
            return
        if wanted.premium and not actor.premium:
            raise PremiumUnknown if actor.premium is None else NoPremium
        if wanted.known_days:
            since = await self._people.known_since(actor.id)
            if since is None or self._now() - since < wanted.known_days * DAY_MS:
                raise KnownTooShort(wanted.known_days)
        if wanted.channel and await self._members.is_member(_chat_of(wanted.channel), actor.id) is False:
            raise NotInChannel(wanted.link or "private")
        if wanted.booster and await self._members.boosts(chat_id, actor.id) is False:
            raise NoBoost

    async def check_readable(self, actor: Actor, chat_id: int, rules: object) -> None:
        """Raise a refusal if the bot could not check the conditions in a host's rules. Raises ``Unavailable``."""
        wanted = conditions(rules)
        if wanted.channel and not await self._members.can_read("getChatMember", _chat_of(wanted.channel), actor.id):
            raise ChannelUnreadable(wanted.channel)
        if wanted.booster and not await self._members.can_read("getUserChatBoosts", chat_id, actor.id):
            raise BoostsUnreadable

    async def may_join(self, actor: Actor, chat_id: int, rules: object) -> bool:
        """Return whether the person who opens a game may also join it."""
        try:
            await self._check_presence(msgspec.structs.replace(actor, chat_id=None), chat_id, Needs.JOIN)
            await self.check_conditions(actor, chat_id, rules)
        except Rejected:
            return False
        return True

    async def is_protected(self, chat_id: int, player_id: PlayerId) -> bool:
        """Return whether a person cannot be banned from a chat; chat 0 is all chats.

        Operators cannot be banned, nor can the administrators of a chat from that chat. The id that all anonymous
        administrators share cannot be banned either.
        """
        if player_id in self._operators or player_id == ANONYMOUS:
            return True
        return chat_id != 0 and await self._hosts.is_host(chat_id, player_id)

    def chat_of_figures(self, actor: Actor, player_id: PlayerId, chat_id: int) -> int:
        """Return the chat whose figures of a player the actor may see; 0 for the figures of all chats.

        Everybody sees all of their own figures. Of another person they see those of the given chat.
        """
        return 0 if player_id == actor.id else chat_id

    async def is_host(self, player_id: PlayerId, chat_id: int) -> bool:
        """Return whether a person is a host of a chat. Raises ``Unavailable``."""
        return await self._hosts.is_host(chat_id, player_id) and not await self._people.is_banned(chat_id, player_id)

    async def openers(self, chat_id: int) -> str:
        """Return the chat's setting for opening games: `HOSTS` or `EVERYONE`."""
        chat = await self._people.chat(chat_id)
        return str(chat.settings.get(OPENERS, HOSTS)) if chat is not None else HOSTS

    async def _host_only(self, actor: Actor, chat_id: int | None) -> None:
        if chat_id is None or not await self._hosts.is_host(chat_id, actor.id, sender_chat_id=actor.sender_chat_id):
            raise NotAHost

    async def _check_presence(self, actor: Actor, chat_id: int | None, needs: Needs) -> None:
        """Raise if the actor is an anonymous administrator, or a person who is not in the group.

        Telegram shows a group's messages only to its members, so for a pick a tap in the group is proof enough; people
        who leave during a game are marked by `Departures`, and may play again once Telegram lists them. For a pick from
        elsewhere and for every join, Telegram is asked. If it cannot tell, the person may play.
        """
        if actor.sender_chat_id is not None:
            raise NeedsAPerson
        if chat_id is None or chat_id > 0:
            return
        if needs is Needs.JOIN and actor.chat_id == actor.id:
            raise JoinInGroup
        if await self._people.has_departed(chat_id, actor.id):
            if not await self._members.is_member(chat_id, actor.id):
                raise NotAMember
            # A bot without administrator rights may have heard nothing of their return.
            await self._people.player_returned(chat_id, actor.id)
        asked = needs is Needs.JOIN or actor.chat_id != chat_id
        if asked and await self._members.is_member(chat_id, actor.id) is False:
            raise NotAMember

    async def _check_opener(self, actor: Actor, chat_id: int) -> None:
        """Raise unless a person may open games in a chat where everyone may.

        From elsewhere Telegram has to confirm the membership, because a forged link in private could name any chat.
        """
        if chat_id > 0 or not _acts_there(actor, chat_id):
            if not await self._is_member(chat_id, actor.id):
                raise NotAMember
        elif await self._members.is_member(chat_id, actor.id) is False:
            raise NotAMember

    async def _is_member(self, chat_id: int | None, player_id: PlayerId) -> bool:
        """Return whether Telegram confirms that a person is in the chat. An unknown membership counts as False."""
        if chat_id is None:
            return False
        return player_id == chat_id if chat_id > 0 else bool(await self._members.is_member(chat_id, player_id))


def _chat_of(channel: str) -> int | str:
    """Return a channel as the Bot API takes it."""
    return channel if channel.startswith("@") else int(channel)


def _acts_there(actor: Actor, chat_id: int | None) -> bool:
    return actor.chat_id is not None and actor.chat_id == chat_id


_LACKS: Final[Mapping[Needs, type[Rejected]]] = MappingProxyType(
    {Needs.OPERATE: NotAnOperator, Needs.HOST: NotAHost, Needs.OPEN: NotAHost, Needs.ACT: NotAHost}
)
"""Permission that a token lacks -> the refusal. Other permissions need a person."""


def _check_token(token: Token, chat_id: int | None, needs: Needs) -> None:
    """Raise if the token's role or scope does not cover the action.

    An action that is about no chat needs a token that is limited to no chats.
    """
    if needs not in GRANTED[token.role]:
        raise _LACKS.get(needs, NeedsAPerson)
    if token.chats is not None and chat_id not in token.chats:
        raise Elsewhere
