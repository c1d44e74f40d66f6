"""aiogram's models are built on first use: unused ones are not built, and each one can be."""

import subprocess
import sys
from typing import Any

import aiogram.methods
import aiogram.types
import pytest
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message
from pydantic import BaseModel, ValidationError

BUILT = """
import bot.lazy_aiogram, aiogram.types as types, handlers.routing
models = [each for each in vars(types).values() if isinstance(each, type) and hasattr(each, "__pydantic_complete__")]
built = [each.__name__ for each in models if each.__pydantic_complete__]
assert "Update" in built
print(len(built), len(models))
"""


def models(module: Any) -> list[type[BaseModel]]:
    found = [getattr(module, name) for name in module.__all__]
    return [each for each in found if isinstance(each, type) and issubclass(each, BaseModel)]


@pytest.mark.parametrize("module", [aiogram.types, aiogram.methods])
def test_every_model_can_be_built(module: Any) -> None:
    for model in models(module):
        model.model_rebuild()
    assert [model.__name__ for model in models(module) if not model.__pydantic_complete__] == []


def test_a_start_builds_a_few_of_them() -> None:
    found = subprocess.run([sys.executable, "-c", BUILT], capture_output=True, text=True, check=True)
    built, known = map(int, found.stdout.split())
    assert built < known / 10


def test_what_is_built_late_validates_as_ever() -> None:
    button = InlineKeyboardButton(text="7", callback_data="p:0:7")
    call = aiogram.methods.SendMessage(
        chat_id=1, text="x", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]])
    )
    assert call.model_dump(exclude_none=True)["reply_markup"]["inline_keyboard"] == [
        [{"text": "7", "callback_data": "p:0:7"}]
    ]
    with pytest.raises(ValidationError, match="chat_id"):
        aiogram.methods.SendMessage(chat_id=[], text="x")  # type: ignore[arg-type]
    sent = {"ok": True, "result": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}}}
    assert isinstance(aiogram.methods.Response[Message].model_validate(sent).result, Message)
