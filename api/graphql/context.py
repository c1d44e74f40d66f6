"""A GraphQL request, as its resolvers get it: reads by the table of endpoints, and loaders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from strawberry.dataloader import DataLoader

from api.chats import ChatView, chat_view
from api.dispatch import ACCESS_REFUSED, converted, converted_query, found_game, page_of, refused
from api.endpoint import PATH_TYPES, About, Call, Endpoint, Page, Reply, where_of
from api.services import Services
from api.views import PlayerView, player_view
from fsm.kind import ChatTopic
from play.access import Actor, Needs
from play.tokens import NotAuthenticated
from storage.api_tokens import ApiToken


class Loaders:
    """The loaders of one request. They authorise once for each chat."""

    def __init__(self, services: Services, actor: Actor) -> None:
        self._services = services
        self._actor = actor
        self._players: dict[int, DataLoader[tuple[int, str], list[PlayerView]]] = {}
        self._chats: DataLoader[int, ChatView | None] = DataLoader(load_fn=self._load_chats)

    async def players(self, chat_id: int, game_id: str, limit: int) -> list[PlayerView]:
        """Return the first players of a game of a chat."""
        loader = self._players.get(limit)
        if loader is None:

            async def load(wanted: Sequence[tuple[int, str]]) -> list[list[PlayerView]]:
                await self._authorise({chat for chat, _ in wanted})
                found = await self._services.stores.archive.participants([game for _, game in wanted], limit)
                return [[player_view(player) for player in found[game]] for _, game in wanted]

            loader = self._players[limit] = DataLoader(load_fn=load)
        return await loader.load((chat_id, game_id))

    async def chat(self, chat_id: int) -> ChatView | None:
        """Return a chat; None if it is unknown."""
        return await self._chats.load(chat_id)

    async def _load_chats(self, wanted: Sequence[int]) -> list[ChatView | None]:
        await self._authorise(set(wanted))
        found = await self._services.stores.people.chats_of(wanted)
        return [chat_view(found[chat_id]) if chat_id in found else None for chat_id in wanted]

    async def _authorise(self, chats: set[int]) -> None:
        for chat_id in chats:
            await self._services.play.access.authorise(self._actor, ChatTopic(chat_id), Needs.LOOK)


@dataclass(kw_only=True)
class Context:
    """A request, as the resolvers get it.

    Attributes:
        services: the services of the process.
        request: the HTTP request.
        token: the token; None for a public query.
        actor: the actor that the token stands for.
        trace: the trace id.
        table: the endpoints by name.
    """

    services: Services
    request: Request
    token: ApiToken | None
    actor: Actor
    trace: str
    table: Mapping[str, Endpoint]

    @cached_property
    def loaders(self) -> Loaders:
        """The loaders of this request, which read for all objects of a list at once."""
        return Loaders(self.services, self.actor)

    async def read(self, endpoint: Endpoint, given: Mapping[str, Any]) -> Any:
        """Return the result of an endpoint, after the same decision on access as by REST."""
        try:
            return await self._read(endpoint, given)
        except ACCESS_REFUSED as error:
            note = refused(endpoint.name, self.services, self.request, error, self.trace)
            self.services.stores.audit.note(note)
            raise

    async def _read(self, endpoint: Endpoint, given: Mapping[str, Any]) -> Any:
        if self.token is None and not endpoint.public:
            raise NotAuthenticated
        path = {name: converted(str(given[name]), PATH_TYPES[name], name) for name in endpoint.parameters}
        query = {name: value for name, value in given.items() if name not in path and value is not None}
        call = Call(
            services=self.services,
            request=self._request(endpoint, path, query),
            actor=self.actor,
            token=self.token,
            path=path,
            query=converted_query(query, endpoint),
            body=None,
            key="",
            received=self.services.play.clock.now(),
            trace=self.trace,
        )
        if endpoint.about is About.GAME:
            call.game = await found_game(self.services, path["game"])
        if not endpoint.public:
            await self.services.play.access.authorise(self.actor, where_of(endpoint, call), endpoint.needs)
        result = await endpoint.handle(call)
        if isinstance(result, Reply):
            result = msgspec.json.decode(result.body) if isinstance(result.body, bytes) else result.body
        return await page_of(call, result) if isinstance(result, Page) else result

    def _request(self, endpoint: Endpoint, path: Mapping[str, Any], query: Mapping[str, Any]) -> Request:
        """Return the request of REST that has the same answer, so that cursors are the same there."""
        address = f"/api/v1{endpoint.path.format(**path)}"
        told = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in query.items()}
        scope = {**self.request.scope, "path": address, "root_path": "", "query_string": urlencode(told).encode()}
        return Request({**scope, "method": endpoint.method})
