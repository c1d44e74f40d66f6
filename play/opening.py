"""Opening of games, and the chat settings that they start from. Every face opens games through `Openings`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fsm.engine import Engine, Outcome
from fsm.kind import ChatTopic, Instant, Rejected
from fsm.lobby import OpenGame, rematch_rules
from fsm.registry import kind_of
from play.access import Access, Actor, Needs
from play.content import ContentProviders, open_with_content
from play.flags import Flags
from play.rules import NO, YES, rules_for
from storage.games import RedisGames
from storage.people import People
from storage.templates import Template

HOST_PLAYS: Final = "host_plays"
"""Name of the chat setting for hosts who open a game: they join it (``YES``, the default) or not (``NO``)."""


def host_plays(settings: Mapping[str, Any]) -> bool:
    """Return whether hosts join the games that they open, by a chat's settings."""
    return bool(settings.get(HOST_PLAYS, YES) != NO)


@dataclass(unsafe_hash=True)
class StillPlayed(Rejected):
    """A rematch was asked for, but the game has not ended yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """The configuration of new games.

    Attributes:
        rules: kind -> the rules of its games, where the chat's settings do not say otherwise.
        max_live: the number of live games that a chat's topic may have at once.
        host_joins: whether hosts join the games that they open, where the chat's settings do not say otherwise.
    """

    rules: Mapping[str, Any]
    max_live: int = 1
    host_joins: bool = False


class Openings:
    """Opens games, and reads and stores the settings of chats.

    Args:
        engine: executes the commands.
        games: reserves the ids of new games.
        people: the settings of chats.
        access: authorises opening games and changing settings.
        content: the providers of content, by kind.
        flags: the feature flags that a game keeps.
        configured: the part of the configuration that is about new games.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        games: RedisGames,
        people: People,
        access: Access,
        content: ContentProviders,
        flags: Flags,
        configured: Configured,
    ) -> None:
        self.defaults = configured.rules
        self._engine = engine
        self._games = games
        self._people = people
        self._access = access
        self._content = content
        self._flags = flags
        self._max_live = configured.max_live
        self._host_joins = configured.host_joins

    async def settings(self, chat_id: int) -> dict[str, Any]:
        """Return the settings that the hosts of a chat have stored."""
        chat = await self._people.chat(chat_id)
        return dict(chat.settings) if chat is not None else {}

    def rules_of(self, template: Template) -> Any:
        """Return the rules of a template. Its kind must be one that this version knows."""
        return rules_for(template.settings, self.defaults[template.kind])

    async def rules(self, chat_id: int, kind: str) -> Any:
        """Return the rules that a new game of a kind has in a chat: the defaults under the chat's settings."""
        return rules_for((await self.settings(chat_id)).get(kind, {}), self.defaults[kind])

    async def store_setting(self, actor: Actor, chat_id: int, name: str, value: Any) -> None:
        """Store one of the chat's settings; None restores the default. Raises the errors of ``Access.authorise``."""
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)
        await self._people.change_settings(chat_id, {name: value})

    async def host_plays(self, chat_id: int) -> bool:
        """Return whether hosts of a chat join the games that they open."""
        return self._host_joins and host_plays(await self.settings(chat_id))

    async def open_game(
        self,
        actor: Actor,
        chat_topic: ChatTopic,
        kind: str,
        title: str,
        rules: Any,
        *,
        command_id: str,
        received: Instant,
    ) -> Outcome:
        """Open a game; its host joins it, unless the chat's setting ``HOST_PLAYS`` or this object says otherwise.

        Idempotent: a command that is repeated with its ``command_id`` returns the same game. Raises the errors of
        ``Access.authorise`` and of the engine.
        """
        await self._access.authorise(actor, chat_topic, Needs.OPEN)
        joins = await self.host_plays(chat_topic.chat_id)
        return await self._open(
            actor, chat_topic, kind, title, rules, joins=joins, command_id=command_id, received=received
        )

    async def open_template(
        self,
        actor: Actor,
        chat_topic: ChatTopic,
        template: Template,
        *,
        game_id: str,
        command_id: str,
        received: Instant,
    ) -> Outcome:
        """Open a game from a template, under a reserved id. Its host does not join it, as they may not be there.

        Idempotent by ``command_id``. Raises the errors of ``Access.authorise`` and of the engine.
        """
        await self._access.authorise(actor, chat_topic, Needs.HOST)
        return await self._open(
            actor,
            chat_topic,
            template.kind,
            template.title,
            self.rules_of(template),
            joins=False,
            command_id=command_id,
            received=received,
            game_id=game_id,
        )

    async def rematch(
        self, actor: Actor, old: Any, *, without_winners: bool = False, command_id: str, received: Instant
    ) -> Outcome:
        """Open a new game with the title and rules of an ended one, and let its host join it.

        If ``without_winners`` is True, the winners of that game, and of the games of which it is a rematch, cannot
        join. Raises ``StillPlayed``, and the errors of ``Access.authorise`` and of the engine.
        """
        await self._access.authorise(actor, old, Needs.HOST)
        kind = kind_of(old)
        if not kind.machine.is_final(old.phase):
            raise StillPlayed
        rules = rematch_rules(old, without_winners=without_winners)
        return await self._open(
            actor, old.place, kind.name, old.title, rules, joins=True, command_id=command_id, received=received
        )

    async def _open(  # noqa: PLR0913 -- the parts of one command
        self,
        actor: Actor,
        chat_topic: ChatTopic,
        kind: str,
        title: str,
        rules: Any,
        *,
        joins: bool,
        command_id: str,
        received: Instant,
        game_id: str = "",
    ) -> Outcome:
        """Open a game. ``joins`` lets its host join, if the host is a person who meets the conditions."""
        rules.check()  # absurd rules (a trillion questions) must not reach the content provider
        await self._access.check_readable(actor, chat_topic.chat_id, rules)
        joins = joins and actor.sender_chat_id is None and actor.token is None
        joins = joins and await self._access.may_join(actor, chat_topic.chat_id, rules)
        game_id = game_id or await self._games.reserve_id(chat_topic, command_id)
        opening = OpenGame(
            kind,
            game_id,
            chat_topic,
            actor.host,
            title,
            rules,
            max_live=self._max_live,
            without=self._flags.off_for_games(chat_topic.chat_id),
            host_joins=joins,
        )
        return await open_with_content(self._engine, self._content, opening, command_id=command_id, received=received)
