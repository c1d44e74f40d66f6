"""Inspection of the Redis server behind a DSN: its product, its settings and their risks.

Runs at each start and in the doctor. A hosting provider may refuse INFO or CONFIG; a setting that can't be read is
reported as unknown, never as safe.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ClusterDownError, MovedError, NoPermissionError, ReadOnlyError, ResponseError

from storage import keys
from storage.connections import of_cluster
from storage.scripts import script

OLDEST = (6, 2)
CONFIGURED = ("appendonly", "appendfsync", "maxmemory-policy")
CLUSTER = "the server is a part of a cluster: give redis+cluster:// and the addresses of some of its servers"
REPLICA = "the server is a replica, which takes no writes: give its primary's address"
FULL = 0.9
"""Share of `maxmemory` from which a server counts as nearly full."""
_PROBE = script("storage", "probe")


@dataclass(slots=True)
class RedisReport:
    """Findings about a server.

    Attributes:
        product: its name and version.
        facts: the settings that matter, by name; `unknown` if the server does not tell.
        refusals: one line for each reason why Tombola can't work with it.
        risks: one line for each way in which it may lose acknowledged writes.
        notes: one line for anything else that an operator should know.
    """

    product: str = "of unknown version"
    facts: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


async def inspect_redis(client: Redis) -> RedisReport:
    """Inspect a server. Raises redis-py's errors if it is away."""
    report = RedisReport()
    info = await _info(client, report)
    report.product = _product(info) if info else report.product
    await _read_settings(client, info, report)
    _judge_kind(info, report, in_cluster=of_cluster(client))
    if not report.refusals:
        await _try_to_write(client, report)
    _judge_settings(report, has_log="dragonfly_version" not in info)
    _judge_state(info, report)
    return report


async def _info(client: Redis, report: RedisReport) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = await client.info()
    except ResponseError as error:
        report.notes.append(f"INFO is refused ({_first_words(error)}): its version and kind are unknown")
        return {}
    return found


async def _read_settings(client: Redis, info: Mapping[str, Any], report: RedisReport) -> None:
    report.facts |= dict.fromkeys(CONFIGURED, "unknown")
    if "aof_enabled" in info:
        report.facts["appendonly"] = "yes" if int(info["aof_enabled"]) else "no"
    if "maxmemory_policy" in info:
        report.facts["maxmemory-policy"] = str(info["maxmemory_policy"])
    try:
        for name in CONFIGURED:  # Redis 6.2 returns one at a time
            found: Mapping[Any, Any] = await client.config_get(name)
            report.facts |= {str(key): str(value) for key, value in found.items()}
    except ResponseError as error:
        report.notes.append(f"CONFIG is refused ({_first_words(error)}): what is not in INFO is unknown")


def _judge_kind(info: Mapping[str, Any], report: RedisReport, *, in_cluster: bool) -> None:
    mode = str(info.get("redis_mode") or info.get("server_mode") or "")
    if mode == "sentinel":
        report.refusals.append("this is a Sentinel and no store: give the address of the server that it watches")
    elif (mode == "cluster" or str(info.get("cluster_enabled", "0")) == "1") and not in_cluster:
        report.refusals.append(CLUSTER)
    elif info.get("role") in {"slave", "replica"}:
        master = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
        report.refusals.append(f"the server is a replica, which takes no writes: its primary is {master}")
    version = _numbers(str(info.get("redis_version", "")))
    if version and version < OLDEST:
        report.refusals.append(f"{report.product} is too old: 6.2 is the oldest that works")
    if "dragonfly_version" in info:
        report.risks.append(
            "without append-only file, Dragonfly loses what came after its last snapshot: use Redis or Valkey for games"
        )
        report.notes.append("Dragonfly is not tested with Tombola")
    elif _is_keydb(info):
        report.notes.append("KeyDB is not tested with Tombola; it has the commands of Redis 6.2")
    if info.get("role") == "active-replica":
        report.risks.append("with active-replica two servers decide one game: set active-replica no")
    replicas = int(info.get("connected_slaves", 0))
    if replicas:
        report.notes.append(
            f"has replicas ({replicas}): a failover loses the last answers unless durability.strict is on"
        )
    elif in_cluster:
        report.notes.append("this server of the cluster has no replica: without it, games stop until it is back")


async def _try_to_write(client: Redis, report: RedisReport) -> None:
    try:
        await client.eval(_PROBE, 1, keys.probe_key())
    except (MovedError, ClusterDownError):
        report.refusals.append(CLUSTER)
    except ReadOnlyError:
        report.refusals.append(REPLICA)
    except NoPermissionError as error:
        report.refusals.append(f"the user has not all rights that are needed: {_first_words(error)}")
    except ResponseError as error:
        if "READONLY" in str(error):  # Redis 6.2 wraps it in the script's error
            report.refusals.append(REPLICA)
            return
        # A full memory or disk, for instance: it may pass, so it is no reason to refuse a start.
        report.risks.append(f"a trial write is refused: {_first_words(error)}")


def _judge_settings(report: RedisReport, *, has_log: bool) -> None:
    append, sync, policy = (report.facts[name] for name in CONFIGURED)
    if policy not in {"noeviction", "unknown"}:
        report.risks.append(f"with maxmemory-policy {policy} a full server forgets live games: set noeviction")
    if append == "no":
        report.risks.append("without append-only file, what was acknowledged can be lost with it: set appendonly yes")
    elif append == "yes" and sync == "everysec":
        report.notes.append("with appendfsync everysec the last second is lost if its machine fails; always loses none")
    elif append == "yes" and sync == "no":
        report.risks.append("with appendfsync no the last half minute is lost if its machine fails; always loses none")
    unknown = [name for name in CONFIGURED if report.facts[name] == "unknown" and (has_log or name == CONFIGURED[2])]
    if unknown:
        report.notes.append(f"unknown: {', '.join(unknown)}; ask the hoster, or let the user run CONFIG GET and INFO")


def _judge_state(info: Mapping[str, Any], report: RedisReport) -> None:
    """Report what goes wrong at present: writes to the disk that fail, a memory that is nearly full."""
    if info.get("aof_last_write_status", "ok") != "ok":
        report.risks.append("the last write to the append-only file failed: look at the server's disk")
    if info.get("aof_last_bgrewrite_status", "ok") != "ok":
        report.risks.append("the append-only file cannot be rewritten and grows: look at the server's disk and memory")
    if info.get("rdb_last_bgsave_status", "ok") != "ok":
        report.risks.append("the last snapshot failed, and the server may refuse writes: look at its disk and memory")
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if most and used >= FULL * most:
        report.risks.append(f"{used / most:.0%} of maxmemory are used: taps fail at 100 %, raise maxmemory")


def _product(info: Mapping[str, Any]) -> str:
    if "dragonfly_version" in info:
        return f"Dragonfly {str(info['dragonfly_version']).removeprefix('df-').removeprefix('v')}"
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    name = "KeyDB" if _is_keydb(info) else "Redis"
    return f"{name} {info.get('redis_version', 'of unknown version')}"


def _is_keydb(info: Mapping[str, Any]) -> bool:
    return "mvcc_depth" in info or "keydb" in str(info.get("executable", ""))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def _first_words(error: Exception) -> str:
    """Return the server's reason on one line, at most 120 characters."""
    return " ".join(str(error).split())[:120]
