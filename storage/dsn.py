"""Parsing of connection strings as hosting providers give them.

Each parameter is understood, ignored with a remark, or refused in one line. asyncpg hands a parameter that it does not
know to the server, which refuses the connection; redis-py hands it to a constructor, which raises TypeError. Providers
add parameters of libpq and of other clients, so they are sorted here.
"""

import difflib
import re
import shlex
import ssl
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from questions.plain_files import read_plain


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


POSTGRES_KNOWN = _names(
    """
    host port dbname database user password passfile service sslcert sslkey sslrootcert sslcrl sslpassword
    sslnegotiation ssl_min_protocol_version ssl_max_protocol_version target_session_attrs krbsrvname gsslib
    """
)
"""Parameters that asyncpg understands as libpq does."""
POSTGRES_SETTINGS = _names(
    """
    application_name search_path statement_timeout lock_timeout idle_in_transaction_session_timeout
    idle_session_timeout transaction_timeout role timezone default_transaction_read_only
    default_transaction_isolation synchronous_commit work_mem jit tcp_keepalives_idle tcp_keepalives_interval
    tcp_keepalives_count tcp_user_timeout client_connection_check_interval
    """
)
"""Server settings that a session may begin with; `options=-c name=value` sets any other."""
POSTGRES_HARMLESS = frozenset({"client_encoding", "charset", "fallback_application_name", "uselibpqcompat", "sslsni"})
"""Parameters without an effect here that deserve no remark: Tombola speaks UTF-8 and sets its own application name."""
POSTGRES_IGNORED = _names(
    """
    keepalives keepalives_idle keepalives_interval keepalives_count hostaddr gssencmode gssdelegation
    sslcompression sslcertmode sslcrldir sslkeylogfile requirepeer requiressl require_auth requireauth
    load_balance_hosts min_protocol_version max_protocol_version channel_binding connection_limit pool_timeout
    pool_size max_overflow socket_timeout statement_cache_size sslaccept sslidentity supa workaround
    prepared_statements preparethreshold prepared_statement_cache_size command_timeout pool reaping_frequency
    """
)
"""Parameters that ask for a feature which Tombola does not have: one remark each."""
POSTGRES_SSL = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
SSL_ALIASES = {"true": "require", "1": "require", "on": "require", "false": "disable", "0": "disable", "off": "disable"}

