"""All settings: names, defaults, bounds and sources.

An environment variable (`TOMBOLA_WEB__PORT` for `web.port`) overrides the file of that name in the directory that
`TOMBOLA_SECRETS_DIR` names, which overrides the entry in `.env`, which overrides `config.toml` (or the file named by
`TOMBOLA_CONFIG`), which overrides the default. `config.toml` explains each setting.
An invalid value is refused with one line: the key, the value and its source, and the allowed values.
"""

import base64
import codecs
import difflib
import io
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib import import_module
from ipaddress import IPv4Network, IPv6Network, ip_network
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import parse_qs, quote, quote_plus, unquote, unquote_plus, urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from fsm.proof import LENGTHS, PINNED
from fsm.registry import KINDS
from handlers.kinds.settings import OPTIONAL_URL, LobbySection, Number, Seconds, Section, Whole, form
from questions.plain_files import read_plain
from storage.dsn import DsnError, postgres_address, redis_address

ROOT = Path(__file__).parent.parent
PREFIX = "TOMBOLA_"
CONFIG_VARIABLE = "TOMBOLA_CONFIG"
SECRETS_VARIABLE = "TOMBOLA_SECRETS_DIR"
TELEGRAM_API = "https://api.telegram.org"
QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
"""Chain hash of drand's public beacon that publishes every three seconds."""
URL = r"^https?://[^\s/]+(/\S*)?$"
HOST = r"(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@,\[\]]*)(:\d+)?"
POSTGRES_DSN = rf"(postgres(ql)?://([^\s@/?#]*@)?{HOST}(,{HOST})*([/?]\S*)?)?"
REDIS_DSN = (
    rf"(rediss?://([^\s@/?#]*@)?{HOST}([/?]\S*)?|unix://\S+"
    rf"|redis\+sentinel://([^\s@/?#]*@)?{HOST}(,{HOST})*/[\w.-]+([/?]\S*)?"
    rf"|rediss?\+cluster://([^\s@/?#]*@)?{HOST}(,{HOST})*([/?]\S*)?)?"
)
BRIDGE_URL = rf"((nats|tls|amqps?|kafka)://([^\s@/?#]*@)?{HOST}(,{HOST})*([/?]\S*)?)?"
PASSWORDS = re.compile(r"^[\w+]+://[^@/?#:]*:([^@/?#]*)@|[?&](?:ssl_?)?password=([^&]*)")
"""Positions of a password in a DSN or another URL."""
USERINFO = re.compile(r"^[\w+]+://([^@/?#:]*:[^@/?#]+)@")
"""Position of name and password in a URL."""
TOKEN = re.compile(r"^[\w+]+://([^@/?#:]+)@")
"""Position of a name without a password in a URL."""
SHORTEST = 4
"""Length from which a secret is hidden wherever it occurs. Shorter ones occur in ordinary words."""
LONGEST_SHOWN = 80
"""Number of characters of a wrong value that an error repeats."""


class SettingsError(Exception):
    """A setting cannot be used. The text is one line for the operator, without any secret."""


