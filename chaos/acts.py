"""One act of the suite: start the processes, play games during the plan's failures, then repair everything."""

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.clock import SystemClock
from chaos import audit, people, stores, systems
from chaos.audit import Findings, Window
from chaos.replicas import ROOT, Balancer, Replica
from chaos.store_proxies import StoreProxies, StoreProxy, store_proxies
from chaos.troubles import Trouble
from sandbox.app import Box, serve
from sandbox.faults import Fault
from storage.connections import postgres_pool, redis_client
from storage.feed import Feed
from storage.keys import shard_name
from storage.people import People

SHARDS = 4
FAILOVER_MS = 5000
"""Longest time until another process fires the deadlines of a dead one."""
TAKEOVER_SECONDS = {"{deadlines}": 5.0, "{feed:projector}": 10.0, "{feed:boards}": 10.0}
"""Longest time in seconds that a dead process's lease may lack a holder if another process runs."""
SETTLED_SECONDS = 10.0
"""Running time after which a process is a standby for every lease."""
WAKING_MS = 3000
"""Longest time until everything works after a store has returned."""
END_SECONDS = 240.0
"""Longest time for the last games to end after all repairs."""
SETTLE_SECONDS = 120.0
"""Longest time for the feed and the outbox to run empty after that."""
PRIZE_POOL = "100.01"
ROLES = ("ingress", "worker", "scheduler", "web")
"""Roles of the replicas of a split act."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Configuration of an act. With `strict`, commands are acknowledged only after PostgreSQL has stored them."""

    seed: int
    mode: str = "polling"
    replicas: int = 3
    tables: int = 16
    people: int = 4
    strict: bool = False
    systems: int = 2
    """Groups in which a system plays by the API."""
    split: bool = False
    """Each replica has one role of `ROLES`, in turn."""
    seconds: tuple[float, float, float, float] = (60, 5, 12, 0.3)
    """Seconds of the lobby, of joining, of selection, and between two shown draws."""
    root: Path = ROOT
    """Checkout whose code the replicas run at first."""
    idle: bool = False
    """The replicas are started later, by the caller. Their webhooks get updates one by one, in turn."""