POSTGRES_VALUES: Mapping[str, Collection[str]] = {
    "target_session_attrs": _names("any primary standby prefer-standby read-write read-only"),
    "ssl_min_protocol_version": _names("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
    "ssl_max_protocol_version": _names("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
}
"""Allowed values of parameters that asyncpg checks only when it connects, by name."""
FILES = _names("sslcert sslkey sslrootcert sslcrl ssl_ca_certs ssl_certfile ssl_keyfile")
"""Parameters that name a file of certificates or keys, checked here: a missing file must not look like an outage."""

REDIS_KNOWN = _names(
    """
    db username password ssl_cert_reqs ssl_ca_certs ssl_ca_path ssl_ca_data ssl_certfile ssl_keyfile
    ssl_password ssl_check_hostname ssl_min_version ssl_ciphers socket_keepalive
    """
)
"""Parameters that redis-py understands and Tombola leaves to the operator."""
REDIS_IGNORED = _names(
    """
    family protocol socket_timeout socket_connect_timeout socket_read_size timeout max_connections
    health_check_interval retry_on_timeout retry_on_error client_name legacy_responses decode_responses encoding
    encoding_errors pool_size abortconnect connecttimeout synctimeout name tls_insecure
    """
)
"""Parameters that Tombola sets itself, or that belong to other clients: one remark each."""
REDIS_TLS = frozenset({"ssl", "tls"})
"""`redis://...?ssl=true` means `rediss://...`."""
CERTIFICATE = {"none": "none", "optional": "optional", "required": "required"}

SENTINEL = "redis+sentinel"
SENTINEL_PORT = 26379
CLUSTERS = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
"""Schemes of a Redis Cluster -> of its servers."""
REDIS_PORT = 6379

PLAIN = re.compile(r"[A-Za-z][\w.]{0,40}")
"""Pattern of a parameter's name that an error may repeat: any other text may be a piece of a password."""


class DsnError(ValueError):
    """A connection string that can't be used. The text completes one line of output and holds no secret."""


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A parsed connection string of PostgreSQL.

    Attributes:
        dsn: the part of it that asyncpg understands.
        pooled: True if the string says that a pooler is in between.
        system_certificates: True if the server's certificate is checked against the system's authorities.
        connect_timeout: limit for opening a connection, in seconds; None if the string does not set it.
        settings: server settings that each session begins with.
        remarks: one line for each parameter that has no effect.
    """

    dsn: str
    pooled: bool = False
    system_certificates: bool = False
    connect_timeout: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A parsed connection string of Redis.

    Attributes:
        dsn: the part of it that redis-py understands; its host is the first Sentinel, if there are any.
        remarks: one line for each parameter that has no effect.
        sentinels: host and port of each Sentinel to ask for the primary.
        service: name of the primary at the Sentinels.
        nodes: host and port of each server of a Redis Cluster to ask for the others.
    """

    dsn: str
    remarks: tuple[str, ...] = ()
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    nodes: tuple[tuple[str, int], ...] = ()


def postgres_address(dsn: str) -> PostgresAddress:  # noqa: PLR0912 - one branch for each kind of parameter
    """Parse a connection string of PostgreSQL. Raises ``DsnError``."""
    parts = _split(dsn)
    kept: dict[str, str] = {}
    settings: dict[str, str] = {}
    remarks: list[str] = []
    pooled, timeout = False, None
    for name, value in _parameters(parts.query):
        key = name.lower()
        if not value or key in POSTGRES_HARMLESS:
            continue
        if key in {"sslmode", "ssl"}:
            kept["sslmode"] = _ssl_mode(key, value)
        elif key == "pgbouncer":
            pooled = _yes(key, value)
        elif key == "connect_timeout":
            timeout = _seconds(key, value)
        elif key == "options":
            settings |= _options(value)
        elif key in {"schema", "currentschema"}:
            settings["search_path"] = value
        elif key in POSTGRES_VALUES:
            kept[key] = _one_of(key, value, POSTGRES_VALUES[key])
        elif key in POSTGRES_KNOWN:
            kept[key] = _readable(key, value)
        elif key in POSTGRES_SETTINGS or re.fullmatch(r"[a-z_]\w*\.\w+", key):
            settings[key] = value
        elif key in POSTGRES_IGNORED:
            if (key, value) not in {("channel_binding", "prefer"), ("channel_binding", "disable"), ("keepalives", "1")}:
                remarks.append(_remark(key))
        else:
            raise _unknown(name, POSTGRES_KNOWN | POSTGRES_SETTINGS | {"sslmode", "options", "connect_timeout"})
    system = kept.get("sslrootcert") == "system"
    if system:
        del kept["sslrootcert"]
        kept.pop("sslmode", None)
    return PostgresAddress(_with(dsn, kept), pooled, system, timeout, settings, tuple(remarks))


def redis_address(dsn: str) -> RedisAddress:  # noqa: PLR0912 - one branch for each kind of parameter
    """Parse a connection string of Redis. Raises ``DsnError``."""
    parts = _split(dsn)
    kept: dict[str, str] = {}
    remarks: list[str] = []
    encrypted = False
    for name, value in _parameters(parts.query):
        key = name.lower()
        if not value:
            continue
        if key in REDIS_TLS and parts.scheme != SENTINEL:
            encrypted = _yes(key, value)
        elif key == "ssl_cert_reqs":
            kept[key] = _one_of(key, value.lower().removeprefix("cert_"), CERTIFICATE)
        elif key == "db":
            kept[key] = _number(key, value)
        elif key in REDIS_KNOWN:
            kept[key] = _readable(key, value)
        elif key in REDIS_IGNORED:
            remarks.append(f"{key} has no effect here")
        else:
            raise _unknown(name, REDIS_KNOWN)
    if parts.scheme == SENTINEL:
        address = _watched(parts, kept)
    elif parts.scheme in CLUSTERS:
        address = _clustered(parts, kept)
    else:
        address = RedisAddress(_with(dsn, kept))
    if parts.scheme != "unix" and (database := unquote(urlsplit(address.dsn).path).strip("/")):
        _number("the part after the host, the database,", database)
    cleaned = address.dsn
    if encrypted and cleaned.startswith("redis:"):
        cleaned = "rediss" + cleaned.removeprefix("redis")
    return replace(address, dsn=cleaned, remarks=tuple(remarks))


def _watched(parts: SplitResult, kept: Mapping[str, str]) -> RedisAddress:
    """Parse the hosts of Sentinels and the name of their service."""
    user, mark, hosts = parts.netloc.rpartition("@")
    service, _, path = parts.path.strip("/").partition("/")
    if not service:
        raise DsnError("the name of the service that the Sentinels watch must follow the hosts: /mymaster")
    sentinels = tuple(_host_and_port(host, SENTINEL_PORT) for host in hosts.split(","))
    cleaned = _with(f"redis://{user}{mark}{hosts.partition(',')[0]}/{path or '0'}", kept)
    return RedisAddress(cleaned, sentinels=sentinels, service=service)


def _clustered(parts: SplitResult, kept: Mapping[str, str]) -> RedisAddress:
    """Parse the hosts of a Redis Cluster."""
    user, mark, hosts = parts.netloc.rpartition("@")
    if parts.path.strip("/") not in {"", "0"} or kept.get("db", "0") != "0":
        raise DsnError("a Redis Cluster has no other database than 0")
    nodes = tuple(_host_and_port(host, REDIS_PORT) for host in hosts.split(","))
    cleaned = _with(f"{CLUSTERS[parts.scheme]}://{user}{mark}{hosts.partition(',')[0]}/0", kept)
    return RedisAddress(cleaned, nodes=nodes)


def _host_and_port(text: str, port: int) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:]*)(?::(\d+))?", text)
    assert match is not None  # the settings' validation has checked the form
    return match[1].strip("[]") or "localhost", int(match[2] or port)


