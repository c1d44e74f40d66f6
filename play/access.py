"""Who may do what: `Access.authorise` is the only place that answers it, for every face.

A face says who acts (`Actor`), where (a game, a chat, or nowhere in particular) and what that needs (`Needs`). A
refusal is raised as a `Rejected` type without text.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

import msgspec

from fsm.kind import ChatTopic, Game, Host, PlayerId, Rejected
from play.hosts import Hosts
from play.members import Members
from play.texts import tidy
from storage.people import People

OPENERS: Final = "openers"
"""Name of the chat setting that says who may open games."""
HOSTS, EVERYONE = "hosts", "everyone"
"""Values of that setting."""


class Needs(Enum):
    """What an action needs of the actor."""

    NOTHING = "nothing"
    """Open to all, banned people included: greeting, help, one's own language."""
    USE = "use"
    """Not banned: one's own figures, packs and wallet."""
    LOOK = "look"
    """One of the people of the chat: its games, and the names, wins and prizes in them."""
    PLAY = "play"
    """A person who is not banned and has not left the group."""
    JOIN = "join"
    """The same, acting in the group itself; Telegram is asked whether the person is a member."""
    OPEN = "open"
    """A host, or anybody where the chat's settings let everyone open games."""
    HOST = "host"
    """An administrator of the chat, as Telegram says."""
    OPERATE = "operate"
    """An operator, in private."""


class Role(Enum):
    """What the token of an API client may do."""

    VIEWER = "viewer"
    HOST = "host"
    OPERATOR = "operator"


GRANTED: Final[Mapping[Role, frozenset[Needs]]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Needs.NOTHING, Needs.LOOK}),
        Role.HOST: frozenset({Needs.NOTHING, Needs.LOOK, Needs.OPEN, Needs.HOST}),
        Role.OPERATOR: frozenset({Needs.NOTHING, Needs.LOOK, Needs.OPEN, Needs.HOST, Needs.OPERATE}),
    }
)
"""A token plays no games and owns nothing: `USE`, `PLAY` and `JOIN` need a person."""


class Token(msgspec.Struct, frozen=True):
    """The rights of an API token.

    Attributes:
        role: the token's role.
        chats: the chats that it is limited to; None for all chats.
    """

    role: Role
    chats: frozenset[int] | None = None


class Actor(msgspec.Struct, frozen=True, gc=False):
    """The person, chat or token that does something.

    Attributes:
        id: the person's id; of a token, its owner's.
        name: the name that games show.
        chat_id: the chat that the actor acts from; None for a vote in a poll and for the API.
        sender_chat_id: the chat that an anonymous administrator writes as; None for everybody else.
        token: the rights of an API token; None for a person.
    """

    id: PlayerId
    name: str = ""
    chat_id: int | None = None
    sender_chat_id: int | None = None
    token: Token | None = None

    @property
    def host(self) -> Host:
        """The actor as the host of a game. An anonymous administrator opens a game as the chat."""
        return Host(self.sender_chat_id or self.id, tidy(self.name))


@dataclass(unsafe_hash=True)
class Banned(Rejected):
    """The person is banned from the games of the chat, or of all chats."""


@dataclass(unsafe_hash=True)
class NotAMember(Rejected):
    """The person is not in the group, or not any more."""


@dataclass(unsafe_hash=True)
class Elsewhere(Rejected):
    """The game or chat is another one than the actor acts from, or outside the scope of the token."""


@dataclass(unsafe_hash=True)
class JoinInGroup(Rejected):
    """Games are joined in their group, not in private."""


@dataclass(unsafe_hash=True)
class NotAHost(Rejected):
    """The person is no administrator of the group."""


@dataclass(unsafe_hash=True)
class NotAnOperator(Rejected):
    """The person is no operator, or does not act in private."""


@dataclass(unsafe_hash=True)
class NeedsAPerson(Rejected):
    """Anonymous administrators and tokens cannot play."""


