"""Backup and restoration of both stores, on games that are played while the projector lags behind."""

import asyncio
import gzip
import os
import re
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest
from redis.asyncio import Redis

from bot.__main__ import main
from fsm.pick_number import PickNumber
from storage import backup, keys, migrate
from storage.backup_file import BackupError, new_identity, opened
from storage.connections import Pool, postgres_pool
from storage.personal_data import PersonalData
from storage.processes import Process
from storage.rebuild import rebuild
from tests.contract.played import CHAT, House, drain, feed_of

TABLE_ROWS = "SELECT coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM {} t"


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis)


async def taken(house: House, dsn: str, path: Path, *recipients: str) -> Path:
    await backup.back_up(dsn, house.redis, house.games.shards, path, version="1", recipients=list(recipients))
    return path


async def restored(house: House, dsn: str, path: Path, identity: Path | None = None) -> None:
    await backup.restore(dsn, house.pool, house.redis, path, identity)
    house.engine = house.new_engine()


async def contents(pool: Pool) -> dict[str, str]:
    """Return a digest of each table."""
    names = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    return {row[0]: await pool.fetchval(TABLE_ROWS.format(row[0])) for row in names}


async def evening(house: House) -> tuple[str, str, str]:
    """Play: one game to its end, one half, and one that the projector has not seen. Returns their ids."""
    over = await house.play(chat_id=CHAT)
    half = await house.begin((1, 2, 3), chat_id=CHAT - 1)
    await house.do(half, PickNumber(1, 7))
    await house.project()
    await house.do(half, PickNumber(2, 8))
    unseen = await house.begin(chat_id=CHAT - 2)
    await house.do(unseen, PickNumber(1, 9))
    return over, half, unseen


async def test_both_stores_come_back_as_they_were_and_games_continue(
    house: House, postgres_dsn: str, tmp_path: Path
) -> None:
    over, half, unseen = await evening(house)
    states = {game_id: (await house.engine.look(game_id)).state for game_id in (half, unseen)}
    path = await taken(house, postgres_dsn, tmp_path / "evening.tombola")
    await house.do(half, PickNumber(3, 9))  # after the backup
    await house.project()
    later = await house.play(chat_id=CHAT - 3)
    await house.project()
    await restored(house, postgres_dsn, path)

    assert later not in {row[0] for row in await house.pool.fetch("SELECT id FROM games")}
    assert await house.pool.fetchval("SELECT status FROM games WHERE id = $1", over) == "completed"
    assert (await rebuild(house.pool, house.redis, house.codec, house.games)).left == ()
    for game_id, state in states.items():
        assert (await house.engine.look(game_id)).state == state
        await house.finish(game_id)
    await house.project()
    assert await house.pool.fetchval("SELECT count(*) FROM games WHERE status = 'completed'") == 3


async def test_a_backup_beside_players_and_the_projector_has_everything_from_before_it(
    house: House, postgres_dsn: str, tmp_path: Path
) -> None:
    games = [await house.begin((1, 2, 3), chat_id=CHAT - number) for number in range(12)]
    writing = asyncio.create_task(drain(feed_of(house.redis, house.games.shards), house.projector.handle))
    for game_id in games:
        await house.do(game_id, PickNumber(1, 1))
    before = {game_id: (await house.engine.look(game_id)).version for game_id in games}
    playing = asyncio.gather(*(house.do(game_id, PickNumber(2, 2)) for game_id in games))
    path = await taken(house, postgres_dsn, tmp_path / "busy.tombola")
    await playing
    await writing
    after = {game_id: (await house.engine.look(game_id)).version for game_id in games}
    await restored(house, postgres_dsn, path)
    for row in await house.pool.fetch("SELECT id, version FROM games"):
        assert before[row[0]] <= row[1] <= after[row[0]]
    counts = await house.pool.fetch("SELECT game_id, count(*), max(version) FROM game_events GROUP BY 1")
    assert {row[0]: row[1] for row in counts} == {row[0]: row[2] for row in counts}


async def test_a_backup_is_restored_into_an_empty_database(
    house: House, postgres_dsn: str, empty_database: str, tmp_path: Path
) -> None:
    await evening(house)
    await house.project()
    await house.pool.execute(
        "INSERT INTO audit_log (at, face, actor_id, token, action, chat_id, target, origin, outcome)"
        " VALUES (now(), 'api', 1, '', 'ban', NULL, E'tab\\t and \\\\ and \\n', '', 'done')"
    )
    path, before = await taken(house, postgres_dsn, tmp_path / "one.tombola"), await contents(house.pool)
    async with postgres_pool(empty_database) as other:
        await backup.restore(empty_database, other, house.redis, path, None)
        assert await contents(other) == before
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await other.execute("DELETE FROM audit_log")
        last = await other.fetchval("SELECT max(id) FROM audit_log")
        made = await other.fetchval(
            "INSERT INTO audit_log (at, face, actor_id, token, action, target, origin, outcome)"
            " VALUES (now(), 'api', 1, '', 'ban', '', '', 'done') RETURNING id"
        )
        assert made == last + 1