@dataclass
class Act:
    """Processes, stores, a Telegram and people, with the failures that befall them."""

    setting: Setting
    directory: Path
    box: Box
    postgres: stores.Store
    redis_store: stores.Store
    redis: Redis
    session: aiohttp.ClientSession
    replicas: list[Replica]
    proxies: list[StoreProxies]
    api_port: int
    """Port of the load balancer in front of the API."""
    diary: people.Diary = field(default_factory=people.Diary)
    windows: list[Window] = field(default_factory=list)
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    takeovers: dict[str, list[float]] = field(default_factory=dict)
    """Lease -> seconds without a holder after its holder was killed, if another process was a standby."""
    moments: list[tuple[str, float]] = field(default_factory=list)
    """Pairs of a killed thing and the monotonic time at which the stores were up; recovery is measured from there."""
    done: Counter[str] = field(default_factory=Counter)

    async def carry_out(self, plan: Sequence[Trouble]) -> None:
        """Carry out the troubles in order."""
        for number, trouble in enumerate(plan, 1):
            began = time.monotonic()
            # Each trouble refers to the other one, because together they may leave no process that takes over in time.
            both = [trouble, *([replace(trouble.also, also=trouble)] if trouble.also else [])]
            await asyncio.gather(*(self._befall(each) for each in both))
            words = " + ".join(f"{each.kind} {each.victim} {each.seconds:g}s" for each in both)
            print(f"  {number:4}/{len(plan)}  {words:60}  {time.monotonic() - began:6.2f} s", flush=True)
            await asyncio.sleep(trouble.calm)

    async def _befall(self, trouble: Trouble) -> None:
        self.done[trouble.kind] += 1
        await getattr(self, f"_{trouble.kind}")(trouble)

    @contextlib.contextmanager
    def _away(self, why: str, grace_ms: int) -> Iterator[None]:
        """Excuse deadlines during the block, and for `grace_ms` after it."""
        begin = _now()
        try:
            yield
        finally:
            # A deadline shortly before the failure may not have been handled yet.
            self.windows.append(Window(begin - 200, _now() + grace_ms, why))

    def _away_if_strict(self, why: str) -> contextlib.AbstractContextManager[None]:
        """Excuse deadlines only if durability is strict.

        Strict durability waits for PostgreSQL, and for the events of a dead process.
        """
        return self._away(why, WAKING_MS + FAILOVER_MS) if self.setting.strict else contextlib.nullcontext()

    # -- the bot ------------------------------------------------------------------------------------------------

    async def _kill(self, replica: Replica, seconds: float) -> None:
        async with replica.busy:
            begin = _now()
            # Only the holder of this lease fires deadlines. None: it is changing hands, possibly to this replica.
            if self.setting.strict or await self.leader("{deadlines}") in (replica, None):
                self.windows.append(Window(begin - 200, begin + FAILOVER_MS, f"replica {replica.number} killed"))
            await replica.kill()
            await asyncio.sleep(seconds)
            await replica.start()

    async def _kill_replica(self, trouble: Trouble) -> None:
        await self._kill(self.replicas[int(trouble.victim)], trouble.seconds)

    async def _kill_leader(self, trouble: Trouble) -> None:
        lease, replica = trouble.victim, await self.leader(trouble.victim)
        if replica is None:
            return
        if lease == "{poller}" and trouble.also is None:
            self.moments.append(("killed poller, another takes over", time.monotonic()))
        others = [
            other
            for other in self.replicas
            if other is not replica and other.arguments == replica.arguments and other.pid and not other.paused
        ]
        stand_by = any(time.monotonic() - other.started > SETTLED_SECONDS for other in others)
        if trouble.also is None and stand_by:
            await asyncio.gather(self._kill(replica, trouble.seconds), self._taken_over(lease, replica.pid))
        else:
            await self._kill(replica, trouble.seconds)

    async def _taken_over(self, lease: str, dead: int) -> None:
        """Record the time during which a lease has no holder."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < 2 * SETTLED_SECONDS:
            if await self._holder(lease) not in (0, dead):
                break
            await asyncio.sleep(0.02)
        self.takeovers.setdefault(lease, []).append(passed)

    async def _kill_all(self, trouble: Trouble) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for replica in self.replicas:
                await stack.enter_async_context(replica.busy)
            stack.enter_context(self._away("all replicas killed", FAILOVER_MS))
            await asyncio.gather(*(replica.kill() for replica in self.replicas))
            await asyncio.sleep(trouble.seconds)
            if trouble.also is None:
                self.moments.append(("all killed, started again", time.monotonic()))
            await asyncio.gather(*(replica.start() for replica in self.replicas))
            await self._ready()

    async def _pause(self, replica: Replica, seconds: float) -> None:
        async with replica.busy:
            with self._away(f"replica {replica.number} paused", FAILOVER_MS):
                replica.pause()
                await asyncio.sleep(seconds)
                replica.resume()

    async def _pause_replica(self, trouble: Trouble) -> None:
        await self._pause(self.replicas[int(trouble.victim)], trouble.seconds)

    async def _pause_leader(self, trouble: Trouble) -> None:
        replica = await self.leader(trouble.victim)
        if replica is not None:
            await self._pause(replica, trouble.seconds)

    async def _stop_replica(self, trouble: Trouble) -> None:
        replica = self.replicas[int(trouble.victim)]
        async with replica.busy:
            await replica.stop()
            await asyncio.sleep(trouble.seconds)
            await replica.start()

    async def _rolling(self, _trouble: Trouble) -> None:
        for replica in self.replicas:
            async with replica.busy:
                await replica.stop()
                await replica.start()
            with contextlib.suppress(TimeoutError):
                await replica.ready(self.session)

    async def leader(self, lease: str) -> Replica | None:
        """Return the replica that holds a lease."""
        pid = await self._holder(lease)
        return next((replica for replica in self.replicas if pid and replica.pid == pid), None)

    async def _holder(self, lease: str) -> int:
        """Return the process that holds a lease according to Redis; 0 for none."""
        with contextlib.suppress(RedisError, OSError):
            async for key in self.redis.scan_iter(match=f"tombola:{lease}*:lease"):
                owner: Any = await self.redis.get(key)
                # An owner's name is its host, process id and a random part.
                return int(owner.decode().split(":")[1]) if owner else 0
        return 0

    async def _ready(self) -> None:
        for replica in self.replicas:
            with contextlib.suppress(TimeoutError):
                await replica.ready(self.session)

    # -- the stores ---------------------------------------------------------------------------------------------

    async def _kill_redis(self, trouble: Trouble) -> None:
        with self._away("Redis killed", WAKING_MS + FAILOVER_MS):
            await self.redis_store.kill()
            await asyncio.sleep(trouble.seconds)
            await self.redis_store.start()

    async def _lose_redis(self, trouble: Trouble) -> None:
        with self._away("Redis lost", WAKING_MS + FAILOVER_MS):
            await self.redis_store.kill()
            shutil.rmtree(self.directory / "redis")
            await asyncio.sleep(trouble.seconds)
            await self.redis_store.start()

    async def _restart_redis(self, trouble: Trouble) -> None:
        with self._away("Redis restarted", WAKING_MS + FAILOVER_MS):
            await self.redis_store.stop()
            await asyncio.sleep(trouble.seconds)
            await self.redis_store.start()

    async def _pause_redis(self, trouble: Trouble) -> None:
        with self._away("Redis paused", WAKING_MS + FAILOVER_MS):
            self.redis_store.pause()
            await asyncio.sleep(trouble.seconds)
            self.redis_store.resume()

    async def _kill_postgres(self, trouble: Trouble) -> None:
        with self._away_if_strict("PostgreSQL killed"):
            await self.postgres.kill()
            await asyncio.sleep(trouble.seconds)
            await self.postgres.start()

    async def _restart_postgres(self, trouble: Trouble) -> None:
        with self._away_if_strict("PostgreSQL restarted"):
            await self.postgres.stop()
            await asyncio.sleep(trouble.seconds)
            await self.postgres.start()

    _stop_postgres = _restart_postgres

    async def _pause_postgres(self, trouble: Trouble) -> None:
        with self._away_if_strict("PostgreSQL paused"):
            self.postgres.pause()
            await asyncio.sleep(trouble.seconds)
            self.postgres.resume()

    async def _cut_redis(self, trouble: Trouble) -> None:
        with self._away(f"replica {trouble.victim} cut off from Redis", FAILOVER_MS):
            await self._cut(self.proxies[int(trouble.victim)].redis, trouble.seconds)

    async def _silence_redis(self, trouble: Trouble) -> None:
        with self._away(f"replica {trouble.victim} cut off from Redis in silence", WAKING_MS + FAILOVER_MS):
            await self._silence(self.proxies[int(trouble.victim)].redis, trouble.seconds)

    async def _cut_postgres(self, trouble: Trouble) -> None:
        with self._away_if_strict("a replica cut off from PostgreSQL"):
            await self._cut(self.proxies[int(trouble.victim)].postgres, trouble.seconds)

    async def _silence_postgres(self, trouble: Trouble) -> None:
        with self._away_if_strict("a replica cut off from PostgreSQL in silence"):
            await self._silence(self.proxies[int(trouble.victim)].postgres, trouble.seconds)

    async def _cut(self, proxy: StoreProxy, seconds: float) -> None:
        await proxy.cut()
        await asyncio.sleep(seconds)
        await proxy.mend()

    async def _silence(self, proxy: StoreProxy, seconds: float) -> None:
        proxy.go_silent()
        await asyncio.sleep(seconds)
        await proxy.mend()

    # -- Telegram -----------------------------------------------------------------------------------------------

    async def _telegram(self, trouble: Trouble) -> None:
        """Make every call meet the same fault for a while."""
        faults = self.box.world.faults
        kind: Any = trouble.victim
        faults.always = Fault(kind, seconds=min(trouble.seconds, 3.0))
        await asyncio.sleep(trouble.seconds)
        faults.always = None

    async def _disorder(self, _trouble: Trouble) -> None:
        """Deliver updates twice and out of order."""
        self.box.control.duplicate_updates(10)
        self.box.control.reorder_updates(3)

    # -- healing ------------------------------------------------------------------------------------------------

    async def heal(self) -> None:
        """Restart or resume everything."""
        self.box.world.faults.clear()
        for pair in self.proxies:
            await asyncio.gather(pair.redis.mend(), pair.postgres.mend())
        await asyncio.gather(self.postgres.start(), self.redis_store.start())
        for replica in self.replicas:
            replica.resume()
            if not replica.pid:
                await replica.start()
        await self._ready()

    async def projected(self) -> None:
        """Wait until PostgreSQL has all events."""
        names = [shard_name(index) for index in range(SHARDS)]
        while (await Feed(self.redis, names, "projector", owner="chaos").lag()).entries:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    async def settled(self) -> bool:
        """Wait until PostgreSQL and the chats show all events."""
        names = [shard_name(index) for index in range(SHARDS)]
        began = time.monotonic()
        while time.monotonic() - began < SETTLE_SECONDS:
            lags = [await Feed(self.redis, names, group, owner="chaos").lag() for group in ("projector", "boards")]
            waiting = await self.redis.exists(
                *(f"tombola:{{send}}:ready:{lane}" for lane in range(3)),
                "tombola:{send}:delayed",
                "tombola:{send}:inflight",
            )
            pending = len(self.box.world.updates.pending)
            dry = not waiting and not pending and not any(lag.entries for lag in lags)
            if dry and await audit.ended_everywhere(self.postgres.dsn):
                return True
            await asyncio.sleep(0.3)
        return False

    def measured(self) -> None:
        """Record the time from each kill to the first successful tap after it."""
        for what, moment in self.moments:
            seconds = audit.recovered(self.diary.taps, moment)
            if seconds is not None:
                self.recoveries.setdefault(what, []).append(seconds)

    async def health(self) -> dict[int, Any]:
        """Return each replica's own health report."""
        found = {}
        for replica in self.replicas:
            async with self.session.get(f"http://127.0.0.1:{replica.port}/health") as response:
                found[replica.number] = await response.json()
        return found