class Access:
    """Decides who may do what.

    Args:
        people: bans and the settings of chats.
        hosts: the administrators of chats.
        members: the members of chats.
        operators: the ids of the operators, as the settings have them. Read at every decision.
    """

    def __init__(self, *, people: People, hosts: Hosts, members: Members, operators: Collection[PlayerId]) -> None:
        self._people = people
        self._hosts = hosts
        self._members = members
        self._operators = operators

    def allows(self, actor: Actor, game: Game, needs: Needs) -> bool:
        """Return True where `authorise` would let the actor play without asking any store. Fit for the hot path.

        False says only that `authorise` has to be asked.
        """
        chat_id = game.place.chat_id
        return (
            needs is Needs.PLAY
            and actor.chat_id == chat_id
            and actor.token is None
            and self._people.remembered_welcome(chat_id, actor.id)
        )

    async def authorise(self, actor: Actor, where: Game | ChatTopic | None, needs: Needs) -> None:
        """Return if the actor may do there what has these needs.

        Args:
            actor: the person, chat or token that acts.
            where: the game or the chat that the action is about; None where it is about neither.
            needs: what the action needs.

        Raises:
            Rejected: one of the refusals above.
            Unavailable: Telegram has to be asked and does not answer.
        """
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
        """Return whether the actor is an operator who acts in private: operators' commands are known to nobody else."""
        return actor.sender_chat_id is None and actor.chat_id == actor.id and actor.id in self._operators

    @property
    def operators(self) -> Collection[PlayerId]:
        """The ids of the operators: they cannot be banned, and their private chats have commands of their own."""
        return self._operators

    async def _authorise_person(
        self, actor: Actor, where: Game | ChatTopic | None, chat_id: int | None, needs: Needs
    ) -> None:
        if actor.chat_id not in {None, actor.id, chat_id}:  # people act from private on what is theirs
            raise Elsewhere
        if actor.sender_chat_id is None and await self._people.is_banned(chat_id or 0, actor.id):
            raise Banned
        match needs:
            case Needs.HOST:
                await self._host_only(actor, chat_id)
            case Needs.OPEN:
                if chat_id is None or await self.openers(chat_id) != EVERYONE:
                    await self._host_only(actor, chat_id)
            case Needs.JOIN | Needs.PLAY:
                await self._check_presence(actor, chat_id, needs)
            case Needs.LOOK:
                playing = isinstance(where, Game) and actor.id in where.players
                if not playing and not _acts_there(actor, chat_id) and not await self._is_member(chat_id, actor.id):
                    raise NotAMember

    async def is_protected(self, chat_id: int, player_id: PlayerId) -> bool:
        """Return whether a person cannot be banned from a chat: operators and the chat's own administrators."""
        return player_id in self._operators or await self._hosts.is_host(chat_id, player_id)

    async def openers(self, chat_id: int) -> str:
        """Return who may open games in a chat: `HOSTS` or `EVERYONE`."""
        chat = await self._people.chat(chat_id)
        return str(chat.settings.get(OPENERS, HOSTS)) if chat is not None else HOSTS

    async def _host_only(self, actor: Actor, chat_id: int | None) -> None:
        if chat_id is None or not await self._hosts.is_host(chat_id, actor.id, sender_chat_id=actor.sender_chat_id):
            raise NotAHost

    async def _check_presence(self, actor: Actor, chat_id: int | None, needs: Needs) -> None:
        """Raise if the person cannot play: an anonymous administrator, or somebody who is not in the group.

        Telegram shows a group's messages to its members, so a tap in the group itself proves enough for a pick; whoever
        left in the middle of a game is noted by `handlers.members`. A pick from elsewhere and every join ask Telegram.
        Where Telegram cannot tell, the game goes on.
        """
        if actor.sender_chat_id is not None:
            raise NeedsAPerson
        if chat_id is None or chat_id > 0:
            return
        if needs is Needs.JOIN and actor.chat_id == actor.id:
            raise JoinInGroup
        if await self._people.has_departed(chat_id, actor.id):
            raise NotAMember
        asked = needs is Needs.JOIN or actor.chat_id != chat_id
        if asked and await self._members.is_member(chat_id, actor.id) is False:
            raise NotAMember

    async def _is_member(self, chat_id: int | None, player_id: PlayerId) -> bool:
        """Return whether Telegram says that a person is in the chat. What Telegram cannot tell is kept secret."""
        if chat_id is None:
            return False
        return player_id == chat_id if chat_id > 0 else bool(await self._members.is_member(chat_id, player_id))


def _acts_there(actor: Actor, chat_id: int | None) -> bool:
    return actor.chat_id is not None and actor.chat_id == chat_id


def _check_token(token: Token, chat_id: int | None, needs: Needs) -> None:
    """Raise if the token's role or scope does not cover the action. Actions on no chat need a token without limits."""
    if needs not in GRANTED[token.role]:
        raise {Needs.OPERATE: NotAnOperator, Needs.HOST: NotAHost, Needs.OPEN: NotAHost}.get(needs, NeedsAPerson)
    if token.chats is not None and chat_id not in token.chats:
        raise Elsewhere
