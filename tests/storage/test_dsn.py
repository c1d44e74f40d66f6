"""Hosting providers' connection strings: the effect of each parameter, and the one-line errors."""

import pytest

from storage.dsn import DsnError, postgres_address, redis_address

HOSTED = {
    "Neon": "postgresql://u:p@ep-x-pooler.neon.tech/d?sslmode=require&channel_binding=require",
    "Neon, endpoint": "postgres://u:p@h/d?options=endpoint%3Dep-x&sslmode=require",
    "Supabase, pooler": "postgresql://postgres.ref:p@h:6543/postgres?pgbouncer=true&connection_limit=1&supa=base-pooler.x",
    "Heroku": "postgres://u:p@h:5432/d?sslmode=no-verify",
    "DigitalOcean": "postgresql://doadmin:p@h:25060/defaultdb?sslmode=require",
    "Render": "postgres://u:p@h/d?ssl=true",
    "Prisma": "postgresql://u:p@h/d?schema=games&connect_timeout=15&pool_timeout=10&socket_timeout=3&sslaccept=strict",
    "libpq": "postgresql://u:p@h,h2:5433/d?target_session_attrs=read-write&keepalives=1&keepalives_idle=30"
    "&keepalives_interval=10&keepalives_count=5&application_name=games&tcp_user_timeout=3000&load_balance_hosts=random",
    "JDBC": "postgresql://u:p@h/d?currentSchema=games&prepareThreshold=0",
    "blank": "postgresql://u:p@h/d?options=&sslmode=",
}


@pytest.mark.parametrize("dsn", HOSTED.values(), ids=HOSTED)
def test_each_hosters_address_is_understood(dsn: str) -> None:
    found = postgres_address(dsn)
    assert found.dsn.startswith(dsn.partition("?")[0])
    assert not any("u:p" in remark or "\n" in remark for remark in found.remarks)


def test_parameters_are_mapped_to_what_the_client_has() -> None:
    found = postgres_address(
        "postgresql://u@h/d?ssl=true&pgbouncer=true&connect_timeout=15&schema=games&application_name=mine"
        "&options=-c%20statement_timeout%3D5s%20--lock-timeout=1s%20-cjit=off"
    )
    assert found.dsn == "postgresql://u@h/d?sslmode=require"
    assert (found.pooled, found.connect_timeout, found.remarks) == (True, 15, ())
    assert found.settings == {
        "search_path": "games",
        "application_name": "mine",
        "statement_timeout": "5s",
        "lock_timeout": "1s",
        "jit": "off",
    }
    assert postgres_address("postgresql://h/d?options=endpoint%3Dabc").settings == {"options": "endpoint=abc"}
    system = postgres_address("postgresql://h/d?sslmode=verify-full&sslrootcert=system")
    assert (system.dsn, system.system_certificates) == ("postgresql://h/d", True)


def test_a_parameter_without_effect_gets_one_remark() -> None:
    found = postgres_address("postgresql://h/d?keepalives_idle=3&channel_binding=require&keepalives=1")
    assert [remark.split()[0] for remark in found.remarks] == ["keepalives_idle", "channel_binding=require"]
    assert redis_address("redis://h/0?family=0").remarks == ("family has no effect here",)


