"""The command line: ``python -m bot``."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings import Settings

MOST_WORKERS = 64
MOST_SECONDS = 60
"""Longest profile."""
ROLES = ("all", "ingress", "worker", "scheduler", "web")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Return the exit status: 0 success, 1 failure, 2 wrong usage."""
    parser = _parser()
    given = parser.parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = given.command
    if command in {_run, _run_or_sandbox, _sandbox}:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # exit at once while there is nothing to shut down yet
    from bot.settings import SettingsError  # noqa: PLC0415 -- --help should not wait for pydantic

    try:
        return command(given)  # --help should not wait for pydantic
    except SettingsError as error:
        print(f"tombola: {error}", file=sys.stderr)  # noqa: T201 -- the one line that the operator reads
        return 1
    except KeyboardInterrupt:
        return 130  # the one line that the operator reads


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="Tombola: games that people play together in Telegram.",
        epilog="Without a command: run the bot if a token is configured, else the sandbox.",
    )
    parser.set_defaults(command=_run_or_sandbox, role="all", workers=1, slot=None)
    commands = parser.add_subparsers(metavar="COMMAND")

    run = commands.add_parser("run", help="run the bot", description="Run the bot, or one part of it.")
    run.add_argument("--role", choices=ROLES, action="append", help="which part (default: all); may be repeated")
    run.add_argument(
        "--workers", type=_count, default=1, metavar="N", help="processes that share the port (default: 1)"
    )
    run.add_argument("--slot", type=_slot, help=argparse.SUPPRESS)  # what a parent tells its workers
    run.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    run.set_defaults(command=_run)

    sandbox = commands.add_parser(  # a parent passes it to its workers
        "sandbox",
        help="play offline, in the browser",
        description="Run the bot with a simulated Telegram on this machine, and a page to play on.",
        epilog="TOMBOLA_WEB__PORT sets the page's port (8080), TOMBOLA_DATA_DIR the folder of its"
        " data (var/sandbox). Configured stores are not used.",
    )
    sandbox.set_defaults(command=_sandbox)

    migrate = commands.add_parser(
        "migrate", help="change the database's schema", description="Bring the database to a revision."
    )
    migrate.add_argument(
        "revision", nargs="?", default="head", help="`head` (default), `base` (drops everything), or a revision between"
    )
    migrate.add_argument("--yes", action="store_true", help="do not ask before data is dropped")
    migrate.set_defaults(command=_migrate)

    doctor = commands.add_parser(
        "doctor", help="check configuration and connections", description="Check everything that a start depends on."
    )
    doctor.set_defaults(command=_doctor)

    postgres = commands.add_parser(
        "postgres",
        help="run a program of the embedded PostgreSQL",
        description="Run pg_dump, pg_restore, psql or another program of the embedded PostgreSQL's version on its"
        " database. The database is started if necessary.",
    )
    postgres.add_argument("program", help="its name, such as pg_dump")
    postgres.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to the program; --dbname is added")
    postgres.set_defaults(command=_postgres)

    verify = commands.add_parser(
        "verify",
        help="recompute a draw from its proof",
        description="Recompute a draw from the proof that /fair gives, offline. Exits 1 if a check fails.",
    )
    verify.add_argument("proof", type=Path, help="the proof, a JSON file; - reads standard input")
    verify.add_argument("--commitment", metavar="HEX", help="the seal in the message that you kept")
    verify.add_argument("--head", metavar="SIZE:ROOT", help="a head of the public log, saved earlier")
    verify.add_argument(
        "--consistency",
        type=Path,
        metavar="FILE",
        help="proof that the log has grown from that head; see `log consistency`",
    )
    verify.add_argument("--language", default="en", help="language of the report (default: en)")
    verify.set_defaults(command=_verify)

    _add_backup(commands)
    _add_log(commands)
    _add_token(commands)

    profile = commands.add_parser(
        "profile",
        help="sample the functions of a running process",
        description="Sample a running process of the bot on the same stores, and write its functions with their"
        " processor time, for speedscope or flamegraph.pl.",
    )
    profile.add_argument("process", metavar="PID", help="its process id, or its name as `doctor` lists it")
    profile.add_argument("--seconds", type=_seconds, default=10, metavar="N", help="how long (default: 10, at most 60)")
    profile.add_argument(
        "--output",
        type=Path,
        default=Path("profile.txt"),
        metavar="FILE",
        help="default: profile.txt; - is standard output",
    )
    profile.set_defaults(command=_profile)

    replay = commands.add_parser(
        "replay",
        help="show a game's timeline",
        description="Fold a game's stored events and print each step: version, time, phase, event, the command that led"
        " to it (tg: an update of Telegram), and its fields. Exits 1 if the events contradict the database.",
    )
    replay.add_argument("game", help="the game's id")
    replay.add_argument(
        "--secrets", action="store_true", help="show the seed, questions and answers of a live game too"
    )
    replay.set_defaults(command=_replay)
    return parser


