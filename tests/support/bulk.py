"""A receiver of log lines that speaks Elasticsearch's `_bulk`, and checks documents by the index template."""

import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.telegram import listening

STREAM = "logs-tombola-default"
TEMPLATE = json.loads((Path(__file__).parents[2] / "deploy/logs/index-template.json").read_text())


def unknown_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a document that the template lacks, or that have another type there."""
    return {name: value for name, value in document.items() if not _fits(_mapping(name), value)}


def _mapping(name: str) -> str:
    """Return the type of a dotted field; empty if the template has no such field."""
    here: Any = TEMPLATE["template"]["mappings"]
    for part in name.split("."):
        here = here.get("properties", {}).get(part, {})
    found: str = here.get("type", "")
    return found


def _fits(type_: str, value: Any) -> bool:
    match type_:
        case "":
            return False
        case "long":
            return isinstance(value, int)
        case "date":
            try:
                return datetime.fromisoformat(value).tzinfo is not None
            except ValueError:
                return False
        case _:
            return isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))


@dataclass
class Bulk:
    """The documents that were taken, by id, and the behaviour of the receiver.

    Attributes:
        url: its address.
        documents: the documents by id.
        status: the status of the next requests; 200 to take them.
        refused: numbers of refused requests by status.
        items: text in a document -> statuses to refuse it with, the next one first.
        repeated: number of documents that came again.
        accounts: accounts of the requests.
    """

    url: str = ""
    documents: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    refused: Counter[int] = field(default_factory=Counter)
    items: dict[str, list[int]] = field(default_factory=dict)
    repeated: int = 0
    accounts: set[str] = field(default_factory=set)

    async def take(self, request: Request) -> Response:
        """Take one request as Elasticsearch does: a line with the action, a line with the document, and so on."""
        body = (await request.body()).decode()
        if self.status != 200:
            self.refused[self.status] += 1
            error = {
                "type": "es_rejected_execution_exception",
                "reason": "rejected execution of coordinating operation",
            }
            return JSONResponse({"error": error, "status": self.status}, self.status)
        self.accounts.add(base64.b64decode(request.headers.get("authorization", "").partition(" ")[2]).decode())
        assert body.endswith("\n")
        lines = body[:-1].split("\n")
        items = [
            self._take(json.loads(action)["create"], text) for action, text in zip(*[iter(lines)] * 2, strict=True)
        ]
        return JSONResponse(
            {"took": 1, "errors": any(each["create"]["status"] > 299 for each in items), "items": items}
        )

    def _take(self, action: Mapping[str, str], text: str) -> dict[str, Any]:
        assert action["_index"] == STREAM
        document = json.loads(text)
        id_, status = action["_id"], 201
        refusals = next((statuses for part, statuses in self.items.items() if statuses and part in text), None)
        if refusals:
            status = refusals.pop(0)
            self.refused[status] += 1
        elif id_ in self.documents:
            status, self.repeated = 409, self.repeated + 1
        else:
            self.documents[id_] = document
        answer: dict[str, Any] = {"_index": STREAM, "_id": id_, "status": status}
        if status > 299:
            answer["error"] = {"type": "refused", "reason": f"status {status}"}
        return {"create": answer}

    async def look(self, _request: Request) -> Response:
        """Answer a look at the health."""
        return Response(b"ok" if self.status == 200 else b"", self.status)


@asynccontextmanager
async def taking() -> AsyncIterator[Bulk]:
    """Run a receiver on a free port."""
    bulk = Bulk()
    app = Starlette(
        routes=[Route("/_bulk", bulk.take, methods=["POST"]), Route("/{path:path}", bulk.look, methods=["GET", "HEAD"])]
    )
    async with listening(app) as bulk.url:
        yield bulk
