"""Write the dashboards of Grafana: `make dashboards`.

Six files of JSON repeat the same forty lines for each panel. Here a panel is a title, a description and expressions.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "dashboards"
WIDTH: Final = 24
PROMETHEUS: Final = {"type": "prometheus", "uid": "prometheus"}
LOGS: Final = {"type": "elasticsearch", "uid": "elasticsearch"}
TRACES: Final = {"type": "jaeger", "uid": "jaeger"}
OBJECTIVES: Final = ("taps", "errors", "live", "deadlines")


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A panel.

    Attributes:
        title: its title.
        text: its description, which Grafana shows at the title.
        asks: (expression, name of its lines) pairs.
        kind: Grafana's name of the type of panel.
        unit: Grafana's name of the unit.
        width: of 24 columns.
        height: in rows of the grid.
        bounds: (value, colour from there) pairs.
        exemplars: True to show the traces behind the values.
        source: the data source.
        targets: queries of another source than Prometheus.
    """

    title: str
    text: str
    asks: Sequence[tuple[str, str]] = ()
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    bounds: Sequence[tuple[float, str]] = ()
    exemplars: bool = False
    source: dict[str, str] | None = None
    targets: Sequence[dict[str, Any]] = ()

    def made(self, number: int, column: int, row: int) -> dict[str, Any]:
        """Return the panel as Grafana stores it."""
        source = self.source or PROMETHEUS
        steps: list[dict[str, Any]] = [
            {"color": "green" if not self.bounds or self.bounds[0][1] != "green" else "red", "value": None}
        ]
        steps += [{"color": colour, "value": value} for value, colour in self.bounds]
        defaults: dict[str, Any] = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}}
        if self.kind == "timeseries":
            defaults["custom"] = {
                "fillOpacity": 8,
                "showPoints": "never",
                "thresholdsStyle": {"mode": "line" if self.bounds else "off"},
            }
        targets = [
            {
                "refId": chr(ord("A") + index),
                "datasource": source,
                "expr": expression,
                "legendFormat": name,
                **({"exemplar": True} if self.exemplars else {}),
            }
            for index, (expression, name) in enumerate(self.asks)
        ]
        return {
            "id": number,
            "title": self.title,
            "type": self.kind,
            "description": self.text,
            "datasource": source,
            "gridPos": {"h": self.height, "w": self.width, "x": column, "y": row},
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if self.kind in {"stat", "gauge"} else {},
            "targets": [*targets, *({"refId": "A", "datasource": source, **each} for each in self.targets)],
        }


def quantiles(metric: str, *shares: float, by: str = "", where: str = "") -> list[tuple[str, str]]:
    """Return the expressions of quantiles of a histogram."""
    labels = f"le, {by}" if by else "le"
    return [
        (
            f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{where}[$__rate_interval])))",
            f"p{round(share * 1000) / 10:g}" + (f" {{{{{by}}}}}" if by else ""),
        )
        for share in shares
    ]


def rate(metric: str, *labels: str, where: str = "") -> tuple[str, str]:
    """Return the expression of a counter's rate by labels."""
    by = f" by ({', '.join(labels)})" if labels else ""
    legend = " ".join(f"{{{{{label}}}}}" for label in labels) or "all"
    return f"sum{by} (rate({metric}{where}[$__rate_interval]))", legend


def shared(metric: str, *labels: str, where: str = "") -> tuple[str, str]:
    """Return the expression of a figure that every worker reads from the stores."""
    by = f" by ({', '.join(labels)})" if labels else ""
    return f"max{by} ({metric}{where})", " ".join(f"{{{{{label}}}}}" for label in labels) or "all"


BUDGET_BOUNDS: Final = ((0, "orange"), (0.25, "green"))
BURN_BOUNDS: Final = ((1, "orange"), (6, "red"))
MEANINGS: Final = {
    "taps": "99.9 % of taps are answered within 200 ms",
    "errors": "99.9 % of updates and API requests do not fail",
    "live": "99 % of live updates reach their client within 100 ms of the commit",
    "deadlines": "99 % of deadlines are committed within a second",
}

