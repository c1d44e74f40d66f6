"""A typed client of the API, for programs in Python and for the tests. It needs httpx, and nothing of the bot."""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx
import msgspec

from api.chats import BanBody, BanView, ChatView, RightsView, SettingsBody, SettingsView
from api.dashboard import DashboardSessionView, LinkBody
from api.figures import EndedGame, PersonView, RankView
from api.flags import FlagBody, FlagView
from api.games import AnswerBody, ExtendBody, JoinBody, OpenBody, PickBody, RematchBody
from api.jobs import ImportBody, ImportView, JobView
from api.live.messages import (
    Batch,
    ClosingMessage,
    EventsMessage,
    RefusedMessage,
    SnapshotMessage,
    SubscribeRequest,
    UnsubscribedMessage,
    merged,
)
from api.live.tickets import NewTicket
from api.operations import AuditView, BroadcastBody, BroadcastSummary, BroadcastView, ProcessView
from api.packs import PackView, PreviewView, QuestionView
from api.personal_data import ErasureView, PersonalDataView
from api.problems import MEDIA_TYPE, Problem
from api.public import PublicChat, PublicGame, PublicRank
from api.records import ConsistencyView, EventView, HeadView
from api.recurring import (
    RecurringBody,
    RecurringChange,
    RecurringView,
    SkipBody,
    TemplateBody,
    TemplateView,
)
from api.sessions import LaunchBody, SessionView
from api.tokens import NewToken, TokenBody, TokenView
from api.views import GameSummary, GameView, PlayerView
from api.webhooks import (
    DeliveryView,
    EndpointBody,
    EndpointChange,
    EndpointView,
    EndpointWithSecret,
    ExampleView,
    RecoveryBody,
    RecoveryView,
    RotationBody,
    SourceBody,
    SourceView,
    SourceWithSecret,
)

T = TypeVar("T")
PATIENCE_SECONDS: Final = 300.0
"""Time for which a lost live connection is tried again."""
LONGEST_DELAY: Final = 10.0
SECONDS: Final = 30.0


class Refused(Exception):
    """The API has refused a request. `problem` has the details."""

    def __init__(self, problem: Problem, retry_after: int | None) -> None:
        super().__init__(f"{problem.code} ({problem.status}): {problem.detail}")
        self.problem = problem
        self.retry_after = retry_after


