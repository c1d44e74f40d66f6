"""The analysis of a rollout finds symptoms in figures, and the undoing runs the right commands."""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from deploy.rollout import rollout
from deploy.rollout.rollout import Figures, Limits, Look, Symptom

LIMITS = Limits()
COMPOSE = "docker compose --env-file deploy/images.lock --file"


def counted(**counts: dict[tuple[str, ...], float]) -> Figures:
    """Return figures of counters; the keys of each are the values of its labels."""
    labels = {
        "updates": ("outcome", "path"),
        "commands": ("command", "outcome"),
        "errors": ("where",),
        "sends": ("outcome", "priority"),
        "sends_alike": (),
        "deadlines_fired": ("outcome",),
        "telegram_calls": ("method",),
    }
    return Figures(
        {
            f"tombola_{name}_total": {
                tuple(zip(labels[name], key, strict=True)): value for key, value in rows.items()
            }
            for name, rows in counts.items()
        }
    )  # fmt: skip


def timed(name: str, *below: tuple[float, float], total: float) -> Figures:
    """Return figures of a histogram: counts of observations up to each bound, and of all."""
    return Figures(buckets={name: {**dict(below), math.inf: total}})


def names(symptoms: Iterable[Symptom]) -> list[str]:
    return sorted(symptom.name for symptom in symptoms)


@pytest.mark.parametrize(
    ("bad", "total", "allowed", "expected"),
    [
        (0, 1000, 0.001, False),
        (2, 10, 0.001, False),  # two may be chance
        (3, 100, 0.001, True),
        (3, 3000, 0.001, False),
        (20, 1000, 0.01, False),
        (40, 1000, 0.01, True),
        (1000, 1000, 0.5, True),
        (5, 0, 0.001, False),
    ],
)
def test_a_share_counts_only_beyond_chance(bad: float, total: float, allowed: float, *, expected: bool) -> None:
    assert rollout.significant(bad, total, allowed) is expected


GOOD = counted(
    updates={("done", "fast"): 900, ("not-now", "fast"): 80, ("done", "slow"): 100, ("failed", "slow"): 1},
    commands={("Join", "done"): 300, ("Join", "already-joined"): 30, ("Answer", "done"): 400},
    errors={("tap",): 1},
    sends={("sent", "normal"): 300, ("refused", "normal"): 1},
)


def test_a_version_like_the_one_before_has_no_symptoms() -> None:
    assert names(rollout.errors(GOOD, GOOD, LIMITS)) == []
    assert names(rollout.answers(GOOD, GOOD, LIMITS)) == []


@pytest.mark.parametrize(
    ("canary", "expected"),
    [
        (counted(updates={("done", "fast"): 200, ("error", "fast"): 9}), ["failed updates"]),
        (counted(commands={("Answer", "error"): 5, ("Answer", "done"): 40}), ["errors of Answer"]),
        (counted(errors={("sender",): 7}), ["unexpected errors (sender)"]),
        (counted(sends={("sent", "normal"): 50, ("refused", "normal"): 9}), ["refused messages"]),
    ],
)
def test_errors_that_are_new_are_symptoms(canary: Figures, expected: list[str]) -> None:
    assert names(rollout.errors(canary, GOOD, LIMITS)) == expected


def test_refusals_of_a_command_or_of_one_tap_in_ten_and_missing_commits_are_symptoms() -> None:
    refusing = counted(commands={("Join", "done"): 20, ("Join", "game-full"): 60})
    assert names(rollout.answers(refusing, GOOD, LIMITS)) == ["refusals of Join"]
    forgetful = counted(commands={("Answer", "done"): 30, ("Answer", "nothing"): 10})
    assert names(rollout.answers(forgetful, GOOD, LIMITS)) == ["no effect of Answer"]
    twice = counted(commands={("DeadlinePassed", "done"): 40, ("DeadlinePassed", "nothing"): 10})
    fired = counted(commands={("DeadlinePassed", "done"): 100})
    assert names(rollout.answers(twice, fired, LIMITS)) == [], "a deadline may be fired twice when the leader changes"
    tenth = counted(updates={("done", "fast"): 180, ("too-late", "fast"): 20, ("done", "slow"): 50})
    assert names(rollout.answers(tenth, GOOD, LIMITS)) == ["refused taps (too-late)"]
    usual = counted(updates={("done", "fast"): 180, ("not-now", "fast"): 20})
    assert names(rollout.answers(usual, GOOD, LIMITS)) == []
    stored = Figures({"tombola_commit_seconds_count": {(): 650}})
    lost = Figures({"tombola_commit_seconds_count": {(): 100}})
    assert names(rollout.answers(GOOD + lost, GOOD + stored, LIMITS)) == ["commits"]
    assert names(rollout.answers(GOOD + stored, GOOD + stored, LIMITS)) == []


