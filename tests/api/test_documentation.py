"""docs/api.md and docs/webhooks.md: their commands run in order; client and reference cover the whole table."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any, get_type_hints

import httpx
import msgspec

from api.client import Client
from api.endpoint import Endpoint
from api.problems import status_of
from api.reference_page import CSP
from api.table import ENDPOINTS
from fsm.kind import Rejected, kebab
from fsm.lobby import MAX_TITLE
from play.templates import MAX_NAME
from tests.api.conftest import Served
from tests.api.documented import document

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
SECONDS = 150


async def test_the_commands_of_the_page_run_in_their_order(
    served: Served, postgres_dsn: str, redis_dsn: str, tmp_path: Path
) -> None:
    blocks = [
        block for page in ("api.md", "webhooks.md") for block in BLOCK.findall((ROOT / "docs" / page).read_text())
    ]
    assert len(blocks) > 10
    script = "\n".join(["set -euo pipefail", f'python() {{ "{sys.executable}" "$@"; }}', *blocks])
    environment = {
        **os.environ,
        "URL": served.url,
        "CHAT": str(served.chat_id),
        "PERSON": str(served.table.people[3].id),
        "TMPDIR": str(tmp_path),
        "TOMBOLA_DATABASE__DSN": postgres_dsn,
        "TOMBOLA_REDIS__DSN": redis_dsn,
        "TOMBOLA_DATA_DIR": str(tmp_path),
    }
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(SECONDS):
        told = (await process.communicate())[0].decode()
    assert process.returncode == 0, told
    assert '"host"' in told
    assert "\n304\n" in told
    assert "unknown-game" in told
    assert (tmp_path / "results.csv").read_bytes().startswith(b"\xef\xbb\xbfgame_id,")


def test_the_documents_give_each_problem_the_status_that_it_has() -> None:
    statuses = {kebab(refusal.__name__): status_of(refusal) for refusal in Rejected.__subclasses__()}
    told = [
        (page.name, code, int(status))
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for status, code in re.findall(r"\((\d{3}), `([a-z-]+)`\)", page.read_text())
    ]
    assert len(told) > 3
    assert [(page, code, status) for page, code, status in told if statuses.get(code) != status] == []


def test_schemas_are_complete_and_have_no_section_of_a_docstring() -> None:
    left: list[Any] = [document()]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            assert part.get("type") != "array" or part.keys() & {"items", "prefixItems"}, part
            assert not re.search(r"\b(Attributes|Args|Raises):", str(part.get("description", ""))), part
            left += part.values()
        elif isinstance(part, list):
            left += part


def test_the_document_has_the_bounds_that_the_rules_have_for_texts() -> None:
    schemas = document()["components"]["schemas"]
    bounds = {
        ("OpenBody", "title"): MAX_TITLE,
        ("TemplateBody", "title"): MAX_TITLE,
        ("OpenCall", "title"): MAX_TITLE,
        ("TemplateBody", "name"): MAX_NAME,
    }
    assert {(name, field): schemas[name]["properties"][field].get("maxLength") for name, field in bounds} == bounds


def test_no_bound_of_a_type_hides_the_one_that_is_given_for_its_schema() -> None:
    hidden = []
    for body in {endpoint.body for endpoint in ENDPOINTS if endpoint.body not in (None, bytes)}:
        for name, hint in get_type_hints(body, include_extras=True).items():
            for meta in getattr(hint, "__metadata__", ()):
                given = meta.extra_json_schema or {}
                served = msgspec.json.schema(hint)
                hidden += [(body, name, key) for key, value in given.items() if served[key] != value]
    assert hidden == []


def test_the_client_has_every_endpoint() -> None:
    assert {endpoint.name for endpoint in ENDPOINTS} - set(dir(Client)) == set()


async def test_the_reference_page_names_every_endpoint_and_needs_no_script_and_no_other_host(served: Served) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=f"{served.url}/api/v1") as http:
        page = await http.get("/reference")
        assert page.headers["content-security-policy"] == CSP
        assert (await http.get("/reference.css")).headers["content-type"].startswith("text/css")
    for endpoint in ENDPOINTS:
        assert f'id="{endpoint.name}"' in page.text
        assert _shown(endpoint) in page.text
    assert "<code>/api/graphql</code>" in page.text
    assert "<script" not in page.text
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []
    anchors = re.findall(r'href="#([\w-]+)"', page.text)
    assert {name for name in anchors if f'id="{name}"' not in page.text} == set()


def _shown(endpoint: Endpoint) -> str:
    return f"/api/v1{endpoint.path}"