@contextlib.asynccontextmanager
async def cast(setting: Setting, where: Path | None = None) -> AsyncIterator[Act]:
    """Start everything for the block, and stop it however the block ends."""
    async with contextlib.AsyncExitStack() as stack:
        directory = Path(where or stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        directory.chmod(0o755)  # noqa: ASYNC240 -- runs once, before everything else
        postgres, redis_store = stores.postgres(directory), stores.redis(directory)
        for store in (postgres, redis_store):
            stack.push_async_callback(_end, store)
        await asyncio.gather(postgres.start(), redis_store.start())
        box = await stack.enter_async_context(serve(rng=Random(setting.seed), webhook_backoff=0.25))
        redis = await stack.enter_async_context(redis_client(redis_store.dsn, client_name="chaos"))
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)))
        replicas: list[Replica] = []
        updates_to: list[Replica] = []
        balancer = Balancer(updates_to, by_request=setting.idle)
        await balancer.open()
        stack.push_async_callback(balancer.close)
        proxies: list[StoreProxies] = []
        sockets = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="proxies-")))
        for number in range(setting.replicas):
            proxies.append(
                await stack.enter_async_context(store_proxies(sockets / str(number), postgres.dsn, redis_store.dsn))
            )
            env = _environment(setting, directory, box, proxies[-1].postgres_dsn, proxies[-1].redis_dsn, balancer.port)
            roles = ("--role", ROLES[number % len(ROLES)]) if setting.split else ()
            replicas.append(Replica(number, env, directory / f"replica-{number}.log", roles, root=setting.root))
            if not setting.split or "ingress" in roles:
                updates_to.append(replicas[-1])
            stack.push_async_callback(replicas[-1].close)
        if not setting.idle:
            await replicas[0].start()  # the first replica runs the migrations
            await replicas[0].ready(session)
            await asyncio.gather(*(replica.start() for replica in replicas[1:]))
            await asyncio.gather(*(replica.ready(session) for replica in replicas[1:]))
        serve_api = Balancer([each for each in replicas if not setting.split or "web" in each.arguments])
        await serve_api.open()
        stack.push_async_callback(serve_api.close)
        yield Act(setting, directory, box, postgres, redis_store, redis, session, replicas, proxies, serve_api.port)


