"""Moves that a token makes in a player's name.

A token may make the moves only of players for whom the API has joined. The picks and answers of people who tap in
Telegram are their own: no token can make or change them.
"""

from dataclasses import dataclass
from typing import Final

from fsm.kind import Game, PlayerId, Rejected
from fsm.lobby import NotInGame
from play.access import Access, Actor, Needs, NeedsAToken
from storage.api_requests import ApiRequests
from storage.archive import Archive

API: Final = "api:"
"""Beginning of the ids of the API's commands."""


@dataclass(unsafe_hash=True)
class JoinedElsewhere(Rejected):
    """The player has joined in Telegram, so only they make their moves."""


class Acting:
    """Authorises moves in a player's name.

    Args:
        access: authorises the token, and the player.
        requests: remembers for whom the API has joined.
        archive: knows it too, from the events, if Redis has lost it.
    """

    def __init__(self, *, access: Access, requests: ApiRequests, archive: Archive) -> None:
        self._access = access
        self._requests = requests
        self._archive = archive

    async def authorise_join(self, actor: Actor, game: Game, person: Actor) -> None:
        """Raise a refusal unless the actor may let a person join. A person may do so for nobody but themselves."""
        if actor.token is not None:
            await self._access.authorise(actor, game, Needs.ACT)
        elif actor.id != person.id:
            raise NeedsAToken
        await self._access.authorise(person, game, Needs.JOIN)

    async def note_join(self, actor: Actor, game: Game, player_id: PlayerId) -> None:
        """Record that a token has let a player join. `game` is the game after it."""
        player = game.players.get(player_id)
        if actor.token is not None and player is not None:
            await self._requests.joined(game.id, player_id, player.joined_at)

    async def authorise_move(self, actor: Actor, game: Game, player_id: PlayerId) -> None:
        """Raise a refusal unless the actor may make a move of a player.

        Raises ``JoinedElsewhere``, ``NotInGame``, ``NeedsAToken`` and the errors of ``Access.authorise``.
        """
        if actor.token is None:
            if actor.id != player_id:
                raise NeedsAToken
            await self._access.authorise(actor, game, Needs.PLAY)
            return
        await self._access.authorise(actor, game, Needs.ACT)
        await self._access.authorise(Actor(player_id), game, Needs.PLAY)
        player = game.players.get(player_id)
        if player is None:
            raise NotInGame
        # The time tells this joining from an earlier one: a player may leave, and join again in Telegram.
        if await self._requests.joined_at(game.id, player_id) == player.joined_at:
            return
        joined_by = await self._archive.joined_by(game.id, player_id)
        if joined_by is None or not joined_by.startswith(API):
            raise JoinedElsewhere
