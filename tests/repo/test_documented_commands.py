"""Each fenced command of the documents is run by a test or a workflow, or needs something that a test does not have."""

import re
from pathlib import Path

import pytest

from tests.repo.test_docs import BLOCK, ROOT

PAGES = sorted({ROOT / "README.md", *(ROOT / "deploy").rglob("README.md"), *(ROOT / "docs").glob("*.md")})
RUN: dict[str, tuple[str, str]] = {
    r"make run": ("tests/two_commands.py", "run"),
    r"make test": ("tests/two_commands.py", "test"),
    r"cp \.env\.example \.env": ("tests/settings/test_settings.py", ".env.example"),
    r"python3? (-m bot verify|verify\.py) docs/proof\.json": ("tests/repo/test_docs.py", '"verify", "docs/proof.json"'),
    r"python verify\.py --commitment \w+ proof\.json": ("tests/draw/test_verifiers.py", "--commitment"),
    r"python -m bot verify proof\.json": ("tests/contract/test_operate.py", "verify"),
    r"python -m bot( \w+)? --help": ("tests/repo/test_docs.py", "--help"),
    r"python -m bot run --role .+": ("chaos/acts.py", "--role"),
    r"python -m bot doctor": ("tests/settings/test_operate.py", "doctor"),
    r"python -m bot profile 4242 --seconds 20": ("tests/process/test_profile.py", "profile_command"),
    r"python -m bot replay \w+": ("tests/contract/test_operate.py", "replay"),
    r"python -m bot log (check|proof \w+)": ("tests/draw/test_log.py", "check"),
    r"python -m bot backup (?!--help).+": ("tests/contract/test_backup.py", '"--new-key"'),
    r"python -m bot restore tombola\.backup --check": ("tests/contract/test_backup.py", '"--check"'),
    r"python -m handlers\.kinds\.phase_pages": ("tests/tutorial/test_a_new_kind.py", "phase_pages"),
    r"make kinds": ("tests/tutorial/test_a_new_kind.py", "handlers.kinds.check"),
    r"deploy/rollout/rollout\.py (analyse|relay) .+": ("tests/repo/test_rollout.py", "analyse"),
    r"make deploy OVERLAY=\w+": ("tests/repo/test_deploy.py", 'make("deploy"'),
    r"helm upgrade --install tombola deploy/helm/tombola .+": ("tests/deploy_tools.py", "check_walk"),
    r"curl -X PUT .+ -d @deploy/logs/[\w-]+\.json": ("tests/repo/test_log_template.py", "index-template.json"),
    r"make test ARGS=.+|make (check|test-fast|format|help)": (".ci/run", "lint types test"),
    r"make test-(servers|commands)|make (audit|chaos)\b.*": (".github/workflows/ci.yml", "test-servers"),
    r"make bench|python -m benchmarks .+": ("benchmarks/tests/test_interrupted.py", '"--quick"'),
}
"""Pattern of a whole command -> the file that runs it, and a word of that file."""
NEEDS: dict[str, str] = {
    r"make images-lock|make image-push .+|make scan-image|export IMAGE=.+": "Docker and a registry of images",
    r"kubectl .+": "a cluster",
    r"cp deploy/kubernetes/base/secret\.example\.yaml .+": "the secrets of a deployment",
    r"psql .+": "an administrator's right on the server of a deployment",
    r"journalctl .+": "systemd",
    r"make lock": "the index of packages: it asks for the newest versions",
    r"make test-stores": "half an hour, and packages of servers",
    r"make soak": "hours",
    r"python -m benchmarks\.durability": "a machine without other work: it measures",
}
"""Pattern of a whole command -> the thing that is not there where the tests run."""
WHOLE_PAGES = {"docs/api.md": "tests/api/test_documentation.py", "docs/webhooks.md": "tests/api/test_documentation.py"}
"""Page -> the test that runs all its commands in their order."""


def commands(page: Path) -> list[str]:
    """Return the commands in a page's shell blocks, each in one line and without its comment. Settings are none."""
    bodies = [body for _, language, body in BLOCK.findall(page.read_text()) if language in {"sh", "shell", "bash"}]
    lines = [line for body in bodies for line in body.replace("\\\n", " ").splitlines()]
    said = [" ".join(line.partition(" #")[0].split()) for line in lines]
    return [line for line in said if line and not re.fullmatch(r"TOMBOLA_\w+=\S+", line)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_is_run_somewhere_or_needs_a_thing_that_is_named(page: Path) -> None:
    """A new command that fails here: let a test run it, and add a row to RUN, or tell in NEEDS why none can."""
    if str(page.relative_to(ROOT)) in WHOLE_PAGES:
        return
    for command in commands(page):
        found = [pattern for pattern in RUN | NEEDS if re.fullmatch(pattern, command)]
        assert len(found) == 1, (command, found)


def test_every_row_is_of_a_command_that_is_documented_and_its_test_runs_it() -> None:
    said = [command for page in PAGES for command in commands(page)]
    unused = [pattern for pattern in RUN | NEEDS if not any(re.fullmatch(pattern, command) for command in said)]
    assert unused == []
    for file, word in RUN.values():
        assert word in (ROOT / file).read_text(), (file, word)
    for page, test in WHOLE_PAGES.items():
        assert Path(page).name in (ROOT / test).read_text(), page