OVERVIEW: Final = (
    *(
        Panel(
            title=f"Error budget left: {name}",
            text=f"Objective: {MEANINGS[name]}. 100 % is an unused budget of the last 30 days; below 0 it is missed.",
            kind="gauge",
            unit="percentunit",
            width=6,
            height=6,
            bounds=BUDGET_BOUNDS,
            asks=[(f'tombola:objective_budget_left:ratio30d{{objective="{name}"}}', name)],
        )
        for name in OBJECTIVES
    ),
    Panel(
        title="Use of the budgets in the last hour",
        text="1 uses a budget in exactly 30 days. At 14.4 for an hour, or 6 for six hours, an alert pages.",
        bounds=BURN_BOUNDS,
        asks=[("tombola:objective_burn:rate1h", "{{objective}}")],
    ),
    Panel(
        title="Use of the budgets in the last day",
        text="At 3 for a day, or 1 for three days, an alert makes a ticket.",
        bounds=((1, "orange"), (3, "red")),
        asks=[("tombola:objective_burn:rate1d", "{{objective}}")],
    ),
    Panel(
        title="Uptime, 30 days",
        text="Share of the time in which at least one process answered. Objective: 99.9 %.",
        kind="stat",
        unit="percentunit",
        width=6,
        height=5,
        bounds=((0.999, "green"),),
        asks=[("tombola:up:ratio30d", "uptime")],
    ),
    Panel(
        title="Processes by role",
        text="0: no process has the role, and an alert pages.",
        kind="stat",
        width=6,
        height=5,
        asks=[("max by (role) (sum by (role, instance) (tombola_processes))", "{{role}}")],
    ),
    Panel(
        title="Live games",
        text="Games that are being played, by kind.",
        kind="stat",
        width=6,
        height=5,
        asks=[shared("tombola_live_games", "kind")],
    ),
    Panel(
        title="Players",
        text="People in live games, by kind of game.",
        kind="stat",
        width=6,
        height=5,
        asks=[shared("tombola_live_players", "kind")],
    ),
    Panel(
        title="From a tap to its answer",
        text="The line is the objective of 200 ms. Points are traced taps: click one to see its trace in Jaeger.",
        unit="s",
        bounds=((0.2, "red"),),
        exemplars=True,
        asks=quantiles("tombola_tap_seconds", 0.5, 0.95, 0.999),
    ),
    Panel(
        title="Unexpected errors",
        text="By the place where they surfaced. Each has a line with a trace in the logs.",
        asks=[("sum by (where) (increase(tombola_errors_total[$__rate_interval])) or vector(0)", "{{where}}")],
    ),
    Panel(
        title="Event loop, p99 late",
        text="Above 250 ms a process is overloaded.",
        unit="s",
        bounds=((0.25, "red"),),
        asks=quantiles("tombola_loop_lag_seconds", 0.99, by="instance"),
    ),
    Panel(
        title="Memory",
        text="Resident memory of each process. It must not grow from day to day.",
        unit="bytes",
        asks=[('process_resident_memory_bytes{job=~"tombola.*"}', "{{instance}}")],
    ),
    Panel(
        title="Open files",
        text="Connections and files of each process.",
        asks=[('process_open_fds{job=~"tombola.*"}', "{{instance}}")],
    ),
    Panel(
        title="Tasks",
        text="Background tasks of each process; the number varies with the load, and must not grow.",
        asks=[("tombola_tasks", "{{instance}}")],
    ),
)

GAMES: Final = (
    Panel(title="Live games", text="By kind.", asks=[shared("tombola_live_games", "kind")]),
    Panel(title="Players in them", text="By kind.", asks=[shared("tombola_live_players", "kind")]),
    Panel(
        title="Commands by outcome",
        text="done: the game moved; duplicate: arrived twice; unavailable: Redis was away; others: refusals.",
        unit="reqps",
        asks=[rate("tombola_commands_total", "command", "outcome")],
    ),
    Panel(
        title="Updates by path and outcome",
        text="fast: taps; slow: messages and commands.",
        unit="reqps",
        asks=[rate("tombola_updates_total", "path", "outcome")],
    ),
    Panel(
        title="Lateness of deadlines",
        text="From a deadline to the commit after it. The line is the objective of 1 s.",
        unit="s",
        bounds=((1, "red"),),
        asks=quantiles("tombola_deadline_lateness_seconds", 0.5, 0.99),
    ),
    Panel(
        title="Deadlines fired",
        text="moved: the game went on; nothing: another command was first; gone: an ended game.",
        unit="reqps",
        asks=[rate("tombola_deadlines_fired_total", "outcome")],
    ),
    Panel(
        title="The most overdue deadline",
        text="Above ten seconds nobody fires deadlines, and an alert pages.",
        unit="s",
        bounds=((10, "red"),),
        asks=[shared("tombola_deadline_overdue_seconds")],
    ),
    Panel(
        title="Scheduled deadlines",
        text="In the process that leads; 0 in the others.",
        asks=[("tombola_deadline_jobs", "{{instance}}")],
    ),
    Panel(
        title="Games in memory",
        text="Games that each process keeps, ended ones included for a while.",
        asks=[("tombola_games_in_memory", "{{instance}}")],
    ),
    Panel(
        title="Stuck games",
        text="Games whose rules raise an error at their deadline. They are set aside; others go on.",
        bounds=((1, "red"),),
        asks=[("sum(max by (game) (tombola_game_stuck)) or vector(0)", "games")],
    ),
)