def _add_backup(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of backups."""
    backup = commands.add_parser(
        "backup",
        help="write both stores into one file",
        description="Write the contents of PostgreSQL, and the events that Redis alone has, into one file, while the"
        " bot runs. The file is read again and checked.",
    )
    backup.add_argument("file", type=Path, help="the new file")
    backup.add_argument(
        "--encrypt-for", action="append", default=[], metavar="AGE1...", help="a public key of age; may be repeated"
    )
    backup.add_argument(
        "--new-key", action="store_true", help="make a private key of age in the file instead, and print the public one"
    )
    backup.set_defaults(command=_backup)

    restore = commands.add_parser(
        "restore",
        help="replace both stores' contents by a backup's",
        description="Replace the contents of PostgreSQL by those of a backup and empty Redis. The bot must not run.",
    )
    restore.add_argument("file", type=Path, help="the backup")
    restore.add_argument("--identity", type=Path, metavar="FILE", help="the private key of age, if it is encrypted")
    restore.add_argument("--check", action="store_true", help="only read the file and check it")
    restore.add_argument("--yes", action="store_true", help="do not ask before data is replaced")
    restore.set_defaults(command=_restore)


def _add_log(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of the public log."""
    log = commands.add_parser(
        "log",
        help="check or show the public log of draws",
        description="The public log of draws: an append-only Merkle tree. See docs/fairness.md.",
    )
    parts = log.add_subparsers(metavar="ACTION", required=True)
    check = parts.add_parser("check", help="recompute the tree; exit 1 if a leaf is removed, moved or rewritten")
    check.add_argument("--head", action="append", default=[], metavar="SIZE:ROOT", help="a head saved earlier")
    check.set_defaults(command=_log, what="check")
    parts.add_parser("head", help="sign the current tree and show its head").set_defaults(command=_log, what="head")
    shown = parts.add_parser("proof", help="show the inclusion proof of a game")
    shown.add_argument("game", help="the game's id")
    shown.set_defaults(command=_log, what="proof")
    grown = parts.add_parser("consistency", help="prove that a tree begins with a smaller one")
    grown.add_argument("old", type=int, help="number of leaves of the smaller tree")
    grown.add_argument("new", type=int, help="number of leaves of the larger tree")
    grown.set_defaults(command=_log, what="consistency")
    listed = parts.add_parser("leaves", help="print leaves, a line each")
    listed.add_argument("first", type=int, nargs="?", default=0, help="index of the first one (default: 0)")
    listed.add_argument("--count", type=int, default=100, help="number of leaves (default: 100, at most 10,000)")
    listed.set_defaults(command=_log, what="leaves")
    erased = parts.add_parser("forget", help="delete the keys with which the log could be traced to a player")
    erased.add_argument("player", type=int, help="the player's Telegram user id")
    erased.set_defaults(command=_log, what="forget")


def _add_token(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of the API's tokens."""
    token = commands.add_parser(
        "token",
        help="make, list or revoke tokens of the HTTP API",
        description="Make, list and revoke tokens of the HTTP API.",
    )
    parts = token.add_subparsers(metavar="ACTION", required=True)
    create = parts.add_parser("create", help="make a token and print it on the last line; it is never shown again")
    create.add_argument("--role", choices=("viewer", "host", "operator"), required=True, help="the role")
    create.add_argument(
        "--chat", type=int, action="append", metavar="ID", help="limit the token to this chat; may be repeated"
    )
    create.add_argument("--days", type=_days, help="days after which the token expires (default: never)")
    create.add_argument("--name", default="", help="a note for people")
    create.set_defaults(command=_token, what="create")
    parts.add_parser("list", help="list tokens without their secrets, latest first").set_defaults(
        command=_token, what="list"
    )
    revoke = parts.add_parser("revoke", help="revoke a token; all processes refuse it within five seconds")
    revoke.add_argument("prefix", help="the prefix that `token list` shows, or the whole token")
    revoke.set_defaults(command=_token, what="revoke")


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0
    if not 0 < days <= 3650:
        raise argparse.ArgumentTypeError("must be a number of days, at most 3650")
    return days


def _run_or_sandbox(given: argparse.Namespace) -> int:
    from bot.settings import load_settings  # noqa: PLC0415

    return _run(given) if load_settings().telegram.token.get_secret_value() else _sandbox(given)


def _run(given: argparse.Namespace) -> int:
    from bot import launch  # noqa: PLC0415
    from bot.ingest.peers import WorkerSlot  # noqa: PLC0415
    from bot.settings import SettingsError, load_settings  # noqa: PLC0415

    settings = load_settings()
    if not settings.telegram.token.get_secret_value():
        raise SettingsError("telegram.token: empty, so there is no bot to run; `python -m bot sandbox` needs none")
    roles = frozenset(given.role if isinstance(given.role, list) else [given.role or "all"])
    if given.slot is not None:
        return launch.run(settings, roles, WorkerSlot(given.slot[0], given.slot[1], given.folder))
    return launch.run(settings, roles) if given.workers == 1 else launch.run_workers(settings, roles, given.workers)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MOST_WORKERS}")
    return int(text)


def _seconds(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MOST_SECONDS}")
    return int(text)


def _slot(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    return int(index), int(count)


def _sandbox(_given: argparse.Namespace) -> int:
    from bot import launch  # noqa: PLC0415
    from bot.settings import load_settings  # noqa: PLC0415

    return launch.sandbox(load_settings())


def _migrate(given: argparse.Namespace) -> int:
    from bot import operator_commands  # noqa: PLC0415

    return asyncio.run(operator_commands.migrate(_settings(), given.revision, confirmed=given.yes))


def _doctor(_given: argparse.Namespace) -> int:
    from bot import doctor  # noqa: PLC0415

    return asyncio.run(doctor.doctor(_settings()))


def _postgres(given: argparse.Namespace) -> int:
    from bot import operator_commands  # noqa: PLC0415

    return asyncio.run(operator_commands.postgres_program(_settings(), [given.program, *given.arguments]))


def _backup(given: argparse.Namespace) -> int:
    from bot import backup_commands  # noqa: PLC0415

    return asyncio.run(backup_commands.backup(_settings(), given.file, given.encrypt_for, new_key=given.new_key))


def _restore(given: argparse.Namespace) -> int:
    from bot import backup_commands  # noqa: PLC0415

    return asyncio.run(
        backup_commands.restore(_settings(), given.file, given.identity, only_check=given.check, confirmed=given.yes)
    )


def _verify(given: argparse.Namespace) -> int:
    from bot import operator_commands  # noqa: PLC0415

    kept = operator_commands.Kept(given.commitment, given.head, given.consistency)
    return operator_commands.verify(given.proof, given.language, kept)


def _log(given: argparse.Namespace) -> int:
    from bot import public_log_commands  # noqa: PLC0415

    return asyncio.run(public_log_commands.run(_settings(), given))


def _token(given: argparse.Namespace) -> int:
    from bot import token_commands  # noqa: PLC0415

    return asyncio.run(token_commands.run(_settings(), given))


def _profile(given: argparse.Namespace) -> int:
    from bot import profile_command  # noqa: PLC0415

    return asyncio.run(profile_command.run(_settings(), given))


def _replay(given: argparse.Namespace) -> int:
    from bot import operator_commands  # noqa: PLC0415

    return asyncio.run(operator_commands.replay(_settings(), given.game, secrets=given.secrets))


def _settings() -> "Settings":
    """Read the settings and set up logging accordingly."""
    from bot.observe import logs  # noqa: PLC0415
    from bot.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    logs.set_up_for(settings)
    return settings


if __name__ == "__main__":
    sys.exit(main())
