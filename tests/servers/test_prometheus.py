"""Alerts, recording rules and dashboards in a real Prometheus, which scrapes a running bot; alerts up to a webhook."""

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.client import Client
from api.games import JoinBody, OpenBody
from bot.process import running
from bot.runtime import ALL_ROLES
from bot.settings import Web
from play.access import Role
from storage.keys import aside_key
from storage.processes import Process
from tests.api.live_clients import socket
from tests.e2e.conftest import Table, seated
from tests.servers.servers import free_port, process
from tests.support.telegram import listening

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = ("alerts", "objectives")
PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
AMTOOL = shutil.which("amtool")
PATIENCE = 240
ON_TROUBLE = {"tombola_game_stuck", "tombola_errors_total", "tombola_send_errors_total"}
"""Metrics without a value before there is trouble."""
needs_prometheus = pytest.mark.skipif(
    not (PROMTOOL and PROMETHEUS), reason="no prometheus and promtool (Debian: prometheus)"
)


@pytest.mark.skipif(not PROMTOOL, reason="no promtool (Debian: prometheus)")
@pytest.mark.parametrize("name", RULES)
def test_alerts_fire_beyond_their_thresholds_and_only_there(name: str) -> None:
    for command in (["check", "rules", f"{name}.yaml"], ["test", "rules", f"{name}.test.yaml"]):
        run = subprocess.run(
            [str(PROMTOOL), *command], cwd=DEPLOY / "prometheus", capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr


# -- a real Prometheus ------------------------------------------------------------------------------------------


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        yield Path(directory)


def rendered(name: str) -> str:
    """Return a file of rules with windows of seconds, so that what takes hours is seen at once."""
    text = (DEPLOY / "prometheus" / f"{name}.yaml").read_text()
    text = re.sub(r"\[5m\]", "[10s]", text)
    text = re.sub(r"\[\d+[hd]:\d+m\]", "[20s:1s]", text)
    text = re.sub(r"\[\d+[mhd]\]", "[20s]", text)
    return re.sub(r"(for|interval|offset)(:?) \d+[smh]", r"\1\2 2s", text)


@pytest.mark.skipif(not AMTOOL, reason="no amtool (Debian: prometheus-alertmanager)")
def test_alertmanager_takes_its_file_with_and_without_the_lines_of_a_rollout(tmp_path: Path) -> None:
    text = (DEPLOY / "prometheus" / "alertmanager.yaml").read_text()
    for name, given, receivers in (
        ("usual", text, {"tickets", "pages"}),
        ("rollout", re.sub("(?m)^#~", "  ", text), {"tickets", "pages", "rollout"}),
    ):
        file = tmp_path / f"{name}.yaml"
        file.write_text(given)
        checked = subprocess.run([str(AMTOOL), "check-config", str(file)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        config = yaml.safe_load(given)
        assert {each["name"] for each in config["receivers"]} == receivers
        assert {each["receiver"] for each in config["route"]["routes"]} == receivers - {"tickets"}
        tested = subprocess.run(
            [
                *(str(AMTOOL), "config", "routes", "test", f"--config.file={file}"),
                *("alertname=TombolaTapsBurnFast", "severity=page"),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert {*tested.stdout.strip().split(",")} == receivers - {"tickets"}


@asynccontextmanager
async def scraping(folder: Path, targets: list[str], alertmanager: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """Run a Prometheus with all rules. Yields a client of its API. The file `targets.json` holds its targets."""
    for name in RULES:
        (folder / f"{name}.yaml").write_text(rendered(name))
    (folder / "targets.json").write_text(json.dumps([{"targets": targets}]))
    config: dict[str, Any] = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [f"{name}.yaml" for name in RULES],
        "scrape_configs": [
            {"job_name": "tombola", "file_sd_configs": [{"files": ["targets.json"], "refresh_interval": "1s"}]}
        ],
    }
    if alertmanager:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [
        str(PROMETHEUS),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
        "--rules.alert.resend-delay=2s",
    ]
    async with process(*command, log=folder / "prometheus.log"), client(port) as http:
        await ready(http)
        yield http


@asynccontextmanager
async def client(port: int) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        yield http


async def ready(http: httpx.AsyncClient) -> None:
    """Wait until a server of Prometheus' family is ready."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                if (await http.get("/-/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def ask(http: httpx.AsyncClient, expression: str) -> list[dict[str, Any]]:
    """Evaluate an expression."""
    answer = (await http.post("/api/v1/query", data={"query": expression})).json()
    assert answer["status"] == "success", (expression, answer)
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


async def have_data(http: httpx.AsyncClient, expressions: set[str]) -> None:
    """Wait until each expression returns a value."""
    missing = expressions
    try:
        async with asyncio.timeout(PATIENCE):
            while missing := {each for each in missing if not await ask(http, each)}:  # noqa: ASYNC110
                await asyncio.sleep(1)  # Prometheus tells nobody of new samples
    except TimeoutError:
        raise AssertionError(f"no data: {sorted(missing)}") from None


def drawn() -> set[str]:
    """Return the expressions of all dashboards."""
    return {
        target["expr"].replace("$__rate_interval", "20s")
        for path in (DEPLOY / "grafana" / "dashboards").glob("*.json")
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
        if panel["datasource"]["type"] == "prometheus"
    }


def asked() -> set[str]:
    """Return the selectors of all rules, without the values that they compare with."""
    groups = [group for name in RULES for group in yaml.safe_load(rendered(name))["groups"]]
    selector = re.compile(r"(?<![\w:])((?:tombola|up|process)[\w:]*(?:\{[^}]*\})?)(?:\[[^\]]*\])?")
    found = {each for group in groups for rule in group["rules"] for each in selector.findall(rule["expr"])}
    return {each for each in found if re.split(r"[{]", each)[0] not in ON_TROUBLE}


@needs_prometheus
async def test_every_expression_of_rules_and_dashboards_has_data_of_a_running_bot(
    postgres_dsn: str, redis_dsn: str, folder: Path
) -> None:
    async with (
        seated(postgres_dsn, redis_dsn, "polling") as table,
        # A second process with the clock of the machine: the test's own clock has no figures.
        running(table.settings.model_copy(update={"web": Web(port=0)}), frozenset({"web"})) as web,
        scraping(folder, [f"127.0.0.1:{port}" for port in (table.bot.port, web.port)]) as prometheus,
    ):
        await have_data(prometheus, {"tombola_processes"})  # all has been imported
        url = f"http://127.0.0.1:{web.port}"
        token, _ = await table.bot.play.tokens.issue(Role.HOST, frozenset({table.group.id}))
        async with Client(url, token) as host, socket(url, token) as watcher:
            await watcher.subscribe(chats=[table.group.id])
            await host.list_games(chat=table.group.id)
            play = asyncio.create_task(played_until_cancelled(table, host))
            try:
                await have_data(prometheus, {*drawn(), *asked()} - quiet(asked()))
            finally:
                play.cancel()
                await asyncio.gather(play, return_exceptions=True)
        rules = (await prometheus.get("/api/v1/rules")).json()["data"]["groups"]
        assert {
            (rule["name"], rule["health"], rule.get("lastError", "")) for group in rules for rule in group["rules"]
        } == {
            (rule.get("alert") or rule["record"], "ok", "")
            for name in RULES
            for group in yaml.safe_load(rendered(name))["groups"]
            for rule in group["rules"]
        }


def quiet(selectors: set[str]) -> set[str]:
    """Return the selectors that name an outcome or a status of trouble; their metrics have data with other labels."""
    trouble = (
        'outcome="unavailable"',
        'status="dead"',
        'status=~"5..',
        'verdict="wrong"',
        'status="pending"',
        "tombola_job",
    )
    return {each for each in selectors if any(part in each for part in trouble)}


async def played_until_cancelled(table: Table, host: Client) -> None:
    """Play one game after the other, and ask for the leaderboard: rates need events in every window."""
    while True:
        await table.finish(await table.begin())
        await host.get_leaderboard_of_chat(table.group.id)


# -- the rehearsal: from the bot to the people who are called ---------------------------------------------------


@asynccontextmanager
async def called(folder: Path) -> AsyncIterator[tuple[str, set[str]]]:
    """Run an Alertmanager that calls a webhook. Yields its address and the names of the alerts that arrived."""
    arrived: set[str] = set()

    async def take(request: Request) -> Response:
        arrived.update(alert["labels"]["alertname"] for alert in (await request.json())["alerts"])
        return Response()

    port = free_port()
    async with listening(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        config = yaml.safe_load((DEPLOY / "prometheus" / "alertmanager.yaml").read_text())
        config["route"] |= {"group_wait": "0s", "group_interval": "1s"}
        del config["inhibit_rules"]  # the slow alerts are to arrive too
        for receiver in config["receivers"]:
            receiver["webhook_configs"] = [{"url": url}]
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
        command = [
            str(ALERTMANAGER),
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alertmanager",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]
        async with process(*command, log=folder / "alertmanager.log"), client(port) as http:
            await ready(http)
            yield f"127.0.0.1:{port}", arrived


async def arrive(arrived: set[str], *names: str) -> None:
    """Wait until alerts have arrived at the webhook."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not arrived >= set(names):  # noqa: ASYNC110 -- other tasks add to it
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"not arrived: {set(names) - arrived}") from None


REHEARSED = {
    "TombolaDown",
    "TombolaAllTargetsVanished",
    "TombolaRoleMissing",
    "TombolaVersionsDiffer",
    "TombolaNobodySends",
    "TombolaNobodyFires",
    "TombolaSetAside",
    "TombolaJobsDead",
    "TombolaJobsLate",
    "TombolaTelegramUnreachable",
    "TombolaTapsBurnFast",
    "TombolaTapsBurnSlow",
    "TombolaLiveBurnFast",
    "TombolaLiveBurnSlow",
}
"""The alerts that a test can provoke. Unit tests alone show the others: `deploy/prometheus/*.test.yaml`."""


@needs_prometheus
@pytest.mark.skipif(not ALERTMANAGER, reason="no alertmanager (Debian: prometheus-alertmanager)")
async def test_alerts_of_a_bot_in_trouble_arrive_at_a_webhook(postgres_dsn: str, redis_dsn: str, folder: Path) -> None:
    async with (
        called(folder) as (alertmanager, arrived),
        seated(postgres_dsn, redis_dsn, "polling", roles=ALL_ROLES - {"scheduler"}) as table,
        scraping(folder, [f"127.0.0.1:{table.bot.port}"], alertmanager) as prometheus,
    ):
        await have_data(prometheus, {"tombola_processes", "tombola:objective_events:rate5m"})
        await arrive(arrived, "TombolaRoleMissing")
        await nobody_fires(table)
        await arrive(arrived, "TombolaNobodyFires")
        await table.bot.deadlines.fire_due()  # the game is over
        await late_live_updates(table)
        await arrive(arrived, "TombolaLiveBurnFast", "TombolaLiveBurnSlow")
        await slow_taps(table)
        await arrive(arrived, "TombolaTapsBurnFast", "TombolaTapsBurnSlow")
        await refused_calls(table)
        await arrive(arrived, "TombolaTelegramUnreachable")
        await broken_stores(table)
        other = Process(name="x", roles=("web",), version="0.0.1", port=1, started_at=0)
        announced = asyncio.create_task(table.bot.stores.processes.keep(lambda: other))
        await arrive(arrived, "TombolaVersionsDiffer", "TombolaSetAside", "TombolaJobsDead", "TombolaJobsLate")
        announced.cancel()
        (folder / "targets.json").write_text(json.dumps([{"targets": [f"127.0.0.1:{free_port()}"]}]))
        await arrive(arrived, "TombolaDown", "TombolaNobodySends")
        (folder / "targets.json").write_text("[]")
        await arrive(arrived, "TombolaAllTargetsVanished")
        assert arrived >= REHEARSED


async def nobody_fires(table: Table) -> None:
    """Let the time for joining pass while no process has the role that ends it."""
    await table.open()
    table.clock.turn(3600)


async def late_live_updates(table: Table) -> None:
    """Follow a game by a process whose clock is an hour ahead of the commits."""
    url = f"http://127.0.0.1:{table.bot.port}"
    token, _ = await table.bot.play.tokens.issue(Role.HOST, frozenset({table.group.id}))
    async with Client(url, token) as host, socket(url, token) as watcher:
        await watcher.subscribe(chats=[table.group.id])
        for _ in range(8):
            game_id = (await host.open_game(OpenBody(chat_id=table.group.id, kind="pick_number", rules={}))).id
            person = table.people[1]
            joined = await host.join_game(game_id, JoinBody(person.id, person.first_name))
            await watcher.until(game_id, joined.version)
            await host.cancel_game(game_id)


async def slow_taps(table: Table) -> None:
    """Tap while Redis pauses."""
    await table.open()
    for _ in range(12):
        await table.bot.redis.client_pause(400)
        await table.tap(table.host, "^j:")


async def refused_calls(table: Table) -> None:
    """Let Telegram answer with errors until the circuit breaker opens."""
    table.box.control.fail("500", 60)
    table.box.control.say(table.host, table.group, table.script.line)


async def broken_stores(table: Table) -> None:
    """Put an event aside, and jobs that failed or wait."""
    shard = table.bot.games.shards[0]
    await table.bot.redis.xadd(aside_key(shard, "boards"), {"error": "x"})
    await table.bot.pool.execute(
        "INSERT INTO jobs (kind, key, status, due_at) VALUES ('broadcast', 'dead', 'dead', now()),"
        " ('nobody-does-this', 'late', 'queued', now() - interval '1 hour')"
    )
