"""Imports aiogram so that its models are built on first use.

aiogram defines hundreds of pydantic models and builds all their validators during the import. That takes seconds and a
hundred megabytes, and a bot uses only a few dozen of the models. The types request deferred building (``defer_build``),
but aiogram rebuilds them at the end of the import, because their annotations refer to each other. This module
suppresses that rebuild and keeps the names; pydantic then builds a model when it first validates or serialises with it.

Import this module before aiogram. If aiogram is already imported, this module changes nothing.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel

_rebuild: Any = BaseModel.model_rebuild.__func__  # type: ignore[attr-defined] # of a class method
_names: dict[str, Any] = {}
"""Names that aiogram's annotations may refer to."""


@contextmanager
def _put_off() -> Iterator[None]:
    """Suppress the building of models inside the block."""

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
    """Call ``BaseModel.model_rebuild`` with all names available, independent of the calling frame."""
    given |= {"_parent_namespace_depth": 0, "_types_namespace": given.get("_types_namespace") or _names}
    built: bool | None = _rebuild(cls, **given)
    return built


if "aiogram" not in sys.modules:
    with _put_off():
        import aiogram.methods
    for base in (aiogram.types.TelegramObject, aiogram.methods.TelegramMethod, aiogram.methods.Response):
        base.model_rebuild = classmethod(_when_used)  # type: ignore[method-assign, assignment]
    # Every update and most answers need these.
    for model in (aiogram.types.Update, aiogram.types.Message):
        model.model_rebuild()