def _listed(value: object) -> object:
    """Accept both `1,2` and `[1, 2]` from an environment variable."""
    return [part for part in re.split(r"[\s,]+", value.strip("[] ")) if part] if isinstance(value, str) else value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Raise ValueError if a text is no network."""
    for each in value:
        ip_network(each)
    return value


UserIds = Annotated[tuple[Annotated[Whole, Field(gt=0)], ...], NoDecode, BeforeValidator(_listed)]


def _directory(value: object) -> object:
    """Refuse a value that names no directory. An empty one would put the stores into the current directory."""
    if not str(value).strip() or not str(value).isprintable():
        raise ValueError("no directory")
    return value


NO_SECRET = SecretStr("")


class Telegram(Section):
    """The bot's account, the way updates arrive, and the rates of sending."""

    token: Annotated[SecretStr, form(r"(\d+:[A-Za-z0-9_-]+)?")] = Field(
        default=NO_SECRET, description="a token as BotFather gives it, like 123456789:AAE1b..."
    )
    api_base: str = Field(default=TELEGRAM_API, pattern=URL, description="a URL that begins with http:// or https://")
    mode: Literal["polling", "webhook"] = "polling"
    webhook_url: str = Field(
        default="", pattern=OPTIONAL_URL, description="empty, or the public URL that Telegram is to call"
    )
    webhook_path: str = Field(
        default="/telegram/webhook", pattern=r"^/[A-Za-z0-9._~/-]*$", description="a path that begins with /"
    )
    webhook_secret: Annotated[SecretStr, form(r"[A-Za-z0-9_-]{0,256}")] = Field(
        default=NO_SECRET, description="1 to 256 letters, digits, underscores and hyphens"
    )
    operators: UserIds = Field(default=(), description="a list of Telegram user ids")
    request_timeout_seconds: Seconds = 30
    send_rate: Number = Field(default=30, gt=0, le=10_000)
    chat_rate: Number = Field(default=1, gt=0, le=10_000)
    group_per_minute: Whole = Field(default=20, ge=1, le=600_000)

    @property
    def webhook_paths(self) -> frozenset[str]:
        """Paths at which the webhook is served: the configured one and that of the public URL.

        A proxy may keep either.
        """
        path = urlsplit(self.webhook_url).path
        return frozenset({self.webhook_path, path}) if path.strip("/") else frozenset({self.webhook_path})

    @property
    def webhook_address(self) -> str:
        """URL to register with Telegram: the public URL, with the path appended if it has none."""
        if urlsplit(self.webhook_url).path.strip("/"):
            return self.webhook_url
        return self.webhook_url.rstrip("/") + self.webhook_path


class Database(Section):
    """PostgreSQL: finished games and the permanent record."""

    dsn: Annotated[SecretStr, form(POSTGRES_DSN)] = Field(
        default=NO_SECRET,
        description="empty, or postgresql://user:password@host:5432/name, what is special in a password as %40",
    )
    pool_min: Whole = Field(default=1, ge=0, le=1000)
    pool_max: Whole = Field(default=10, ge=1, le=1000)
    connect_timeout_seconds: Seconds = 5
    command_timeout_seconds: Seconds = 10
    statement_timeout_seconds: Seconds = 10


class Redis(Section):
    """Redis: live games, the feed and the send queue."""

    dsn: Annotated[SecretStr, form(REDIS_DSN)] = Field(
        default=NO_SECRET,
        description="empty, or redis://:password@host:6379/0, rediss://, unix://, what is special in a password as %40",
    )
    shards: Whole = Field(default=8, ge=1, le=1296)
    pool_size: Whole = Field(default=16, ge=1, le=1000)
    timeout_seconds: Seconds = 5


class Web(Section):
    """The address for HTTP: webhook, API, health, metrics and pages."""

    host: str = Field(default="127.0.0.1", pattern=r"^\S+$", description="a host name or address to listen on")
    port: Whole = Field(default=8080, ge=0, le=65_535)
    private_networks: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_networks)] = Field(
        default=(), description='a list of networks such as "10.0.0.0/8"'
    )

    trusted_proxies: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_networks)] = Field(
        default=(), description='a list of addresses or networks such as "10.0.0.0/8"'
    )

    secret_keys: Annotated[SecretStr, form(r"([!-+\--~]{32,256}(,[!-+\--~]{32,256}){0,3})?")] = Field(
        default=NO_SECRET,
        description="empty, or one to four texts of 32 to 256 ASCII letters, digits and signs, with commas in between",
    )

    @property
    def opening_keys(self) -> tuple[str, ...]:
        """The keys of stored secrets: the first one encrypts, the others only decrypt."""
        return tuple(filter(None, self.secret_keys.get_secret_value().split(",")))

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of proxies whose X-Forwarded-For is believed."""
        return tuple(map(ip_network, self.trusted_proxies))

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The private networks that may be called."""
        return tuple(map(ip_network, self.private_networks))


