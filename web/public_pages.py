"""The public pages of chats: a page's head is made here, for link previews; the rest is drawn by ``app/public.js``.

The head names no player: other services keep the previews that they have made, and no erasure reaches them.
"""

import hashlib
import html
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from string import Template
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from fsm.kind import Game, UnknownGame
from fsm.registry import kind_of
from play.application import Application
from play.public_chats import INDEXED, is_on
from storage.archive import Archive
from storage.people import Chat
from web.pages import BASE

PATH: Final = "/public"
HEADERS: Final = BASE | {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}
GAME_ID: Final = re.compile(r"[0-9a-z]{14,22}")


class PublicPages:
    """The heads of the public pages.

    Args:
        play: finds public chats and live games, and has the texts.
        archive: finds ended games.
        wait_ms: counts a request of an address, and returns 0 if it may be answered, else the time to wait.
    """

    def __init__(self, play: Application, archive: Archive, wait_ms: Callable[[Request], Awaitable[int]]) -> None:
        self._play = play
        self._archive = archive
        self._wait_ms = wait_ms
        self._page = Template((Path(__file__).parent / "public" / "page.html").read_text(encoding="utf-8"))

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes of the pages."""
        return [
            Route(PATH + "/{page}", self._of_chat, methods=["GET"]),
            Route(PATH + "/{page}/games/{game}", self._of_game, methods=["GET"]),
        ]

    async def _of_chat(self, request: Request) -> Response:
        wait = await self._wait_ms(request)
        if wait:
            return _wait(wait)
        chat = await self._play.public.find(request.path_params["page"])
        if chat is None:
            return _nothing()
        texts, locale = self._play.texts, self._play.texts.pick(chat.locale)
        return self._made(request, chat, chat.title, texts.plain(locale, "app-public-about"), "../")

    async def _of_game(self, request: Request) -> Response:
        wait = await self._wait_ms(request)
        if wait:
            return _wait(wait)
        chat = await self._play.public.find(request.path_params["page"])
        game = None if chat is None else await self._game(request.path_params["game"])
        if chat is None or game is None or not await self._play.public.has(chat, game.place.chat_id):
            return _nothing()
        texts, locale = self._play.texts, self._play.texts.pick(chat.locale)
        kind = texts.plain(locale, f"app-kind-{kind_of(game).name}")
        phase = texts.plain(locale, f"app-phase-{game.phase}")
        players = texts.plain(locale, "app-players", count=len(game.players))
        title = f"{game.title or kind} · {chat.title}"
        return self._made(request, chat, title, f"{kind} · {phase} · {players}", "../../../")

    async def _game(self, game_id: str) -> Game | None:
        if not GAME_ID.fullmatch(game_id):
            return None
        try:
            return (await self._play.engine.look(game_id)).state
        except UnknownGame:
            return await self._archive.finished(game_id)

    def _made(self, request: Request, chat: Chat, title: str, description: str, root: str) -> Response:
        """Return a page. Its addresses are relative, so that it also works below a path of a proxy."""
        indexed = is_on(chat.settings, INDEXED)
        content = self._page.substitute(
            language=self._play.texts.pick(chat.locale),
            robots="index" if indexed else "noindex",
            title=html.escape(title),
            description=html.escape(description),
            root=root,
        ).encode()
        tag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
        # A cache asks each time, because a chat may withdraw its pages.
        headers = HEADERS | {"etag": tag, "cache-control": "public, no-cache"}
        if not indexed:
            headers["x-robots-tag"] = "noindex"
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type="text/html; charset=utf-8")


def _nothing() -> Response:
    """Return the response of every address that shows nothing."""
    headers = HEADERS | {"cache-control": "no-store", "x-robots-tag": "noindex"}
    return Response("Not Found", 404, headers, "text/plain")


def _wait(milliseconds: int) -> Response:
    headers = HEADERS | {"cache-control": "no-store", "retry-after": str(-(-milliseconds // 1000))}
    return Response("Too Many Requests", 429, headers, "text/plain")
