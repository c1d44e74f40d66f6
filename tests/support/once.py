"""Results that one worker of pytest makes for all."""

import fcntl
import json
import os
from collections.abc import Callable
from typing import TypeVar

import pytest

Result = TypeVar("Result")


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[], Result]) -> Result:
    """Return what ``make`` returns, called by the first worker that asks; the others wait for it and read its file.

    ``name`` is unique in the run. The result is JSON. If ``make`` raises, the next worker calls it again.
    """
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # each worker has a folder of its own in that of the run
    file = folder / f"{name}.json"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            file.write_text(json.dumps(make()), encoding="utf-8")
    result: Result = json.loads(file.read_text(encoding="utf-8"))
    return result
