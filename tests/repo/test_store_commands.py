"""Every command that Tombola sends to Redis is one that all servers promise, and scripts stay within their keys.

Redis 6.2 to 8, Valkey 7.2 to 9, KeyDB and Dragonfly have the commands of this table. The version is that of Redis in
which the newest form came that is used here. Sources: "since" and "history" of each page at redis.io/commands; Valkey
began as Redis 7.2, and KeyDB 6.3 contains Redis 6.2; the table of commands in Dragonfly's documentation.
"""

import ast
import re
from pathlib import Path

import pytest
from redis.asyncio import Redis

from storage import redis_server
from tests.repo.test_lua import LIBRARIES, PACKAGES, ROOT, SCRIPTS, text_of

OLDEST = (6, 2)
SINCE = {
    "AUTH": (6, 0), "CLIENT": (2, 6), "CLUSTER": (3, 0), "CONFIG": (2, 0), "DEL": (1, 0), "EVAL": (2, 6),
    "EVALSHA": (2, 6), "EXEC": (1, 2), "EXISTS": (3, 0), "EXPIRE": (1, 0), "GET": (1, 0), "GETDEL": (6, 2),
    "HDEL": (2, 4), "HELLO": (6, 0), "HEXISTS": (2, 0), "HGET": (2, 0), "HGETALL": (2, 0), "HINCRBY": (2, 0),
    "HLEN": (2, 0), "HMGET": (2, 0), "HSET": (4, 0), "INCR": (1, 0), "INFO": (1, 0), "LINDEX": (1, 0),
    "LPUSH": (2, 4), "LRANGE": (1, 0), "LREM": (1, 0), "LTRIM": (1, 0), "MULTI": (1, 2), "PEXPIRE": (2, 6),
    "PING": (1, 0), "PTTL": (2, 8), "PUBLISH": (2, 0), "RPUSH": (2, 4), "SADD": (2, 4), "SCAN": (2, 8),
    "SCARD": (1, 0), "SCRIPT": (2, 6), "SELECT": (1, 0), "SET": (2, 6), "SMEMBERS": (1, 0), "SREM": (2, 4),
    "SUBSCRIBE": (2, 0), "TIME": (2, 6), "UNLINK": (4, 0), "UNSUBSCRIBE": (2, 0), "UNWATCH": (2, 2),
    "WATCH": (2, 2), "XADD": (5, 0), "XGROUP": (5, 0), "XINFO": (5, 0), "XLEN": (5, 0), "XRANGE": (5, 0),
    "XREAD": (5, 0), "XREVRANGE": (5, 0), "XTRIM": (6, 2), "ZADD": (3, 0), "ZCARD": (1, 2), "ZRANGE": (1, 2),
    "ZRANGEBYSCORE": (1, 0), "ZREM": (2, 4), "ZREMRANGEBYSCORE": (1, 2), "ZREVRANGE": (1, 2), "ZSCORE": (1, 2),
}  # fmt: skip
NEWER = {"EXPIRE": {"nx", "xx", "gt", "lt"}, "PEXPIRE": {"nx", "xx", "gt", "lt"}, "SET": {"ifeq", "ifne"}}
"""Options of redis-py's methods that came after Redis 6.2, by command."""
RECEIVER = re.compile(r"(redis|pipe|pubsub|client|direct|transport)$", re.IGNORECASE)
NO_COMMANDS = {"pipeline", "pubsub", "register_script", "execute", "get_message", "close", "aclose", "from_pool"}
"""Methods of redis-py that send nothing of their own name."""
JOINED = re.compile(r"\.\. ':|ARGV\[1\] \.\. (ARGV|member)")
"""Two texts joined to the name of a key."""
OF_CLIENT = {"AUTH", "CLIENT", "EXEC", "HELLO", "MULTI", "SELECT", "UNSUBSCRIBE", "UNWATCH", "WATCH"}
"""Commands that redis-py sends by itself."""
NAMES = {"delete": "DEL", "scan_iter": "SCAN"}
CALL = re.compile(r"redis\.call\(\s*'(\w+)'\s*(?:,\s*([^,)]+))?(?:,\s*([^,)]+))?")
UNDECLARED = "--!df flags=allow-undeclared-keys\n"
"""First line of a script that builds names of keys. Dragonfly demands it; to other servers it is a comment."""


def sent(tree: ast.AST) -> list[tuple[str, set[str]]]:
    """Return the commands that a module sends, each with the names of its options."""
    found: list[tuple[str, set[str]]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        plain = isinstance(called, ast.Name) and called.id == "packed"
        plain = plain or (isinstance(called, ast.Attribute) and called.attr == "send_command")
        if plain and isinstance(node.args[0], ast.Constant):
            found.append((str(node.args[0].value).partition(" ")[0], set()))
        elif isinstance(called, ast.Attribute) and RECEIVER.search(ast.unparse(called.value)):
            name = called.attr
            if (hasattr(Redis, name) or name == "subscribe") and name not in NO_COMMANDS:
                command = NAMES.get(name, name.upper().partition("_")[0])
                found.append((command, {str(keyword.arg) for keyword in node.keywords}))
    return found


def keys_of(text: str) -> list[tuple[str, str]]:
    """Return the commands of a script, each with the expression of its key."""
    return [
        (name, (second if name == "XINFO" else first).strip())
        for name, first, second in CALL.findall(text)
        if name not in {"TIME", "PUBLISH"}
    ]


def test_python_sends_only_commands_that_all_servers_have() -> None:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    found = {file: sent(ast.parse(file.read_text())) for file in files}
    commands = {command for each in found.values() for command, _ in each}
    assert {"SET", "XREAD", "EVALSHA", "SUBSCRIBE", "SCAN"} <= commands
    in_scripts = {name for path in SCRIPTS for name, _, _ in CALL.findall((ROOT / path).read_text())}
    assert commands - SINCE.keys() == set(), "look up since when each server has it, and add it to the table"
    assert SINCE.keys() - commands - in_scripts - OF_CLIENT == set(), "no longer used"
    for file, each in found.items():
        for command, options in each:
            assert not options & NEWER.get(command, set()), f"{file}: {command} {options}"


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_scripts_use_only_commands_that_all_servers_have(path: Path) -> None:
    assert {name for name, _, _ in CALL.findall((ROOT / path).read_text())} <= SINCE.keys()


def test_no_command_is_newer_than_the_oldest_server() -> None:
    assert max(SINCE.values()) <= OLDEST == redis_server.OLDEST


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path.stem not in LIBRARIES], ids=str)
def test_a_script_declares_its_keys_or_says_that_it_builds_some(path: Path) -> None:
    text = text_of(path)
    other = [key for _, key in keys_of(text) if not key.startswith("KEYS[")]
    assert text.startswith(UNDECLARED) == bool(other and JOINED.search(text)), other
    # Every name begins with a declared key or with a prefix that the caller gave: it has their hash tag.
    assert not [key for key in other if key.startswith(("'", '"'))]