TELEGRAM: Final = (
    Panel(
        title="Calls to Telegram by outcome",
        text="Telegram allows a bot 30 a second.",
        unit="reqps",
        bounds=((30, "red"),),
        asks=[rate("tombola_sends_total", "outcome", "priority")],
    ),
    Panel(
        title="Wait until sent, p95",
        text="Results are urgent: above five seconds an alert pages. Edits may wait for a minute under load.",
        unit="s",
        bounds=((5, "red"),),
        asks=quantiles("tombola_send_wait_seconds", 0.95, by="priority"),
    ),
    Panel(
        title="Refusals of Telegram",
        text="TooManyRequests passes by itself; BadCall is a bug.",
        unit="reqps",
        asks=[("sum by (error) (rate(tombola_send_errors_total[$__rate_interval])) or vector(0)", "{{error}}")],
    ),
    Panel(
        title="Outbox: the longest wait",
        text="By priority, read from Redis.",
        unit="s",
        asks=[shared("tombola_outbox_oldest_seconds", "priority")],
    ),
    Panel(
        title="Outbox: chats with waiting messages",
        text="By priority.",
        asks=[shared("tombola_outbox_chats", "priority")],
    ),
    Panel(
        title="Dropped messages",
        text="More than 64 messages waited for one chat.",
        asks=[shared("tombola_outbox_dropped")],
    ),
    Panel(
        title="The sender",
        text="Processes that send: exactly one, except for moments. And its calls in flight.",
        asks=[("sum(tombola_sender_leading)", "senders"), ("sum(tombola_send_in_flight)", "calls in flight")],
    ),
    Panel(
        title="Circuit breakers",
        text="1: open, the calls wait. Telegram, the stores, the beacon, the model.",
        bounds=((1, "red"),),
        asks=[("max by (service) (tombola_breaker_open)", "{{service}}")],
    ),
    Panel(
        title="Calls made again",
        text="Calls that were in flight when a sender died, and answers too old to repeat.",
        unit="reqps",
        asks=[
            ("sum(rate(tombola_sends_repeated_total[$__rate_interval]))", "repeated"),
            ("sum(rate(tombola_answers_left_total[$__rate_interval]))", "left"),
        ],
    ),
)

