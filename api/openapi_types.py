"""The schemas of the OpenAPI document, made from the types of the API and their docstrings."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec.inspect import StructType, multi_type_info

REF: Final = "#/components/schemas/{name}"
ATTRIBUTE: Final = re.compile(r"^(\w+): (.+)$")
NO_NUL: Final = r"^[^\u0000]*$"
"""Pattern of the texts of requests: PostgreSQL can't store the character NUL."""


def schemas(types: Iterable[Any], requests: Iterable[Any]) -> tuple[dict[int, Any], dict[str, Any]]:
    """Return the schema of each type by the type's identity, and the components that they refer to.

    Args:
        types: the types.
        requests: those of them that requests have, whose texts have no NUL.
    """
    every = list(types)
    made, components = msgspec.json.schema_components(every, ref_template=REF)
    for struct in _structs(every):
        _describe(components[struct.__name__], struct)
    _complete(components)
    for struct in _structs(requests):
        _refuse_nul(components[struct.__name__]["properties"])
    return {id(type_): schema for type_, schema in zip(every, made, strict=True)}, components


def parameters(query: type[msgspec.Struct]) -> Iterator[dict[str, Any]]:
    """Return the parameters of a query."""
    _, components = msgspec.json.schema_components([query], ref_template=REF)
    schema = components[query.__name__]
    _refuse_nul(schema["properties"])
    _, fields = described(query)
    for name, each in schema["properties"].items():
        parameter = {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "schema": _plain(each),
        }
        yield parameter | ({"description": fields[name]} if name in fields else {})


def described(type_: type[msgspec.Struct]) -> tuple[str, dict[str, str]]:
    """Return the text of a struct's docstring, and the descriptions of its fields and those of its bases."""
    texts: dict[str, str] = {}
    for base in reversed(type_.__mro__):
        _, _, attributes = (inspect.cleandoc(base.__doc__ or "")).partition("Attributes:\n")
        name = ""
        for line in attributes.splitlines():
            found = ATTRIBUTE.match(line.strip())
            if found is not None and line.startswith("    ") and not line.startswith("     "):
                name = found[1]
                texts[name] = found[2]
            elif name and line.strip():
                texts[name] += f" {line.strip()}"
    return text_of(type_).partition("Attributes:")[0].strip(), {
        name: text[0].upper() + text[1:] for name, text in texts.items()
    }


def text_of(thing: Any) -> str:
    """Return the text of a docstring."""
    return inspect.cleandoc(thing.__doc__ or "")


def _structs(types: Iterable[Any]) -> set[type[msgspec.Struct]]:
    """Return the structs among types and in them."""
    found: set[type[msgspec.Struct]] = set()
    left: list[Any] = list(multi_type_info([each for each in types if each is not bytes]))
    while left:
        each = left.pop()
        if isinstance(each, StructType):
            if each.cls in found:
                continue
            found.add(each.cls)
        for name in getattr(each, "__struct_fields__", ()):
            value = getattr(each, name)
            parts = value if isinstance(value, tuple) else (value,)
            left += [part for part in parts if isinstance(part, msgspec.inspect.Type | msgspec.inspect.Field)]
    return found


def _describe(schema: dict[str, Any], type_: type[msgspec.Struct]) -> None:
    summary, fields = described(type_)
    schema["description"] = summary
    for name, text in fields.items():
        if name in schema["properties"]:
            schema["properties"][name]["description"] = text


def _complete(part: Any) -> None:
    """Say of lists of any values that they have items, because generators of clients need that."""
    if isinstance(part, dict):
        if part.get("type") == "array" and "items" not in part and "prefixItems" not in part:
            part["items"] = {}
        for each in part.values():
            _complete(each)
    elif isinstance(part, list):
        for each in part:
            _complete(each)


def _refuse_nul(part: Any) -> None:
    """Say in all parts of a schema that texts have no NUL."""
    if isinstance(part, list):
        for each in part:
            _refuse_nul(each)
    elif isinstance(part, dict):
        if part.get("type") == "string" and not part.keys() & {"pattern", "format", "enum", "const"}:
            part["pattern"] = NO_NUL
        if part.get("type") == "object" and "additionalProperties" in part:
            part["propertyNames"] = {"pattern": NO_NUL}
        for name, each in part.items():
            if name not in {"propertyNames", "default", "example", "examples", "enum"}:
                _refuse_nul(each)


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: one that is left out is absent, not null."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return options[0] if len(options) == 1 else {name: value for name, value in schema.items() if value is not None}
