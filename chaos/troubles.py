"""The plan of failures and their times and durations. All of it follows from the seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

ROLES = ("{poller}", "{send}", "{deadlines}", "{feed:projector}", "{feed:boards}")
"""Leases whose holders are attacked."""
FAULTS = ("502", "500", "429", "garbage", "drop", "lost", "hang")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One round.

    Attributes:
        kind: kind of failure: a method of `Act`, without the underscore.
        seconds: its duration, or the downtime of a killed victim.
        victim: a replica's number, a lease, or a fault of Telegram's.
        also: a second trouble at the same time.
        calm: seconds without trouble afterwards.
    """

    kind: str
    seconds: float
    victim: str = ""
    also: "Trouble | None" = None
    calm: float = 2.0


WEIGHTS: dict[str, int] = {
    "kill_replica": 14,
    "kill_leader": 16,
    "kill_all": 8,
    "kill_redis": 10,
    "kill_postgres": 8,
    "restart_redis": 4,
    "restart_postgres": 3,
    "pause_replica": 6,
    "pause_leader": 8,
    "pause_redis": 5,
    "pause_postgres": 5,
    "cut_redis": 4,
    "cut_postgres": 3,
    "silence_redis": 3,
    "silence_postgres": 3,
    "telegram": 12,
    "disorder": 5,
    "stop_replica": 5,
    "rolling": 2,
}
"""Relative frequency of each kind."""
LOSSES = 8
"""Relative frequency of the loss of all data of Redis. Only strict durability, which must survive it, includes it."""
ALONGSIDE = (
    *("kill_replica", "kill_leader", "kill_redis", "kill_postgres"),
    *("pause_leader", "cut_redis", "telegram", "disorder"),
)
"""Kinds that may coincide with another failure."""


def planned(
    seed: int, rounds: int, replicas: int, *, minute: bool = False, strict: bool = False, only: str = ""
) -> Sequence[Trouble]:
    """Return the plan of a seed.

    `minute` adds one outage of PostgreSQL and Telegram for a whole minute. `strict`: Redis may lose its data. `only` is
    a prefix of the kinds, such as `kill`. Raises ValueError if no kind matches.
    """
    rng, weights = Random(seed), WEIGHTS | ({"lose_redis": LOSSES} if strict else {})
    weights = {kind: weight for kind, weight in weights.items() if kind.startswith(only)}
    if not weights:
        raise ValueError(f"no trouble is called {only}")
    plan = [_trouble(rng, replicas, weights) for _ in range(rounds)]
    if minute:
        for long in (Trouble("stop_postgres", 60, calm=5), Trouble("telegram", 60, "502", calm=10)):
            plan.insert(rng.randrange(len(plan) + 1), long)
    return plan


def _trouble(rng: Random, replicas: int, weights: Mapping[str, int]) -> Trouble:
    kind = rng.choices(list(weights), list(weights.values()))[0]
    alongside = [name for name in ALONGSIDE if name in weights]
    also = _one(rng, rng.choice(alongside), replicas) if alongside and rng.random() < 0.3 else None
    found = _one(rng, kind, replicas)
    if also is not None and also.kind.rpartition("_")[2] == kind.rpartition("_")[2]:
        also = None  # one store has one trouble at a time
    return Trouble(found.kind, found.seconds, found.victim, also, calm=round(rng.uniform(0.5, 4), 2))


def _one(rng: Random, kind: str, replicas: int) -> Trouble:
    seconds = round(rng.choice((0.0, rng.uniform(0, 1), rng.uniform(0.5, 4))), 2)
    victim = ""
    if kind.endswith("_replica") or kind.startswith(("cut", "silence")):
        victim = str(rng.randrange(replicas))
    elif kind.endswith("_leader"):
        victim = rng.choice(ROLES)
    elif kind == "telegram":
        victim = rng.choice(FAULTS)
    if kind.startswith(("pause", "telegram", "cut", "silence")):
        seconds = round(rng.uniform(0.5, 7), 2)
    return Trouble(kind, seconds, victim)
