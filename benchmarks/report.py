"""Results: rows, tables, a plot."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

DOC = Path(__file__).parent.parent / "docs" / "performance.md"
PLOT = DOC.with_suffix(".svg")
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


class Row(msgspec.Struct):
    """One figure: median, lowest and highest of a number of runs."""

    name: str
    unit: str
    median: float
    low: float
    high: float
    runs: int


def row(name: str, unit: str, values: Sequence[float]) -> Row:
    """Return the row of some measurements."""
    return Row(name, unit, _short(statistics.median(values)), _short(min(values)), _short(max(values)), len(values))


def _short(value: float) -> float:
    """Round to four significant digits; a benchmark is no more precise."""
    return float(f"{value:.4g}")


def shown(value: float) -> str:
    """Format a number for people: grouped thousands, no needless decimals."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.4g}"


def table(rows: Sequence[Row], words: Mapping[str, str]) -> str:
    """Render rows as a Markdown table."""
    lines = ["| row | meaning | median | low | high | runs |", "|---|---|--:|--:|--:|--:|"]
    lines += [
        f"| `{r.name}` | {words.get(r.name, '')} | {shown(r.median)} {r.unit} | {shown(r.low)} | {shown(r.high)} "
        f"| {r.runs} |"
        for r in rows
    ]
    return "\n".join(lines)


def verdicts(rows: Sequence[Row]) -> list[tuple[str, str, str, bool]]:
    """Return the targets that these rows concern, as tuples of subject, target, measurement, success."""
    found = {r.name: r.median for r in rows}
    checks: list[tuple[str, str, str, bool]] = []

    def ratio(what: str, above: str, below: str, least: float) -> None:
        if above in found and below in found and found[below]:
            times = found[above] / found[below]
            checks.append((what, f"at least {least:g} x", f"{times:.2f} x", times >= least))

    def most(what: str, name: str, limit: float, unit: str) -> None:
        if name in found:
            checks.append((what, f"under {limit:g} {unit}", f"{shown(found[name])} {unit}", found[name] < limit))

    ratio("taps against grammY + Fastify + ioredis", "taps.tombola", "taps.grammy", 3)
    ratio("processor time of grammY + Fastify + ioredis for a tap, against ours", "cpu.grammy", "cpu.tombola", 2.5)
    ratio("taps against node-telegram-bot-api + Express", "taps.tombola", "taps.ntba", 20)
    ratio("taps against an echo of the same HTTP server", "taps.tombola", "echo.http", 0.5)
    ratio("two workers against one", "taps.tombola.2workers", "taps.tombola", 1.8)
    ratio("ordinary commands against lean aiogram's taps", "commands.tombola", "taps.aiogram_lean", 1)
    most("processor time of a tap in the whole pipeline", "pipeline.whole_us", 210, "us")
    most("processor time of a tap in the worker", "pipeline.worker_us", 60, "us")
    most("p95 of a tap at 60 % of the maximal rate", "tap.p95_ms", 15, "ms")
    most("p99 of a tap at 60 % of the maximal rate", "tap.p99_ms", 50, "ms")
    most("p95 of the projector's lag", "projector.lag_p95_ms", 250, "ms")
    most("rendering of a board of fifty players", "board.ms", 2, "ms")
    most("one live game of 20 in the process", "game.bytes_process", 20_480, "bytes")
    most("one live game of 20 in Redis", "game.bytes_redis", 10_240, "bytes")
    most("a tap in a game of 1,000 against one of 10", "tap.cost_1000_to_10", 2, "x")
    beside = f"beside {found.get('finished.games', 0):,.0f} finished games against beside none"
    most(f"processor time of a tap {beside}", "finished.tap_cpu_ratio", 1.2, "x")
    most(f"median latency of a tap {beside}", "finished.tap_p50_ratio", 1.2, "x")
    most("p95 of the slowest of the reads beside them", "finished.slowest_p95_ms", 50, "ms")
    most("memory with 1,000 live games", "memory.1000_games_mb", 400, "MB")
    for mode in ("polling", "webhook"):
        most(f"wake-ups of an idle bot, {mode}", f"idle.{mode}_wakeups", 10, "/s")
        most(f"processor time of an idle bot, {mode}", f"idle.{mode}_cpu_percent", 0.5, "%")
    most("p95 from a commit to 400 live clients, 20 events a second", "live.p95_ms", 100, "ms")
    most("memory of one of 5,000 idle live clients", "live.idle_kb", 30, "KB")
    most("taps answered and lost", "taps.lost", 1, "taps")
    most("taps answered and lost when the server is killed", "taps.lost_by_kill", 1, "taps")
    crowd = f"{found.get('crowd.games', 0):,.0f} games with ten players each"
    most(f"{crowd}: errors", "crowd.errors", 1, "breaches")
    most(f"{crowd}: latest deadline", "crowd.deadline_late_ms", 250, "ms")
    most(f"{crowd}: memory", "crowd.memory_mb", 400, "MB")
    return checks


def targets(rows: Sequence[Row]) -> str:
    """Render the targets as a Markdown table."""
    lines = ["| target | wanted | measured | |", "|---|---|---|---|"]
    lines += [
        f"| {what} | {want} | {have} | {'met' if met else 'missed'} |" for what, want, have, met in verdicts(rows)
    ]
    return "\n".join(lines)


def plot(rows: Sequence[Row]) -> str:
    """Draw an SVG with bars for the taps a second of every stack, and their spread."""
    bars = sorted(
        (r for r in rows if r.name.startswith(("taps.", "echo.")) and r.unit == "/s"), key=lambda r: -r.median
    )
    longest = max((r.high for r in bars), default=1.0)
    width, left, step = 760, 190, 34
    scale = (width - left - 90) / longest
    height = len(bars) * step + 56
    font = 'font-family="system-ui, sans-serif" font-size="13"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {font}>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        '<text x="16" y="24" font-size="15" font-weight="600" fill="#1b1f24">Durable taps a second, one core</text>',
    ]
    for index, bar in enumerate(bars):
        y = 40 + index * step
        colour = "#b8862f" if "tombola" in bar.name else "#8b949e" if bar.name.startswith("echo") else "#54708c"
        low, high, end = left + bar.low * scale, left + bar.high * scale, left + bar.median * scale
        parts += [
            f'<text x="{left - 10}" y="{y + 16}" text-anchor="end" fill="#1b1f24">{bar.name}</text>',
            f'<rect x="{left}" y="{y + 2}" width="{end - left:.1f}" height="20" rx="3" fill="{colour}"/>',
            f'<path d="M{low:.1f} {y + 12}H{high:.1f}" stroke="#1b1f24" stroke-width="1.5"/>',
            f'<text x="{max(end, high) + 8:.1f}" y="{y + 16}" fill="#1b1f24">{shown(bar.median)}</text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def write_docs(rows: Sequence[Row], words: Mapping[str, str], how: str) -> None:
    """Write the results between the marks of the page, and the plot beside it."""
    page = DOC.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    measured = f"{how}\n\n{table(rows, words)}\n\n### Against the targets\n\n{targets(rows)}"
    DOC.write_text(f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}", "utf-8")
    PLOT.write_text(plot(rows), "utf-8")
