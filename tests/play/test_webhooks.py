"""Webhooks out: signed, retried, paused, disabled, sent again; no receiver disturbs another."""

import asyncio
import ipaddress
import json
import math
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from redis.asyncio import Redis
from standardwebhooks import Webhook, WebhookVerificationError

from bot.tasks import Tasks
from play.access import Actor, NotAHost, NotAnOperator, Role, Token
from play.guarded_http import AddressGuard, Answer, ForbiddenAddress, GuardedHttp
from play.standard_webhooks import BadSignature, StaleCall, secret_of, shown, signed, verify
from play.webhooks import (
    MAX_ENDPOINTS,
    SCHEDULE,
    TooManyEndpoints,
    UnknownDelivery,
    UnknownEndpoint,
    UnknownEventType,
    WebhookCaller,
    WebhookDesk,
    message,
    retry_after,
)
from storage import keys
from storage.connections import Pool
from storage.job_runner import Run, Runner
from storage.leases import Bell
from storage.secret_box import SecretBox
from storage.webhooks import WebhookEndpoint, Webhooks, publish
from tests.handlers.room import ANN, GROUP, HOST, OPERATOR, TEXTS, Room, build_room, plain
from tests.play.receiver import Receiver, never

CHIEF = Actor(OPERATOR, chat_id=OPERATOR)


@dataclass
class Post:
    """Everything that webhooks need, on real stores, with a receiver on the loopback network."""

    room: Room
    receiver: Receiver
    desk: WebhookDesk
    caller: WebhookCaller

    @property
    def stores(self) -> Any:
        return self.room.deps.stores

    async def endpoint(self, chat_id: int = 0, **fields: Any) -> WebhookEndpoint:
        return await self.desk.add(
            CHIEF if chat_id == 0 else Actor(HOST, chat_id=GROUP), chat_id, self.receiver.url, **fields
        )

    async def happens(self, id_: str = "game.1", type_: str = "game.opened", chat_id: int = GROUP) -> None:
        """Publish an event, as the projector does."""
        async with self.room.pool.acquire() as connection, connection.transaction():
            await publish(connection, [message(id_, type_, chat_id, {"game_id": id_}, self.room.clock.at)])

    async def later(self) -> None:
        """Let so much time pass that all pauses and delays are over, and make the calls that are due."""
        await self.room.pool.execute(
            "UPDATE webhook_deliveries SET due_at = now() WHERE status = 'pending';"
            "UPDATE webhook_endpoints SET paused_until = now();"
            "UPDATE jobs SET due_at = now() WHERE status = 'queued'"
        )
        jobs = self.stores.jobs
        for job in await jobs.claim({self.caller.kind.name: 100}, "me"):
            run = Run(job, self.caller.kind, jobs, math.inf)
            await self.caller.kind.work(run)
            if not run.ended:
                await run.end()

    async def passes(self, seconds: float) -> None:
        """Let time pass, as far as webhooks know, and make the calls that have become due."""
        for table, columns in (
            ("webhook_deliveries", ("due_at",)),
            ("webhook_endpoints", ("paused_until", "failing_since", "old_until")),
            ("jobs", ("due_at",)),
        ):
            moved = ", ".join(f"{column} = {column} - $1 * interval '1 second'" for column in columns)
            await self.room.pool.execute(f"UPDATE {table} SET {moved}", seconds)
        jobs = self.stores.jobs
        while claimed := await jobs.claim({self.caller.kind.name: 100}, "me"):
            for job in claimed:
                run = Run(job, self.caller.kind, jobs, math.inf)
                await self.caller.kind.work(run)
                if not run.ended:
                    await run.end()

    async def statuses(self, endpoint: WebhookEndpoint) -> dict[str, str]:
        found = await self.stores.webhooks.deliveries(endpoint.id)
        return {each.message_id: each.status for each in found}


async def in_bad_shape(request: web.Request) -> web.StreamResponse:
    """Give one bad answer or another."""
    transport = request.transport
    assert isinstance(transport, asyncio.WriteTransport)
    manner = random.choice(("503", "429", "redirect", "garbage", "closed"))
    if manner == "garbage":
        transport.write(b"220 mail.example ESMTP\r\n")
    if manner in {"garbage", "closed"}:
        transport.close()
    status = {"429": 429, "redirect": 302}.get(manner, 503)
    return web.Response(status=status, headers={"Location": "https://b.example/"}, body=b"\0" * 40_000)


