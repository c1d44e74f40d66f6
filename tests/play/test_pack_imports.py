"""Packs from an address: fetched within bounds, read by the child process, stored once, and the owner is told."""

import ipaddress
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp import web
from redis.asyncio import Redis

from play.guarded_http import AddressGuard, BadUrl, ForbiddenAddress, GuardedHttp
from play.pack_imports import ATTEMPTS, MAX_BYTES, MOST_WAITING, PackImports, TooManyImports
from storage.connections import Pool
from storage.job_runner import Run
from storage.jobs import Job
from tests.handlers.room import ANN, GROUP, HOST, TEXTS, Room, build_room, plain, text
from tests.play.receiver import Receiver
from tests.support.deaths import Deaths, Killed

PACK = b"question,answer,wrong 1\nWhich river is longest?,Nile,Volga\nWhich sea is salty?,Dead,Baltic\n"


@dataclass
class Desk:
    """The imports of a room that may call the loopback network, and a server with files."""

    room: Room
    server: Receiver
    imports: PackImports

    def serves(self, content: bytes, status: int = 200) -> None:
        async def respond(_: web.Request) -> web.StreamResponse:
            return web.Response(body=content, status=status)

        self.server.respond = respond

    async def begin(self, name: str = "Rivers", key: str = "k", file: str = "pack.csv") -> int | None:
        url = self.server.url.replace("/hook", f"/{file}")
        return await self.imports.begin(ANN, url, key=key, name=name, locale="en", tell=ANN)

    async def finish(self, key: str = "k") -> tuple[Job, list[str]]:
        """Let a worker do the jobs. Returns the job, and the texts that Ann was told."""
        await self.room.work(self.imports.kind)
        job = await self.room.deps.stores.jobs.find(self.imports.kind.name, key)
        assert job is not None
        return job, [plain(out.params["text"]) for out in await self.room.sent() if out.chat_id == ANN]

    async def packs(self) -> list[tuple[str, int]]:
        return [(pack.name, pack.size) for pack in await self.room.deps.stores.questions.packs(ANN)]


@pytest_asyncio.fixture
async def desk(redis: Redis, pool: Pool) -> AsyncIterator[Desk]:
    server, http = Receiver(), GuardedHttp(AddressGuard((ipaddress.ip_network("127.0.0.0/8"),)))
    runner = await server.serve()
    async with build_room(redis, pool) as room:
        stores, deps = room.deps.stores, room.deps
        imports = PackImports(
            jobs=stores.jobs, questions=stores.questions, http=http, outbox=deps.telegram.outbox, texts=TEXTS,
            clock=deps.play.clock,
        )  # fmt: skip
        yield Desk(room, server, imports)
    await http.close()
    await runner.cleanup()


async def test_a_pack_is_fetched_read_and_stored_and_its_owner_is_told(desk: Desk) -> None:
    desk.serves(PACK)
    assert await desk.begin() is not None
    assert await desk.begin() is None  # the same request again
    job, told = await desk.finish()
    assert (job.status, await desk.packs()) == ("done", [("Rivers", 2)])
    assert told == [plain(text("pack-imported", name="Rivers", count=2))]


async def test_an_import_tells_of_the_content_that_was_lost(desk: Desk) -> None:
    desk.serves(b"Question,A,B,Answer,Points\nWhich river?,Nile,Volga,A,10\nWhich sea?,Dead,Baltic,A,10\n")
    await desk.begin(file="export")  # an address without the file's ending
    _, told = await desk.finish()
    assert text("pack-imported", name="Rivers", count=2) in told[0]
    assert text("pack-note-other-columns", count=1, names="points") in told[0]


def deaths_of(desk: Desk, patch: pytest.MonkeyPatch) -> Deaths:
    """Let workers die before and after each effect of an import."""
    stores, imports = desk.room.deps.stores, desk.imports
    effects = [
        (imports._http, ["call"]), (stores.questions, ["add_pack_in"]),
        (desk.room.deps.telegram.outbox, ["put"]),
    ]  # fmt: skip
    return Deaths(patch, stores.jobs, desk.room.pool, effects)


