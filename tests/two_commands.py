"""Try `make run` and `make test` in fresh copies of the project, in unusual folders and as different users.

python tests/two_commands.py

Standard library only, as it runs before anything is installed. As root, it tries three copies: in a folder that only
root may enter, created under umask 077; in a folder that everybody may enter; and as the account `nobody`. As an
ordinary user, it tries that user's copies only. Each path has a space and Cyrillic letters. Prints one line for each
copy, and exits 1 if one fails.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).parent.parent
NAME = "папка с игрой"
SECONDS = 600
"""Time limit of one command: the first one downloads packages if pip's cache is empty."""
TESTS = "tests/storage/test_embedded.py"
SOME = f"{TESTS} -k 'durable or second'"
"""Tests for a user for whom `make test` runs all of them elsewhere."""


def main() -> int:
    """Try every case. Returns the exit status."""
    # A job in a shell's background ignores SIGINT, and would pass that on to `make run`.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="tombola-") as outer, ProcessPoolExecutor() as side_by_side:
        Path(outer).chmod(0o755)
        cases = _cases(Path(outer))
        for _, folder, mode, _, user in cases:
            folder.mkdir()
            if user:
                shutil.chown(folder, user)
            folder.chmod(mode)
        _, folders, _, umasks, users = zip(*cases, strict=True)
        troubles = side_by_side.map(_try, folders, umasks, users)
        for (title, *_), trouble in zip(cases, troubles, strict=True):
            print(f"{title}: {trouble or 'ok'}", flush=True)
            failed += bool(trouble)
    print(f"{len(_cases(Path())) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _cases(outer: Path) -> list[tuple[str, Path, int, int, str]]:
    """Return title, folder, its mode, umask and user of each case."""
    me = pwd.getpwuid(os.getuid()).pw_name
    cases = [
        (f"{me} in a folder of mode 0700, umask 077", outer / "private", 0o700, 0o077, ""),
        (f"{me} in an open folder", outer / "open", 0o755, 0o022, ""),
    ]
    if os.getuid() == 0:
        cases.append(("nobody, umask 077", outer / "nobody", 0o700, 0o077, "nobody"))
    return cases


def _try(folder: Path, umask: int, user: str) -> str:
    """Run both commands in a fresh copy. Returns the problem in a few lines; empty if there is none."""
    as_user = {"umask": umask, "user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    options = {"umask": umask} | as_user
    copy = folder / NAME
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TOMBOLA_", "MAKE"))}
    environment |= {"HOME": str(folder)} if user else {}
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
    ).stdout
    packed = subprocess.run(
        ["tar", "-c", "--null", "-T", "-"], cwd=PROJECT, input=files, check=True, capture_output=True
    ).stdout
    subprocess.run(["mkdir", str(copy)], check=True, **options)  # type: ignore[call-overload]
    subprocess.run(["tar", "-x", "--no-same-permissions"], cwd=copy, input=packed, check=True, **options)  # type: ignore[call-overload]
    running = subprocess.Popen(  # type: ignore[call-overload]
        ["make", "run"], cwd=copy, env=environment | {"TOMBOLA_WEB__PORT": "0"}, start_new_session=True, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options,
    )  # fmt: skip
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(running.pid, signal.SIGKILL))
    signal.alarm(SECONDS)
    said: list[str] = []
    for line in running.stdout:
        said.append(line)
        if "Tombola's sandbox: http" in line:
            os.killpg(running.pid, signal.SIGINT)
    signal.alarm(0)
    # make itself ends by the signal, after the bot has stopped in order.
    if running.wait() != -signal.SIGINT or not any("stopping" in line for line in said):
        return f"make run ended with {running.returncode}\n{''.join(said[-15:])}"
    arguments = f"ARGS=-n 2 -q {TESTS if user else SOME}"
    tested = subprocess.run(  # type: ignore[call-overload]
        ["make", "test", arguments], check=False, cwd=copy, env=environment, timeout=SECONDS, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options,
    )  # fmt: skip
    return "" if tested.returncode == 0 else f"make test ended with {tested.returncode}\n{tested.stdout[-3000:]}"


if __name__ == "__main__":
    sys.exit(main())
