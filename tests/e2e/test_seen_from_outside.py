"""Health and metrics during a game, as a probe and a scraper see them."""

import re
from typing import Any

import httpx
from loguru import logger

from tests.e2e.conftest import Table


def figure(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} ([0-9.e+-]+)$", text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])


async def test_health_and_metrics_tell_what_is_going_on(polled: Table) -> None:
    await polled.begin()
    await polled.says("Take a number")
    async with httpx.AsyncClient(timeout=60, base_url=f"http://127.0.0.1:{polled.bot.port}") as client:
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200
        health = (await client.get("/health")).json()
        metrics = (await client.get("/metrics")).text
    assert health["status"] == "ok"
    assert {"redis", "postgres", "telegram", "outbox", "deadlines", "feed"} <= health["checks"].keys()
    assert figure(metrics, 'tombola_commands_total{command="Join",outcome="done"}') == 5
    assert figure(metrics, "tombola_games_in_memory") == 1
    assert figure(metrics, "tombola_sender_leading") == 1
    assert figure(metrics, "tombola_commit_seconds_count") > 5
    assert figure(metrics, "tombola_query_seconds_count") > 0
    for service in ("postgres", "redis", "telegram"):
        assert health["checks"][service]["breaker"] == "closed"
        assert figure(metrics, f'tombola_breaker_open{{service="{service}"}}') == 0
    assert "tombola_feed_lag_seconds" in metrics
    assert "tombola_live_games" in metrics


async def test_a_tap_is_followed_by_its_trace_from_the_update_to_the_message(polled: Table) -> None:
    told: list[dict[str, Any]] = []
    sink = logger.add(lambda message: told.append({"message": message.record["message"], **message.record["extra"]}))
    try:
        await polled.open()
        await polled.tap(polled.host, "^j:")
        await polled.until(lambda: [line for line in told if line["message"].endswith(": edited")] or None)
    finally:
        logger.remove(sink)
    [tap] = [line for line in told if line["message"].startswith("tap j:") and line["message"].endswith("done")]
    [edit, *_] = [line for line in told if line["message"].endswith(": edited")]
    assert len(tap["trace"]) == 8
    for about in ("trace", "chat", "game"):
        assert tap[about] == edit[about]
    assert not [line for line in told if polled.box.token in str(line)]


async def test_a_game_is_shown_once_more_where_the_chat_has_lost_its_message(polled: Table) -> None:
    await polled.open()
    first = await polled.says("Friday")
    await polled.bot.send_anew()
    again = await polled.until(lambda: polled.box.control.find(polled.group, "Friday", after=first.id))
    assert again.content["text"] == (await polled.says("Friday")).content["text"]
    polled.no_complaints()
