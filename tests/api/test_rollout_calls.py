"""Alerts and analyses switch flags off by signed calls: Alertmanager's webhook, the relay, and the API."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from threading import Thread
from typing import Any

import httpx
import pytest

from deploy.rollout import rollout
from play.access import Role
from tests.api.conftest import Served

TOKEN = "of-alertmanager"


def call(*alerts: tuple[str, str]) -> dict[str, Any]:
    """Return the body of Alertmanager's webhook for alerts with these names and states."""
    rows = [
        {"status": status, "labels": {"alertname": name, "severity": "page"}, "annotations": {}, "fingerprint": name}
        for name, status in alerts
    ]
    return {"version": "4", "status": alerts[0][1], "receiver": "rollout", "alerts": rows}


async def source(served: Served) -> tuple[str, str]:
    """Add a source of signed calls. Returns its id and its secret."""
    headers = {"authorization": f"Bearer {await served.token(Role.OPERATOR)}", "idempotency-key": "source"}
    async with httpx.AsyncClient(timeout=60) as http:
        made = await http.post(f"{served.url}/api/v1/webhook-sources", json={"description": "rollout"}, headers=headers)
    assert made.status_code == 201, made.text
    return made.json()["id"], made.json()["secret"]


@contextlib.contextmanager
def serving(relay: rollout.Relay) -> Iterator[str]:
    """Serve the relay for the block. Yields its address."""
    server = relay.server("127.0.0.1", 0)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/alerts"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_an_alert_switches_a_flag_off_once(served: Served) -> None:
    id_, secret = await source(served)
    flags, acted = rollout.FlagCaller(served.url, id_, secret), list[str]()

    def act(reason: str) -> None:
        flags.off("native-polls", reason)
        acted.append(reason)

    relay = rollout.Relay("Tombola.*Burn.*", act, TOKEN)
    headers = {"authorization": f"Bearer {TOKEN}"}
    with serving(relay) as url:
        async with httpx.AsyncClient(timeout=60, headers=headers) as http:
            assert (await http.post(url, json=call(("TombolaOther", "firing")))).status_code == 200
            assert served.table.bot.play.flags.setting("native-polls").percent == 100
            await asyncio.to_thread(flags.set, "native-polls", 5, "first chats", on_chats=[7])
            for _ in range(2):
                assert (await http.post(url, json=call(("TombolaTapsBurnFast", "firing")))).status_code == 200
            assert served.table.bot.play.flags.setting("native-polls").percent == 0
            assert not served.table.bot.play.flags.is_on("native-polls", 7), "chats that were named are off too"
            assert acted == ["TombolaTapsBurnFast"]
            await http.post(url, json=call(("TombolaTapsBurnFast", "resolved")))
            await http.post(url, json=call(("TombolaTapsBurnFast", "firing")))
            assert len(acted) == 2


async def test_strangers_and_garbage_are_refused_and_failures_are_repeated(served: Served) -> None:
    tries = list[str]()

    def act(reason: str) -> None:
        tries.append(reason)
        raise rollout.NoAnswerError(served.url)

    with serving(rollout.Relay(".*", act, TOKEN)) as url:
        async with httpx.AsyncClient(timeout=60) as http:
            firing = call(("Any", "firing"))
            assert (await http.post(url, json=firing)).status_code == 401
            http.headers["authorization"] = f"Bearer {TOKEN}"
            nested = b"[" * 100_000
            for body in (
                b"{",
                b"[]",
                b'{"alerts": [{}]}',
                json.dumps({"alerts": 5}).encode(),
                b'{"alerts": "x"}',
                nested,
            ):
                assert (await http.post(url, content=body)).status_code == 400
            assert (await http.post(url.replace("alerts", "other"), json=firing)).status_code == 404
            assert [(await http.post(url, json=firing)).status_code for _ in range(2)] == [502, 502]
    assert tries == ["Any", "Any"]


async def test_a_call_with_a_wrong_secret_changes_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout, "TRIES", 1)
    id_, _ = await source(served)
    caller = rollout.FlagCaller(served.url, id_, "whsec_" + "A" * 32)
    with pytest.raises(rollout.NoAnswerError, match="401"):
        await asyncio.to_thread(caller.set, "native-polls", 0, "test")
    assert served.table.bot.play.flags.setting("native-polls").percent == 100


@pytest.mark.parametrize("length", [b"", b"-1", b"\xb2", b"9" * 5000, str(rollout.LARGEST + 1).encode()])
async def test_a_body_of_another_length_is_not_read(length: bytes) -> None:
    with serving(rollout.Relay(".*", print, TOKEN)) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2].split("/")[0]))
        writer.write(b"POST /alerts HTTP/1.0\r\nContent-Length: " + length + b"\r\n\r\n")
        async with asyncio.timeout(60):
            assert (await reader.readline()).split()[1] == b"413"
        writer.close()
