"""Leases on a real Redis: one holder, increasing tokens, loss noticed before expiry, takeover."""

import asyncio
import contextlib

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from storage import keys
from storage.leases import RELEASED, Bell, Lease, LeaseLostError

NAME = "{test}:job"
HOURS = 36_000_000
"""Lifetime of a lease that does not expire during a test."""


@pytest.fixture
def quick_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renew leases all the time. With lives of seconds, no busy machine makes a renewal come too late."""
    monkeypatch.setattr("storage.leases.next_tick", lambda _seconds: asyncio.sleep(0))


async def shortened_and_renewed(redis: Redis) -> None:
    """Take half of its life of a minute from the lease, and wait until it is renewed."""
    key = keys.lease_keys(NAME)[0]
    await redis.pexpire(key, 30_000)
    async with asyncio.timeout(30):
        while await redis.pttl(key) <= 30_000:  # noqa: ASYNC110 -- Redis sends no event
            await asyncio.sleep(0.005)


async def test_renewals_of_one_instant_go_out_together_and_each_has_its_own_answer(redis: Redis) -> None:
    leases = [Lease(redis, f"{{test}}:{n}", "owner", ttl_ms=HOURS) for n in range(8)]
    for lease in leases:
        await lease.acquire()
    await redis.delete(*keys.lease_keys(leases[3].name))
    await redis.script_flush()
    assert await asyncio.gather(*(lease.renew() for lease in leases)) == [n != 3 for n in range(8)]
    cancelled = asyncio.create_task(leases[0].renew())
    others = [asyncio.create_task(lease.renew()) for lease in leases[4:]]
    await asyncio.sleep(0)
    cancelled.cancel()
    assert await asyncio.gather(*others) == [True] * 4, "the end of one lease disturbs no other"


async def test_only_one_of_many_holds_the_lease(redis: Redis) -> None:
    leases = [Lease(redis, NAME, f"owner-{n}") for n in range(20)]

    waits = await asyncio.gather(*(lease.try_acquire() for lease in leases))

    assert waits.count(0) == 1
    assert [lease.held for lease in leases].count(True) == 1
    assert all(0 < wait <= 3000 for wait in waits if wait)


async def test_each_holder_gets_a_higher_token(redis: Redis) -> None:
    fences = []
    for n in range(5):
        lease = Lease(redis, NAME, f"owner-{n}")
        fences.append(await lease.acquire())
        await lease.release()

    assert fences == sorted(set(fences))


async def test_a_dead_holder_is_followed_when_its_lease_expires(redis: Redis) -> None:
    dead, heir = Lease(redis, NAME, "dead", ttl_ms=150), Lease(redis, NAME, "heir", ttl_ms=150)
    await dead.acquire()

    async with asyncio.timeout(60):
        await heir.acquire()

    assert heir.held
    assert not dead.held


async def test_the_holder_knows_its_loss_before_redis_gives_the_lease_away(redis: Redis) -> None:
    paused, heir = Lease(redis, NAME, "paused", ttl_ms=200), Lease(redis, NAME, "heir", ttl_ms=200)
    await paused.acquire()
    both = False
    async with asyncio.timeout(60):
        while await heir.try_acquire():
            both = both or (paused.held and heir.held)

    assert not both
    assert not paused.held


async def test_a_late_holder_can_neither_renew_nor_release_what_is_anothers(redis: Redis) -> None:
    late, heir = Lease(redis, NAME, "late", ttl_ms=50), Lease(redis, NAME, "heir")
    await late.acquire()
    await heir.acquire()

    assert not await late.renew()
    await late.release()
    assert await heir.renew()


async def test_a_release_wakes_whoever_waits_at_once(redis: Redis) -> None:
    bell = Bell(redis, RELEASED)
    listening = asyncio.create_task(bell.listen())
    await bell.after(0)
    holder, heir = Lease(redis, NAME, "holder", ttl_ms=HOURS), Lease(redis, NAME, "heir", ttl_ms=HOURS, released=bell)
    await holder.acquire()
    waiting = asyncio.create_task(heir.acquire())
    await asyncio.wait({waiting}, timeout=0.05)

    await holder.release()
    async with asyncio.timeout(60):
        await waiting

    assert heir.held
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening


@pytest.mark.usefixtures("quick_ticks")
async def test_a_job_runs_longer_than_the_lease_lives_because_it_is_renewed(redis: Redis) -> None:
    lease, other = Lease(redis, NAME, "holder", ttl_ms=60_000), Lease(redis, NAME, "other", ttl_ms=60_000)

    async def job(_fence: int) -> None:
        for _ in range(3):
            await shortened_and_renewed(redis)
            assert lease.held
            assert await other.try_acquire()

    await lease.run(job)

    assert await other.try_acquire() == 0


@pytest.mark.usefixtures("quick_ticks")
async def test_a_job_is_cancelled_when_its_lease_is_lost_and_starts_again_with_a_new_token(redis: Redis) -> None:
    lease = Lease(redis, NAME, "holder")
    fences: list[int] = []
    cancelled = 0

    async def job(fence: int) -> None:
        nonlocal cancelled
        fences.append(fence)
        if len(fences) == 2:
            return
        await redis.set("tombola:{test}:job:lease", "thief", px=100)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled += 1
            raise

    async with asyncio.timeout(60):
        await lease.run(job)

    assert cancelled == 1
    assert fences[1] > fences[0]


@pytest.mark.parametrize("loss", [RedisConnectionError("away"), LeaseLostError()])
async def test_a_job_that_lost_redis_or_its_token_stands_by_again(redis: Redis, loss: Exception) -> None:
    lease = Lease(redis, NAME, "holder", ttl_ms=90)
    runs = 0

    async def job(_fence: int) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise loss

    await lease.run(job)

    assert runs == 2


async def test_a_jobs_own_error_ends_it_and_frees_the_lease(redis: Redis) -> None:
    lease = Lease(redis, NAME, "holder")

    async def job(_fence: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await lease.run(job)
    assert await Lease(redis, NAME, "next").try_acquire() == 0


@pytest.mark.usefixtures("quick_ticks")
async def test_a_stop_lets_the_job_finish_while_the_lease_is_still_kept(redis: Redis) -> None:
    lease, other = Lease(redis, NAME, "holder", ttl_ms=60_000), Lease(redis, NAME, "other", ttl_ms=60_000)
    began, waits = asyncio.Event(), []

    async def job(_fence: int) -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            await shortened_and_renewed(redis)
            waits.append(await other.try_acquire())

    running = asyncio.create_task(lease.run(job))
    await began.wait()
    running.cancel()
    await asyncio.wait({running})

    assert all(waits)
    assert await other.try_acquire() == 0


async def test_an_unreachable_redis_is_no_error_but_a_wait() -> None:
    nowhere = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    lease = Lease(nowhere, NAME, "holder")

    assert await lease.try_acquire() > 0
    await lease.release()
    assert not lease.held
    await nowhere.aclose()


async def test_every_key_of_a_lease_expires(redis: Redis) -> None:
    await Lease(redis, NAME, "holder").acquire()

    for key in await redis.keys("*"):
        assert await redis.pttl(key) > 0


def test_a_name_without_a_hash_tag_is_refused(redis: Redis) -> None:
    with pytest.raises(ValueError, match="hash tag"):
        Lease(redis, "job", "holder")