class Api(Section):
    """The HTTP API, which the role `web` serves."""

    token_key: Annotated[SecretStr, form(r"[!-~]{0,256}")] = Field(
        default=NO_SECRET, description="empty, or up to 256 ASCII letters, digits and signs"
    )
    cors_origins: Annotated[
        tuple[Annotated[str, Field(pattern=r"^https?://[^\s/]+$")], ...], NoDecode, BeforeValidator(_listed)
    ] = Field(default=(), description="a list of origins, such as https://dashboard.example.org")
    requests_per_second: Number = Field(default=50, gt=0, le=100_000)
    burst: Whole = Field(default=100, ge=1, le=100_000)
    reads_at_once: Whole = Field(default=256, ge=1, le=100_000)
    niceness: Whole = Field(default=10, ge=0, le=19)
    cache: bool = True
    graphql: bool = True


class AppSection(Section):
    """The Mini App, whose pages the role `web` serves."""

    url: str = Field(
        default="", pattern=OPTIONAL_URL, description="empty, or a URL that begins with http:// or https://"
    )
    short_name: str = Field(
        default="", pattern=r"^[A-Za-z0-9_]{0,64}$", description="up to 64 letters, digits and underscores"
    )
    framed_by: Annotated[
        tuple[Annotated[str, Field(pattern=r"^https?://[^\s/;,]+$")], ...], NoDecode, BeforeValidator(_listed)
    ] = Field(default=(), description="a list of origins, such as https://client.example.org")

    def link(self, bot_username: str) -> str:
        """Return the beginning of links that open the Mini App from any chat; empty without a Mini App."""
        if not self.url:
            return ""
        return f"https://t.me/{bot_username}{self.short_name and '/'}{self.short_name}?startapp="


class DashboardSection(Section):
    """The dashboard of hosts and operators, whose pages the role `web` serves."""

    url: str = Field(
        default="", pattern=OPTIONAL_URL, description="empty, or a URL that begins with http:// or https://"
    )


class Live(Section):
    """Live updates, which the role `web` serves. Limits of numbers are those of one process."""

    max_connections: Whole = Field(default=10_000, ge=1, le=100_000)
    max_connections_per_token: Whole = Field(default=1000, ge=1, le=100_000)
    max_subscriptions: Whole = Field(default=50, ge=1, le=1000)
    waiting_messages: Whole = Field(default=64, ge=1, le=10_000)
    heartbeat_seconds: Number = Field(default=20, ge=1, le=300)
    lifetime_seconds: Number = Field(default=14_400, ge=1, le=86_400)


class AuditSection(Section):
    """The log of all writes."""

    keep_days: Number = Field(default=365, ge=31, le=36_500)


class TracingSection(Section):
    """Traces, by OpenTelemetry."""

    endpoint: str = Field(
        default="", pattern=OPTIONAL_URL, description="empty, or a URL that begins with http:// or https://"
    )
    ratio: Number = Field(default=0.01, ge=0, le=1)
    authorization: Annotated[SecretStr, form(r"[ -~]{0,4096}")] = Field(
        default=NO_SECRET, description="empty, or the header Authorization of each export"
    )


class ErrorsSection(Section):
    """Reports of errors, to a server that speaks Sentry's protocol."""

    dsn: Annotated[SecretStr, form(r"(https?://[^\s@/?#]+@[^\s@?#]+/\d+)?")] = Field(
        default=NO_SECRET, description="empty, or https://KEY@host/PROJECT as the server shows it"
    )