@pytest.mark.parametrize(
    ("dsn", "told"),
    [
        ("postgresql://h/d?sslmod=require", "the parameter sslmod is unknown; did you mean sslmode?"),
        ("postgresql://h/d?colour=red", "the parameter colour is unknown"),
        ("postgresql://h/d?sslmode=maybe", "the parameter sslmode must be one of allow, disable"),
        ("postgresql://h/d?connect_timeout=soon", "connect_timeout must be a whole number"),
        ("postgresql://h/d?pgbouncer=perhaps", "the parameter pgbouncer must be one of"),
        (
            "postgresql://h/d?target_session_attrs=master",
            "the parameter target_session_attrs must be one of any, prefer-",
        ),
        (
            "postgresql://h/d?ssl_min_protocol_version=1.2",
            "the parameter ssl_min_protocol_version must be one of TLSv1,",
        ),
        (
            "postgresql://h/d?sslrootcert=/not/there.pem",
            "the parameter sslrootcert names a file that can't be read: /not/",
        ),
        ("postgresql://h/d?sslcert=a%00b", "the parameter sslcert names a file that can't be read: a\0b (no name of a"),
        (
            f"postgresql://h/d?sslrootcert={__file__}",
            "the parameter sslrootcert must name a file of certificates in PEM",
        ),
        ("postgresql://h:1?secret@db/d", "special characters in a password must be written as %40"),
        ("postgresql://h:1#secret@db/d", "special characters in a password must be written as %40"),
        ("postgresql://h,[::1]:1/d", "its hosts can't be understood"),
        ("postgresql://h/d?%00secret=1", "a parameter after the ? is unknown"),
    ],
)
def test_what_can_not_be_understood_gets_one_line_without_a_secret(dsn: str, told: str) -> None:
    with pytest.raises(DsnError) as refused:
        postgres_address(dsn)
    assert str(refused.value).startswith(told)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("redis://:p%40w@h:6379/0", "redis://:p%40w@h:6379/0"),
        ("rediss://default:p@h:6379?ssl_cert_reqs=CERT_NONE", "rediss://default:p@h:6379?ssl_cert_reqs=none"),
        ("redis://h?ssl=true&db=2", "rediss://h?db=2"),
        ("unix:///tmp/a%20b/s?db=1", "unix:///tmp/a%20b/s?db=1"),
        ("redis://h/1?max_connections=1&socket_timeout=5", "redis://h/1"),
    ],
)
def test_addresses_of_redis_are_understood(given: str, read: str) -> None:
    assert redis_address(given).dsn == read


@pytest.mark.parametrize(
    ("dsn", "told"),
    [
        ("redis://h/main", "the part after the host, the database, must be a whole number"),
        ("redis://h?sll_cert_reqs=none", "the parameter sll_cert_reqs is unknown; did you mean ssl_cert_reqs?"),
        (
            "rediss://h?ssl_ca_certs=/",
            "the parameter ssl_ca_certs names a file that can't be read: / (Is a directory)",
        ),
        ("rediss://h?ssl_cert_reqs=maybe", "the parameter ssl_cert_reqs must be one of none, optional, required"),
    ],
)
def test_what_is_wrong_with_an_address_of_redis_gets_one_line(dsn: str, told: str) -> None:
    with pytest.raises(DsnError) as refused:
        redis_address(dsn)
    assert str(refused.value) == told


def test_an_address_of_sentinels_names_them_and_their_service() -> None:
    found = redis_address("redis+sentinel://u:p%40w@one,two:26380/games/2?ssl_cert_reqs=none")
    assert found.sentinels == (("one", 26379), ("two", 26380))
    assert (found.service, found.dsn) == ("games", "redis://u:p%40w@one/2?ssl_cert_reqs=none")
    assert redis_address("redis+sentinel://one/games").dsn == "redis://one/0"
    with pytest.raises(DsnError, match="the name of the service"):
        redis_address("redis+sentinel://one")


def test_an_address_of_a_cluster_names_some_of_its_servers() -> None:
    found = redis_address("redis+cluster://u:p%40w@one,two:7001?ssl_cert_reqs=none&name=x")
    assert found.nodes == (("one", 6379), ("two", 7001))
    assert (found.dsn, found.remarks) == ("redis://u:p%40w@one/0?ssl_cert_reqs=none", ("name has no effect here",))
    assert redis_address("rediss+cluster://one").dsn == "rediss://one/0"
    assert redis_address("redis+cluster://one?ssl=true").dsn == "rediss://one/0"
    with pytest.raises(DsnError, match="no other database than 0"):
        redis_address("redis+cluster://one/1")