STORES: Final = (
    Panel(
        title="Commits to Redis",
        text="A flight: all games that were committed together, including the fsync.",
        unit="s",
        asks=quantiles("tombola_commit_seconds", 0.5, 0.95, 0.99),
    ),
    Panel(
        title="Queries to PostgreSQL",
        text="The line is the aim for p95, 50 ms.",
        unit="s",
        bounds=((0.05, "red"),),
        asks=quantiles("tombola_query_seconds", 0.5, 0.95, 0.99),
    ),
    Panel(
        title="Feed: age of the oldest unread event",
        text="By consumer. Above a minute an alert pages; nothing is lost.",
        unit="s",
        bounds=((60, "red"),),
        asks=[shared("tombola_feed_lag_seconds", "group")],
    ),
    Panel(title="Feed: unread events", text="By consumer.", asks=[shared("tombola_feed_entries", "group")]),
    Panel(
        title="Feed: events set aside",
        text="Events that a consumer cannot handle, which is a bug. Their games go on.",
        bounds=((1, "red"),),
        asks=[shared("tombola_feed_aside", "group")],
    ),
    Panel(
        title="Cached queries",
        text="Figures and leaderboards by outcome: hit, miss, shared, off.",
        unit="reqps",
        asks=[rate("tombola_query_cache_total", "outcome")],
    ),
    Panel(
        title="Clocks",
        text="Lead over Redis's clock. Above a second, check NTP.",
        unit="s",
        asks=[
            ("max by (instance, clock) (tombola_clock_off_seconds)", "{{instance}} {{clock}}"),
            ("max(tombola_clock_shift_seconds)", "games"),
        ],
    ),
    Panel(
        title="Losses of PostgreSQL",
        text="Times that it had lost transactions, and games that no store has any more.",
        bounds=((1, "red"),),
        asks=[("sum(tombola_postgres_rewound_total)", "rewound"), ("max(tombola_games_lost)", "games lost")],
    ),
    Panel(
        title="Jobs by kind and status",
        text="dead: failed for good, somebody has to look.",
        asks=[("sum by (kind, status) (tombola_jobs) or vector(0)", "{{kind}} {{status}}")],
    ),
    Panel(
        title="Jobs: the most overdue",
        text="Above five minutes an alert makes a ticket.",
        unit="s",
        bounds=((300, "red"),),
        asks=[("max by (kind) (tombola_job_overdue_seconds) or vector(0)", "{{kind}}")],
    ),
    Panel(
        title="Jobs by outcome",
        text="Attempts, by kind of job.",
        unit="reqps",
        asks=[
            (
                "sum by (kind, outcome) (rate(tombola_job_runs_total[$__rate_interval])) or vector(0)",
                "{{kind}} {{outcome}}",
            )
        ],
    ),
)

API: Final = (
    Panel(
        title="Requests by status",
        text="4xx are mistakes of clients, 5xx use the error budget.",
        unit="reqps",
        asks=[rate("tombola_api_requests_total", "status")],
    ),
    Panel(
        title="Time to the response",
        text="The line is the aim for p95, 200 ms.",
        unit="s",
        bounds=((0.2, "red"),),
        asks=quantiles("tombola_api_seconds", 0.5, 0.95, 0.99),
    ),
    Panel(
        title="Requests by endpoint",
        text="The busiest ten.",
        unit="reqps",
        asks=[("topk(10, sum by (endpoint) (rate(tombola_api_requests_total[$__rate_interval])))", "{{endpoint}}")],
    ),
    Panel(
        title="Failures",
        text="Requests answered with 5xx.",
        unit="reqps",
        asks=[rate("tombola_api_failures_total")],
    ),
    Panel(
        title="Live updates: from a commit to the client",
        text="The line is the objective of 100 ms.",
        unit="s",
        bounds=((0.1, "red"),),
        asks=quantiles("tombola_live_lag_seconds", 0.5, 0.95, 0.99),
    ),
    Panel(
        title="Live updates: clients",
        text="By transport, and the games that they watch.",
        asks=[
            ("sum by (transport) (tombola_live_connections)", "{{transport}}"),
            ("sum(tombola_live_followed_games)", "games"),
        ],
    ),
    Panel(
        title="Live updates: messages",
        text="Batches passed on, and clients that were too slow and got a snapshot.",
        unit="reqps",
        asks=[rate("tombola_live_messages_total"), ("sum(rate(tombola_live_slow_total[$__rate_interval]))", "slow")],
    ),
    Panel(
        title="Live updates: ended by the server",
        text="By reason.",
        unit="reqps",
        asks=[("sum by (reason) (rate(tombola_live_closed_total[$__rate_interval])) or vector(0)", "{{reason}}")],
    ),
    Panel(
        title="Live updates: resumed",
        text="complete: nothing was missed; expired: the client got a snapshot.",
        unit="reqps",
        asks=[("sum by (outcome) (rate(tombola_live_resumed_total[$__rate_interval])) or vector(0)", "{{outcome}}")],
    ),
    Panel(
        title="Webhooks: calls by outcome",
        text="gone: the receiver answered 410, and its endpoint is off.",
        unit="reqps",
        asks=[rate("tombola_webhook_attempts_total", "outcome")],
    ),
    Panel(
        title="Webhooks: waiting and failed deliveries",
        text="Above ten thousand an alert makes a ticket.",
        bounds=((10_000, "red"),),
        asks=[("max by (status) (tombola_webhook_deliveries) or vector(0)", "{{status}}")],
    ),
    Panel(
        title="Bridge: events published and failed attempts",
        text="Of the process that has the lease. Zero without a bridge.",
        unit="reqps",
        asks=[rate("tombola_bridge_published_total"), rate("tombola_bridge_failures_total")],
    ),
    Panel(
        title="Bridge: age of the oldest unpublished event",
        text="Above five minutes an alert makes a ticket.",
        unit="s",
        bounds=((300, "red"),),
        asks=[("max(tombola_bridge_lag_seconds) or vector(0)", "lag")],
    ),
)