class BridgeSection(Section):
    """The bridge, which publishes the events of games to a broker."""

    url: Annotated[SecretStr, form(BRIDGE_URL)] = Field(
        default=NO_SECRET, description="empty, or nats://host:4222, amqp://user:password@host/vhost, kafka://host:9092"
    )
    topic: str = Field(
        default="tombola.games",
        pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$",
        max_length=200,
        description="words of letters, digits, underscores and hyphens, with points in between",
    )
    format: Literal["structured", "binary"] = "structured"
    create: bool = True


class FlagsSection(Section):
    """Feature flags, see `play/flags.toml`."""

    file: str = Field(default="", max_length=4096, description="empty, or the path of a TOML file")


class PrivacySection(Section):
    """The policy to which `/privacy` leads."""

    policy_url: str = Field(
        default="", pattern=OPTIONAL_URL, description="empty, or a URL that begins with http:// or https://"
    )


class Draw(Section):
    """The public log, and a public randomness beacon that is mixed into every draw if configured."""

    beacon_url: str = Field(
        default="", pattern=OPTIONAL_URL, description="empty, or a URL that begins with http:// or https://"
    )
    beacon_chain: str = Field(default=QUICKNET, pattern=r"^[0-9a-f]{64}$", description="64 lower-case hex digits")
    beacon_wait_seconds: Seconds = 10
    beacon_lead_seconds: Number = Field(default=15, ge=0, le=3600)
    beacon_public_key: str = Field(
        default="", pattern=r"^([0-9a-f]{96}|[0-9a-f]{192})?$", description="empty, or 96 or 192 lower-case hex digits"
    )
    beacon_scheme: Literal["bls-unchained-g1-rfc9380", "pedersen-bls-chained"] = "bls-unchained-g1-rfc9380"
    beacon_genesis: Whole = Field(default=0, ge=0, le=10**11)
    log_channel: Whole = 0
    beacon_period_seconds: Whole = Field(default=0, ge=0, le=86_400)


class Games(Section):
    """Settings of games of every kind."""

    max_live_per_chat: Whole = Field(default=1, ge=1, le=1000)
    host_joins: bool = True
    time_zone: str = "UTC"
    keep_events_days: Number = Field(default=365, gt=0, le=36_500)
    keep_results_days: Number = Field(default=1095, ge=30, le=36_500)
    keep_finished_seconds: Seconds = 86_400
    draw: Draw = Draw()

    def of(self, kind: str) -> LobbySection:
        """Return the section of a kind: an instance of the ``SECTION`` in its folder."""
        section: LobbySection = getattr(self, kind)
        return section


SECTIONS: Mapping[str, type[LobbySection]] = {
    name: import_module(f"handlers.kinds.{name}.settings").SECTION for name in KINDS
}
"""Kind -> the type of its section. Only a kind's settings module is imported here, because settings are read first."""
_FIELDS: dict[str, Any] = {name: (section, section()) for name, section in SECTIONS.items()}
GAMES: Any = create_model("Games", __base__=Games, **_FIELDS)
"""``Games`` with a section for every kind."""


class Durability(Section):
    """Guarantees of an answer that reports success."""

    strict: bool = False