TAPS = "tombola_tap_seconds"


@pytest.mark.parametrize(
    ("canary", "stable", "expected"),
    [
        (timed(TAPS, (0.05, 950), (0.2, 999), total=1000), timed(TAPS, (0.05, 940), (0.2, 999), total=1000), False),
        (timed(TAPS, (0.05, 400), (0.2, 999), total=1000), timed(TAPS, (0.05, 960), (0.2, 999), total=1000), True),
        (timed(TAPS, (0.05, 400), (0.2, 700), total=1000), Figures(), True),  # nothing to compare with
        (timed(TAPS, (0.05, 0), (0.2, 0), total=12), Figures(), False),  # too few
    ],
)
def test_slowness_is_judged_by_both_versions_and_the_objective(
    canary: Figures, stable: Figures, *, expected: bool
) -> None:
    assert bool(names(rollout.slowness(canary, stable, LIMITS))) is expected


LAG = "tombola_loop_lag_seconds"


@pytest.mark.parametrize(
    ("stood", "seconds", "usual", "expected"),
    [
        (28, 1680, 0, ["loop stalls"]),  # two seconds in each minute, for half an hour
        (2, 1680, 0, []),
        (28, 1680, 28, []),  # the stable version is no better: a slow machine
        (6, 60, 0, ["loop stalls"]),
    ],
)
def test_a_loop_that_stands_still_more_often_is_a_symptom(
    stood: float, seconds: float, usual: float, expected: list[str]
) -> None:
    canary, stable = (
        timed(LAG, (0.5, seconds - each), (1.0, seconds - each), total=seconds) for each in (stood, usual)
    )
    assert names(rollout.stalls(canary, stable, LIMITS)) == expected


class Ended:
    """A Prometheus that knows only the numbers of ended games of two kinds, before the start and since."""

    def __init__(self, since: tuple[float, float]) -> None:
        self.counts = {0.0: (30.0, 30.0), 100.0: since}

    def ask(self, _query: str, at: float) -> rollout.Series:
        return {(("kind", kind),): n for kind, n in zip(("pick_number", "quiz"), self.counts[at], strict=True)}


@pytest.mark.parametrize(
    ("sent", "ended", "expected"),
    [
        (400, (10, 10), []),
        (800, (10, 10), ["many normal messages"]),
        (560, (10, 10), []),
        (800, (1, 19), []),  # perhaps a quiz has more messages
        (180, (4, 5), []),  # too few games
        (4000, (100, 100), []),
    ],
)
def test_more_messages_for_each_game_than_before_are_a_symptom(
    sent: float, ended: tuple[float, float], expected: list[str]
) -> None:
    known: Any = Ended(ended)
    analysis = rollout.Analysis(prometheus=known, canary="", stable="", limits=LIMITS, start=0.0, before=3600)
    analysis._history = counted(sends={("sent", "normal"): 1200, ("edited", "normal"): 900, ("sent", "cosmetic"): 9})
    now = counted(sends={("sent", "normal"): sent, ("edited", "normal"): 90_000, ("sent", "cosmetic"): 9000})
    assert names(analysis._messages(now, 100, 100.0)) == expected


@pytest.mark.parametrize(("alike", "expected"), [(12, []), (150, ["doubled messages"])])
def test_messages_that_come_twice_are_a_symptom(alike: int, expected: list[str]) -> None:
    now = counted(sends={("sent", "normal"): 300}, sends_alike={(): alike})
    assert names(rollout.doubled(now, GOOD, LIMITS)) == expected


