"""The audit log: every write of every face, and nobody can change it."""

import time

import asyncpg
import pytest
from redis.asyncio import Redis

from api.chats import BanBody, SettingsBody
from api.games import JoinBody, OpenBody
from api.operations import AuditView
from play.access import Role
from storage.audit import TELEGRAM, Audit, AuditEntry, Trail, acting
from storage.connections import Pool
from storage.jobs import Jobs
from storage.people import People
from storage.questions import Questions
from storage.templates import Templates
from storage.wallets import Wallets
from storage.webhooks import Webhooks
from tests.api.conftest import Served
from tests.support.clock import START, TurnedClock

DAY = 86_400_000


async def written(served: Served) -> list[AuditView]:
    """Return the audit log as operators read it, oldest first."""
    await served.table.bot.stores.audit.flush()
    async with await served.client(Role.OPERATOR) as operator:
        rows, _ = await operator.page("/audit", AuditView, limit=100)
    return rows[::-1]


async def test_writes_by_taps_commands_and_the_api_are_recorded_with_author_origin_and_outcome(served: Served) -> None:
    table = served.table
    async with await served.client(Role.HOST, served.chat_id) as host:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"), "k-1")
        await table.tap(table.people[1], r"^j:")
        await host.join_game(game.id, JoinBody(table.people[2].id, "Ann"))
        refused = await host.send(
            "POST", f"/games/{game.id}/players", body={"player_id": table.people[2].id, "name": "A"}
        )
        assert refused.json()["code"] == "already-joined"
        elsewhere = await host.send("PUT", "/bans/4242", body={})
        assert elsewhere.json()["code"] == "not-an-operator"
        prefix = (await host.get_own_token()).prefix
    table.box.control.say(table.people[3], table.group, "/cancel_game")  # no host
    table.box.control.say(table.host, table.group, f"/ban {table.people[4].id} spam")
    await table.says("is banned")
    rows = await written(served)
    by_api = [(row.action, row.outcome, row.target) for row in rows if row.token == prefix]
    assert by_api == [
        ("open_game", "done", ""),
        ("join_game", "done", game.id),
        ("join_game", "already-joined", game.id),
        ("ban", "not-an-operator", "4242"),
    ]
    assert all(row.origin.startswith("127.0.0.1 ") for row in rows if row.face == "api")
    told = {(row.actor_id, row.action, row.outcome, row.chat_id) for row in rows if row.face == "telegram"}
    assert told >= {
        (table.people[1].id, "join", "done", served.chat_id),
        (table.people[3].id, "/cancel_game", "not-a-host", served.chat_id),
        (table.host.id, "ban", "done", served.chat_id),
    }
    assert {row.origin.partition(":")[0] for row in rows if row.face == "telegram"} == {"tg"}


async def test_nobody_changes_or_deletes_a_row_that_is_younger_than_a_month(pool: Pool) -> None:
    audit = Audit(pool, TurnedClock())
    await audit.record(AuditEntry(at=START, face="api", action="ban", target="a\0b"))
    for statement in ("UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)
    assert [entry.target for entry in await audit.page(10)] == ["ab"]


async def test_a_row_says_that_something_was_changed(pool: Pool, redis: Redis) -> None:
    audit = Audit(pool, TurnedClock())
    templates, jobs, webhooks, questions = Templates(pool), Jobs(pool, redis), Webhooks(pool), Questions(pool)
    with acting(Trail(audit, TELEGRAM, 7, -1, "tg:1")):
        saved = await templates.save(-5, "Friday", "quiz", "", {})
        assert saved is not None
        assert await templates.rename(-5, saved, "Monday")
        for _ in range(2):
            await templates.delete(-5, saved)
        assert not await jobs.cancel(404)
        assert not await jobs.send_again(404)
        assert not await questions.delete_pack(404, 7)
        assert not await Wallets(pool, redis).remove(7)
        assert not await webhooks.remove("gone")
        assert await webhooks.change("gone", enabled=False) is None
    await audit.flush()
    rows = [(entry.action, entry.chat_id, entry.target) for entry in await audit.page(10)]
    assert rows[::-1] == [(f"{verb}-template", -5, str(saved)) for verb in ("save", "rename", "delete")]


async def test_a_write_about_people_and_chats_says_whether_it_changed_something(pool: Pool, redis: Redis) -> None:
    audit, people = Audit(pool, TurnedClock()), People(pool, redis)
    day = round(time.time() * 1000) + DAY
    with acting(Trail(audit, TELEGRAM, 7, -5, "tg:1")):
        for changed in (True, False):
            assert await people.set_player_locale(7, "es") is changed
            assert await people.set_listed(7, listed=True) is changed
            assert await people.set_chat_locale(-5, "es") is changed
            assert await people.change_settings(-5, {"quiz": {"winners": "2"}}) is changed
            assert await people.ban(-5, 8, 7, "spam") is changed
            assert await people.ban(0, 8, 7, "spam", day) is changed
            chat = await people.chat_now(-5)
            assert await people.change_settings_if(-5, chat, {"pin": "yes"}, "es") is changed
            assert await people.change_settings_if(-5, None, {"pin": "no"}, "es") is None, "changed since"
        assert [await people.unban(-5, 8), await people.unban(-5, 8)] == [True, False]
        assert await people.ban(0, 8, 7, "spam"), "without end"
        assert not await people.set_listed(7, listed=True)
    await audit.flush()
    assert [entry.action for entry in await audit.page(100)][::-1] == [
        "set-own-language", "set-listed", "set-language", "change-settings", "ban", "ban", "change-settings",
        "unban", "ban",
    ]  # fmt: skip


async def test_a_call_of_the_api_that_changed_nothing_has_no_row(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host:
        for _ in range(2):
            await host.ban_in_chat(served.chat_id, 4242, BanBody(reason="spam"))
        for _ in range(2):
            await host.unban_in_chat(served.chat_id, 4242)
        for _ in range(2):
            await host.change_settings(served.chat_id, SettingsBody(openers="everyone"))
    actions = [row.action for row in await written(served) if row.face == "api"]
    assert actions == ["ban_in_chat", "unban_in_chat", "change_settings"]


async def test_old_rows_can_be_pruned(pool: Pool) -> None:
    clock = TurnedClock(runs=True)
    audit = Audit(pool, clock)
    for days in (31, 1):
        audit.note(AuditEntry(at=clock.now() - days * DAY, face="api", action=f"{days} days ago"))
    await audit.flush()
    await pool.execute("DELETE FROM audit_log WHERE at < now() - interval '30 days'")
    assert [entry.action for entry in await audit.page(10)] == ["1 days ago"]


async def test_rows_wait_for_postgresql(pool: Pool) -> None:
    audit = Audit(pool, TurnedClock())
    await pool.execute("ALTER TABLE audit_log RENAME TO hidden")
    try:
        await audit.record(AuditEntry(at=START, face="api", action="ban"))
        with pytest.raises(asyncpg.UndefinedTableError):
            await audit.flush()
    finally:
        await pool.execute("ALTER TABLE hidden RENAME TO audit_log")
    await audit.flush()
    assert [entry.action for entry in await audit.page(10)] == ["ban"]