class Log(Section):
    """Amount and format of the log."""

    level: Literal["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    as_json: bool = Field(default=False, alias="json")
    ecs: bool = False


class Settings(BaseSettings):
    """All settings. Keyword arguments are the contents of `config.toml`; the environment overrides them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file_encoding="utf-8-sig",  # editors on Windows begin a file with a byte order mark
        dotenv_filtering="only_existing",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    data_dir: Annotated[Path, BeforeValidator(_directory)] = Field(default=Path("var"), description="a directory")
    environment: str = Field(
        default="production",
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="1 to 64 letters, digits, points, underscores and hyphens",
    )
    telegram: Telegram = Telegram()
    database: Database = Database()
    redis: Redis = Redis()
    web: Web = Web()
    api: Api = Api()
    flags: FlagsSection = FlagsSection()
    tracing: TracingSection = TracingSection()
    errors: ErrorsSection = ErrorsSection()
    live: Live = Live()
    bridge: BridgeSection = BridgeSection()
    app: AppSection = AppSection()
    dashboard: DashboardSection = DashboardSection()
    audit: AuditSection = AuditSection()
    privacy: PrivacySection = PrivacySection()
    games: GAMES = GAMES()
    durability: Durability = Durability()
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 -- the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the strongest first."""
        secrets = NestedSecretsSettingsSource(file_secret_settings)
        return env_settings, secrets, dotenv_settings, init_settings


def load_settings(env_file: Path | None = ROOT / ".env") -> Settings:
    """Read all settings from the environment, the files of secrets, `env_file`, and the configuration file.

    Raises:
        SettingsError: a setting cannot be used.
    """
    dotenv = _read_dotenv(env_file) if env_file else {}
    chosen = os.environ.get(CONFIG_VARIABLE) or dotenv.get(CONFIG_VARIABLE)
    document = _read_toml(Path(chosen) if chosen else ROOT / "config.toml", needed=bool(chosen))
    directory = os.environ.get(SECRETS_VARIABLE) or dotenv.get(SECRETS_VARIABLE) or None
    files = _read_secrets(Path(directory)) if directory else {}
    given = _from_document(document) | _from_variables(dotenv, " in .env")
    given |= _from_variables(files, f" in {directory}") | _from_variables(os.environ, "")
    try:
        settings = Settings(_env_file=env_file, _secrets_dir=directory, **document)
    except ValidationError as error:
        location = [str(part) for part in error.errors()[0]["loc"]]
        key = next(key for end in range(len(location), 0, -1) if (key := ".".join(location[:end])) in KEYS)
        raise _refusal(key, given, _allowed(KEYS[key])) from None
    for key, allowed in _contradictions(settings):
        raise _refusal(key, given, allowed)
    for key, sort in (("database.dsn", postgres_address), ("redis.dsn", redis_address)):
        try:
            sort(attrgetter(key)(settings).get_secret_value())
        except DsnError as error:
            raise SettingsError(f"{key} ({given[key][1]}): {error}") from None
    return settings


def _keys(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every key of a section with its dotted path, such as `games.pick_number.winners`."""
    for name, field in section.model_fields.items():
        key = prefix + (field.alias or name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, f"{key}.")
        else:
            yield key, field


KEYS = dict(_keys(Settings))
"""Every setting by its dotted key."""
SECRETS = frozenset(key for key, field in KEYS.items() if field.annotation is SecretStr)
"""Keys whose values are never shown."""


def hidden(settings: Settings) -> frozenset[str]:
    """Return every configured secret in each form in which an error may show it: whole, and the passwords in DSNs."""
    secrets = {attrgetter(key)(settings).get_secret_value() for key in SECRETS}
    # An address that is no secret itself, such as that of a proxy, can hold a password too.
    texts = secrets | {value for key in KEYS if isinstance(value := attrgetter(key)(settings), str)}
    secrets |= {part for text in texts for found in PASSWORDS.findall(text) for part in found}
    secrets |= {*settings.web.secret_keys.get_secret_value().split(",")}
    # Clients of HTTP send name and password of a URL together, encoded.
    pairs = {pair for text in texts for pair in USERINFO.findall(text)}
    secrets |= {unquote(pair) for pair in pairs}
    # The scheme of a header, such as Bearer or Basic, stays legible; its value is hidden also where it stands alone.
    secrets |= {text.partition(" ")[2] for text in secrets if re.match("[A-Za-z]+ [^ ]+$", text)}
    # The name alone is a key of Sentry's protocol, or a token of NATS.
    secrets.add(urlsplit(settings.errors.dsn.get_secret_value()).username or "")
    secrets |= {*TOKEN.findall(settings.bridge.url.get_secret_value())}
    plain = {*secrets, *map(unquote, secrets), *map(unquote_plus, secrets)}
    return frozenset(form for secret in plain if len(secret) >= SHORTEST for form in _encodings(secret))


def _encodings(secret: str) -> Iterator[str]:
    """Yield the forms in which a library may show a secret: as it is, in URLs, in JSON, in Python, in Basic headers."""
    yield secret
    for percent in (
        *(quote(secret, safe=safe, errors="replace") for safe in ("/", "", "!$&'()*+,;=:")),
        quote_plus(secret, errors="replace"),
    ):
        yield percent
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), percent)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield base64.b64encode(secret.encode(errors="replace")).decode()


VARIABLES = {PREFIX + key.replace(".", "__").upper(): key for key in KEYS}
"""Environment variable -> key of the setting."""


def _read_dotenv(path: Path) -> dict[str, str]:
    """Return the variables of a `.env` file; empty if the file does not exist."""
    text = _read_text(path)
    return {name: value or "" for name, value in dotenv_values(stream=io.StringIO(text)).items()} if text else {}


def _read_secrets(directory: Path) -> dict[str, str]:
    """Return the contents of the directory's files by name, without those of links that Kubernetes adds."""
    try:
        paths = [path for path in directory.iterdir() if not path.name.startswith(".") and path.is_file()]
    except (OSError, ValueError) as error:
        raise SettingsError(f"{SECRETS_VARIABLE} = {str(directory)!r}: {getattr(error, 'strerror', error)}") from None
    return {path.name: (_read_text(path) or "").strip() for path in paths if path.name.startswith(PREFIX)}


def _read_toml(path: Path, *, needed: bool) -> dict[str, Any]:
    text = _read_text(path)
    if text is None:
        if not needed:
            return {}
        raise SettingsError(f"{CONFIG_VARIABLE} = {str(path)!r}: there is no such file")
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise SettingsError(f"{path} can't be read: {' '.join(str(error).split())}") from None


def _read_text(path: Path) -> str | None:
    """Return the text of a UTF-8 file without its byte order mark; None if the file does not exist."""
    try:
        raw = read_plain(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise SettingsError(f"{path} can't be read: {getattr(error, 'strerror', error)}") from None
    # Check before decoding: ASCII in UTF-16 without a byte order mark is also valid UTF-8, with zero bytes.
    if raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise SettingsError(f"{path} is written in UTF-32; save it as UTF-8")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw:
        raise SettingsError(f"{path} is written in UTF-16; save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"{path} is not written in UTF-8 but in an older encoding, as Latin-1 or Windows-1251 (line {line}); "
            "save it as UTF-8"
        ) from None


def _from_document(document: Mapping[str, Any]) -> dict[str, tuple[object, str]]:
    given: dict[str, tuple[object, str]] = {}
    for key, value in _flat(document):
        if key not in KEYS:
            if any(known.startswith(f"{key}.") for known in KEYS):
                raise SettingsError(f"{key} = {value!r} (config.toml): must be a section, [{key}]")
            raise SettingsError(f"unknown key {key} in config.toml{_guess(key, KEYS)}")
        if key in SECRETS and _secret(key, str(value)):
            raise SettingsError(f"{key} (config.toml): a secret has no place here; set {_variable(key)} instead")
        given[key] = (value, "config.toml")
    return given


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _from_variables(variables: Mapping[str, str], where: str) -> dict[str, tuple[object, str]]:
    given: dict[str, tuple[object, str]] = {}
    for name, value in variables.items():
        if name in VARIABLES:
            given[VARIABLES[name]] = (value, name + where)
        elif (
            name.startswith(PREFIX)
            and name not in {CONFIG_VARIABLE, SECRETS_VARIABLE}
            and not _of_kubernetes(name, value)
        ):
            raise SettingsError(f"unknown variable {name}{where}{_guess(name, VARIABLES)}")
    return given


def _of_kubernetes(name: str, value: str) -> bool:
    """Return whether Kubernetes sets this variable, as it does for services named tombola or tombola-web."""
    if "://" not in value and name.endswith("_PORT") and "_SERVICE_" not in name:
        return False
    return bool(re.search(r"_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT(_\d+_(TCP|UDP)(_[A-Z]+)?)?$", name))


def _guess(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else "; config.toml lists them all"


def _variable(key: str) -> str:
    return next(name for name, known in VARIABLES.items() if known == key)


def _secret(key: str, value: str) -> bool:
    """Return whether a value is secret. The address of a store or broker is secret only if it contains a password."""
    if key not in {"database.dsn", "redis.dsn", "bridge.url"}:
        return bool(value)
    parts = urlsplit(value)
    return bool(parts.password) or any("password" in name for name in parse_qs(parts.query))


def _allowed(field: FieldInfo) -> str:
    """Return a description of the values that a field allows: its own description, or one of its type and bounds."""
    if field.description:
        return field.description
    if get_origin(field.annotation) is Literal:
        return " or ".join(get_args(field.annotation))
    names = {int: "a whole number", float: "a number", Decimal: "a decimal number", bool: "true or false", str: "text"}
    bounds = {"ge": "from", "gt": "above", "le": "to"}
    limits = [
        f"{word} {limit:.12g}"
        for part in field.metadata
        for name, word in bounds.items()
        if (limit := getattr(part, name, None)) is not None
    ]
    return " ".join([names[field.annotation or str], *limits])


def _refusal(key: str, given: Mapping[str, tuple[object, str]], allowed: str) -> SettingsError:
    value, where = given.get(key, ("", "not set"))
    shown = re.sub(r"//[^/@\s]*@", "//***@", repr(str(value) if isinstance(value, Path) else value))
    if len(shown) > LONGEST_SHOWN:
        shown = shown[:LONGEST_SHOWN] + "..."
    named = key if key in SECRETS or key not in given else f"{key} = {shown}"
    return SettingsError(f"{named} ({where}): must be {allowed}")


def _contradictions(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield settings that contradict others: the key, and a description of the allowed values."""
    telegram, database, games = settings.telegram, settings.database, settings.games
    if telegram.mode == "webhook":
        # A private Bot API server may call an address inside the same network. Telegram itself calls only https.
        scheme = "https://" if telegram.api_base.rstrip("/") == TELEGRAM_API else "http"
        if not telegram.webhook_url.startswith(scheme):
            yield "telegram.webhook_url", "a public https:// URL, as telegram.mode is webhook"
        if not telegram.webhook_secret.get_secret_value():
            yield "telegram.webhook_secret", f"{_allowed(KEYS['telegram.webhook_secret'])}, as telegram.mode is webhook"
    if database.pool_min > database.pool_max:
        yield "database.pool_min", f"at most database.pool_max, {database.pool_max}"
    if games.keep_results_days < games.keep_events_days:
        yield "games.keep_results_days", f"at least games.keep_events_days, {games.keep_events_days:g}"
    yield from _unknown_chain(games.draw)
    for name in SECTIONS:
        for key, allowed in games.of(name).contradictions(f"games.{name}"):
            yield f"games.{name}.{key}", allowed


def _unknown_chain(draw: Draw) -> Iterator[tuple[str, str]]:
    """Yield the missing parameters of a chain that is not built in.

    They must come from the operator, not from a relay.
    """
    if not draw.beacon_url or draw.beacon_chain in PINNED:
        return
    digits = LENGTHS[draw.beacon_scheme][0]
    if len(draw.beacon_public_key) != digits:
        yield "games.draw.beacon_public_key", f"{digits} hex digits, as games.draw.beacon_chain is none of drand's own"
    if not draw.beacon_genesis:
        yield "games.draw.beacon_genesis", "seconds since 1970, as games.draw.beacon_chain is none of drand's own"
    if not draw.beacon_period_seconds:
        yield "games.draw.beacon_period_seconds", "1 or more, as games.draw.beacon_chain is none of drand's own"