@pytest_asyncio.fixture
async def post(redis: Redis, pool: Pool) -> AsyncIterator[Post]:
    receiver, http = Receiver(), GuardedHttp(AddressGuard((ipaddress.ip_network("127.0.0.0/8"),)))
    runner = await receiver.serve()
    async with build_room(redis, pool) as room:
        stores, deps = room.deps.stores, room.deps
        desk = WebhookDesk(
            webhooks=stores.webhooks, jobs=stores.jobs, access=deps.play.access, http=http, clock=deps.play.clock
        )
        caller = WebhookCaller(
            webhooks=stores.webhooks, http=http, outbox=deps.telegram.outbox, people=stores.people, texts=TEXTS,
            clock=deps.play.clock, operators=[OPERATOR],
        )  # fmt: skip
        room.clock.at = round(datetime.now(UTC).timestamp() * 1000)
        yield Post(room, receiver, desk, caller)
    await http.close()
    await runner.cleanup()


# -- signatures -------------------------------------------------------------------------------------------------


async def test_the_public_library_verifies_a_call(post: Post) -> None:
    endpoint = await post.endpoint()
    await post.happens()
    await post.later()
    ((headers, body),) = post.receiver.calls
    found = Webhook(shown(endpoint.secret)).verify(body, headers)
    assert found == json.loads(body)
    assert (found["type"], found["data"]) == ("game.opened", {"game_id": "game.1"})
    assert headers["webhook-id"] == "game.1"
    assert headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(b"x" * 32)).verify(body, headers)


async def test_both_secrets_sign_while_one_is_rotated(post: Post) -> None:
    old = await post.endpoint()
    new = await post.desk.rotate(CHIEF, old.id)
    assert new.secret != old.secret
    await post.happens("game.1")
    await post.later()
    await post.room.pool.execute("UPDATE webhook_endpoints SET old_until = now() - interval '1 second'")
    await post.happens("game.2")
    await post.later()
    (during, first), (after, second) = post.receiver.calls
    for secret in (old.secret, new.secret):
        Webhook(shown(secret)).verify(first, during)
    Webhook(shown(new.secret)).verify(second, after)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(old.secret)).verify(second, after)


def test_a_secret_is_not_shown_by_accident() -> None:
    at = datetime.now(UTC)
    endpoint = WebhookEndpoint(
        "ep", 0, "https://a.example", (), "", True, "", 0, None, at, 0, at, at, b"top secret", b"old secret", at
    )
    assert "secret'" not in repr(endpoint)


