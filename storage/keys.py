"""The names of Redis keys, and the shards that they live in.

A shard's keys share a hash tag, so that a commit, which touches a game, its deadline and its feed, stays on one slot
of a Redis Cluster. A game's shard is the first two characters of its id; a new game takes its chat's.
"""

import zlib

from fsm.kind import ChatTopic, PlayerId

PREFIX = "tombola"
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
ID_DIGITS = 20
"""Random characters of a game id after the shard: 103 bits, so that ids cannot be searched."""
OLD_ID_DIGITS = 12
"""The same of ids given before they were random. Their games are still played, shown and proven."""
_LENGTHS = frozenset({2 + ID_DIGITS, 2 + OLD_ID_DIGITS})


def shard_name(index: int) -> str:
    """The two characters of a shard's number, 0 to 1295."""
    return ALPHABET[index // 36] + ALPHABET[index % 36]


def shard_of_chat(chat_id: int, shards: int) -> str:
    """The shard in which games of a chat are opened."""
    return shard_name(zlib.crc32(str(chat_id).encode()) % shards)


def shard_of_game(game_id: str) -> str:
    """The shard that a game lives in for good."""
    return game_id[:2]


def is_game_id(text: str) -> bool:
    """Whether this could be a game's id."""
    return len(text) in _LENGTHS and all(c in ALPHABET for c in text)


def new_game_id(place: ChatTopic, shards: int, number: int) -> str:
    """Return the id of a new game in a place. ``number`` is a random one of at least 104 bits."""
    digits = ""
    for _ in range(ID_DIGITS):
        number, digit = divmod(number, 36)
        digits += ALPHABET[digit]
    return shard_of_chat(place.chat_id, shards) + digits


def game_key(game_id: str) -> str:
    """Hash: v(ersion), k(ind), s(napshot), p(lace claimed)."""
    return f"{PREFIX}:{{{game_id[:2]}}}:game:{game_id}"


def game_pattern() -> str:
    """Pattern of SCAN that finds every game."""
    return f"{PREFIX}:{{*}}:game:*"


def tail_key(game_id: str) -> str:
    """List: records since the snapshot."""
    return f"{PREFIX}:{{{game_id[:2]}}}:tail:{game_id}"


def deadlines_key(shard: str) -> str:
    """Sorted set: game id by deadline (ms)."""
    return f"{PREFIX}:{{{shard}}}:deadlines"


def feed_key(shard: str) -> str:
    """Stream: what happened."""
    return f"{PREFIX}:{{{shard}}}:feed"


def place_key(shard: str, place: ChatTopic) -> str:
    """Set: the live games of a chat's topic."""
    return f"{PREFIX}:{{{shard}}}:place:{place.chat_id}:{place.topic_id}"


def challenge_key(player_id: PlayerId) -> str:
    """String: what a player's wallet is to sign."""
    return f"{PREFIX}:challenge:{player_id}"


def administrators_key(chat_id: int) -> str:
    """String: the administrators of a chat as Telegram last said, JSON."""
    return f"{PREFIX}:hosts:{chat_id}"


def clock_key() -> str:
    """Hash: how the shared time relates to Redis's own, see `storage/shared_time.py`."""
    return f"{PREFIX}:clock"


def member_key(chat_id: int, player_id: PlayerId) -> str:
    """String: whether a person is in a chat as Telegram last said."""
    return f"{PREFIX}:member:{chat_id}:{player_id}"


def departed_key(chat_id: int) -> str:
    """Set: players of a chat's live games who have left the chat since."""
    return f"{PREFIX}:departed:{chat_id}"


def reservation_key(place: ChatTopic, command_id: str) -> str:
    """String: the id of the game that a command opens in a place."""
    return f"{PREFIX}:opens:{place.chat_id}:{place.topic_id}:{command_id}"


def probe_key() -> str:
    """String: written for a second by the trial write at a start."""
    return f"{PREFIX}:probe"