def test_messages_to_places_that_take_none_are_a_symptom() -> None:
    astray = counted(sends={("sent", "normal"): 180, ("topic_gone", "normal"): 20})
    assert names(rollout.errors(astray, GOOD, LIMITS)) == ["misplaced messages"]
    assert names(rollout.errors(astray, astray, LIMITS)) == []


@pytest.mark.parametrize(("made", "expected"), [(200, []), (198, []), (90, ["calls not made"])])
def test_messages_that_count_as_edited_and_were_not_are_a_symptom(made: int, expected: list[str]) -> None:
    now = counted(
        sends={("edited", "normal"): 150, ("edited", "cosmetic"): 50, ("sent", "normal"): 20},
        telegram_calls={("editMessageText",): made, ("sendMessage",): 20},
    )
    assert names(rollout.unmade(now)) == expected


@pytest.mark.parametrize(("stalled", "expected"), [(0, []), (5, ["stalled games"])])
def test_games_that_never_go_on_at_their_deadlines_are_a_symptom(stalled: int, expected: list[str]) -> None:
    usual = counted(deadlines_fired={("moved",): 400, ("postponed",): 40})  # reminders
    now = counted(deadlines_fired={("moved",): 40, ("postponed",): 10, ("stalled",): stalled})
    assert names(rollout.errors(now, usual, LIMITS)) == expected


class Looks:
    """An analysis whose looks are given; the last one repeats."""

    def __init__(self, *looks: Look | Exception) -> None:
        self.left = list(looks)

    def look(self, _at: float) -> Look:
        look = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if isinstance(look, Exception):
            raise look
        return look


SLOW, WRONG, FINE = Symptom("slow", "slow"), Symptom("wrong", "wrong", certain=True), Look((), ())


@pytest.mark.parametrize(
    ("looks", "verdict"),
    [
        ((FINE,), rollout.PROMOTE),
        ((Look((), ["too few updates"]),), rollout.HOLD),
        ((rollout.NoAnswerError("away"),), rollout.HOLD),
        ((Look((WRONG,), ()),), rollout.ROLL_BACK),
        ((Look((SLOW,), ()), Look((SLOW,), ())), rollout.ROLL_BACK),
        ((Look((SLOW,), ()), FINE, Look((SLOW,), ()), FINE), rollout.PROMOTE),
        ((FINE, Look((SLOW,), ["few"]), Look((SLOW,), ["few"])), rollout.ROLL_BACK),
    ],
)
def test_it_promotes_without_doubt_only(looks: tuple[Any, ...], verdict: str) -> None:
    said: list[str] = []
    lasting = 0.5 * len(looks)  # time for each look, also on a busy machine
    found = rollout.analyse(Looks(*looks), every=0.01, lasting=lasting, confirmations=2, say=said.append)  # type: ignore[arg-type]
    assert found == verdict
    assert verdict in said[-1]


def test_limits_come_from_a_file_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text("updates = 9\n[objectives]\ntombola_tap_seconds = 1.0\n")
    limits = rollout.limits_of(file)
    assert (limits.updates, limits.games, limits.objectives) == (9, 5, {"tombola_tap_seconds": 1.0})
    assert rollout.limits_of(Path("deploy/rollout/limits.example.toml")) == LIMITS
    file.write_text("update = 9\n")
    with pytest.raises(ValueError, match="update"):
        rollout.limits_of(file)


