"""Slow imports in a thread, so that the event loop keeps running."""

import asyncio
import contextlib
import importlib
import threading
from typing import Any


async def imported(name: str) -> Any:
    """Import a module in a daemon thread, which does not delay a stop. aiogram, for one, takes 2 s and 60 MB."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(module: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(module)
        else:
            done.set_exception(error)

    def work() -> None:
        module, problem = None, None
        try:
            module = importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 -- raised in the caller
            problem = error
        with contextlib.suppress(RuntimeError):  # the event loop has closed meanwhile
            loop.call_soon_threadsafe(settle, module, problem)

    threading.Thread(target=work, name=f"import {name}", daemon=True).start()
    return await done
