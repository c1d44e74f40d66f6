"""Imports aiogram with its models built when they are first used.

aiogram has hundreds of pydantic models, and all their validators are built when it is imported: seconds of every start
and a hundred megabytes, of which a bot uses a few dozen. Its types ask for building them later (``defer_build``), but
are rebuilt at the end of the import all the same, as their annotations need each other's names. Here that is put off:
the names are kept, and pydantic builds a model with them when it first validates or serialises with it.

Import this before aiogram. Where something has imported aiogram before, it stays as it is: slower, never wrong.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel

_rebuild: Any = BaseModel.model_rebuild.__func__  # type: ignore[attr-defined] # of a class method
_names: dict[str, Any] = {}
"""What aiogram's annotations may mention."""


@contextmanager
def _put_off() -> Iterator[None]:
    """No model is built meanwhile."""

    def keep(_cls: type[BaseModel], /, **given: Any) -> None:
        _names.update(given.get("_types_namespace") or {})

    eager, config = BaseModel.__dict__["model_rebuild"], BaseModel.model_config
    BaseModel.model_rebuild = classmethod(keep)  # type: ignore[method-assign, assignment]
    BaseModel.model_config = {**config, "defer_build": True}
    try:
        yield
    finally:
        BaseModel.model_rebuild, BaseModel.model_config = eager, config  # type: ignore[method-assign]


def _when_used(cls: type[BaseModel], /, **given: Any) -> bool | None:
    """``BaseModel.model_rebuild`` with all names at hand, wherever it is called from."""
    given |= {"_parent_namespace_depth": 0, "_types_namespace": given.get("_types_namespace") or _names}
    built: bool | None = _rebuild(cls, **given)
    return built


if "aiogram" not in sys.modules:
    with _put_off():
        import aiogram.methods
    for base in (aiogram.types.TelegramObject, aiogram.methods.TelegramMethod, aiogram.methods.Response):
        base.model_rebuild = classmethod(_when_used)  # type: ignore[method-assign, assignment]
    # Every update needs these, and most answers.
    for model in (aiogram.types.Update, aiogram.types.Message):
        model.model_rebuild()