RECORDER = '#!/bin/sh\necho "$(basename "$0") $@ ${IMAGE_TAG}" >> "$RECORD"\n[ "$FAIL" != "$(basename "$0")" ]\n'


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put programs that record their arguments in place of kubectl, docker and systemctl. Returns the record."""
    for name in ("kubectl", "docker", "systemctl", "ln"):
        (tmp_path / name).write_text(RECORDER)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    return tmp_path / "record"


@pytest.mark.parametrize(
    ("arguments", "commands"),
    [
        (
            ("kubernetes",),
            ["kubectl --namespace tombola scale deployment --selector app.kubernetes.io/name=tombola,track=canary"],
        ),
        (
            ("kubernetes", "--all", "--roles", "web,worker", "--namespace", "n", "--previous", "host/tombola:1.4.0"),
            [
                "kubectl --namespace n scale deployment",
                # Each names the version, so that a second run changes nothing.
                "kubectl --namespace n set image deployment/tombola-web *=host/tombola:1.4.0",
                "kubectl --namespace n set image deployment/tombola-worker *=host/tombola:1.4.0",
                "kubectl --namespace n rollout status deployment/tombola-web",
                "kubectl --namespace n rollout status deployment/tombola-worker",
            ],
        ),
        (("compose",), [f"{COMPOSE} deploy/compose.yaml --profile canary stop canary"]),
        (
            ("compose", "--all", "--previous", "1.4.0"),
            [f"{COMPOSE} deploy/compose.yaml --profile canary stop canary", COMPOSE],
        ),
        (("systemd",), ["systemctl disable --now tombola-canary.service"]),
        (
            ("systemd", "--all", "--previous", "/opt", "--current", "/opt/tombola"),
            [
                "systemctl disable --now tombola-canary.service",
                "ln --symbolic --force --no-dereference /opt /opt/tombola",
                "systemctl restart tombola.service",
            ],
        ),
    ],
)
def test_each_back_end_undoes_by_its_own_commands(
    recorded: Path, arguments: tuple[str, ...], commands: list[str]
) -> None:
    assert rollout.main(["undo", *arguments, "--dry-run"]) == 0
    assert not recorded.exists()
    assert rollout.main(["undo", *arguments]) == 0
    ran = recorded.read_text().splitlines()
    assert len(ran) == len(commands)
    assert all(line.startswith(command) for line, command in zip(ran, commands, strict=True))
    if "1.4.0" in arguments:
        assert ran[-1].endswith("up --detach --no-build --no-deps bot 1.4.0")


def test_a_failed_step_is_told_and_the_others_are_tried(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAIL", "systemctl")
    assert rollout.main(["undo", "systemd", "--all", "--previous", str(tmp_path)]) == 1
    assert len(recorded.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    "arguments", [("systemd",), ("kubernetes",), ("compose",), ("systemd", "--previous", "/opt/no-such-version")]
)
def test_an_undoing_without_a_version_to_go_back_to_touches_nothing(recorded: Path, arguments: tuple[str, ...]) -> None:
    assert rollout.main(["undo", *arguments, "--all"]) == 2
    assert not recorded.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Log in</html>",
        b'{"status": "success", "data": {"result": [{"metric"',
        b"[]",
        b"null",
        b'{"status": "success", "data": {"result": [{"metric": {}, "value": []}]}}',
        b"[" * 100_000,
    ],
)
def test_an_answer_that_is_not_of_prometheus_is_no_answer(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setattr(rollout, "request", lambda *_: body)
    with pytest.raises(rollout.NoAnswerError):
        rollout.Prometheus("http://127.0.0.1").ask("up", 0)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("analyse", "--prometheus", "http://127.0.0.1:1", "--flag", "native-polls"), "--api"),
        (("relay", "--flag", "native-polls"), "--api"),
        (("relay", "--api", "http://127.0.0.1:1", "--flag", "native-polls"), "--secret-file"),
        (("relay", "--api", "http://127.0.0.1:1", "--source", "s", "--secret-file", "short"), "padding"),
        (("relay", "--token-file", "empty"), "empty"),
        (("relay", "--listen", "0.0.0.0:0"), "--token-file"),
        (("relay", "--listen", ":0"), "--token-file"),
    ],
)
def test_arguments_that_do_not_fit_are_told_before_they_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, arguments: Any, word: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "short").write_text("whsec_AA")
    assert rollout.main(arguments) == 4
    assert word in capsys.readouterr().err


def test_the_version_is_undone_even_if_its_api_does_not_answer(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout, "TRIES", 1)
    secret = tmp_path / "secret"
    secret.write_text("whsec_" + "A" * 32)
    flags = ("--api", "http://127.0.0.1:1", "--source", "s", "--secret-file", str(secret), "--flag", "native-polls")
    given = rollout._parser().parse_args(["relay", *flags, "--", "systemctl", "undo"])
    with pytest.raises(rollout.NoAnswerError, match="native-polls"):
        rollout._acting(given)("test")
    assert "systemctl undo" in recorded.read_text()
