"""Headless browser, driven through its debugging protocol without another library or a download."""

import asyncio
import base64
import contextlib
import itertools
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS = 30.0
LOOK_SECONDS = 0.05


def find() -> str | None:
    """Return a Chromium on this machine, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """One page in the browser. Its errors and console output are recorded."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.problems: list[str] = []
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def listen(self) -> None:
        """Receive the browser's messages until it is closed."""
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                answer = self._waiting.pop(said["id"])
                if not answer.done():  # its waiter may have given up
                    answer.set_result(said)
            elif said.get("method") == "Runtime.exceptionThrown":
                self.problems.append(str(said["params"]["exceptionDetails"]))
            elif said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                self.problems.append(str(said["params"]["entry"]))

    async def ask(self, method: str, **params: Any) -> Any:
        """Make one call of the protocol. Raises RuntimeError."""
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_str(json.dumps({"id": number, "method": method, "params": params}))
        said = await answer
        if "error" in said:
            raise RuntimeError(said["error"])
        return said["result"]

    async def run(self, script: str) -> Any:
        """Evaluate an expression in the page. Raises RuntimeError if it throws."""
        done = await self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(done["exceptionDetails"])
        return done["result"].get("value")

    async def until(self, script: str, *, seconds: float = 15) -> Any:
        """Wait until an expression is true and return its value. Raises AssertionError if it never is."""
        try:
            async with asyncio.timeout(seconds):
                while not (found := await self.run(script)):  # noqa: ASYNC110 -- the page sends no event
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            text = await self.run("document.body.innerText")
            raise AssertionError(f"never true: {script}\n{self.problems}\n{text}") from None
        return found

    async def size(self, width: int, height: int) -> None:
        """Resize the window; a narrow one looks like a phone."""
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    async def picture(self, path: Path) -> None:
        """Save a picture of the page."""
        shown = await self.ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shown["data"]))

    async def open(self, url: str) -> None:
        """Open a URL and wait until it is loaded."""
        await self.ask("Page.navigate", url=url)
        await self.until(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")


@contextlib.asynccontextmanager
async def browsing(binary: str, profile: Path) -> AsyncIterator[Tab]:
    """Start a browser with a fresh profile and one empty tab."""
    command = [
        binary, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
        "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    try:
        async with asyncio.timeout(START_SECONDS):
            port = await _port(profile / "DevToolsActivePort")
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            async with http.get("/json/list") as listed:
                page = next(tab for tab in await listed.json() if tab["type"] == "page")
            async with http.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = Tab(socket)
                listening = asyncio.create_task(tab.listen())
                for domain in ("Page", "Runtime", "Log"):
                    await tab.ask(f"{domain}.enable")
                yield tab
            await listening
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


async def _port(file: Path) -> str:
    while True:
        with contextlib.suppress(FileNotFoundError):
            if lines := file.read_text().split():
                return lines[0]
        await asyncio.sleep(LOOK_SECONDS)