async def _end(store: stores.Store) -> None:
    # A paused process would not react to a request to stop.
    store.resume()
    await store.stop()


def _environment(
    setting: Setting, directory: Path, box: Box, postgres_dsn: str, redis_dsn: str, port: int
) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOMBOLA_")}
    ours = {
        "TELEGRAM__TOKEN": box.token,
        "TELEGRAM__API_BASE": box.url,
        "TELEGRAM__MODE": setting.mode,
        "TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram/webhook" if setting.mode == "webhook" else "",
        "TELEGRAM__WEBHOOK_SECRET": "chaos-secret",
        "DATABASE__DSN": postgres_dsn,
        "REDIS__DSN": redis_dsn,
        "REDIS__SHARDS": str(SHARDS),
        "DURABILITY__STRICT": "true" if setting.strict else "false",
        "DATA_DIR": str(directory),
        "LOG__LEVEL": "INFO",
        "GAMES__PICK_NUMBER__PRIZE_POOL": PRIZE_POOL,
        "GAMES__QUIZ__LOBBY_SECONDS": str(setting.seconds[0]),
        "GAMES__QUIZ__JOIN_SECONDS": str(setting.seconds[1]),
        "GAMES__QUIZ__REVEAL_SECONDS": str(setting.seconds[3]),
    }
    if setting.root == ROOT:  # an earlier version refuses a setting that it does not know
        ours |= {"WEB__PRIVATE_NETWORKS": "127.0.0.0/8", "API__REQUESTS_PER_SECOND": "500"}
        ours["GAMES__HOST_JOINS"] = "false"  # the host decides by a tap, as everybody else
    phases = ("LOBBY", "JOIN", "SELECTION", "REVEAL")
    ours |= {
        f"GAMES__PICK_NUMBER__{name}_SECONDS": str(each) for name, each in zip(phases, setting.seconds, strict=True)
    }
    return kept | {f"TOMBOLA_{name}": value for name, value in ours.items()}


