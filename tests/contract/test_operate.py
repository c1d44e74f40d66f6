"""The command line: verify, replay and migrate report their findings in plain lines, for any input."""

import asyncio
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from bot import operator_commands
from bot.__main__ import main
from bot.settings import Database, Settings
from fsm import proof
from fsm.kind import ChatTopic, secrets_of
from fsm.lobby import Join, OpenGame
from fsm.quiz import QuizRules
from fsm.registry import KINDS
from storage import embedded
from storage.connections import Pool
from storage.migrate import current, revisions, upgrade
from tests.contract.played import HOST, House
from tests.rules.quizzes import some_questions

DOCUMENT = Path(__file__).parents[2] / "docs" / "proof.json"

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis)


def on(dsn: str) -> Settings:
    """Return settings with a database."""
    return Settings(database=Database(dsn=SecretStr(dsn)))


# -- verify


def test_the_proof_in_the_documentation_holds(capsys: Capture) -> None:
    assert main(["verify", str(DOCUMENT)]) == 0
    assert "The proof holds" in capsys.readouterr().out


def forged(**changes: Any) -> bytes:
    """Return the proof with changed values and a matching seal."""
    return proof.canonical(proof.seal({**json.loads(DOCUMENT.read_bytes()), **changes}))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"junk",
        b"[" * 900_000,
        b'{"a":' * 150_000,
        bytes(range(256)) * 1000,
        b"0" * (proof.LARGEST + 1),
        DOCUMENT.read_text().encode("utf-16"),
        DOCUMENT.read_text().encode("utf-8-sig"),
        forged(beacon_expected=float("nan")),
        forged(beacon_expected=[["x"]]),
        forged(title="\ud800"),
        forged(title=["x"]),
        forged(game="\x1b[2J\nThe proof holds"),
        forged(commitment="\x1b[2J\nThe proof holds"),
        forged(pool="\x1b[2J\nThe proof holds"),
        forged(places=[]),
    ],
    ids=range(16),
)
def test_what_is_no_proof_gets_plain_lines_and_an_exit_status(raw: bytes, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "proof.json"
    path.write_bytes(raw)
    status = main(["verify", str(path)])
    said = capsys.readouterr().out
    assert status == (0 if "The proof holds" in said else 1)
    assert status == 1
    assert all(line.isprintable() or "\u2068" in line for line in said.splitlines())


@pytest.mark.parametrize("path", ["/no/such/file", "/", "/dev/null", "/dev/zero", "na\udcffme"])
def test_what_is_no_file_gets_one_line(path: str, capsys: Capture) -> None:
    assert main(["verify", path]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_every_byte_of_the_documents_proof_counts(tmp_path: Path, capsys: Capture) -> None:
    raw, path = DOCUMENT.read_bytes(), tmp_path / "proof.json"
    for index, byte in enumerate(raw):
        changed = raw[:index] + bytes([byte ^ 1]) + raw[index + 1 :]
        with suppress(proof.NotAProof):
            assert not all(check.passed for check in proof.verify(changed))
        if index % 100 == 0:
            path.write_bytes(changed)
            assert main(["verify", str(path)]) == 1
    assert "The proof holds" not in capsys.readouterr().out


# -- replay


async def test_an_ended_game_is_replayed_with_its_seed(house: House, postgres_dsn: str, capsys: Capture) -> None:
    game_id = await house.play()
    await house.project()
    assert await operator_commands.replay(on(postgres_dsn), game_id) == 0
    said = capsys.readouterr().out
    version = (await house.engine.look(game_id)).version
    assert f"the events give version {version}, completed, as the database says" in said
    assert said.count("number_picked") == 3
    assert '"seed": "' in said
    assert "deadline" not in said.splitlines()[1].split()  # each line names the update by which a player joined
    assert " tg:" in said.splitlines()[1]


async def test_a_cancelled_game_is_replayed(house: House, postgres_dsn: str, capsys: Capture) -> None:
    game_id = await house.begin()
    await house.cancel(game_id)
    await house.project()
    assert await operator_commands.replay(on(postgres_dsn), game_id) == 0
    assert "cancelled, as the database says" in capsys.readouterr().out


async def test_a_live_games_secrets_are_left_out_unless_asked_for(
    house: House, postgres_dsn: str, capsys: Capture
) -> None:
    game_id = await house.begin()
    await house.project()
    seed: str = (await house.engine.look(game_id)).state.seed  # type: ignore[attr-defined]
    assert await operator_commands.replay(on(postgres_dsn), game_id) == 0
    said = capsys.readouterr().out
    assert seed not in said
    assert '"seed":"secret"' in said
    assert await operator_commands.replay(on(postgres_dsn), game_id, secrets=True) == 0
    assert seed in capsys.readouterr().out


async def test_a_live_quizs_questions_are_left_out(house: House, postgres_dsn: str, capsys: Capture) -> None:
    chat_topic = ChatTopic(-77)
    game_id = await house.games.reserve_id(chat_topic, "quiz")
    questions, rules = some_questions(3), QuizRules(questions=3)
    await house.do(game_id, OpenGame("quiz", game_id, chat_topic, HOST, "Quiz", rules, content=questions))
    await house.do(game_id, Join(1, "Ann"))
    await house.project()
    assert await operator_commands.replay(on(postgres_dsn), game_id) == 0
    said = capsys.readouterr().out
    assert not any(answer in said for question in questions for answer in question.answers)
    assert await operator_commands.replay(on(postgres_dsn), game_id, secrets=True) == 0
    assert questions[0].answers[0] in capsys.readouterr().out


async def test_what_is_wrong_with_a_games_events_is_said(
    house: House, pool: Pool, postgres_dsn: str, capsys: Capture
) -> None:
    game_id = await house.play()
    await house.project()

    async def told() -> str:
        assert await operator_commands.replay(on(postgres_dsn), game_id) == 1
        return capsys.readouterr().out.splitlines()[-1]

    await pool.execute("UPDATE games SET version = version + 1 WHERE id = $1", game_id)
    assert "the database has version" in await told()
    await pool.execute("UPDATE game_events SET name = 'retired' WHERE game_id = $1 AND version = 5", game_id)
    assert "version 5 can't be read" in await told()
    await pool.execute("DELETE FROM game_events WHERE game_id = $1 AND version = 3", game_id)
    assert "version 3 is missing" in await told()
    await pool.execute("DELETE FROM game_events WHERE game_id = $1", game_id)
    assert await told() == "its events are no longer kept"
    await pool.execute("UPDATE games SET kind = 'bingo' WHERE id = $1", game_id)
    assert await told() == "this version knows no kind of game called bingo"
    await pool.execute("DELETE FROM games WHERE id = $1", game_id)
    assert await told() == f"no game {game_id} in the database"


def test_every_secret_of_a_live_game_is_marked_as_one() -> None:
    marked = {
        (kind.name, name, secret)
        for kind in KINDS.values()
        for name, event in kind.events.items()
        for secret in secrets_of(event)
    }
    assert marked == {
        ("pick_number", "game_opened", "reserved"),
        ("pick_number", "selection_opened", "seed"),
        ("pick_number", "number_picked", "number"),
        ("pick_number", "numbers_drawn", "drawn"),
        ("quiz", "questions_set", "questions"),
        ("quiz", "answer_given", "choice"),
        ("quiz", "answer_drafted", "draft"),
    }


# -- migrate


async def test_the_schema_goes_up_and_down_to_any_revision(empty_database: str, capsys: Capture) -> None:
    for revision, line in (
        ("0001", "empty -> 0001"),
        ("0001", "0001 -> 0001"),
        ("0002", "0001 -> 0002"),
        ("0001", "0002 -> 0001"),
        ("base", "0001 -> empty"),
        ("base", "empty -> empty"),
    ):
        assert await operator_commands.migrate(on(empty_database), revision, confirmed=True) == 0
        assert capsys.readouterr().out == f"schema: {line}\n"


def migrate_on_a_terminal(dsn: str, revision: str, answer: str) -> tuple[int, str]:
    """Run the command on a pseudo-terminal and type an answer. Returns the status and the output."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "migrate", revision], stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "TOMBOLA_DATABASE__DSN": dsn},
    ) as process:  # fmt: skip
        os.close(theirs)
        said, answered = b"", False
        with suppress(OSError):  # Linux raises it when the other side is closed
            while piece := os.read(ours, 1000):
                said += piece
                if b"to go on: " in said and not answered:
                    os.write(ours, answer.encode() + b"\n")
                    answered = True
        os.close(ours)
    return process.returncode, said.decode()


@pytest.mark.parametrize("revision", ["base", "0001"])
async def test_a_way_down_is_asked_for_and_refused_where_nobody_can_be_asked(
    empty_database: str, revision: str
) -> None:
    settings = on(empty_database)
    head = revisions()[-1]
    assert await operator_commands.migrate(settings, "head") == 0
    alone = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "migrate", revision,
        env={**os.environ, "TOMBOLA_DATABASE__DSN": empty_database},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await alone.communicate()
    assert (alone.returncode, b"--yes confirms it" in said) == (1, True)
    status, shown = await asyncio.to_thread(migrate_on_a_terminal, empty_database, revision, "yes")
    assert (status, "nothing done" in shown) == (1, True)
    assert await current(empty_database) == head
    status, shown = await asyncio.to_thread(migrate_on_a_terminal, empty_database, revision, revision)
    assert status == 0, shown
    assert await current(empty_database) == (None if revision == "base" else revision)


async def test_what_can_not_be_migrated_or_replayed_gets_one_line(empty_database: str, capsys: Capture) -> None:
    assert await operator_commands.migrate(on(empty_database), "0999") == 1
    assert capsys.readouterr().out.startswith("there is no revision 0999: base, 0001,")
    assert await operator_commands.replay(on(empty_database), "07k3v9x1q0m2zt") == 1
    assert capsys.readouterr().out == "the database is not migrated: `python -m bot migrate`\n"
    assert await operator_commands.migrate(on(empty_database), "head") == 0
    connection = await asyncpg.connect(empty_database)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    capsys.readouterr()
    for revision in ("head", "0001", "base"):
        assert await operator_commands.migrate(on(empty_database), revision) == 1
        assert "use a newer one" in capsys.readouterr().out


# -- backup


def documented_commands() -> list[str]:
    """Return the documented commands for backups, in order."""
    text = (DOCUMENT.parent / "operations.md").read_text()
    part = text[text.index("\n## Backup and restore") :]
    part = part[: part.index("\n## Hosted stores")]
    found = [line for block in re.findall(r"```sh\n(.*?)```", part, re.DOTALL) for line in block.splitlines()]
    return [*found, *re.findall(r"`(python -m bot restore [^`]*)`", part)]


@pytest.mark.slow
async def test_the_documented_backup_can_be_followed(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tombola-") as folder:
        data_dir, public = Path(folder) / "var", ""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOMBOLA_")}
        environment |= {"TOMBOLA_DATA_DIR": str(data_dir), "PYTHONPATH": str(DOCUMENT.parents[1])}

        def follow(command: str) -> None:
            nonlocal public
            line = [sys.executable, *shlex.split(command.replace("age1...", public), comments=True)[1:]]
            confirmed = ["--yes"] if "restore" in line and "--check" not in line else []
            done = subprocess.run([*line, *confirmed], check=True, env=environment, cwd=tmp_path, capture_output=True)
            public = done.stdout.decode().split()[-1] if "--new-key" in line else public

        write_plain, new_key, write_encrypted, check, restore = documented_commands()
        async with embedded.stores(data_dir) as (dsn, _):
            await upgrade(dsn)
            await write(dsn, "INSERT INTO players (id, name) VALUES (7, 'Ann')")
            for command in (write_plain, new_key, write_encrypted, check):  # while the bot runs
                await asyncio.to_thread(follow, command)
            for command in (restore, f"{restore}.age --identity backup.key"):
                await write(dsn, "DELETE FROM players")
                await asyncio.to_thread(follow, command)
                connection = await asyncpg.connect(dsn)
                assert await connection.fetchval("SELECT name FROM players WHERE id = 7") == "Ann"
                await connection.close()


async def write(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


async def test_a_program_that_postgresql_has_not_gets_one_line(postgres_dsn: str, capsys: Capture) -> None:
    assert await operator_commands.postgres_program(Settings(), ["pg_nothing"]) == 1
    assert capsys.readouterr().out.startswith("there is no program pg_nothing: ")
    assert await operator_commands.postgres_program(on(postgres_dsn), ["pg_dump"]) == 1
    assert capsys.readouterr().out == "database.dsn is set: use the programs that belong to that server\n"