def _with(dsn: str, parameters: Mapping[str, str]) -> str:
    """Replace the parameters of a connection string. Spaces become %20, because libpq does not read + as a space."""
    return dsn.partition("?")[0] + (f"?{urlencode(parameters, quote_via=quote)}" if parameters else "")


def _split(dsn: str) -> SplitResult:
    try:
        parts = urlsplit(dsn)
    except ValueError:  # brackets elsewhere than around one host
        raise DsnError("its hosts can't be understood; give several IPv6 addresses by their names") from None
    if "@" in parts.query or parts.fragment:
        # An unescaped ? or # in a password ends the part before the host: the apparent parameters are a piece of the
        # password.
        raise DsnError("special characters in a password must be written as %40, and the like")
    return parts


def _parameters(query: str) -> Iterable[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _remark(key: str) -> str:
    if key == "channel_binding":
        return "channel_binding=require can't be met: TLS protects the connection as sslmode says, without the binding"
    return f"{key} has no effect here"


def _unknown(name: str, known: Collection[str]) -> DsnError:
    if not PLAIN.fullmatch(name):
        return DsnError("a parameter after the ? is unknown; special characters in a password must be written as %40")
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.7)
    return DsnError(f"the parameter {name} is unknown{f'; did you mean {close[0]}?' if close else ''}")


def _ssl_mode(key: str, value: str) -> str:
    mode = value.lower().replace("_", "-")
    if mode == "no-verify":  # node-postgres' name for TLS without verification
        return "require"
    return _one_of(key, SSL_ALIASES.get(mode, mode), POSTGRES_SSL)


def _one_of(key: str, value: str, allowed: Collection[str]) -> str:
    if value not in allowed:
        raise DsnError(f"the parameter {key} must be one of {', '.join(sorted(allowed))}")
    return value


def _readable(key: str, value: str) -> str:
    """Return the value. Raises ``DsnError`` if it must name a file and that file can't be used."""
    if key in FILES and value != "system":
        try:
            read_plain(Path(value))
            if key in {"sslrootcert", "ssl_ca_certs"}:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
        except ssl.SSLError:
            raise DsnError(f"the parameter {key} must name a file of certificates in PEM: {value}") from None
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) else "no name of a file"
            raise DsnError(f"the parameter {key} names a file that can't be read: {value} ({told})") from None
    return value


def _yes(key: str, value: str) -> bool:
    return SSL_ALIASES[_one_of(key, value.lower(), SSL_ALIASES)] == "require"


def _seconds(key: str, value: str) -> float | None:
    """Return the seconds; None for 0, which means "no limit" in libpq: Tombola's own limit then applies."""
    return float(_number(key, value)) or None


def _number(key: str, value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,6}", value):
        raise DsnError(f"{key} must be a whole number")
    return value


def _options(value: str) -> dict[str, str]:
    """Parse `-c name=value` into settings; pass anything else, such as Neon's `endpoint=...`, to the server."""
    try:
        words = shlex.split(value)
    except ValueError:
        return {"options": value}
    found: dict[str, str] = {}
    joined = re.sub(r"(^|\0)-c\0", r"\1-c", "\0".join(words)).split("\0")
    for word in joined:
        match = re.fullmatch(r"(?:-c|--)([\w.-]+)=(.*)", word, re.DOTALL)
        if match is None:
            return {"options": value}
        found[match[1].replace("-", "_").lower()] = match[2]
    return found