async def performed(setting: Setting, plan: Sequence[Trouble], where: Path | None = None) -> tuple[Act, Findings]:
    """Play an act to its end, and audit it."""
    async with cast(setting, where) as act:
        rng = Random(setting.seed)
        tables = [
            people.gather(act.box.control, number, setting.people, Random(rng.random()), act.diary)
            for number in range(setting.tables)
        ]
        async with postgres_pool(act.postgres.dsn) as pool:
            for table in tables:
                await People(pool, act.redis).change_settings(table.chat.id, {"quiz": {"prize_pool": PRIZE_POOL}})
        began = time.time()
        async with _systems(act, rng) as others:
            players: list[people.Table | systems.Player] = [*tables, *others.players]
            playing = [asyncio.create_task(each.play(), name=f"table {number}") for number, each in enumerate(players)]
            try:
                await asyncio.sleep(3)
                await act.carry_out(plan)
                await act.heal()
                await others.rotate(act.session)
                for player in players:
                    player.stopping = True
                done, late = await asyncio.wait(playing, timeout=END_SECONDS)
                for task in done:
                    task.result()
                settled = await act.settled()
                async with postgres_pool(act.postgres.dsn) as pool:
                    told = await others.settled(act.session, pool, began)
            finally:
                for task in playing:
                    task.cancel()
                await asyncio.gather(*playing, return_exceptions=True)
        found = await audit.audited(
            act.diary, act.box.control, act.postgres.dsn, act.redis, act.windows, SHARDS, losses=act.done["lose_redis"]
        )
        if late:
            found.breach("stuck", f"{len(late)} tables have not come to an end: {[task.get_name() for task in late]}")
        await systems.audited(found, others, act.postgres.dsn, losses=act.done["lose_redis"])
        if not told:
            found.breach("stuck", "webhooks are still pending")
        if not settled:
            found.breach("stuck", "the feed, the outbox or the updates have not run dry")
        await _closing_words(act, found)
        return act, found


@contextlib.asynccontextmanager
async def _systems(act: Act, rng: Random) -> AsyncIterator[systems.Systems]:
    """Let other systems play in groups of their own, and receive webhooks, for the block."""
    receivers, control = systems.Receivers(), act.box.control
    groups = []
    for number in range(act.setting.systems):
        users = [control.add_user(f"Caller {number}.{index}") for index in range(3)]
        groups.append((control.add_group(f"Calls {number}", users[0], users[1:]), users))
    async with receivers.serving():
        url = f"http://127.0.0.1:{act.api_port}"
        async with postgres_pool(act.postgres.dsn) as pool:
            made = await systems.systems(url, pool, act.redis, groups, receivers, SystemClock(), rng)
        await made.begin(act.session)
        yield made


async def _closing_words(act: Act, found: Findings) -> None:
    act.measured()
    for replica in act.replicas:
        for death in replica.deaths:
            found.breach("exits", death)
    for number, report in (await act.health()).items():
        if report["status"] != "ok":
            found.breach("health", f"replica {number}: {report}")
    for violation in act.box.control.violations():
        limited = "429" in violation.description and not act.done["lose_redis"]  # Redis held the rates too
        if violation.kind == "schema" or limited:
            found.breach("calls to Telegram", str(violation))
    stops = [seconds for replica in act.replicas for seconds in replica.stops]
    found.figures |= {
        "kills of the bot": sum(replica.kills for replica in act.replicas),
        "kills of Redis": act.redis_store.kills,
        "kills of PostgreSQL": act.postgres.kills,
        "graceful stops": len(stops),
        "graceful stops, s, longest": round(max(stops, default=0), 2),
        "memory of a replica, MB, largest": max(replica.memory() for replica in act.replicas) >> 20,
    }
    for lease, taken in act.takeovers.items():
        found.figures[f"lease {lease} of a killed process taken over: s, worst of {len(taken)}"] = round(max(taken), 2)
        if max(taken) > TAKEOVER_SECONDS.get(lease, 10.0):
            found.breach("takeover", f"{lease} was without a holder for {max(taken):.1f} s")
    for what, seconds in act.recoveries.items():
        seconds.sort()
        found.figures[f"{what}: s, p50"] = round(seconds[len(seconds) // 2], 2)
        found.figures[f"{what}: s, worst"] = round(seconds[-1], 2)


def _now() -> int:
    return int(time.time() * 1000)
