"""Importing what takes long, while the process works on."""

import asyncio
import contextlib
import importlib
import threading
from typing import Any


async def imported(name: str) -> Any:
    """Import a module (aiogram, say: 2 s, 60 MB) in a thread that a stopping process does not wait for."""
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
        except Exception as error:  # noqa: BLE001 -- raised where it is waited for
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, module, problem)

    threading.Thread(target=work, name=f"import {name}", daemon=True).start()
    return await done
