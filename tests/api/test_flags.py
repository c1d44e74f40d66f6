"""Feature flags by the API, and writes while they are switched off."""

import httpx

from play.access import Role
from tests.api.conftest import Served


async def test_while_writes_are_off_reads_go_on_and_flags_can_be_set(served: Served) -> None:
    operator, host = await served.token(Role.OPERATOR), await served.token(Role.HOST, served.chat_id)
    async with httpx.AsyncClient(timeout=60, base_url=f"{served.url}/api/v1") as http:

        async def ask(method: str, path: str, key: str, token: str = operator, **body: object) -> httpx.Response:
            headers = {"authorization": f"Bearer {token}", "idempotency-key": key}
            return await http.request(method, path, headers=headers, json=body or None)

        opening = {"chat_id": served.chat_id, "kind": "pick_number"}
        off = await ask("PUT", "/flags/api-writes", "1", percent=0, on_chats=[7], reason="rehearsal")
        assert (off.status_code, off.json()["source"], off.json()["on_chats"]) == (200, "operator", [7])
        kept = await ask("PUT", "/flags/api-writes", "1b", percent=0.5)
        assert (kept.json()["percent"], kept.json()["on_chats"]) == (0.5, [7])
        off = await ask("PUT", "/flags/api-writes", "1c", percent=0, on_chats=[])
        assert off.json()["on_chats"] == []
        refused = await ask("POST", "/games", "2", host, **opening)
        assert (refused.status_code, refused.json()["code"]) == (503, "flag-off")
        assert refused.json()["parameters"] == {"flag": "api-writes"}
        listed = await ask("GET", "/flags", "3")
        assert {flag["name"]: flag["percent"] for flag in listed.json()}["api-writes"] == 0
        assert (await ask("GET", "/flags", "4", host)).status_code == 403
        assert (await ask("PUT", "/flags/other", "5", percent=1)).status_code == 404
        assert (await ask("PUT", "/flags/api-writes", "6", percent=101)).status_code == 422
        assert (await ask("DELETE", "/flags/api-writes", "7")).json()["source"] == "definition"
        # The same request, repeated with its key, is accepted now: a refusal with 503 is not kept for repeats.
        assert (await ask("POST", "/games", "2", host, **opening)).status_code == 201
