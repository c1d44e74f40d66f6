"""Parsing of calls: parameters in any encoding, checked against aiogram's models of the methods."""

import inspect
import types
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import aiogram.methods
import msgspec
from aiogram.client.default import Default
from aiogram.methods import TelegramMethod
from aiogram.types import InputFile
from pydantic import BaseModel, ValidationError

from sandbox.errors import ApiError, bad
from sandbox.state import Json
from sandbox.world import World


@dataclass(slots=True)
class Upload:
    """One file of a multipart call."""

    name: str
    mime: str
    content: bytes


Files = dict[str, Upload]
Model = type[TelegramMethod[Any]]
Handler = Callable[[World, Any, Files], Awaitable[Any]]
M = TypeVar("M", bound=TelegramMethod[Any])
PlainHandler = Callable[[World, M], Awaitable[Any]]
FileHandler = Callable[[World, M, Files], Awaitable[Any]]

MODELS: dict[str, Model] = {
    model.__api_method__.lower(): model
    for _, model in inspect.getmembers(aiogram.methods, inspect.isclass)
    if issubclass(model, TelegramMethod) and model is not TelegramMethod
}
HANDLERS: dict[Model, Handler] = {}
OUTDATED = {"deprecated": True}
"""Marker of aiogram's models for a parameter that was replaced by another."""

# The server's error text for a parameter that is missing or has the wrong type.
MISSING = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "message_ids": "message identifiers are not specified",
    "user_id": "invalid user_id specified",
    "callback_query_id": "query is too old and response timeout expired or query ID is invalid",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
    "file_id": "invalid file_id",
    "question": "poll question must be non-empty",
    "options": "can't parse options JSON object",
    "commands": "can't parse commands: Expected an Array",
    "receiver_user_id": "invalid receiver_user_id specified",
    "ephemeral_message_id": "message identifier is not specified",
    "action": "wrong parameter action in request",
    "url": "bad webhook: An HTTPS URL must be provided for webhook",
}
MALFORMED = {
    "reply_markup": "can't parse reply keyboard markup JSON object",
    "entities": "can't parse entities JSON object",
    "caption_entities": "can't parse caption entities JSON object",
    "reply_parameters": "can't parse reply parameters JSON object",
    "link_preview_options": "can't parse link preview options JSON object",
    "allowed_updates": "can't parse allowed updates JSON object",
    "scope": "can't parse BotCommandScope JSON object",
    "permissions": "can't parse permissions JSON object",
    "media": "can't parse media JSON object",
    "message_ids": "can't parse message identifiers JSON object",
    "ephemeral_message_parameters": "can't parse ephemeral message parameters JSON object",
}


def handles_files(model: type[M]) -> Callable[[FileHandler[M]], FileHandler[M]]:
    """Register the coroutine that implements a method with uploads."""

    def register(handler: FileHandler[M]) -> FileHandler[M]:
        HANDLERS[model] = handler
        return handler

    return register


def handles(model: type[M]) -> Callable[[PlainHandler[M]], PlainHandler[M]]:
    """Register the coroutine that implements a method."""

    def register(handler: PlainHandler[M]) -> PlainHandler[M]:
        async def play(world: World, call: M, _: Files) -> Any:
            return await handler(world, call)

        HANDLERS[model] = play
        return handler

    return register


def _kinds(annotation: Any) -> set[str]:
    """Return the kinds of value that a parameter accepts: str, int, json (object or list) or other."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return set().union(*(_kinds(part) for part in get_args(annotation)))
    if annotation in (str, int):
        return {annotation.__name__}
    if annotation in (Default, InputFile, type(None)):
        return set()
    is_model = inspect.isclass(annotation) and issubclass(annotation, BaseModel)
    return {"json"} if is_model or origin in (list, dict) else {"other"}


KINDS: dict[Model, dict[str, set[str]]] = {}


def field_kinds(model: Model) -> dict[str, set[str]]:
    """Return the kinds of value that each parameter of a method accepts."""
    if model not in KINDS:
        KINDS[model] = {name: _kinds(info.annotation) for name, info in model.model_fields.items()}
    return KINDS[model]


def _decoded(name: str, value: Any, kinds: set[str]) -> Any:
    """Convert one parameter for the model: parse JSON strings, turn scalars into strings if a string is expected."""
    if "json" in kinds and isinstance(value, str) and (value[:1] in "{[" or "str" not in kinds):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            raise bad(MALFORMED.get(name, f"can't parse {name} JSON object")) from None
    if kinds == {"str"} and isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def read_call(method: str, raw: Json, files: Files) -> tuple[TelegramMethod[Any], list[str]]:
    """Return the checked call, and a warning for each undocumented parameter, which the server would ignore.

    Raises ApiError: 404 for an unknown method, 400 in the server's words for a wrong parameter.
    """
    model = MODELS.get(method.lower())
    if model is None:
        raise ApiError(404, "method not found")
    kinds = field_kinds(model)
    params = {name: _decoded(name, value, kinds.get(name, set())) for name, value in raw.items() if value is not None}
    params |= {name: f"attach://{name}" for name in files if name in kinds and name not in params}
    if "certificate" in params:
        raise bad("bad webhook: certificates are not played in the sandbox")
    try:
        call = model.model_validate(params)
    except ValidationError as problem:
        raise _worded(problem) from None
    return call, [f"unknown parameter {path}" for path in [*_unknown(call), *_outdated(call)]]


def _outdated(call: TelegramMethod[Any]) -> list[str]:
    """Return the parameters that aiogram still accepts, but the Bot API no longer documents."""
    known = type(call).model_fields
    return [name for name in call.model_fields_set & known.keys() if known[name].json_schema_extra == OUTDATED]


def _worded(problem: ValidationError) -> ApiError:
    """Return the error of a wrong parameter, in the server's words if they are known."""
    first = problem.errors()[0]
    path = [str(part) for part in first["loc"]]
    name = path[0] if path else ""
    if name == "reply_markup" and "text" in path and first["type"] == "missing":
        return bad("can't parse inline keyboard button: Can't find field \"text\"")
    if len(path) == 1 and name in MISSING:
        return bad(MISSING[name])
    if name in MALFORMED:
        return bad(f"{MALFORMED[name]}: {'.'.join(path[1:])}: {first['msg']}")
    return bad(f"invalid {'.'.join(path)} specified: {first['msg']}")


def _unknown(value: Any, path: str = "") -> list[str]:
    """Return the paths of all values in a call that the schema doesn't know."""
    if isinstance(value, BaseModel):
        found = [f"{path}{name}" for name in value.model_extra or {}]
        for name in value.model_fields_set & set(type(value).model_fields):
            found += _unknown(getattr(value, name), f"{path}{name}.")
        return found
    if isinstance(value, list | tuple):
        return [name for index, item in enumerate(value) for name in _unknown(item, f"{path}{index}.")]
    return []
