"""The names of all Redis keys and channels, and the shards that they live in. No other module makes one up.

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
    """Return True if this could be a game's id."""
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


def bots_key() -> str:
    """Sorted set: `<bot id> <process>` of every process that runs on these stores, by the time of its expiry (ms)."""
    return f"{PREFIX}:bots"


def probe_key() -> str:
    """String: written for a second by the trial write at a start."""
    return f"{PREFIX}:probe"


# -- the feed ----------------------------------------------------------------------------------------------------


def aside_key(shard: str, group: str) -> str:
    """Stream: entries that a group could not handle, with the error."""
    return f"{PREFIX}:{{{shard}}}:feed:aside:{group}"


def reader_key(shard: str, group: str) -> str:
    """String: present while a group is in use."""
    return f"{PREFIX}:{{{shard}}}:feed:reader:{group}"


# -- what processes tell each other ------------------------------------------------------------------------------

LEASES_RELEASED = f"{PREFIX}:leases:released"
"""Channel: the key of a lease that was released."""
PEOPLE_CHANGED = f"{PREFIX}:people:changed"
"""Channel: `player:7`, `chat:-100`, `bans:-100`."""


def lease_keys(name: str) -> list[str]:
    """Two strings of one hash tag, which is in the name: the holder, and the fencing token."""
    return [f"{PREFIX}:{name}:lease", f"{PREFIX}:{name}:fence"]


# -- Telegram ----------------------------------------------------------------------------------------------------

SEND = f"{PREFIX}:{{send}}"
"""Beginning of all keys of the outbox and the limits; their scripts append to it."""
DIALOG_PREFIX = f"{PREFIX}:dialog"
"""Beginning of the keys of dialogs; aiogram appends bot, chat and person."""
WEBHOOK_KEY = f"{PREFIX}:webhook:set"
"""String: what the webhook was set to."""


def update_key(update_id: int | str) -> str:
    """String: who handles an update, or that it was handled."""
    return f"{PREFIX}:{{updates}}:{update_id}"


def update_deaths_key(update_id: int | str) -> str:
    """String: the handlers that have begun an update and come to no end."""
    return f"{PREFIX}:{{updates}}:{update_id}:deaths"


def page_key(game_id: str) -> str:
    """String: the page that a group's board is on."""
    return f"{PREFIX}:{{{game_id[:2]}}}:page:{game_id}"


def poll_key(poll_id: str) -> str:
    """String: game and question of a native poll."""
    return f"{PREFIX}:poll:{poll_id}"


def polled_key(game_id: str, question: int) -> str:
    """String: the message of a question's poll."""
    return f"{PREFIX}:polled:{game_id}:{question}"


def bot_key(token_digest: str) -> str:
    """String: what Telegram says of the bot with that token."""
    return f"{PREFIX}:me:{token_digest}"


def published_key(bot_id: int) -> str:
    """String: digest of the command menus that Telegram was told."""
    return f"{PREFIX}:published:{bot_id}"
