"""A typed client of the API, for programs in Python and for the tests. It needs httpx, and nothing of the bot."""

import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx
import msgspec

from api.games import JoinBody, OpenBody
from api.problems import MEDIA_TYPE, Problem
from api.tokens import NewToken, TokenBody, TokenView
from api.views import GameSummary, GameView, PlayerView

T = TypeVar("T")
SECONDS: Final = 30.0


class Refused(Exception):
    """The API has refused a request. `problem` has the details."""

    def __init__(self, problem: Problem, retry_after: int | None) -> None:
        super().__init__(f"{problem.code} ({problem.status}): {problem.detail}")
        self.problem = problem
        self.retry_after = retry_after


class Listed(msgspec.Struct, frozen=True):
    """A page of a list before its items are read."""

    items: msgspec.Raw
    next: str | None = None


class Client:
    """A client with one token.

    Args:
        url: address of the server, without `/api`.
        token: the token; empty for public endpoints.
        http: a client of httpx to use instead of a new one; it is then not closed.
    """

    def __init__(self, url: str, token: str = "", *, http: httpx.AsyncClient | None = None) -> None:
        self._url = f"{url.rstrip('/')}/api/v1"
        self._token = token
        self._owned = http is None
        self._http = http or httpx.AsyncClient(timeout=SECONDS)

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._owned:
            await self._http.aclose()

    # -- requests -----------------------------------------------------------------------------------------------

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request and return the response, also if it is a refusal. A write without a key gets a new one."""
        sent = {"authorization": f"Bearer {self._token}"} if self._token else {}
        if method not in {"GET", "HEAD", "OPTIONS"}:
            sent["idempotency-key"] = secrets.token_hex(16) if key is None else key
        content = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        if content is not None:
            sent["content-type"] = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        given = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        return await self._http.request(
            method, self._url + path, params=given, content=content, headers={**sent, **(headers or {})}
        )

    async def ask(self, method: str, path: str, type_: type[T], **options: Any) -> T:
        """Send a request and return its result. Raises ``Refused``."""
        return msgspec.json.decode((await self._succeed(method, path, **options)).content, type=type_)

    async def page(self, path: str, type_: type[T], **query: Any) -> tuple[list[T], str | None]:
        """Return a page of a list, and the cursor of the next one. Raises ``Refused``."""
        page = await self.ask("GET", path, Listed, query=query)
        return msgspec.json.decode(page.items, type=list[type_]), page.next  # type: ignore[valid-type]

    async def _succeed(self, method: str, path: str, **options: Any) -> httpx.Response:
        response = await self.send(method, path, **options)
        if response.headers.get("content-type", "").startswith(MEDIA_TYPE):
            wait = response.headers.get("retry-after")
            raise Refused(msgspec.json.decode(response.content, type=Problem), int(wait) if wait else None)
        response.raise_for_status()
        return response

    # -- games --------------------------------------------------------------------------------------------------

    async def list_games(self, **query: Any) -> tuple[list[GameSummary], str | None]:
        """Return a page of games: `chat`, `phase`, `kind`, `live`, `limit`, `cursor`."""
        return await self.page("/games", GameSummary, **query)

    async def get_game(self, game_id: str) -> GameView:
        """Return a game."""
        return await self.ask("GET", f"/games/{game_id}", GameView)

    async def open_game(self, body: OpenBody, key: str | None = None) -> GameView:
        """Open a game."""
        return await self.ask("POST", "/games", GameView, body=body, key=key)

    async def start_game(self, game_id: str, key: str | None = None) -> GameView:
        """End the joining phase now."""
        return await self.ask("POST", f"/games/{game_id}/start", GameView, key=key)

    async def list_players(self, game_id: str) -> list[PlayerView]:
        """Return the players of a game."""
        return await self.ask("GET", f"/games/{game_id}/players", list[PlayerView])

    async def join_game(self, game_id: str, body: JoinBody, key: str | None = None) -> GameView:
        """Add a person to the players."""
        return await self.ask("POST", f"/games/{game_id}/players", GameView, body=body, key=key)

    # -- tokens -------------------------------------------------------------------------------------------------

    async def get_own_token(self) -> TokenView:
        """Return the token of this client."""
        return await self.ask("GET", "/token", TokenView)

    async def create_token(self, body: TokenBody, key: str | None = None) -> NewToken:
        """Make a token."""
        return await self.ask("POST", "/tokens", NewToken, body=body, key=key)

    async def revoke_token(self, prefix: str, key: str | None = None) -> TokenView:
        """Revoke a token."""
        return await self.ask("DELETE", f"/tokens/{prefix}", TokenView, key=key)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