async def test_a_backup_of_an_earlier_schema_is_restored_and_migrated(
    house: House, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = migrate.revisions()[-2]
    await migrate.upgrade(empty_database, earlier)
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "head", lambda: earlier)
        path = await taken(house, empty_database, tmp_path / "earlier.tombola")
    await migrate.upgrade(empty_database)
    async with postgres_pool(empty_database) as other:
        await backup.restore(empty_database, other, house.redis, path, None)
    assert await migrate.current(empty_database) == migrate.head()
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "head", lambda: "0001")
        with pytest.raises(BackupError, match="use a newer one"):
            await backup.restore(empty_database, house.pool, house.redis, path, None)


async def test_a_redis_that_is_older_or_newer_than_the_backup_is_emptied_of_tombolas_keys_alone(
    house: House, postgres_dsn: str, tmp_path: Path
) -> None:
    _, half, _ = await evening(house)
    path = await taken(house, postgres_dsn, tmp_path / "one.tombola")
    await house.redis.set("another-program", "1")
    await house.finish(half)
    await restored(house, postgres_dsn, path)
    assert await house.redis.keys() == [b"another-program"]


def damaged(data: bytes) -> list[bytes]:
    """Return the bytes of a file with faults: cut off at several places, or with one byte changed."""
    cuts = [data[: len(data) * part // 8] for part in range(8)] + [data[:-1], data[:-9]]
    turned = []
    for part in range(1, 40):
        at = len(data) * part // 40
        turned.append(data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :])
    return cuts + turned + broken_texts(data) + [b"PK\x03\x04", b"{}", os.urandom(1000)]


def broken_texts(data: bytes) -> list[bytes]:
    """Return whole archives with texts that are no UTF-8; none if the file is encrypted."""
    if not data.startswith(b"\x1f\x8b"):
        return []
    plain, word = gzip.decompress(data), b"pick_number"
    places = [found.start() for found in re.finditer(word, plain)]
    return [gzip.compress(plain[:at] + b"\xa5" + plain[at + 1 :], 1) for at in (places[0], places[-1])]


def unharmed(data: bytes, bad: bytes) -> bool:
    """Return True for a change without an effect: gzip can say "more zeros" in several ways."""
    try:
        return gzip.decompress(bad) == gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return False


@pytest.mark.parametrize("encrypted", [False, True])
async def test_a_damaged_file_is_refused_and_changes_nothing(
    house: House, postgres_dsn: str, tmp_path: Path, *, encrypted: bool
) -> None:
    await evening(house)
    identity = tmp_path / "identity"
    recipients = [new_identity(identity)] if encrypted else []
    data = (await taken(house, postgres_dsn, tmp_path / "whole", *recipients)).read_bytes()
    before, held = await contents(house.pool), await house.redis.dbsize()
    for number, bad in enumerate(damaged(data)):
        path = tmp_path / f"bad{number}"
        path.write_bytes(bad)
        if not unharmed(data, bad):
            with pytest.raises(BackupError) as refused:
                backup.check(path, identity)
            assert "\n" not in str(refused.value), number
    with pytest.raises(BackupError):
        await backup.restore(postgres_dsn, house.pool, house.redis, tmp_path / "bad3", identity)
    assert (await contents(house.pool), await house.redis.dbsize()) == (before, held)


async def test_an_encrypted_backup_needs_its_key(house: House, postgres_dsn: str, tmp_path: Path) -> None:
    _, half, _ = await evening(house)
    public = new_identity(tmp_path / "identity")
    path = await taken(house, postgres_dsn, tmp_path / "secret.age", public)
    assert b"game_events" not in path.read_bytes()
    with pytest.raises(BackupError, match="--identity"):
        backup.check(path, None)
    new_identity(tmp_path / "other")
    with pytest.raises(BackupError, match="can't be decrypted"):
        backup.check(path, tmp_path / "other")
    with pytest.raises(BackupError, match="absent can't be read"):
        backup.check(path, tmp_path / "absent")
    with pytest.raises(BackupError, match="no private key"):
        backup.check(path, path)
    await restored(house, postgres_dsn, path, tmp_path / "identity")
    assert await house.pool.fetchval("SELECT count(*) FROM games WHERE id = $1", half) == 1
    with pytest.raises(BackupError, match="not a public key"):
        await taken(house, postgres_dsn, tmp_path / "none", "age1nonsense")
    assert not list(tmp_path.glob("*.unfinished"))


async def test_erasures_and_revocations_since_the_backup_are_repeated(
    house: House, postgres_dsn: str, tmp_path: Path
) -> None:
    over = await house.play(chat_id=CHAT)
    await house.project()
    now = datetime.now(UTC)
    await house.pool.execute(
        "INSERT INTO api_tokens (prefix, hash, role, name, owner_id, created_at) VALUES ('p', '', 'host', '', 1, $1)",
        now,
    )
    path = await taken(house, postgres_dsn, tmp_path / "one.tombola")
    later = round((now + timedelta(seconds=5)).timestamp() * 1000)
    personal = PersonalData(house.pool, house.redis)
    await personal.begin(1, -777, later, 0, None)
    while await personal.erase_games(1, -777, later):
        pass
    await house.pool.execute("UPDATE api_tokens SET revoked_at = $1", now + timedelta(seconds=5))
    await restored(house, postgres_dsn, path)
    players = await house.pool.fetch("SELECT player_id FROM game_participants WHERE game_id = $1", over)
    assert -777 in {row[0] for row in players}
    assert 1 not in {row[0] for row in players}
    assert await house.pool.fetchval("SELECT revoked_at FROM api_tokens") is not None


async def test_a_backup_is_private_to_its_owner_and_overwrites_nothing(
    house: House, postgres_dsn: str, tmp_path: Path
) -> None:
    path = await taken(house, postgres_dsn, tmp_path / "one.tombola")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BackupError, match="exists already"):
        await taken(house, postgres_dsn, path)
    with pytest.raises(BackupError, match="can't be written"):
        await taken(house, postgres_dsn, tmp_path / "nowhere" / "one.tombola")


