"""Broadcasts: wherever processes die, every chat gets the message once or has a reason; a stop withdraws the rest."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from play import broadcasts
from play.access import Actor, NotAnOperator
from play.broadcasts import Broadcast, Broadcasts
from play.jobs import JobEnded, UnknownJob
from storage import keys
from storage.connections import Pool
from storage.jobs import CANCELLED, DONE, NewJob
from storage.keys import send_base
from telegram.outbox import Claimed
from telegram.sender import Outcome, Settled
from tests.handlers.room import ANN, OPERATOR, Room, build_room, plain, text
from tests.support.deaths import Deaths

CHATS = 200
FIRST = -1000
"""The chats have the ids from ``FIRST`` on, in steps of 1."""
OLGA = Actor(OPERATOR, "Olga", OPERATOR)
REFUSED = {
    FIRST + 3: Settled.CHAT_GONE,
    ANN: Settled.CHAT_GONE,
    FIRST + 5: Settled.NO_RIGHTS,
    FIRST + 7: Settled.EXPIRED,
}
LOST = {FIRST + 11, FIRST + 150}
"""Chats about which the sender's report is lost, because it dies right after recording the success."""


@dataclass
class Desk:
    """The broadcasts of a room, and a sender."""

    room: Room
    deaths: Deaths
    calls: Counter[int] = field(default_factory=Counter)
    """Number of the calls by chat, of broadcasts alone."""
    told: list[str] = field(default_factory=list)
    """The texts that the operator was told."""

    @property
    def broadcasts(self) -> Broadcasts:
        return self.room.deps.play.broadcasts

    async def send(self, most: int = 10_000) -> None:
        """Make calls of the outbox, as the sender does."""
        outbox = self.room.deps.telegram.outbox
        await self.room.redis.set(f"{send_base()}:fence", 1)
        while most > 0 and isinstance(claimed := await outbox.claim(1), Claimed):
            most -= 1
            out = claimed.outgoing
            if not out.id.startswith(broadcasts.ITEM):
                self.told.append(plain(out.params["text"]))
                await outbox.settle(claimed, sent=1)
                continue
            self.calls[out.chat_id] += 1
            settled = REFUSED.get(out.chat_id, Settled.SENT)
            if settled is not Settled.SENT:  # a failure is reported before it is recorded
                await self.broadcasts.settled(out, Outcome(settled))
            await outbox.settle(claimed, sent=1)
            if settled is Settled.SENT and out.chat_id not in LOST:
                await self.broadcasts.settled(out, Outcome(settled))

    async def get(self, job_id: int) -> Broadcast:
        return await self.broadcasts.get(OLGA, job_id)

    async def begin(self, key: str = "k") -> int:
        job_id = await self.broadcasts.begin(OLGA, "Maintenance <tonight>", key)
        assert job_id is not None
        return job_id


