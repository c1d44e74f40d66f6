"""Settings: the sources of a value, and the one-line error for a wrong one."""

import base64
import json
import os
import re
import tomllib
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from pydantic import SecretStr

from bot.game_defaults import rules_of
from bot.observe.log_lines import masked
from bot.settings import KEYS, ROOT, SECRETS, VARIABLES, Settings, SettingsError, hidden, load_settings
from handlers.kinds.quiz.settings import QuizSection

POSTGRES = "must be empty, or postgresql://user:password@host:5432/name, what is special in a password as %40"
REDIS = "must be empty, or redis://:password@host:6379/0, rediss://, unix://, what is special in a password as %40"
TOKEN = "123456789:AAE1bsecretsecret"

ANOTHER_VALUE = {
    "games.host_joins": "false",
    "api.cache": "false",
    "games.quiz.late_join": "false",
    "api.graphql": "false",
    "data_dir": "elsewhere",
    "telegram.token": TOKEN,
    "telegram.api_base": "http://127.0.0.1:8081",
    "telegram.mode": "webhook",
    "telegram.webhook_url": "https://bot.example.org",
    "telegram.webhook_path": "/hook",
    "telegram.webhook_secret": "s3cret-s3cret",
    "telegram.operators": "[1, 2]",
    "database.dsn": "postgresql://tombola:pw@db/tombola",
    "redis.dsn": "redis://:pw@cache:6379/0",
    "web.host": "0.0.0.0",
    "bridge.url": "amqp://tombola:pw@broker:5672/games",
    "bridge.format": "binary",
    "bridge.create": "false",
    "api.token_key": "key-of-hashes",
    "web.private_networks": "10.0.0.0/8",
    "web.trusted_proxies": "10.0.0.0/8",
    "web.secret_keys": "0123456789abcdef0123456789abcdef",
    "api.cors_origins": "https://a.example.org https://b.example.org",
    "app.url": "https://app.example.org/app/",
    "dashboard.url": "https://app.example.org/dashboard/",
    "app.framed_by": "https://client.example.org",
    "games.keep_results_days": "2000",
    "audit.keep_days": "100",
    "tracing.endpoint": "http://127.0.0.1:4318",
    "tracing.ratio": "0.5",
    "privacy.policy_url": "https://example.org/privacy",
    "tracing.authorization": "Bearer of-traces",
    "games.draw.beacon_url": "https://api.drand.sh",
    "games.draw.beacon_chain": "ab" * 32,
    "games.pick_number.beacon_policy": "void",
    "games.draw.beacon_scheme": "pedersen-bls-chained",
    "games.draw.beacon_public_key": "ab" * 48,
    "games.pick_number.prize_pool": "12.50",
    "games.pick_number.absent": "auto",
    "games.quiz.model.base_url": "https://models.example.org/v1",
    "games.quiz.model.api_key": "sk-secret",
    "games.quiz.model.name": "clever",
    "durability.strict": "true",
    "errors.dsn": "https://0123456789abcdef@errors.example.org/7",
    "log.level": "DEBUG",
    "log.json": "true",
    "log.ecs": "true",
}
"""A value that is not the default, by key; a number not listed here is set to 3 (or 2000 if 3 contradicts another)."""


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Start without any setting: no variable, and an empty configuration file."""
    for name in list(os.environ):
        if name.startswith("TOMBOLA_"):
            monkeypatch.delenv(name)
    file = tmp_path / "config.toml"
    file.write_text("")
    monkeypatch.setenv("TOMBOLA_CONFIG", str(file))
    return file


def value_of(settings: Settings, key: str) -> object:
    value: object = settings
    for name in key.split("."):
        value = getattr(value, "as_json" if name == "json" else name)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def error_of(env_file: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_the_defaults_are_those_of_the_product() -> None:
    settings = load_settings(None)
    expected = {
        "telegram.token": "", "telegram.mode": "polling", "telegram.webhook_url": "", "telegram.webhook_secret": "",
        "telegram.operators": (), "database.dsn": "", "redis.dsn": "", "data_dir": Path("var"),
        "web.host": "127.0.0.1", "web.port": 8080, "games.max_live_per_chat": 1,
        "games.pick_number.min_players": 2, "games.pick_number.max_players": 100,
        "games.pick_number.lobby_seconds": 900, "games.pick_number.join_seconds": 60,
        "games.pick_number.selection_seconds": 300, "games.pick_number.reveal_seconds": 2,
        "games.pick_number.range_multiplier": 5.0, "games.pick_number.max_number": 1000,
        "games.pick_number.winners": 1, "games.pick_number.prize_pool": Decimal(0), "games.pick_number.absent": "drop",
        "games.quiz.questions": 10, "games.quiz.question_seconds": 15, "games.quiz.reveal_seconds": 3,
        "games.quiz.min_players": 2, "games.quiz.max_players": 100, "games.quiz.lobby_seconds": 900,
        "games.quiz.join_seconds": 60,
    }  # fmt: skip
    assert {key: value_of(settings, key) for key in expected} == expected


def test_config_toml_says_what_the_defaults_are(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = load_settings(None)
    monkeypatch.setenv("TOMBOLA_CONFIG", str(ROOT / "config.toml"))
    assert load_settings(None) == bare


def test_config_toml_has_every_key_but_the_secret_ones_and_a_comment_on_each() -> None:
    text = (ROOT / "config.toml").read_text()

    def flat(table: dict[str, object], prefix: str = "") -> set[str]:
        return {
            key
            for name, value in table.items()
            for key in (flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name})
        }

    written = flat(tomllib.loads(text))
    assert written == set(KEYS) - (SECRETS - {"database.dsn", "redis.dsn", "bridge.url"})
    assert [line for line in text.splitlines() if " = " in line and "  # " not in line] == []
    example = (ROOT / ".env.example").read_text()
    for key in SECRETS:
        name = next(name for name, known in VARIABLES.items() if known == key)
        assert f"\n{name}=\n" in example
        assert key in written or f"# {key.rpartition('.')[2]}: {name}" in text


@pytest.mark.parametrize(("name", "key"), list(VARIABLES.items()), ids=list(KEYS))
def test_every_key_is_set_by_its_variable(name: str, key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    needed = {"telegram.mode": ["telegram.webhook_url", "telegram.webhook_secret"]}
    needed["games.quiz.model.base_url"] = ["games.quiz.model.name"]
    for other in needed.get(key, []):
        monkeypatch.setenv("TOMBOLA_" + other.replace(".", "__").upper(), ANOTHER_VALUE[other])
    text = ANOTHER_VALUE.get(key, "2000" if key.endswith("max_number") else "3")
    default = value_of(load_settings(None), key) if not needed.get(key) else None
    monkeypatch.setenv(name, text)
    by_environment = value_of(load_settings(None), key)
    assert by_environment not in {default, None} or text == "3" == str(default)
    monkeypatch.delenv(name)
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"{name}={text}\nOTHER=1\n")
    assert value_of(load_settings(dotenv), key) == by_environment


@pytest.mark.parametrize("key", [key for key in KEYS if key.startswith(("games.pick_number.", "games.quiz."))])
def test_whatever_the_settings_allow_the_rules_allow(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = {name: getattr(part, name) for part in KEYS[key].metadata for name in ("ge", "le") if hasattr(part, name)}
    for bound in bounds.values():
        monkeypatch.setenv("TOMBOLA_" + key.replace(".", "__").upper(), str(bound))
        with suppress(SettingsError):  # it contradicts another setting, and the error says so
            settings = load_settings(None)
            for rules in rules_of(settings, None).values():
                rules.check()


def test_environment_goes_before_dotenv_and_that_before_the_file(
    bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare.write_text("[web]\nport = 1\nhost = 'a'\n[games.quiz]\nquestions = 4")
    assert load_settings(None).web.port == 1
    dotenv = tmp_path / ".env"
    dotenv.write_text("TOMBOLA_WEB__PORT=2\n")
    assert load_settings(dotenv).web.port == 2
    monkeypatch.setenv("TOMBOLA_WEB__PORT", "3")
    settings = load_settings(dotenv)
    quiz = settings.games.of("quiz")
    assert isinstance(quiz, QuizSection)
    assert (settings.web.port, settings.web.host, quiz.questions) == (3, "a", 4)


def test_operators_are_a_list_with_or_without_brackets(monkeypatch: pytest.MonkeyPatch, bare: Path) -> None:
    for text in ("1,2", "[1, 2]", " 1 2 "):
        monkeypatch.setenv("TOMBOLA_TELEGRAM__OPERATORS", text)
        assert load_settings(None).telegram.operators == (1, 2)
    monkeypatch.delenv("TOMBOLA_TELEGRAM__OPERATORS")
    bare.write_text("[telegram]\noperators = [5]")
    assert load_settings(None).telegram.operators == (5,)


def test_a_prize_pool_is_exact(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare.write_text("[games.pick_number]\nprize_pool = 0.1")
    assert rules_of(load_settings(None), None)["pick_number"].prize_pool == Decimal("0.1")
    monkeypatch.setenv("TOMBOLA_GAMES__PICK_NUMBER__PRIZE_POOL", "100000000000.00000001")
    assert rules_of(load_settings(None), None)["pick_number"].prize_pool == Decimal("100000000000.00000001")


@pytest.mark.parametrize(
    ("variable", "dsn"),
    [
        ("DATABASE", "postgresql://tombola:p%40w@[::1]:5432,db-2:5433/tombola?sslmode=require"),
        ("DATABASE", "postgresql:///tombola?host=/run/postgresql"),
        ("DATABASE", "postgresql://tombola@/tombola?host=%2Frun"),
        ("REDIS", "rediss://user:p%2Fw@cache.example.org:6380/1?ssl_cert_reqs=none"),
        ("REDIS", "redis://127.0.0.1"),
        ("REDIS", "unix:///run/redis.sock?db=1"),
    ],
)
def test_a_dsn_is_taken_in_each_form_that_its_client_takes(
    variable: str, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TOMBOLA_{variable}__DSN", dsn)
    settings = load_settings(None)
    assert dsn in {settings.database.dsn.get_secret_value(), settings.redis.dsn.get_secret_value()}


def test_what_must_not_be_seen_is_every_secret_and_every_password_in_a_dsn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOMBOLA_TELEGRAM__TOKEN", "1:token")
    monkeypatch.setenv("TOMBOLA_GAMES__QUIZ__MODEL__API_KEY", "sk-key")
    monkeypatch.setenv("TOMBOLA_DATABASE__DSN", "postgresql://u:first%40part@h/d?password=second")
    monkeypatch.setenv("TOMBOLA_REDIS__DSN", "redis://:third@h/0")
    found = hidden(load_settings(None))
    assert {"1:token", "sk-key", "first%40part", "first@part", "second", "third", "redis://:third@h/0"} <= found
    assert "" not in found


@pytest.mark.parametrize(
    ("variable", "value", "password"),
    [
        ("DATABASE__DSN", "postgresql://us%40er:{}@h/d", "p@ss/w#rd?%+ é\"'\\~"),
        ("DATABASE__DSN", "postgresql://user@h/d?password={}", "p@ss/w#rd?%+ é\"'\\~"),
        ("REDIS__DSN", "rediss://user:{}@h/0", "p@ss/w#rd?%+ é\"'\\~"),
        ("REDIS__DSN", "redis+sentinel://user:{}@h,i:1/main/0", "p@ss/w#rd?%+ é~"),
        ("TRACING__ENDPOINT", "https://user:{}@h/v1", "p@ss/w#rd?%+~"),
        ("TRACING__AUTHORIZATION", "Bearer {}", "ab/c+d=%41~"),
        ("ERRORS__DSN", "https://{}@h/1", "public+key"),
        ("BRIDGE__URL", "amqps://user:{}@h/v", "p@ss/w#rd?%+~"),
        ("BRIDGE__URL", "nats://{}@h:4222,i:4222", "to/ken+%"),
        ("WEB__SECRET_KEYS", "{}," + "b" * 32, "a+/%=" * 8),
    ],
)
def test_a_secret_is_hidden_in_every_encoding_that_a_library_may_show(
    variable: str, value: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = password if variable.startswith(("TRACING__AUTH", "WEB")) else quote(password, safe="")
    monkeypatch.setenv(f"TOMBOLA_{variable}", value.format(written))
    masks = sorted(hidden(load_settings(None)), key=len, reverse=True)
    shown = {
        written,
        re.sub("%..", lambda found: found[0].lower(), written),
        password,
        quote(password),
        quote(password, safe="!$&'()*+,;=:"),
        quote_plus(password),
        json.dumps(password)[1:-1],
        json.dumps(password, ensure_ascii=False)[1:-1],
        repr(password)[1:-1],
        base64.b64encode(password.encode()).decode(),
    }
    if "user:" in value:
        shown.add(base64.b64encode(f"user:{password}".encode()).decode())
    for form in shown:
        assert masked(f"url: {form}, gone", masks) == "url: ***, gone", form


@pytest.mark.parametrize(
    "text", ["1,000", "10,000", "１２", "1_000", "٣", "1,5", "-0", "1 000", "100 euro", "1e2", "+5"]
)
@pytest.mark.parametrize(
    "key",
    [
        "games.pick_number.winners",
        "games.pick_number.join_seconds",
        "games.pick_number.range_multiplier",
        "games.pick_number.prize_pool",
        "games.quiz.questions",
        "web.port",
        "telegram.send_rate",
    ],
)
def test_a_number_that_is_not_written_plainly_is_refused_in_one_line(
    key: str, text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(f"TOMBOLA_{key.replace('.', '__').upper()}", text)
    with pytest.raises(SettingsError, match=re.escape(key)) as caught:
        load_settings(None)
    assert "\n" not in str(caught.value)
    monkeypatch.delenv(f"TOMBOLA_{key.replace('.', '__').upper()}")
    section, _, name = key.rpartition(".")
    file = tmp_path / "config.toml"
    file.write_text(f'[{section}]\n{name} = "{text}"\n', encoding="utf-8")
    monkeypatch.setenv("TOMBOLA_CONFIG", str(file))
    with pytest.raises(SettingsError, match=re.escape(key)):
        load_settings(None)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("DATA_DIR", "", "data_dir = '' (@): must be a directory"),
        ("WEB__PORT", "x", "web.port = 'x' (@): must be a whole number from 0 to 65535"),
        ("WEB__PORT", "70000", "web.port = '70000' (@): must be a whole number from 0 to 65535"),
        ("WEB__PORT", "", "web.port = '' (@): must be a whole number from 0 to 65535"),
        ("WEB__HOST", "a b", "web.host = 'a b' (@): must be a host name or address to listen on"),
        ("TELEGRAM__MODE", "pull", "telegram.mode = 'pull' (@): must be polling or webhook"),
        (
            "TELEGRAM__TOKEN",
            "nonsense\nmore",
            "telegram.token (@): must be a token as BotFather gives it, like 123456789:AAE1b...",
        ),
        (
            "TELEGRAM__WEBHOOK_SECRET",
            "a b",
            "telegram.webhook_secret (@): must be 1 to 256 letters, digits, underscores and hyphens",
        ),
        (
            "TELEGRAM__API_BASE",
            "ftp://x",
            "telegram.api_base = 'ftp://x' (@): must be a URL that begins with http:// or https://",
        ),
        (
            "TELEGRAM__API_BASE",
            "ftp://me:secret@x",
            "telegram.api_base = 'ftp://***@x' (@): must be a URL that begins with http:// or https://",
        ),
        ("TELEGRAM__OPERATORS", "me", "telegram.operators = 'me' (@): must be a list of Telegram user ids"),
        (
            "DATABASE__DSN",
            "mysql://u:pw@h/d",
            f"database.dsn (@): {POSTGRES}",
        ),
        ("DATABASE__DSN", "postgresql://u:pw@h:notaport/d", f"database.dsn (@): {POSTGRES}"),
        ("DATABASE__DSN", "postgresql://u:p/w@h:5432/d", f"database.dsn (@): {POSTGRES}"),
        (
            "REDIS__DSN",
            "cache:6379",
            f"redis.dsn (@): {REDIS}",
        ),
        ("REDIS__DSN", "redis://:pw@cache:abc/0", f"redis.dsn (@): {REDIS}"),
        (
            "GAMES__PICK_NUMBER__JOIN_SECONDS",
            "inf",
            "games.pick_number.join_seconds = 'inf' (@): must be a number from 0.001 to 86400",
        ),
        (
            "GAMES__PICK_NUMBER__WINNERS",
            "11",
            "games.pick_number.winners = '11' (@): must be a whole number from 1 to 10",
        ),
        (
            "GAMES__PICK_NUMBER__PRIZE_POOL",
            "-1",
            "games.pick_number.prize_pool = '-1' (@): must be an amount from 0, of up to 20 digits and 8 decimals",
        ),
        ("GAMES__PICK_NUMBER__ABSENT", "kick", "games.pick_number.absent = 'kick' (@): must be drop or auto"),
        ("TELEGRAM__SEND_RATE", "0", "telegram.send_rate = '0' (@): must be a number above 0 to 10000"),
        ("LOG__JSON", "ja", "log.json = 'ja' (@): must be true or false"),
        (
            "LOG__LEVEL",
            "x" * 200,
            f"log.level = '{'x' * 79}... (@): must be TRACE or DEBUG or INFO or WARNING or ERROR",
        ),
        (
            "GAMES__KEEP_EVENTS_DAYS",
            "1096",
            "games.keep_results_days (not set): must be at least games.keep_events_days, 1096",
        ),
        (
            "GAMES__KEEP_RESULTS_DAYS",
            "364",
            "games.keep_results_days = '364' (@): must be at least games.keep_events_days, 365",
        ),
        (
            "GAMES__KEEP_RESULTS_DAYS",
            "29",
            "games.keep_results_days = '29' (@): must be a number from 30 to 36500",
        ),
        ("DATABASE__POOL_MIN", "11", "database.pool_min = '11' (@): must be at most database.pool_max, 10"),
        (
            "GAMES__QUIZ__MIN_PLAYERS",
            "101",
            "games.quiz.min_players = '101' (@): must be at most games.quiz.max_players, 100",
        ),
        (
            "GAMES__PICK_NUMBER__MAX_PLAYERS",
            "1",
            "games.pick_number.min_players (not set): must be at most games.pick_number.max_players, 1",
        ),
        (
            "GAMES__PICK_NUMBER__MAX_NUMBER",
            "50",
            "games.pick_number.max_number = '50' (@): must be at least games.pick_number.max_players, 100",
        ),
        (
            "GAMES__PICK_NUMBER__MIN_PLAYERS",
            "1",
            "games.pick_number.min_players = '1' (@): must be a whole number from 2 to 1000",
        ),
        (
            "GAMES__PICK_NUMBER__LOBBY_SECONDS",
            "86401",
            "games.pick_number.lobby_seconds = '86401' (@): must be a number from 0.001 to 86400",
        ),
        (
            "TELEGRAM__MODE",
            "webhook",
            "telegram.webhook_url (not set): must be a public https:// URL, as telegram.mode is webhook",
        ),
        (
            "GAMES__QUIZ__MODEL__BASE_URL",
            "https://m.example.org",
            "games.quiz.model.name (not set): must be the name of a model, as games.quiz.model.base_url is set",
        ),
        ("WEB__PROT", "1", "unknown variable TOMBOLA_WEB__PROT; did you mean TOMBOLA_WEB__PORT?"),
        ("WEB_PORT", "1", "unknown variable TOMBOLA_WEB_PORT; did you mean TOMBOLA_WEB__PORT?"),
        ("NONSENSE", "1", "unknown variable TOMBOLA_NONSENSE; config.toml lists them all"),
        ("CONFIG", "/no/such/file", "TOMBOLA_CONFIG = '/no/such/file': there is no such file"),
    ],
)
def test_a_wrong_variable_gets_one_line(name: str, value: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"TOMBOLA_{name}", value)
    assert error_of() == line.replace("(@)", f"(TOMBOLA_{name})")


def mounted(directory: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    """Make the files of a directory as Kubernetes mounts a secret: links to links to files."""
    real = directory / "..2026_11_30_21_00_00.1"
    real.mkdir(parents=True)
    (directory / "..data").symlink_to(real.name)
    for name, text in files.items():
        (real / name).write_text(text)
        (directory / name).symlink_to(Path("..data", name))
    monkeypatch.setenv("TOMBOLA_SECRETS_DIR", str(directory))


def test_a_file_sets_what_a_variable_of_its_name_would_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    redis = "redis://:pw@cache:6379/0"
    files = {"TOMBOLA_TELEGRAM__TOKEN": f"{TOKEN}\n", "TOMBOLA_REDIS__DSN": redis, "tls.crt": "a certificate"}
    mounted(tmp_path / "secrets", monkeypatch, **files, TOMBOLA_WEB__PORT="81")
    settings = load_settings(None)
    assert settings.telegram.token.get_secret_value() == TOKEN
    assert settings.redis.dsn.get_secret_value() == redis
    assert settings.web.port == 81
    monkeypatch.setenv("TOMBOLA_WEB__PORT", "82")
    assert load_settings(None).web.port == 82, "a variable is stronger than a file"


def test_a_file_of_secrets_is_stronger_than_a_dotenv_file_and_may_be_named_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(tmp_path / "secrets", monkeypatch, TOMBOLA_WEB__PORT="81")
    monkeypatch.delenv("TOMBOLA_SECRETS_DIR")
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"TOMBOLA_SECRETS_DIR={tmp_path / 'secrets'}\nTOMBOLA_WEB__PORT=83\n")
    assert load_settings(dotenv).web.port == 81


def test_a_wrong_file_of_secrets_gets_one_line_without_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "secrets"
    mounted(directory, monkeypatch, TOMBOLA_TELEGRAM__TOKEN="s3cret")
    line = error_of()
    assert line.startswith(f"telegram.token (TOMBOLA_TELEGRAM__TOKEN in {directory}): must be a token")
    assert "s3cret" not in line
    (directory / "TOMBOLA_TELEGRAM__TOKEN").unlink()
    (directory / "TOMBOLA_TELEGRAM__TOKN").write_text("s3cret")
    expected = f"unknown variable TOMBOLA_TELEGRAM__TOKN in {directory}; did you mean TOMBOLA_TELEGRAM__TOKEN?"
    assert error_of() == expected
    monkeypatch.setenv("TOMBOLA_SECRETS_DIR", "/no/such/directory")
    assert error_of() == "TOMBOLA_SECRETS_DIR = '/no/such/directory': No such file or directory"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[web]\nport = true", "web.port = True (config.toml): must be a whole number from 0 to 65535"),
        ("[web]\nport = 1.5", "web.port = 1.5 (config.toml): must be a whole number from 0 to 65535"),
        ("web = 3", "web = 3 (config.toml): must be a section, [web]"),
        ("[web]\nprot = 3", "unknown key web.prot in config.toml; did you mean web.port?"),
        (
            "[game.quiz]\nquestions = 3",
            "unknown key game.quiz.questions in config.toml; did you mean games.quiz.questions?",
        ),
        ("data_dir = 3", "data_dir = 3 (config.toml): must be a directory"),
        ("[telegram]\noperators = [0]", "telegram.operators = [0] (config.toml): must be a list of Telegram user ids"),
        (
            f"[telegram]\ntoken = '{TOKEN}'",
            "telegram.token (config.toml): a secret has no place here; set TOMBOLA_TELEGRAM__TOKEN instead",
        ),
        (
            "[database]\ndsn = 'postgresql://u:pw@h/d'",
            "database.dsn (config.toml): a secret has no place here; set TOMBOLA_DATABASE__DSN instead",
        ),
        (
            "[database]\ndsn = 'postgresql://h/d?password=pw'",
            "database.dsn (config.toml): a secret has no place here; set TOMBOLA_DATABASE__DSN instead",
        ),
    ],
)
def test_a_wrong_line_of_the_file_gets_one_line(text: str, line: str, bare: Path) -> None:
    bare.write_text(text)
    assert error_of() == line


def test_a_file_that_is_no_toml_gets_one_line(bare: Path) -> None:
    bare.write_text("[web\n")
    assert error_of().startswith(f"{bare} can't be read: ")


def test_a_wrong_line_of_dotenv_is_named(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("TOMBOLA_WEB__PORT=x\n")
    assert error_of(dotenv) == "web.port = 'x' (TOMBOLA_WEB__PORT in .env): must be a whole number from 0 to 65535"
    dotenv.write_text("TOMBOLA_WEB__PROT=x\n")
    assert error_of(dotenv) == "unknown variable TOMBOLA_WEB__PROT in .env; did you mean TOMBOLA_WEB__PORT?"


def test_a_dsn_without_a_password_may_stand_in_the_file(bare: Path) -> None:
    bare.write_text("[database]\ndsn = 'postgresql://db/tombola'")
    assert load_settings(None).database.dsn.get_secret_value() == "postgresql://db/tombola"


@pytest.mark.parametrize("key", sorted(SECRETS))
def test_a_secret_is_never_shown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOMBOLA_" + key.replace(".", "__").upper(), ANOTHER_VALUE[key])
    settings = load_settings(None)
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert ANOTHER_VALUE[key] not in shown


def test_a_webhook_may_be_plain_http_only_behind_a_bot_api_server_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOMBOLA_TELEGRAM__MODE", "webhook")
    monkeypatch.setenv("TOMBOLA_TELEGRAM__WEBHOOK_SECRET", "s")
    monkeypatch.setenv("TOMBOLA_TELEGRAM__WEBHOOK_URL", "http://10.0.0.1:8080/hook")
    assert error_of().startswith("telegram.webhook_url = 'http://10.0.0.1:8080/hook'")
    monkeypatch.setenv("TOMBOLA_TELEGRAM__API_BASE", "http://10.0.0.2:8081")
    telegram = load_settings(None).telegram
    assert telegram.webhook_address == "http://10.0.0.1:8080/hook"
    assert telegram.webhook_paths == {"/hook", "/telegram/webhook"}


def test_a_webhook_needs_a_secret_and_gets_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOMBOLA_TELEGRAM__MODE", "webhook")
    monkeypatch.setenv("TOMBOLA_TELEGRAM__WEBHOOK_URL", "https://bot.example.org/")
    assert error_of() == (
        "telegram.webhook_secret (not set): must be 1 to 256 letters, digits, underscores and hyphens, "
        "as telegram.mode is webhook"
    )
    monkeypatch.setenv("TOMBOLA_TELEGRAM__WEBHOOK_SECRET", "s")
    telegram = load_settings(None).telegram
    assert telegram.webhook_address == "https://bot.example.org/telegram/webhook"
    assert telegram.webhook_paths == {"/telegram/webhook"}


def test_variables_that_kubernetes_sets_beside_a_service_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TOMBOLA_SERVICE_HOST": "10.0.0.1",
        "TOMBOLA_SERVICE_PORT": "8080",
        "TOMBOLA_SERVICE_PORT_HTTP": "8080",
        "TOMBOLA_PORT": "tcp://10.0.0.1:8080",
        "TOMBOLA_WEB_PORT": "tcp://10.0.0.1:8080",
        "TOMBOLA_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "TOMBOLA_PORT_8080_TCP_ADDR": "10.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    load_settings(None)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("TOMBOLA_WEB__PORT=1\n".encode("utf-16"), "is written in UTF-16; save it as UTF-8"),
        ("TOMBOLA_WEB__PORT=1\n".encode("utf-16-le"), "is written in UTF-16; save it as UTF-8"),
        ("TOMBOLA_WEB__PORT=1\n".encode("utf-32"), "is written in UTF-32; save it as UTF-8"),
        ("# a\n# \xe9\n".encode("latin-1"), "in an older encoding, as Latin-1 or Windows-1251 (line 2); save it as"),
        ("# игра\n".encode("cp1251"), "in an older encoding, as Latin-1 or Windows-1251 (line 1); save it as"),
        (None, "can't be read: Is a directory"),
    ],
)
def test_a_file_in_another_encoding_and_a_directory_get_one_line(
    raw: bytes | None, told: str, bare: Path, tmp_path: Path
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.mkdir() if raw is None else dotenv.write_bytes(raw)
    line = error_of(dotenv)
    assert line.startswith(str(dotenv))
    assert told in line
    assert "\n" not in line
    bare.unlink()
    bare.mkdir() if raw is None else bare.write_bytes(raw)
    assert error_of().startswith(str(bare))
    assert told in error_of()


def test_a_mark_at_the_beginning_of_a_file_is_no_part_of_it(bare: Path, tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes("TOMBOLA_WEB__PORT=17\n".encode("utf-8-sig"))
    bare.write_bytes("log.level = 'DEBUG'\n".encode("utf-8-sig"))
    settings = load_settings(dotenv)
    assert (settings.web.port, settings.log.level) == (17, "DEBUG")


def test_a_file_that_may_not_be_read_gets_one_line(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / ".env", dotenv):
        dotenv.write_text("TOMBOLA_WEB__PORT=17\n")
        dotenv.chmod(0)
        was = os.geteuid()
        tmp_path.chmod(0o755)
        os.seteuid(was or 65534)  # root may read everything
        try:
            told = error_of(path)
        finally:
            os.seteuid(was)
        assert told in {f"{path} can't be read: Permission denied", f"{path} can't be read: Not a directory"}


@pytest.mark.parametrize(
    ("variable", "dsn", "told"),
    [
        ("DATABASE", "postgresql://u:pw@h/d?sslmod=require", "unknown; did you mean sslmode?"),
        ("DATABASE", "postgresql://u:12?34pw@h/d", "special characters in a password must be written as %40"),
        ("REDIS", "redis://:pw@h/main", "must be a whole number"),
    ],
)
def test_a_dsn_with_a_parameter_that_nobody_knows_gets_one_line(
    variable: str, dsn: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TOMBOLA_{variable}__DSN", dsn)
    line = error_of()
    assert line.startswith(f"{variable.lower()}.dsn (TOMBOLA_{variable}__DSN): ")
    assert told in line
    assert "pw" not in line