async def test_an_import_stores_its_pack_once_and_tells_once_although_processes_die_at_every_step(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.serves(PACK)
    await desk.begin()
    deaths = deaths_of(desk, monkeypatch)
    job = await deaths.attempt(desk.imports.kind)
    assert job is not None
    told = [plain(out.params["text"]) for out in await desk.room.sent()]
    assert (job.status, await desk.packs()) == ("done", [("Rivers", 2)])
    assert told == [plain(text("pack-imported", name="Rivers", count=2))]
    assert deaths.count >= 10
    # Until the pack is stored, the file is read again; after that, never.
    assert len(desk.server.calls) < deaths.count


async def test_a_refused_file_leaves_nothing_and_tells_once_although_processes_die_at_every_step(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.serves(b"", 404)
    await desk.begin()
    job = await deaths_of(desk, monkeypatch).attempt(desk.imports.kind)
    assert job is not None
    assert (job.status, await desk.packs(), len(await desk.room.sent())) == ("cancelled", [], 1)


@pytest.mark.parametrize("stored", [False, True])
async def test_a_cancelled_import_stores_nothing_but_a_stored_pack_stays_and_its_owner_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, stored: bool
) -> None:
    desk.serves(PACK)
    job_id = await desk.begin()
    assert job_id is not None
    jobs, kind = desk.room.deps.stores.jobs, desk.imports.kind
    if stored:
        (claimed,) = await jobs.claim({kind.name: 1}, "doomed")

        async def die(*_: object) -> None:
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(desk.imports, "_tell", die)
            with pytest.raises(Killed):
                await kind.work(Run(claimed, kind, jobs, math.inf))
    await jobs.cancel(job_id)
    job = await deaths_of(desk, monkeypatch).attempt(kind)
    assert job is not None
    (told,) = [plain(out.params["text"]) for out in await desk.room.sent()]
    if stored:
        assert (job.status, await desk.packs()) == ("done", [("Rivers", 2)])
        assert told == plain(text("pack-imported", name="Rivers", count=2))
    else:
        assert (job.status, await desk.packs(), desk.server.calls) == ("cancelled", [], [])
        assert text("pack-import-cancelled") in told


async def test_a_file_with_mistakes_is_refused_with_their_lines(desk: Desk) -> None:
    desk.serves(b"question,answer,wrong 1\nOnly a question,,\n")
    await desk.begin()
    job, told = await desk.finish()
    assert (job.status, await desk.packs()) == ("cancelled", [])
    assert "2" in told[0]


@pytest.mark.parametrize(("status", "size"), [(404, 1), (302, 1), (200, MAX_BYTES + 1)])
async def test_no_file_or_one_that_is_too_large_is_reported(desk: Desk, status: int, size: int) -> None:
    desk.serves(b"x" * size, status)
    await desk.begin()
    job, told = await desk.finish()
    assert (job.status, await desk.packs(), len(told)) == ("cancelled", [], 1)
    assert len(desk.server.calls) == 1


async def test_a_server_that_is_down_is_tried_again_and_then_given_up(desk: Desk) -> None:
    desk.serves(b"", 503)
    await desk.begin()
    jobs, kind = desk.room.deps.stores.jobs, desk.imports.kind
    for attempt in range(1, ATTEMPTS):
        await desk.room.pool.execute("UPDATE jobs SET due_at = now()")
        (job,) = await jobs.claim({kind.name: 1}, "me")
        with pytest.raises(OSError, match="status 503"):
            await kind.work(Run(job, kind, jobs, math.inf))
        await jobs.run_again(job, 0, attempts=attempt)
    job, told = await desk.finish()
    assert (job.status, len(desk.server.calls)) == ("cancelled", ATTEMPTS)
    assert text("pack-import-unreachable") in told[0]


async def test_private_addresses_and_too_many_imports_are_refused(desk: Desk) -> None:
    for url, refusal in (("https://10.0.0.1/a.csv", ForbiddenAddress), ("ftp://example.org/a.csv", BadUrl)):
        with pytest.raises(refusal):
            await desk.imports.begin(ANN, url, key="x", locale="en")
    for number in range(MOST_WAITING):
        await desk.begin(key=f"k{number}")
    with pytest.raises(TooManyImports):
        await desk.begin(key="more")


async def test_the_command_with_an_address_begins_an_import(desk: Desk) -> None:
    await desk.room.say("/pack https://example.org/rivers.csv", by=ANN, chat=ANN)
    (job,) = await desk.room.deps.stores.jobs.page()
    assert (job.kind, job.chat_id, job.asked_by) == ("pack_import", ANN, ANN)
    assert b'"name": "rivers"' in job.data or b'"name":"rivers"' in job.data
    await desk.room.say("/pack https://127.0.0.1/rivers.csv", by=ANN, chat=ANN)
    assert len(await desk.room.deps.stores.jobs.page()) == 1
    assert GROUP != HOST
