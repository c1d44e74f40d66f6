"""The reference as a page without scripts: the OpenAPI document, rendered once, for browsers without internet."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final

import msgspec

from api.problems import MEDIA_TYPE

METHODS: Final = ("get", "post", "put", "patch", "delete")
CSP: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def style() -> bytes:
    """Return the style sheet of the page."""
    return (files("api") / "reference.css").read_bytes()


def render(document: Mapping[str, Any]) -> bytes:
    """Return the page of an OpenAPI document."""
    tags = [tag["name"] for tag in document["tags"]]
    title = f"{document['info']['title']} API {document['info']['version']}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{_words(document['info']['description'])}</p>",
        '<p><a href="openapi.json">openapi.json</a></p>',
        _contents([*tags, "schemas", "problems"]),
        *(part for tag in tags for part in _tag(document, tag)),
        *_schemas(document["components"]["schemas"]),
        *_problems(document),
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="reference.css"></head><body><main>'
    )
    return (head + "".join(body) + "</main></body></html>").encode()


def _contents(parts: Iterable[str]) -> str:
    links = "".join(f'<li><a href="#{part}">{part.capitalize()}</a></li>' for part in parts)
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'


# -- operations -------------------------------------------------------------------------------------------------


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield method, path, methods[method]


def _tag(document: Mapping[str, Any], tag: str) -> Iterator[str]:
    yield f'<section id="{tag}"><h2>{tag.capitalize()}</h2>'
    for method, path, operation in _operations(document):
        if tag in operation["tags"]:
            yield from _operation(method, path, operation)
    yield "</section>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    name = operation["operationId"]
    roles = ", ".join(operation["x-roles"]) or "public"
    yield f'<article id="{name}"><h3><b class="{method}">{method.upper()}</b> <code>{escape(path)}</code></h3>'
    yield f"<p>{_words(operation['summary'])}.</p>"
    yield "".join(f"<p>{_words(part)}</p>" for part in operation["description"].split("\n\n") if part)
    yield f'<p class="roles">{roles}</p>'
    if operation["parameters"]:
        rows = (
            (f"<code>{each['name']}</code>", each["in"], _type(each["schema"]), _words(each.get("description", "")))
            for each in operation["parameters"]
        )
        yield _table("Parameters", ("name", "in", "type", ""), rows)
    if "requestBody" in operation:
        yield from _body(operation["requestBody"]["content"])
    yield _table(
        "Responses", ("status", "content", "codes"), (_response(*each) for each in operation["responses"].items())
    )
    yield "</article>"


def _body(content: Mapping[str, Any]) -> Iterator[str]:
    for media_type, each in content.items():
        yield f"<p>Body: <code>{escape(media_type)}</code> {_type(each['schema'])}</p>"
        if "example" in each:
            example = msgspec.json.format(msgspec.json.encode(each["example"]), indent=2).decode()
            yield f"<pre>{escape(example)}</pre>"


def _response(status: str, response: Mapping[str, Any]) -> tuple[str, str, str]:
    content = response.get("content", {})
    codes = content.get(MEDIA_TYPE, {}).get("examples", {})
    types = [
        f"<code>{escape(media_type)}</code> {_type(each['schema'])}"
        for media_type, each in content.items()
        if media_type != MEDIA_TYPE
    ]
    links = " ".join(f'<a href="#problem-{code}"><code>{code}</code></a>' for code in codes)
    return f"{status} {HTTPStatus(int(status)).phrase}", "<br>".join(types), links


# -- schemas and problems ---------------------------------------------------------------------------------------


def _schemas(schemas: Mapping[str, Any]) -> Iterator[str]:
    yield '<section id="schemas"><h2>Schemas</h2>'
    for name, schema in sorted(schemas.items()):
        yield f'<article id="schema-{name}"><h3><code>{name}</code></h3><p>{_words(schema.get("description", ""))}</p>'
        if "enum" in schema:
            yield f"<p>{_type(schema)}</p>"
        rows = (
            (f"<code>{field}</code>", _type(each), _words(each.get("description", "")))
            for field, each in schema.get("properties", {}).items()
        )
        if schema.get("properties"):
            yield _table("Fields", ("field", "type", ""), rows)
        yield "</article>"
    yield "</section>"


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    found = {
        code: (status, example["summary"])
        for _, _, operation in _operations(document)
        for status, response in operation["responses"].items()
        for code, example in response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}).items()
    }
    yield '<section id="problems"><h2>Problems</h2>'
    for code, (status, summary) in sorted(found.items()):
        yield f'<article id="problem-{code}"><h3><code>{code}</code> {status}</h3><p>{_words(summary)}</p></article>'
    yield "</section>"


def _table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _type(schema: Mapping[str, Any]) -> str:
    """Return a schema in a few words, with links to named schemas."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " | ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    kind = schema.get("type", "")
    if kind == "array":
        return f"[{_type(schema.get('items', {}))}]"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"{{string: {_type(schema['additionalProperties'])}}}"
    names = " | ".join(kind) if isinstance(kind, list) else kind
    bounds = [f"{name} {schema[name]}" for name in ("minimum", "maximum", "pattern", "default") if name in schema]
    told = f"{names} ({schema['format']})" if "format" in schema else names
    return escape(", ".join([told, *bounds]) if told else "any")


def _words(text: str) -> str:
    """Return a text as HTML; words between backquotes become code."""
    parts = escape(text.replace("``", "`")).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