async def test_large_tables_are_many_parts(house: House, postgres_dsn: str, tmp_path: Path) -> None:
    await house.pool.execute(
        "INSERT INTO asked_questions (chat_id, question_id, text, answer, asked_at)"
        " SELECT n, n::text, repeat('text ', 100), 'yes', now() FROM generate_series(1, 20000) n"
    )
    path, before = await taken(house, postgres_dsn, tmp_path / "large"), await contents(house.pool)
    with opened(path, None) as reader:
        assert sum(part.table == "asked_questions" for part in reader.parts()) > 1
    await restored(house, postgres_dsn, path)
    assert await contents(house.pool) == before


# -- the commands -------------------------------------------------------------------------------------------------


def command(*arguments: str) -> int:
    return main(list(arguments))


async def test_operators_back_up_check_and_restore_by_commands(
    house: House, postgres_dsn: str, redis_dsn: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    _, half, _ = await evening(house)
    monkeypatch.setenv("TOMBOLA_DATABASE__DSN", postgres_dsn)
    monkeypatch.setenv("TOMBOLA_REDIS__DSN", redis_dsn)
    monkeypatch.setenv("TOMBOLA_REDIS__SHARDS", str(len(house.games.shards)))
    monkeypatch.setenv("TOMBOLA_DATA_DIR", str(tmp_path / "data"))
    path, key = str(tmp_path / "one.tombola"), str(tmp_path / "key")

    assert await asyncio.to_thread(command, "backup", "--new-key", key) == 0
    public = capsys.readouterr().out.split()[-1]
    assert await asyncio.to_thread(command, "backup", path, "--encrypt-for", public) == 0
    assert "entries of the feed" in capsys.readouterr().out
    assert await asyncio.to_thread(command, "backup", path) == 1
    assert await asyncio.to_thread(command, "restore", path, "--identity", key, "--check") == 0
    assert "is whole" in capsys.readouterr().out
    assert await asyncio.to_thread(command, "restore", path, "--identity", key) == 1
    assert "nothing done" in capsys.readouterr().out

    seconds, _ = await house.redis.time()
    running = Process("p1", ("all",), "1", 8080, 0, seen_at=seconds * 1000, host="there")
    await house.redis.hset(keys.processes_key(), "p1", msgspec.json.encode(running))
    assert await asyncio.to_thread(command, "restore", path, "--identity", key, "--yes") == 1
    assert "the bot runs" in capsys.readouterr().out
    await house.redis.delete(keys.processes_key())
    assert await asyncio.to_thread(command, "restore", path, "--identity", key, "--yes") == 0
    version = await house.pool.fetchval("SELECT version FROM games WHERE id = $1", half)
    assert version == await house.pool.fetchval("SELECT count(*) FROM game_events WHERE game_id = $1", half)
    assert await house.pool.fetchval("SELECT action FROM audit_log") == "restore-backup"