LOGS_AND_TRACES: Final = (
    Panel(
        title="Taps, with their traces",
        text="Points are traced taps: click one to see its trace in Jaeger.",
        unit="s",
        bounds=((0.2, "red"),),
        exemplars=True,
        asks=quantiles("tombola_tap_seconds", 0.95, 0.99),
        width=24,
    ),
    Panel(
        title="Lines by level",
        text="All processes; from Elasticsearch.",
        kind="timeseries",
        source=LOGS,
        targets=[
            {
                "query": "*",
                "timeField": "@timestamp",
                "metrics": [{"id": "1", "type": "count"}],
                "bucketAggs": [
                    {
                        "id": "3",
                        "type": "terms",
                        "field": "log.level",
                        "settings": {"size": "5", "order": "desc", "orderBy": "_count"},
                    },
                    {"id": "2", "type": "date_histogram", "field": "@timestamp", "settings": {"interval": "auto"}},
                ],
            }
        ],
    ),
    Panel(
        title="Unexpected errors",
        text="Each has a line below, with the id of its trace.",
        asks=[("sum by (where) (increase(tombola_errors_total[$__rate_interval])) or vector(0)", "{{where}}")],
    ),
    Panel(
        title="Warnings and errors",
        text="Open a line: the value of trace.id leads to its trace in Jaeger.",
        kind="logs",
        source=LOGS,
        width=24,
        height=10,
        targets=[
            {
                "query": "log.level:(WARNING OR ERROR OR CRITICAL)",
                "timeField": "@timestamp",
                "metrics": [{"id": "1", "type": "logs", "settings": {"limit": "200"}}],
                "bucketAggs": [],
            }
        ],
    ),
    Panel(
        title="Recent traces of failed updates",
        text="From Jaeger: traces whose update ended with an error.",
        kind="table",
        source=TRACES,
        width=24,
        height=10,
        targets=[
            {"queryType": "search", "service": "tombola", "operation": "update", "tags": "error=true", "limit": 20}
        ],
    ),
)

DASHBOARDS: Final = {
    "overview": ("Tombola: overview", OVERVIEW),
    "games": ("Tombola: games", GAMES),
    "telegram": ("Tombola: Telegram", TELEGRAM),
    "stores": ("Tombola: stores and jobs", STORES),
    "api": ("Tombola: API, live updates, webhooks", API),
    "logs-and-traces": ("Tombola: logs and traces", LOGS_AND_TRACES),
}


def placed(panels: Sequence[Panel]) -> Iterator[dict[str, Any]]:
    """Yield panels from left to right, and row by row."""
    column, row, height = 0, 0, 0
    for number, panel in enumerate(panels, 1):
        if column + panel.width > WIDTH:
            column, row, height = 0, row + height, 0
        yield panel.made(number, column, row)
        column, height = column + panel.width, max(height, panel.height)


def dashboard(name: str) -> dict[str, Any]:
    """Return a dashboard as Grafana stores it."""
    title, panels = DASHBOARDS[name]
    links = [{"type": "dashboards", "title": "Tombola", "tags": ["tombola"], "asDropdown": False, "keepTime": True}]
    return {
        "uid": f"tombola-{name}",
        "title": title,
        "tags": ["tombola"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "links": links,
        "annotations": {"list": []},
        "templating": {"list": []},
        "panels": list(placed(panels)),
    }


def text(name: str) -> str:
    """Return the contents of a dashboard's file."""
    return json.dumps(dashboard(name), indent=1) + "\n"


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    for name in DASHBOARDS:
        (FOLDER / f"{name}.json").write_text(text(name))


if __name__ == "__main__":
    main()