@pytest_asyncio.fixture
async def desk(redis: Redis, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(broadcasts, "AT_ONCE", 90)
    monkeypatch.setattr(broadcasts, "PAGE", 40)
    async with build_room(redis, pool) as room:
        stores = room.deps.stores
        await pool.execute(
            "INSERT INTO chats (id, type, title) SELECT $1::bigint + n, 'group', '' FROM generate_series(0, $2) n",
            FIRST, CHATS - 2,
        )  # fmt: skip
        await pool.execute("INSERT INTO chats (id, type, title) VALUES ($1, 'private', '')", ANN)
        deaths = Deaths(
            monkeypatch, stores.jobs, pool,
            [
                (stores.broadcast_chats, ("list_active", "take", "mark", "collect", "keep_back")),
                (room.deps.telegram.outbox, ("put_many", "withdraw", "put")),
            ],
        )  # fmt: skip
        yield Desk(room, deaths)


async def test_a_broadcast_goes_once_to_every_chat_although_processes_die_at_every_step(desk: Desk) -> None:
    job_id = await desk.begin()
    for _ in range(50):
        job = await desk.deaths.attempt(desk.broadcasts.kind)
        assert job is not None
        if job.status == DONE:
            break
        shown = await desk.get(job_id)
        assert shown.total == CHATS
        assert shown.queued <= 90
        await desk.send(70)
    await desk.send()
    assert desk.deaths.count > 50
    assert desk.calls == dict.fromkeys([*range(FIRST, FIRST + CHATS - 1), ANN], 1)
    done = await desk.get(job_id)
    assert (done.job.status, done.sent, done.queued, done.waiting) == (DONE, CHATS - 4 - len(LOST), 0, 0)
    assert dict(done.failed) == {"blocked": 1, "removed": 1, "no_rights": 1, "expired": 1, "unknown": len(LOST)}
    assert len(desk.told) == 1
    assert text("dlg-admin-cast-done", count=done.sent) in desk.told[0]
    assert await desk.room.redis.exists(keys.broadcast_key(job_id)) == 0


async def test_a_cancelled_broadcast_withdraws_what_is_not_sent_although_processes_die_and_can_be_sent_again(
    desk: Desk,
) -> None:
    job_id = await desk.begin()
    await desk.deaths.attempt(desk.broadcasts.kind)
    await desk.send(50)
    flying = await desk.room.deps.telegram.outbox.claim(1)
    assert isinstance(flying, Claimed)
    await desk.broadcasts.cancel(OLGA, job_id)
    waits = await desk.deaths.attempt(desk.broadcasts.kind)
    assert waits is not None
    assert (waits.status, (await desk.get(job_id)).queued) == ("queued", 1), "one message is on its way"
    await desk.room.deps.telegram.outbox.settle(flying, sent=1)
    await desk.broadcasts.settled(flying.outgoing, Outcome(Settled.SENT))
    desk.calls[flying.outgoing.chat_id] += 1
    ended = await desk.deaths.attempt(desk.broadcasts.kind)
    assert ended is not None
    assert ended.status == CANCELLED
    had = dict(desk.calls)
    await desk.send()
    assert dict(desk.calls) == had, "nothing is sent after the end"
    shown = await desk.get(job_id)
    assert (shown.sent + sum(shown.failed.values()), shown.withdrawn) == (51, CHATS - 51)
    (told,) = desk.told
    assert text("dlg-admin-cast-cancelled", count=shown.sent) in told
    with pytest.raises(JobEnded):
        await desk.broadcasts.cancel(OLGA, job_id)

    assert await desk.room.deps.stores.jobs.send_again(job_id)
    for _ in range(50):
        job = await desk.deaths.attempt(desk.broadcasts.kind)
        if job is not None and job.status == DONE:
            break
        await desk.send()
    assert desk.calls == dict.fromkeys([*range(FIRST, FIRST + CHATS - 1), ANN], 1)


async def test_a_broadcast_that_is_cancelled_before_it_has_begun_sends_nothing(desk: Desk) -> None:
    job_id = await desk.begin()
    await desk.broadcasts.cancel(OLGA, job_id)
    job = await desk.deaths.attempt(desk.broadcasts.kind)
    assert job is not None
    assert job.status == CANCELLED
    await desk.send()
    assert not desk.calls


async def test_dead_chats_are_skipped_and_a_group_that_becomes_a_supergroup_gets_the_message_once(desk: Desk) -> None:
    people, supergroup = desk.room.deps.stores.people, -1_000_000_000_001
    job_id = await desk.begin()
    await people.chat_gone(FIRST)
    await desk.deaths.attempt(desk.broadcasts.kind)  # lists the chats, and queues the first
    await people.chat_gone(FIRST + 190)
    await people.chat_migrated(FIRST + 191, supergroup)
    for _ in range(50):
        await desk.send()
        job = await desk.deaths.attempt(desk.broadcasts.kind)
        if job is not None and job.status == DONE:
            break
    assert desk.calls.keys().isdisjoint({FIRST, FIRST + 190, FIRST + 191})
    assert desk.calls[supergroup] == 1
    shown = await desk.get(job_id)
    assert (shown.total, shown.failed["skipped"]) == (CHATS - 1, 1)


async def test_only_operators_see_broadcasts_and_other_jobs_are_none(desk: Desk) -> None:
    job_id = await desk.begin()
    assert [each.job.id for each in await desk.broadcasts.page(OLGA)] == [job_id]
    ann = Actor(ANN, "Ann", ANN)
    for denied in (desk.broadcasts.get(ann, job_id), desk.broadcasts.cancel(ann, job_id), desk.broadcasts.page(ann)):
        with pytest.raises(NotAnOperator):
            await denied
    (other,) = await desk.room.deps.stores.jobs.enqueue(NewJob("other", "a"))
    with pytest.raises(UnknownJob):
        await desk.get(other)
