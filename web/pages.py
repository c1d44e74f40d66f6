"""The files of the pages, served from memory with a strict security policy.

No page has an inline script or an address of another host. Only Telegram's web clients may show the Mini App in a
frame; the dashboard is shown in none.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

SHARED: Final = Path(__file__).parent / "shared"
"""The modules that all pages share. Each page has them in its own folder `shared`."""
TAKES_GZIP: Final = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)", re.IGNORECASE)
"""A value of Accept-Encoding that names gzip, with a weight above 0 or none."""
APP, DASHBOARD = "app", "dashboard"
"""Pages: the name of the folder of their files, and of the path."""
TEXTS: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        APP: ("app.ftl", "figures.ftl", "verifier.ftl"),
        DASHBOARD: ("dashboard.ftl", "rejected.ftl", "dialogs.ftl", "pick-number.ftl", "quiz.ftl", "recurring.ftl"),
    }
)
"""Page -> the files of a locale whose texts it shows."""
TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".ftl": "text/plain; charset=utf-8",
    }
)
"""End of a file's name -> its media type. Other files are not served."""
TELEGRAM_WEB: Final = (
    *("https://web.telegram.org", "https://webk.telegram.org"),
    *("https://weba.telegram.org", "https://webz.telegram.org"),
)
"""Origins of Telegram's own web clients, which show a Mini App in a frame."""
BASE: Final = MappingProxyType(
    {
        "cache-control": "no-cache",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        "vary": "Accept-Encoding",
    }
)


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    compressed: bytes
    media_type: str
    tag: str


class Pages:
    """The files of a page.

    Args:
        name: the page's name.
        locales: the folder of the locales.
        framed_by: origins that may show the page in a frame.
    """

    def __init__(self, name: str, locales: Path, framed_by: Sequence[str] = ()) -> None:
        self._path = f"/{name}"
        own = Path(__file__).parent / name
        ancestors = " ".join(framed_by) or "'none'"
        self._headers = BASE | {
            "content-security-policy": (
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
                f"form-action 'none'; frame-ancestors {ancestors}"
            )
        }
        self._files = {
            str(path.relative_to(root)): _read(path)
            for root, folder in ((own, own), (SHARED.parent, SHARED))
            for path in folder.rglob("*")
            if path.suffix in TYPES
        } | {
            f"texts/{folder.name}.ftl": _made(b"\n".join((folder / file).read_bytes() for file in TEXTS[name]), ".ftl")
            for folder in locales.iterdir()
            if folder.is_dir()
        }

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes of the files."""
        return [
            Route(self._path, self._to_folder, methods=["GET"]),
            Route(self._path + "/{path:path}", self._serve, methods=["GET"]),
        ]

    async def _to_folder(self, request: Request) -> Response:
        """Redirect to the folder, so that the page's own addresses are below it. The address names no host."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{self._path[1:]}/{query}", headers=self._headers)

    async def _serve(self, request: Request) -> Response:
        file = self._files.get(request.path_params["path"] or "index.html")
        if file is None:
            return Response("Not Found", 404, self._headers, "text/plain")
        headers = self._headers | {"etag": file.tag}
        if file.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if TAKES_GZIP.search(request.headers.get("accept-encoding", "")):
            return Response(file.compressed, headers=headers | {"content-encoding": "gzip"}, media_type=file.media_type)
        return Response(file.content, headers=headers, media_type=file.media_type)


def _read(path: Path) -> _File:
    return _made(path.read_bytes(), path.suffix)


def _made(content: bytes, suffix: str) -> _File:
    digest = hashlib.sha256(content).hexdigest()[:32]
    return _File(content, gzip.compress(content, 9, mtime=0), TYPES[suffix], f'W/"{digest}"')