def test_calls_in_either_direction_have_the_same_signature() -> None:
    secret, body = b"k" * 32, b'{"a": 1}'
    headers = Webhook(shown(secret)), signed([secret], "msg", 1000, body)
    assert headers[0].sign("msg", datetime.fromtimestamp(1000, UTC), body.decode()) == headers[1]["webhook-signature"]
    assert verify([b"o" * 32, secret], headers[1], body, 1299) == "msg"
    for changed in (
        {"webhook-id": "other"},
        {"webhook-timestamp": "1001"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-signature": ""},
        {"webhook-signature": "v2," + headers[1]["webhook-signature"][3:]},
        {"webhook-signature": "v1,é"},
        {"webhook-id": "x" * 129},
    ):
        with pytest.raises(BadSignature):
            verify([secret], {**headers[1], **changed}, body, 1000)
    for now in (1301, 699):
        with pytest.raises(StaleCall):
            verify([secret], headers[1], body, now)
    assert secret_of(shown(secret)) == secret
    assert secret_of("whsec_short") is None


async def test_secrets_are_encrypted_and_a_new_key_takes_over(post: Post) -> None:
    pool, first, second = post.room.pool, SecretBox(["k" * 32]), SecretBox(["n" * 32, "k" * 32])
    plain = await post.endpoint()  # stored before a key was configured
    source = await post.stores.webhooks.add_source("src1", GROUP, 0, "", b"z" * 32, 1)
    sealing = Webhooks(pool, first)
    assert await sealing.reseal() == 2
    assert await sealing.reseal() == 0
    await sealing.rotate(plain.id, b"y" * 32, 60)
    stored = await pool.fetchrow("SELECT secret, old_secret FROM webhook_endpoints")
    assert stored is not None
    for each in (*stored, await pool.fetchval("SELECT secret FROM webhook_sources")):
        assert each.startswith(first.current)
        assert not any(secret in each for secret in (plain.secret, b"y" * 32, b"z" * 32))
    renewed = Webhooks(pool, second)
    assert await renewed.reseal() == 3
    found, calling = await renewed.endpoint(plain.id), await renewed.source("src1")
    assert found is not None
    assert calling is not None
    assert (found.secret, found.old_secret, calling.secret) == (b"y" * 32, plain.secret, source.secret)
    without = await Webhooks(pool, SecretBox(["o" * 32])).endpoint(plain.id)
    assert without is not None
    assert without.secret == b""
    await pool.execute("UPDATE webhook_endpoints SET id = 'other'")  # moved to another row
    moved = await renewed.endpoint("other")
    assert moved is not None
    assert moved.secret == b""


async def test_an_endpoint_whose_secret_cannot_be_decrypted_is_not_called(post: Post) -> None:
    endpoint = await post.endpoint()
    await Webhooks(post.room.pool, SecretBox(["k" * 32])).reseal()
    await post.happens()
    await post.later()
    (delivery,) = await post.desk.deliveries(CHIEF, endpoint.id)
    (attempt,) = (await post.desk.delivery(CHIEF, endpoint.id, delivery.id)).tried
    assert (attempt.status, attempt.error) == (0, "the secret can't be decrypted")
    assert post.receiver.calls == []


# -- failures ---------------------------------------------------------------------------------------------------


async def test_a_receiver_that_is_down_loses_nothing_and_every_attempt_is_listed(post: Post) -> None:
    endpoint = await post.endpoint()
    post.receiver.answers(500)
    await post.happens("game.1")
    await post.happens("game.2")
    for _ in range(3):
        await post.later()
    assert set((await post.statuses(endpoint)).values()) == {"pending"}
    post.receiver.answers(200)
    await post.later()
    assert await post.statuses(endpoint) == {"game.1": "delivered", "game.2": "delivered"}
    found = await post.desk.deliveries(CHIEF, endpoint.id)
    tried = [(await post.desk.delivery(CHIEF, endpoint.id, each.id)).tried for each in found]
    assert sorted([attempt.status for attempts in tried for attempt in attempts]) == [200, 200, 500, 500, 500]
    known = await post.desk.get(CHIEF, endpoint.id)
    assert (known.failures, known.failing_since) == (0, None)


async def test_a_receiver_that_is_down_for_a_day_gets_everything_in_the_end_and_disturbs_no_other(post: Post) -> None:
    bad = Receiver(respond=in_bad_shape)
    runner = await bad.serve()
    down = await post.desk.add(CHIEF, 0, bad.url)
    await post.endpoint()  # of a receiver that is up
    secrets, ids = [down.secret], [f"game.{number}" for number in range(24)]
    for hour, id_ in enumerate(ids):
        await post.happens(id_)
        for _ in range(4):
            await post.passes(900)
        assert [headers["webhook-id"] for headers, _ in post.receiver.calls] == ids[: hour + 1]  # nobody waits
        if hour == 12:
            secrets.append((await post.desk.rotate(CHIEF, down.id, overlap_seconds=3 * 86_400)).secret)
    probes = len(bad.calls)
    assert (
        probes < 2 * 24 + 12
    )  # jitter makes a pause of an hour half an hour at least; a dozen shorter ones come first
    assert set((await post.statuses(down)).values()) == {"pending"}
    assert (await post.desk.get(CHIEF, down.id)).enabled
    bad.respond = None
    while "pending" in (await post.statuses(down)).values():
        await post.passes(900)
    await runner.cleanup()
    accepted = [headers["webhook-id"] for headers, _ in bad.calls[probes:]]
    assert sorted(accepted) == sorted(ids)  # nothing lost, and nothing twice
    failed = {headers["webhook-id"] for headers, _ in bad.calls[:probes]}
    waiting = [id_ for id_ in accepted if id_ not in failed]
    assert waiting == [id_ for id_ in ids if id_ not in failed]  # those that had not failed come in order
    found = await post.desk.deliveries(CHIEF, down.id)
    tried = {each.message_id: (await post.desk.delivery(CHIEF, down.id, each.id)).tried for each in found}
    for id_, attempts in tried.items():
        assert len(attempts) == sum(headers["webhook-id"] == id_ for headers, _ in bad.calls)
        assert [attempt.status for attempt in attempts][-1] == 204
        assert len(attempts) <= len(SCHEDULE)
    for headers, body in bad.calls[-5:]:
        for secret in secrets:  # the old one still signs
            Webhook(shown(secret)).verify(body, headers)


async def test_a_failure_pauses_the_whole_endpoint_longer_each_time(post: Post) -> None:
    endpoint = await post.endpoint()
    post.receiver.answers(500)
    for number in range(20):
        await post.happens(f"game.{number}")
    pauses = []
    for _ in range(14):
        await post.later()
        found = await post.room.pool.fetchval("SELECT paused_until - now() FROM webhook_endpoints")
        pauses.append(found.total_seconds())
    assert len(post.receiver.calls) == 14  # one call each time, although twenty messages wait
    assert pauses[0] < 3
    assert 1700 < pauses[-1] <= 3600
    assert (await post.desk.get(CHIEF, endpoint.id)).failures == 14


async def test_a_delivery_fails_for_good_after_the_schedule_and_can_be_sent_again(post: Post) -> None:
    endpoint = await post.endpoint()
    post.receiver.answers(400)
    await post.happens()
    for _ in SCHEDULE:
        await post.later()
    assert await post.statuses(endpoint) == {"game.1": "pending"}
    await post.later()
    assert await post.statuses(endpoint) == {"game.1": "failed"}
    post.receiver.answers(200)
    (delivery,) = await post.desk.deliveries(CHIEF, endpoint.id)
    assert (await post.desk.resend(CHIEF, endpoint.id, delivery.id)).status == "pending"
    await post.later()
    assert await post.statuses(endpoint) == {"game.1": "delivered"}
    assert {headers["webhook-id"] for headers, _ in post.receiver.calls} == {"game.1"}
    with pytest.raises(UnknownDelivery):
        await post.desk.resend(CHIEF, endpoint.id, 10**9)


async def test_a_receiver_may_ask_for_a_delay(post: Post) -> None:
    endpoint = await post.endpoint()
    post.receiver.answers(429, retry_after="7200")
    await post.happens()
    await post.later()
    known = await post.desk.get(CHIEF, endpoint.id)
    assert known.paused_until - datetime.now(UTC) > timedelta(seconds=7000)
    (job,) = await post.stores.jobs.page(kind="webhooks")
    assert job.due_at - datetime.now(UTC) > timedelta(seconds=7000)


def test_the_delay_is_a_number_or_a_date_and_at_most_a_day() -> None:
    now = datetime.now(UTC)

    def asked(text: str, status: int = 503) -> float:
        return retry_after(Answer(status, {"retry-after": text}, b"", 1), round(now.timestamp() * 1000))

    assert asked("120") == 120
    assert asked("120", 500) == 0
    assert asked("9999999") == 86_400
    assert 3598 < asked(format_datetime(now + timedelta(hours=1), usegmt=True)) <= 3600
    for junk in ("", "-5", "soon", "٣", "Mon, 99 Foo 2026", "1" * 400):
        assert asked(junk) == 0
    assert retry_after(None, 0) == 0


async def test_an_endpoint_that_is_gone_is_disabled_and_the_operators_are_told(post: Post) -> None:
    gone, other = await post.endpoint(), await post.endpoint(types=["endpoint.disabled"])
    post.receiver.answers(410)
    await post.happens("game.1")
    await post.happens("game.2")
    await post.later()
    post.receiver.answers(200)
    assert len(post.receiver.calls) == 1
    known = await post.desk.get(CHIEF, gone.id)
    assert (known.enabled, known.reason) == (False, "gone")
    assert await post.statuses(gone) == {"game.1": "failed", "game.2": "missed"}
    (told,) = await post.room.sent()
    assert told.chat_id == OPERATOR
    assert gone.id in plain(told.params["text"])
    await post.later()
    event = json.loads(post.receiver.calls[-1][1])
    assert (event["type"], event["data"]["endpoint_id"]) == ("endpoint.disabled", gone.id)
    assert list((await post.statuses(other)).values()) == ["delivered"]
    await post.happens("game.3")
    assert (await post.statuses(gone))["game.3"] == "missed"
    await post.desk.change(CHIEF, gone.id, enabled=True)
    assert await post.desk.recover(CHIEF, gone.id, datetime.now(UTC) - timedelta(hours=1)) == 3
    await post.later()
    assert set((await post.statuses(gone)).values()) == {"delivered"}


async def test_five_days_of_failures_disable_an_endpoint(post: Post) -> None:
    endpoint = await post.endpoint()
    post.receiver.answers(500)
    await post.happens()
    await post.later()
    await post.room.pool.execute("UPDATE webhook_endpoints SET failing_since = now() - interval '4 days 23 hours'")
    await post.later()
    assert (await post.desk.get(CHIEF, endpoint.id)).enabled
    await post.room.pool.execute("UPDATE webhook_endpoints SET failing_since = now() - interval '5 days 1 minute'")
    await post.later()
    known = await post.desk.get(CHIEF, endpoint.id)
    assert (known.enabled, known.reason) == (False, "failing")
    assert len(await post.room.sent()) == 1


async def test_a_receiver_without_an_answer_delays_no_other(post: Post, redis: Redis) -> None:
    dead = Receiver(respond=never)
    runner = await dead.serve()
    slow = await post.desk.add(CHIEF, 0, dead.url)
    quick = await post.endpoint()
    tasks, bell = Tasks(lambda *_: None), Bell(redis, keys.JOBS_ENQUEUED)
    for number in range(5):
        await post.happens(f"game.{number}")
    spawn = partial(tasks.spawn, vital=False)
    tasks.spawn("runner", Runner(post.stores.jobs, [post.caller.kind], "me", bell, spawn).run())
    async with asyncio.timeout(60):
        while not dead.calls or "pending" in (await post.statuses(quick)).values():  # noqa: ASYNC110 -- see above
            await asyncio.sleep(0.01)
    assert len(dead.calls) == 1
    assert set((await post.statuses(slow)).values()) == {"pending"}
    assert set((await post.statuses(quick)).values()) == {"delivered"}
    await tasks.close()
    await runner.cleanup()


async def test_an_address_that_has_become_private_is_a_failed_attempt(post: Post) -> None:
    endpoint = await post.endpoint()
    await post.room.pool.execute("UPDATE webhook_endpoints SET url = 'https://10.1.2.3/hook'")
    await post.happens()
    await post.later()
    (delivery,) = await post.desk.deliveries(CHIEF, endpoint.id)
    (attempt,) = (await post.desk.delivery(CHIEF, endpoint.id, delivery.id)).tried
    assert (attempt.status, attempt.error) == (0, "forbidden-address")


# -- endpoints --------------------------------------------------------------------------------------------------


async def test_an_endpoint_gets_the_events_of_its_chat_and_of_its_types(post: Post) -> None:
    mine = await post.endpoint(GROUP, types=["game.completed"])
    await post.happens("game.1", "game.opened")
    await post.happens("game.2", "game.completed", chat_id=-9)
    await post.happens("game.3", "game.completed")
    assert list(await post.statuses(mine)) == ["game.3"]


async def test_an_example_goes_to_one_endpoint_alone(post: Post) -> None:
    one, other = await post.endpoint(), await post.endpoint()
    await post.desk.send_example(CHIEF, one.id)
    await post.later()
    assert json.loads(post.receiver.calls[0][1])["type"] == "webhook.example"
    assert await post.statuses(other) == {}


async def test_hosts_manage_the_endpoints_of_their_chat_alone(post: Post) -> None:
    host, ann = Actor(HOST, chat_id=GROUP), Actor(ANN, chat_id=GROUP)
    mine, everyones = await post.endpoint(GROUP), await post.endpoint()
    assert [each.id for each in await post.desk.endpoints(host, GROUP)] == [mine.id]
    with pytest.raises(NotAHost):
        await post.desk.endpoints(ann, GROUP)
    with pytest.raises(NotAHost):
        await post.desk.rotate(ann, mine.id)
    with pytest.raises(NotAnOperator):
        await post.desk.get(host, everyones.id)
    with pytest.raises(NotAnOperator):
        await post.desk.add(Actor(HOST, token=Token(Role.HOST)), 0, post.receiver.url)
    with pytest.raises(UnknownEndpoint):
        await post.desk.get(CHIEF, "ep0")
    await post.desk.remove(host, mine.id)
    assert await post.desk.endpoints(host, GROUP) == []


async def test_bad_addresses_unknown_types_and_too_many_endpoints_are_refused(post: Post) -> None:
    with pytest.raises(ForbiddenAddress):
        await post.desk.add(CHIEF, 0, "https://10.0.0.1/")
    with pytest.raises(UnknownEventType):
        await post.endpoint(types=["game.exploded"])
    for _ in range(MAX_ENDPOINTS):
        await post.endpoint()
    with pytest.raises(TooManyEndpoints):
        await post.endpoint()