class GraphQLErrors(Exception):
    """Some fields of a GraphQL query were refused. `data` has the others, `problems` the details by path."""

    def __init__(self, data: Any, problems: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(", ".join(f"{path}: {problem['code']}" for path, problem in problems.items()))
        self.data = data
        self.problems = problems


class LiveEnded(Exception):
    """The server refuses to continue a live connection. `code` is that of the refusal."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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
        self._graphql = f"{url.rstrip('/')}/api/graphql"
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
        sent = self._authorization
        if method not in {"GET", "HEAD", "OPTIONS"}:
            sent["idempotency-key"] = secrets.token_hex(16) if key is None else key
        content = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        if content is not None:
            sent["content-type"] = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        given = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        return await self._http.request(
            method, self._url + path, params=given or None, content=content, headers={**sent, **(headers or {})}
        )

    async def ask(self, method: str, path: str, type_: type[T], **options: Any) -> T:
        """Send a request and return its result. Raises ``Refused``."""
        return msgspec.json.decode((await self.succeed(method, path, **options)).content, type=type_)

    async def page(self, path: str, type_: type[T], **query: Any) -> tuple[list[T], str | None]:
        """Return a page of a list, and the cursor of the next one. Raises ``Refused``."""
        page = await self.ask("GET", path, Listed, query=query)
        return msgspec.json.decode(page.items, type=list[type_]), page.next  # type: ignore[valid-type]

    async def succeed(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request and return the response. Raises ``Refused``."""
        return _succeeded(await self.send(method, path, **options))

    # -- GraphQL --------------------------------------------------------------------------------------------------

    async def query(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of a GraphQL query. Raises ``Refused``, and ``GraphQLErrors`` if some fields are refused."""
        content = msgspec.json.encode({"query": query, "variables": variables})
        headers = {**self._authorization, "content-type": "application/json"}
        return _data(await self._http.post(self._graphql, content=content, headers=headers))

    async def persisted_query(self, name: str, **variables: Any) -> dict[str, Any]:
        """Return the data of a persisted query, which caches may keep. Raises like ``query``."""
        parameters = {"id": name, "variables": msgspec.json.encode(variables).decode()}
        return _data(await self._http.get(self._graphql, params=parameters, headers=self._authorization))

    @property
    def _authorization(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"} if self._token else {}

    # -- reference ------------------------------------------------------------------------------------------------

    async def get_openapi(self) -> dict[str, Any]:
        """Return this document."""
        return await self.ask("GET", "/openapi.json", dict[str, Any])

    async def get_reference(self) -> bytes:
        """Return this reference as a page, which needs neither scripts nor internet."""
        return (await self.succeed("GET", "/reference")).content

    async def get_reference_style(self) -> bytes:
        """Return the style sheet of the reference."""
        return (await self.succeed("GET", "/reference.css")).content

    # -- sessions -------------------------------------------------------------------------------------------------

    async def create_session(self, body: LaunchBody) -> SessionView:
        """Begin the session of a person in the Mini App."""
        return await self.ask("POST", "/sessions", SessionView, body=body)

    async def create_dashboard_session(self, body: LinkBody) -> DashboardSessionView:
        """Begin a session of the dashboard by a one-time link. Its page proves it by a cookie."""
        return await self.ask("POST", "/dashboard/session", DashboardSessionView, body=body)

    async def get_dashboard_session(self) -> DashboardSessionView:
        """Return the session of the dashboard that makes the request."""
        return await self.ask("GET", "/dashboard/session", DashboardSessionView)

    async def end_dashboard_session(self) -> None:
        """End the session of the dashboard that makes the request."""
        await self.succeed("DELETE", "/dashboard/session")

    async def list_own_chats(self) -> list[ChatView]:
        """List the chats that the person of the session hosts."""
        return await self.ask("GET", "/dashboard/chats", list[ChatView])

    # -- live updates ---------------------------------------------------------------------------------------------

    async def create_live_ticket(self, key: str | None = None) -> NewTicket:
        """Make a ticket for live updates."""
        return await self.ask("POST", "/live/tickets", NewTicket, key=key)

    async def live(
        self, *, games: Sequence[str] = (), chats: Sequence[int] = (), cursor: str | None = None
    ) -> AsyncIterator[SnapshotMessage | EventsMessage | UnsubscribedMessage]:
        """Yield what happens in games and chats, without gap and repetition over breaks of the connection.

        `updated` applies a message to a game. Raises ``LiveEnded``, ``Refused``, or the last error of a server that is
        away for five minutes.
        """
        from websockets.asyncio.client import connect  # noqa: PLC0415 -- needed here alone
        from websockets.exceptions import WebSocketException  # noqa: PLC0415

        decode = msgspec.json.Decoder(Batch).decode
        address = self._url.replace("http", "ws", 1) + "/live?ticket="
        until, delay = time.monotonic() + PATIENCE_SECONDS, 0.1
        while True:
            try:
                ticket = (await self.create_live_ticket()).ticket or ""
                async with connect(address + ticket, compression=None, max_size=None) as connection:
                    await connection.send(
                        msgspec.json.encode(SubscribeRequest(list(games), list(chats), cursor)).decode()
                    )
                    async for raw in connection:
                        batch = decode(raw)
                        for message in batch.messages:
                            if isinstance(message, ClosingMessage | RefusedMessage):
                                delay = _delay(message)
                            else:
                                yield message
                        cursor = batch.cursor or cursor
                        until, delay = time.monotonic() + PATIENCE_SECONDS, delay if batch.cursor is None else 0.1
            except (OSError, WebSocketException, httpx.TransportError, Refused) as problem:
                known = isinstance(problem, Refused) and problem.problem.status not in {429, 503}
                if known or time.monotonic() > until:
                    raise
            await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311 -- no secret
            delay = min(2 * delay, LONGEST_DELAY)

    # -- games ----------------------------------------------------------------------------------------------------

    async def list_games(self, **query: Any) -> tuple[list[GameSummary], str | None]:
        """List games, latest first."""
        return await self.page("/games", GameSummary, **query)

    async def open_game(self, body: OpenBody, key: str | None = None) -> GameView:
        """Open a game in a chat."""
        return await self.ask("POST", "/games", GameView, body=body, key=key)

    async def get_game(self, game_id: str) -> GameView:
        """Return a game, live or ended."""
        return await self.ask("GET", f"/games/{game_id}", GameView)

    async def start_game(self, game_id: str, key: str | None = None) -> GameView:
        """End the joining phase now."""
        return await self.ask("POST", f"/games/{game_id}/start", GameView, key=key)

    async def extend_game(self, game_id: str, body: ExtendBody, key: str | None = None) -> GameView:
        """Move the end of the phase further away."""
        return await self.ask("POST", f"/games/{game_id}/extend", GameView, body=body, key=key)

    async def cancel_game(self, game_id: str, key: str | None = None) -> GameView:
        """End a game without a result. A draw that is sealed cannot be cancelled."""
        return await self.ask("POST", f"/games/{game_id}/cancel", GameView, key=key)

    async def force_end_game(self, game_id: str, key: str | None = None) -> GameView:
        """End a game without a result, as an operator."""
        return await self.ask("POST", f"/games/{game_id}/force-end", GameView, key=key)

    async def rematch_game(self, game_id: str, body: RematchBody, key: str | None = None) -> GameView:
        """Open a game with the title and rules of an ended one, optionally without the winners so far."""
        return await self.ask("POST", f"/games/{game_id}/rematch", GameView, body=body, key=key)

    async def list_players(self, game_id: str) -> list[PlayerView]:
        """List the players of a game, in joining order."""
        return await self.ask("GET", f"/games/{game_id}/players", list[PlayerView])

    async def join_game(self, game_id: str, body: JoinBody, key: str | None = None) -> GameView:
        """Add a person to the players."""
        return await self.ask("POST", f"/games/{game_id}/players", GameView, body=body, key=key)

    async def remove_player(self, game_id: str, player_id: int, key: str | None = None) -> GameView:
        """Take a player out, by a host's decision."""
        return await self.ask("DELETE", f"/games/{game_id}/players/{player_id}", GameView, key=key)

    async def leave_game(self, game_id: str, player_id: int, key: str | None = None) -> GameView:
        """Take a player out, by their own wish. Only for players for whom the API has joined."""
        return await self.ask("POST", f"/games/{game_id}/players/{player_id}/leave", GameView, key=key)

    async def pick_number(self, game_id: str, body: PickBody, key: str | None = None) -> GameView:
        """Pick a number for a player. Only for players for whom the API has joined."""
        return await self.ask("POST", f"/games/{game_id}/picks", GameView, body=body, key=key)

    async def answer_question(self, game_id: str, body: AnswerBody, key: str | None = None) -> GameView:
        """Answer the open question for a player. Only for players for whom the API has joined."""
        return await self.ask("POST", f"/games/{game_id}/answers", GameView, body=body, key=key)

    # -- records --------------------------------------------------------------------------------------------------

    async def list_events(self, game_id: str, **query: Any) -> tuple[list[EventView], str | None]:
        """List the events of a game, in order. They are as old as the projector's lag."""
        return await self.page(f"/games/{game_id}/events", EventView, **query)

    async def get_proof(self, game_id: str) -> dict[str, Any]:
        """Return the proof of a finished draw, which `verify.py` and `verify.html` recompute offline."""
        return await self.ask("GET", f"/games/{game_id}/proof", dict[str, Any])

    async def get_inclusion(self, game_id: str) -> dict[str, Any]:
        """Return the proof that the public log of draws includes a game (RFC 9162, 2.1.3)."""
        return await self.ask("GET", f"/games/{game_id}/inclusion", dict[str, Any])

    async def get_log_head(self) -> HeadView:
        """Return the newest signed head of the public log of draws."""
        return await self.ask("GET", "/log/head", HeadView)

    async def get_log_consistency(self, **query: Any) -> ConsistencyView:
        """Return the proof that the public log of draws begins with a smaller one."""
        return await self.ask("GET", "/log/consistency", ConsistencyView, query=query)

    async def export_results(self, chat_id: int, **query: Any) -> bytes:
        """Export the results of a chat's ended games, latest first, a line for each participant."""
        return (await self.succeed("GET", f"/chats/{chat_id}/results", query=query)).content

    # -- chats ----------------------------------------------------------------------------------------------------

    async def list_chats(self, **query: Any) -> tuple[list[ChatView], str | None]:
        """List the chats that the bot has met, by id."""
        return await self.page("/chats", ChatView, **query)

    async def get_chat(self, chat_id: int) -> ChatView:
        """Return a chat."""
        return await self.ask("GET", f"/chats/{chat_id}", ChatView)

    async def get_personal_data(self, player_id: int) -> PersonalDataView:
        """Export everything that is stored of a person."""
        return await self.ask("GET", f"/players/{player_id}/data", PersonalDataView)

    async def erase_personal_data(self, player_id: int, key: str | None = None) -> ErasureView:
        """Erase a person's data, as a job."""
        return await self.ask("DELETE", f"/players/{player_id}/data", ErasureView, key=key)

    async def get_rights(self, chat_id: int) -> RightsView:
        """Return the rights of the caller in a chat."""
        return await self.ask("GET", f"/chats/{chat_id}/rights", RightsView)

    async def get_settings(self, chat_id: int) -> SettingsView:
        """Return the settings of a chat. The header ETag names this state of them, for If-Match."""
        return await self.ask("GET", f"/chats/{chat_id}/settings", SettingsView)

    async def change_settings(self, chat_id: int, body: SettingsBody, key: str | None = None) -> SettingsView:
        """Change settings of a chat."""
        return await self.ask("PATCH", f"/chats/{chat_id}/settings", SettingsView, body=body, key=key)

    async def list_bans_of_chat(self, chat_id: int, **query: Any) -> tuple[list[BanView], str | None]:
        """List the bans in force in a chat, by the person's id."""
        return await self.page(f"/chats/{chat_id}/bans", BanView, **query)

    async def ban_in_chat(self, chat_id: int, player_id: int, body: BanBody, key: str | None = None) -> None:
        """Ban a person from a chat's games, and remove them from the live ones. An earlier ban is replaced."""
        await self.succeed("PUT", f"/chats/{chat_id}/bans/{player_id}", body=body, key=key)

    async def unban_in_chat(self, chat_id: int, player_id: int, key: str | None = None) -> None:
        """Lift a person's ban in a chat. Harmless if there is none."""
        await self.succeed("DELETE", f"/chats/{chat_id}/bans/{player_id}", key=key)

    async def list_bans(self, **query: Any) -> tuple[list[BanView], str | None]:
        """List the bans in force in all chats, by the person's id."""
        return await self.page("/bans", BanView, **query)

    async def ban(self, player_id: int, body: BanBody, key: str | None = None) -> None:
        """Ban a person from the games of all chats. An earlier ban is replaced."""
        await self.succeed("PUT", f"/bans/{player_id}", body=body, key=key)

    async def unban(self, player_id: int, key: str | None = None) -> None:
        """Lift a person's ban in all chats. Bans in single chats stay. Harmless if there is none."""
        await self.succeed("DELETE", f"/bans/{player_id}", key=key)

    # -- recurring games ------------------------------------------------------------------------------------------

    async def list_templates(self, chat_id: int) -> list[TemplateView]:
        """List the templates of a chat, by name."""
        return await self.ask("GET", f"/chats/{chat_id}/templates", list[TemplateView])

    async def save_template(self, chat_id: int, body: TemplateBody, key: str | None = None) -> TemplateView:
        """Save a template, over one of the same name if there is one."""
        return await self.ask("POST", f"/chats/{chat_id}/templates", TemplateView, body=body, key=key)

    async def delete_template(self, chat_id: int, template_id: int, key: str | None = None) -> None:
        """Delete a template. Harmless if there is none; recurring games that use it will be paused."""
        await self.succeed("DELETE", f"/chats/{chat_id}/templates/{template_id}", key=key)

    async def list_recurring(self, chat_id: int) -> list[RecurringView]:
        """List the recurring games of a chat, the oldest first."""
        return await self.ask("GET", f"/chats/{chat_id}/recurring", list[RecurringView])

    async def add_recurring(self, chat_id: int, body: RecurringBody, key: str | None = None) -> RecurringView:
        """Make a recurring game. Its games are opened in the name of the chat."""
        return await self.ask("POST", f"/chats/{chat_id}/recurring", RecurringView, body=body, key=key)

    async def get_recurring(self, chat_id: int, recurring_id: int) -> RecurringView:
        """Return a recurring game."""
        return await self.ask("GET", f"/chats/{chat_id}/recurring/{recurring_id}", RecurringView)

    async def change_recurring(
        self, chat_id: int, recurring_id: int, body: RecurringChange, key: str | None = None
    ) -> RecurringView:
        """Change a recurring game. From then on its games are opened in the name of the chat."""
        path = f"/chats/{chat_id}/recurring/{recurring_id}"
        return await self.ask("PATCH", path, RecurringView, body=body, key=key)

    async def skip_recurring(
        self, chat_id: int, recurring_id: int, body: SkipBody, key: str | None = None
    ) -> RecurringView:
        """Leave out the next occurrence. If it has been announced, the group is told."""
        path = f"/chats/{chat_id}/recurring/{recurring_id}/skip"
        return await self.ask("POST", path, RecurringView, body=body, key=key)

    async def unskip_recurring(self, chat_id: int, recurring_id: int, key: str | None = None) -> RecurringView:
        """Take back a skip, if its time has not come yet."""
        return await self.ask("POST", f"/chats/{chat_id}/recurring/{recurring_id}/unskip", RecurringView, key=key)

    async def pause_recurring(self, chat_id: int, recurring_id: int, key: str | None = None) -> RecurringView:
        """Open no more games until it is resumed. If the next has been announced, the group is told."""
        return await self.ask("POST", f"/chats/{chat_id}/recurring/{recurring_id}/pause", RecurringView, key=key)

    async def resume_recurring(self, chat_id: int, recurring_id: int, key: str | None = None) -> RecurringView:
        """Go on after a pause, with the next occurrence from now."""
        return await self.ask("POST", f"/chats/{chat_id}/recurring/{recurring_id}/resume", RecurringView, key=key)

    async def delete_recurring(self, chat_id: int, recurring_id: int, key: str | None = None) -> None:
        """Delete a recurring game. Harmless if there is none."""
        await self.succeed("DELETE", f"/chats/{chat_id}/recurring/{recurring_id}", key=key)

    # -- figures --------------------------------------------------------------------------------------------------

    async def get_player(self, player_id: int) -> PersonView:
        """Return a person with their statistics over all chats."""
        return await self.ask("GET", f"/players/{player_id}", PersonView)

    async def get_player_of_chat(self, chat_id: int, player_id: int) -> PersonView:
        """Return a person with their statistics in a chat."""
        return await self.ask("GET", f"/chats/{chat_id}/players/{player_id}", PersonView)

    async def get_leaderboard(self, **query: Any) -> tuple[list[RankView], str | None]:
        """List the best players of all chats, of those who agreed to be listed outside of their chats."""
        return await self.page("/leaderboard", RankView, **query)

    async def get_leaderboard_of_chat(self, chat_id: int, **query: Any) -> tuple[list[RankView], str | None]:
        """List the best players of a chat."""
        return await self.page(f"/chats/{chat_id}/leaderboard", RankView, **query)

    async def get_public_chat(self, page: str) -> PublicChat:
        """Return the games of a chat that allows anybody to look at them."""
        return await self.ask("GET", f"/public/{page}", PublicChat)

    async def get_public_leaderboard(self, page: str, **query: Any) -> list[PublicRank]:
        """List the best players of a chat that allows anybody to look."""
        return await self.ask("GET", f"/public/{page}/leaderboard", list[PublicRank], query=query)

    async def get_public_game(self, page: str, game_id: str) -> PublicGame:
        """Return a game of a chat that allows anybody to look at it."""
        return await self.ask("GET", f"/public/{page}/games/{game_id}", PublicGame)

    async def get_public_proof(self, page: str, game_id: str) -> dict[str, Any]:
        """Return the proof of a finished draw of a chat that allows anybody to look at it."""
        return await self.ask("GET", f"/public/{page}/games/{game_id}/proof", dict[str, Any])

    async def get_history(self, **query: Any) -> tuple[list[EndedGame], str | None]:
        """List the ended games of all chats, latest first."""
        return await self.page("/history", EndedGame, **query)

    async def get_history_of_chat(self, chat_id: int, **query: Any) -> tuple[list[EndedGame], str | None]:
        """List the ended games of a chat, latest first."""
        return await self.page(f"/chats/{chat_id}/history", EndedGame, **query)

    # -- packs ----------------------------------------------------------------------------------------------------

    async def list_packs(self, chat_id: int) -> list[PackView]:
        """List the packs of a chat, by name."""
        return await self.ask("GET", f"/chats/{chat_id}/packs", list[PackView])

    async def upload_pack(self, chat_id: int, body: bytes, key: str | None = None, **query: Any) -> PackView:
        """Store a file as a new pack of the chat, whole or not at all."""
        return await self.ask("POST", f"/chats/{chat_id}/packs", PackView, body=body, key=key, query=query)

    async def preview_pack(self, chat_id: int, body: bytes, key: str | None = None, **query: Any) -> PreviewView:
        """Read a file as a pack without storing it. A file with mistakes is refused with the list of them."""
        return await self.ask("POST", f"/chats/{chat_id}/packs/preview", PreviewView, body=body, key=key, query=query)

    async def get_pack(self, chat_id: int, pack_id: int) -> PackView:
        """Return a pack without its questions."""
        return await self.ask("GET", f"/chats/{chat_id}/packs/{pack_id}", PackView)

    async def list_questions(self, chat_id: int, pack_id: int, **query: Any) -> tuple[list[QuestionView], str | None]:
        """List the questions of a pack with their right answers, in order."""
        return await self.page(f"/chats/{chat_id}/packs/{pack_id}/questions", QuestionView, **query)

    async def export_pack(self, chat_id: int, pack_id: int, **query: Any) -> bytes:
        """Export a pack as a file that can be uploaded again."""
        return (await self.succeed("GET", f"/chats/{chat_id}/packs/{pack_id}/export", query=query)).content

    async def delete_pack(self, chat_id: int, pack_id: int, key: str | None = None) -> None:
        """Delete a pack with its questions. Harmless if there is none."""
        await self.succeed("DELETE", f"/chats/{chat_id}/packs/{pack_id}", key=key)

    # -- operations -----------------------------------------------------------------------------------------------

    async def begin_broadcast(self, body: BroadcastBody, key: str | None = None) -> BroadcastView:
        """Send a message to all chats in which the bot may write, below the priority of games."""
        return await self.ask("POST", "/broadcasts", BroadcastView, body=body, key=key)

    async def list_broadcasts(self, **query: Any) -> tuple[list[BroadcastSummary], str | None]:
        """List the broadcasts with their progress, latest first. Those that ended two weeks ago are gone."""
        return await self.page("/broadcasts", BroadcastSummary, **query)

    async def get_broadcast(self, job: int) -> BroadcastSummary:
        """Return a broadcast with its progress. To cancel it, cancel its job: what was not sent is withdrawn."""
        return await self.ask("GET", f"/broadcasts/{job}", BroadcastSummary)

    async def list_processes(self) -> list[ProcessView]:
        """List the processes that run now, each as it was at most 15 seconds ago."""
        return await self.ask("GET", "/processes", list[ProcessView])

    async def list_audit(self, **query: Any) -> tuple[list[AuditView], str | None]:
        """List the audit log, latest first: every write of every face. Rows come within a second."""
        return await self.page("/audit", AuditView, **query)

    async def list_flag_sources(self) -> list[SourceView]:
        """List the systems that may set feature flags by signed calls."""
        return await self.ask("GET", "/webhook-sources", list[SourceView])

    async def add_flag_source(self, body: SourceBody, key: str | None = None) -> SourceWithSecret:
        """Add a system that may set feature flags by signed calls. Its secret is in this response only."""
        return await self.ask("POST", "/webhook-sources", SourceWithSecret, body=body, key=key)

    async def remove_flag_source(self, source_id: str, key: str | None = None) -> None:
        """Remove a system that sets feature flags. Its calls are refused from now on."""
        await self.succeed("DELETE", f"/webhook-sources/{source_id}", key=key)

    async def list_flags(self) -> list[FlagView]:
        """List the feature flags of the bot's version, with their present settings."""
        return await self.ask("GET", "/flags", list[FlagView])

    async def set_flag(self, flag: str, body: FlagBody, key: str | None = None) -> FlagView:
        """Set a flag on all processes, within two seconds. Games that are open keep what they were opened with."""
        return await self.ask("PUT", f"/flags/{flag}", FlagView, body=body, key=key)

    async def reset_flag(self, flag: str, key: str | None = None) -> FlagView:
        """Take the operators' setting of a flag back, so that the file of flags and the definition decide again."""
        return await self.ask("DELETE", f"/flags/{flag}", FlagView, key=key)

    async def get_health(self) -> dict[str, Any]:
        """Return the state of the dependencies of the process that answers."""
        return await self.ask("GET", "/health", dict[str, Any])

    # -- jobs -----------------------------------------------------------------------------------------------------

    async def list_jobs(self, **query: Any) -> tuple[list[JobView], str | None]:
        """List the jobs about all chats, latest first."""
        return await self.page("/jobs", JobView, **query)

    async def get_job(self, job_id: int) -> JobView:
        """Return a job."""
        return await self.ask("GET", f"/jobs/{job_id}", JobView)

    async def cancel_job(self, job_id: int, key: str | None = None) -> JobView:
        """Cancel a job. One that has begun undoes its work first, so it may still be running in the response."""
        return await self.ask("POST", f"/jobs/{job_id}/cancel", JobView, key=key)

    async def repeat_job(self, job_id: int, key: str | None = None) -> JobView:
        """Queue a dead or cancelled job again."""
        return await self.ask("POST", f"/jobs/{job_id}/repeat", JobView, key=key)

    async def list_chat_jobs(self, chat_id: int, **query: Any) -> tuple[list[JobView], str | None]:
        """List the jobs about a chat, latest first."""
        return await self.page(f"/chats/{chat_id}/jobs", JobView, **query)

    async def import_pack(self, chat_id: int, body: ImportBody, key: str | None = None) -> ImportView:
        """Import a pack of questions from an address, as a job."""
        return await self.ask("POST", f"/chats/{chat_id}/pack-imports", ImportView, body=body, key=key)

    # -- webhooks -------------------------------------------------------------------------------------------------

    async def list_webhooks(self, chat_id: int) -> list[EndpointView]:
        """List the endpoints of a chat; of chat 0, those for all chats."""
        return await self.ask("GET", f"/chats/{chat_id}/webhooks", list[EndpointView])

    async def add_webhook(self, chat_id: int, body: EndpointBody, key: str | None = None) -> EndpointWithSecret:
        """Add an endpoint. Its secret is in this response only, and not in that of a repeated request."""
        return await self.ask("POST", f"/chats/{chat_id}/webhooks", EndpointWithSecret, body=body, key=key)

    async def get_webhook(self, chat_id: int, endpoint: str) -> EndpointView:
        """Return an endpoint, without its secret."""
        return await self.ask("GET", f"/chats/{chat_id}/webhooks/{endpoint}", EndpointView)

    async def change_webhook(
        self, chat_id: int, endpoint: str, body: EndpointChange, key: str | None = None
    ) -> EndpointView:
        """Change an endpoint. Enabling one that was disabled forgets its failures."""
        return await self.ask("PATCH", f"/chats/{chat_id}/webhooks/{endpoint}", EndpointView, body=body, key=key)

    async def remove_webhook(self, chat_id: int, endpoint: str, key: str | None = None) -> None:
        """Remove an endpoint with its deliveries."""
        await self.succeed("DELETE", f"/chats/{chat_id}/webhooks/{endpoint}", key=key)

    async def rotate_webhook_secret(
        self, chat_id: int, endpoint: str, body: RotationBody, key: str | None = None
    ) -> EndpointWithSecret:
        """Give an endpoint a new secret. The old one signs too, for a day or as long as asked for."""
        return await self.ask(
            "POST", f"/chats/{chat_id}/webhooks/{endpoint}/rotate", EndpointWithSecret, body=body, key=key
        )

    async def send_webhook_example(self, chat_id: int, endpoint: str, key: str | None = None) -> ExampleView:
        """Send an example to an endpoint."""
        return await self.ask("POST", f"/chats/{chat_id}/webhooks/{endpoint}/example", ExampleView, key=key)

    async def recover_webhook(
        self, chat_id: int, endpoint: str, body: RecoveryBody, key: str | None = None
    ) -> RecoveryView:
        """Send the failed and missed deliveries since a time again, up to thirty days back."""
        return await self.ask("POST", f"/chats/{chat_id}/webhooks/{endpoint}/recover", RecoveryView, body=body, key=key)

    async def list_deliveries(self, chat_id: int, endpoint: str, **query: Any) -> tuple[list[DeliveryView], str | None]:
        """List the deliveries to an endpoint, latest first."""
        return await self.page(f"/chats/{chat_id}/webhooks/{endpoint}/deliveries", DeliveryView, **query)

    async def get_delivery(self, chat_id: int, endpoint: str, delivery: int) -> DeliveryView:
        """Return a delivery with its calls."""
        return await self.ask("GET", f"/chats/{chat_id}/webhooks/{endpoint}/deliveries/{delivery}", DeliveryView)

    async def resend_delivery(self, chat_id: int, endpoint: str, delivery: int, key: str | None = None) -> DeliveryView:
        """Send a delivery again, also one that was delivered."""
        return await self.ask(
            "POST", f"/chats/{chat_id}/webhooks/{endpoint}/deliveries/{delivery}/resend", DeliveryView, key=key
        )

    async def list_sources(self, chat_id: int) -> list[SourceView]:
        """List the systems that may open and end games of a chat by signed calls."""
        return await self.ask("GET", f"/chats/{chat_id}/webhook-sources", list[SourceView])

    async def add_source(self, chat_id: int, body: SourceBody, key: str | None = None) -> SourceWithSecret:
        """Add a system that may open and end games of a chat by signed calls."""
        return await self.ask("POST", f"/chats/{chat_id}/webhook-sources", SourceWithSecret, body=body, key=key)

    async def remove_source(self, chat_id: int, source: str, key: str | None = None) -> None:
        """Remove a source. Its calls are refused from now on."""
        await self.succeed("DELETE", f"/chats/{chat_id}/webhook-sources/{source}", key=key)

    async def receive_call(self, source: str, body: bytes) -> GameView:
        """Open or end a game by a call that is signed by Standard Webhooks."""
        return await self.ask("POST", f"/hooks/{source}", GameView, body=body)

    async def receive_flag_call(self, source: str, body: bytes) -> FlagView:
        """Set a feature flag by a call that is signed by Standard Webhooks."""
        return await self.ask("POST", f"/flag-hooks/{source}", FlagView, body=body)

    # -- tokens ---------------------------------------------------------------------------------------------------

    async def get_own_token(self) -> TokenView:
        """Return the token of this request."""
        return await self.ask("GET", "/token", TokenView)

    async def list_tokens(self, **query: Any) -> tuple[list[TokenView], str | None]:
        """List tokens, latest first, the revoked and expired ones included."""
        return await self.page("/tokens", TokenView, **query)

    async def create_token(self, body: TokenBody, key: str | None = None) -> NewToken:
        """Make a token."""
        return await self.ask("POST", "/tokens", NewToken, body=body, key=key)

    async def get_token(self, prefix: str) -> TokenView:
        """Return a token, without its secret."""
        return await self.ask("GET", f"/tokens/{prefix}", TokenView)

    async def revoke_token(self, prefix: str, key: str | None = None) -> TokenView:
        """Revoke a token. All processes refuse it at once, and after five seconds at the latest."""
        return await self.ask("DELETE", f"/tokens/{prefix}", TokenView, key=key)


def _succeeded(response: httpx.Response) -> httpx.Response:
    if response.headers.get("content-type", "").startswith(MEDIA_TYPE):
        wait = response.headers.get("retry-after")
        raise Refused(msgspec.json.decode(response.content, type=Problem), int(wait) if wait else None)
    response.raise_for_status()
    return response


def _data(response: httpx.Response) -> dict[str, Any]:
    told = msgspec.json.decode(_succeeded(response).content, type=dict[str, Any])
    if "errors" in told:
        problems = {".".join(map(str, each["path"])): each["extensions"] for each in told["errors"]}
        raise GraphQLErrors(told["data"], problems)
    data: dict[str, Any] = told["data"]
    return data


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def updated(game: GameView | None, message: SnapshotMessage | EventsMessage) -> GameView:
    """Return a game after a live message; `game` is the game before it, or None."""
    if message.game is not None:
        return message.game
    assert isinstance(message, EventsMessage)
    assert game is not None, "a patch comes after a snapshot"
    # A field that is null in the patch is gone from its result.
    plain = dict.fromkeys(GameView.__struct_fields__) | merged(msgspec.to_builtins(game, str_keys=True), message.patch)
    return msgspec.convert(plain, GameView)


def _delay(message: ClosingMessage | RefusedMessage) -> float:
    """Return the seconds after which to connect again. Raises ``LiveEnded``."""
    if isinstance(message, RefusedMessage) or message.retry_ms is None:
        raise LiveEnded(message.code)
    return message.retry_ms / 1000
