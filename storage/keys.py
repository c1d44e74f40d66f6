"""The names of all Redis keys and channels, and of the shards they belong to. No other module builds a key.

A game's shard is the first two characters of its id; a new game takes the shard of its chat. A shard's keys share a
hash tag. On a Redis Cluster that is not enough, because readers ask for several shards in one command: there, all keys
begin with the same tag, so that they are in one slot, and one server of the cluster has them all.
"""

import zlib

from redis.crc import key_slot

from fsm.kind import ChatTopic, PlayerId

PREFIX = "tombola"
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
ID_DIGITS = 20
"""Random characters of a game id after the shard: 103 bits, too many for a search by guessing."""
OLD_ID_DIGITS = 12
"""Number of such characters in older ids, which were not random. Their games can still be played, shown and proven."""
_LENGTHS = frozenset({2 + ID_DIGITS, 2 + OLD_ID_DIGITS})
_CLUSTER_PREFIX = f"{{{PREFIX}}}"
"""Beginning of all keys on a Redis Cluster."""
_prefix = PREFIX


def use_one_slot(*, cluster: bool) -> None:
    """Let all keys begin with one hash tag if the store is a cluster. It is global: a process has one store."""
    global _prefix  # noqa: PLW0603 -- a parameter of each of the functions below would be passed through everything
    _prefix = _CLUSTER_PREFIX if cluster else PREFIX


def cluster_slot() -> int:
    """Return the slot of all keys on a cluster."""
    return int(key_slot(_CLUSTER_PREFIX.encode()))


def shard_name(index: int) -> str:
    """Return the two characters that name a shard. `index` is 0 to 1295."""
    return ALPHABET[index // 36] + ALPHABET[index % 36]


def shard_of_chat(chat_id: int, shards: int) -> str:
    """Return the shard in which games of a chat are opened."""
    return shard_name(zlib.crc32(str(chat_id).encode()) % shards)


def shard_of_game(game_id: str) -> str:
    """Return the shard of a game, which never changes."""
    return game_id[:2]


def is_game_id(text: str) -> bool:
    """Return True if a text has the form of a game id."""
    return len(text) in _LENGTHS and all(c in ALPHABET for c in text)


def new_game_id(chat_topic: ChatTopic, shards: int, number: int) -> str:
    """Return the id of a new game in a chat topic. ``number`` is random, with at least 104 bits."""
    digits = ""
    for _ in range(ID_DIGITS):
        number, digit = divmod(number, 36)
        digits += ALPHABET[digit]
    return shard_of_chat(chat_topic.chat_id, shards) + digits


def game_key(game_id: str) -> str:
    """Hash of a game: v(ersion), k(ind), s(napshot)."""
    return f"{_prefix}:{{{game_id[:2]}}}:game:{game_id}"


def game_pattern() -> str:
    """Return the pattern with which SCAN finds every game."""
    return f"{_prefix}:{{*}}:game:*"


def tail_key(game_id: str) -> str:
    """List of a game's records since its snapshot."""
    return f"{_prefix}:{{{game_id[:2]}}}:tail:{game_id}"


def deadlines_key(shard: str) -> str:
    """Sorted set of the game ids of a shard by deadline (ms)."""
    return f"{_prefix}:{{{shard}}}:deadlines"


def stuck_key(shard: str) -> str:
    """Hash: the games of a shard whose rules raise at their deadline -> the error."""
    return f"{_prefix}:{{{shard}}}:stuck"


def feed_key(shard: str) -> str:
    """Stream of the events of a shard's games."""
    return f"{_prefix}:{{{shard}}}:feed"


def topic_key(shard: str, chat_topic: ChatTopic) -> str:
    """Set of the live games of a chat's topic."""
    return f"{_prefix}:{{{shard}}}:place:{chat_topic.chat_id}:{chat_topic.topic_id}"


def challenge_key(player_id: PlayerId) -> str:
    """String: the text that a player's wallet has to sign."""
    return f"{_prefix}:challenge:{player_id}"


def administrators_key(chat_id: int) -> str:
    """String: the user ids of a chat's administrators as Telegram last reported them, as JSON."""
    return f"{_prefix}:hosts:{chat_id}"


def clock_key() -> str:
    """Hash: the offset of the shared time from Redis's own clock, see `storage/shared_time.py`."""
    return f"{_prefix}:clock"


def booster_key(chat_id: int, player_id: PlayerId) -> str:
    """String: whether a person boosts a chat, as Telegram last reported it."""
    return f"{_prefix}:booster:{chat_id}:{player_id}"


def member_key(chat_id: int | str, player_id: PlayerId) -> str:
    """String: a person's membership in a chat as Telegram last reported it."""
    return f"{_prefix}:member:{chat_id}:{player_id}"


def presence_key(chat_id: int, person_id: int) -> str:
    """String: the id of the latest update about a member of a chat, and the presence that it told."""
    return f"{_prefix}:presence:{chat_id}:{person_id}"


def departed_key(chat_id: int) -> str:
    """Set of the players of a chat's live games who have left the chat since."""
    return f"{_prefix}:departed:{chat_id}"


def reservation_key(chat_topic: ChatTopic, command_id: str) -> str:
    """String: the id of the game that a command opens in a chat topic."""
    return f"{_prefix}:opens:{chat_topic.chat_id}:{chat_topic.topic_id}:{command_id}"


def bots_key() -> str:
    """Sorted set of `<bot id> <process>` for every process that runs on these stores, by time of expiry (ms)."""
    return f"{_prefix}:bots"


def probe_key() -> str:
    """String: written for a second by the trial write of a start."""
    return f"{_prefix}:probe"


def seen_call_key(source: str, call_id: str) -> str:
    """String: present while a signed call with this id would be a replay."""
    return f"{_prefix}:seen:{source}:{call_id}"


def broadcast_key(job_id: int) -> str:
    """Hash of the sender's reports about a broadcast that its job has not collected yet: chat -> state."""
    return f"{_prefix}:broadcast:{job_id}"


# -- the feed ----------------------------------------------------------------------------------------------------


def aside_key(shard: str, group: str) -> str:
    """Stream of the entries that a group could not handle, each with its error."""
    return f"{_prefix}:{{{shard}}}:feed:aside:{group}"


def reader_key(shard: str, group: str) -> str:
    """String: present while a group is in use."""
    return f"{_prefix}:{{{shard}}}:feed:reader:{group}"


def kept_from_key(shard: str) -> str:
    """String: the id in a shard's stream from which no entry has been trimmed; without it, none ever was."""
    return f"{_prefix}:{{{shard}}}:feed:kept"


# -- announcements between processes -----------------------------------------------------------------------------

LEASES_RELEASED = f"{PREFIX}:leases:released"
"""Channel: announces the key of a released lease."""
PEOPLE_CHANGED = f"{PREFIX}:people:changed"
"""Channel: announces changes as `player:7`, `chat:-100`, `bans:-100`, `erased:7`."""
JOBS_ENQUEUED = f"{PREFIX}:jobs:enqueued"
"""Channel: announces that jobs have been enqueued, cancelled or hastened."""
TOKENS_CHANGED = f"{PREFIX}:tokens:changed"
"""Channel: announces the prefix of an API token that was revoked."""
FLAGS_CHANGED = f"{PREFIX}:flags:changed"
"""Channel: announces the name of a changed feature flag."""
EVENTS_UNPUBLISHED = f"{PREFIX}:bridge:unpublished"
"""Channel: announces that the projector has written events for the bridge."""
FIGURES_CHANGED = f"{PREFIX}:figures:changed"
"""Channel: announces the chats whose results or statistics have changed, separated by commas."""


def lease_keys(name: str) -> list[str]:
    """Two strings with the hash tag that the name contains: the holder, and the fencing token."""
    return [f"{_prefix}:{name}:lease", f"{_prefix}:{name}:fence"]


# -- Telegram ----------------------------------------------------------------------------------------------------


def every_pattern() -> str:
    """Return the pattern with which SCAN finds every key."""
    return f"{_prefix}:*"


def send_base() -> str:
    """Beginning of all keys of the outbox and the limits; their scripts append to it."""
    return f"{_prefix}:{{send}}"


def dialog_prefix() -> str:
    """Beginning of the keys of dialogs; aiogram appends bot, chat and person."""
    return f"{_prefix}:dialog"


def webhook_key() -> str:
    """String: the webhook configuration that Telegram was last given."""
    return f"{_prefix}:webhook:set"


def update_key(update_id: int | str) -> str:
    """String: the handler of an update, or a mark that it was handled."""
    return f"{_prefix}:{{updates}}:{update_id}"


def update_deaths_key(update_id: int | str) -> str:
    """String: the number of handlers that began an update and died."""
    return f"{_prefix}:{{updates}}:{update_id}:deaths"


def unhandled_updates_key() -> str:
    """Hash: update id -> the polled update, confirmed to Telegram and not yet handled."""
    return f"{_prefix}:{{poller}}:unhandled"


def own_boards_key(game_id: str) -> str:
    """Hash: the message of each own board of a game, by player and chat."""
    return f"{_prefix}:{{{game_id[:2]}}}:own:{game_id}"


def pins_key() -> str:
    """Hash: chat and message of each pinned board, by game."""
    return f"{_prefix}:pins"


def poll_key(poll_id: str) -> str:
    """String: game and question of a native poll."""
    return f"{_prefix}:poll:{poll_id}"


def polled_key(game_id: str, question: int) -> str:
    """String: the message of a question's poll."""
    return f"{_prefix}:polled:{game_id}:{question}"


def bot_key(token_digest: str) -> str:
    """String: the answer of getMe for the bot with that token."""
    return f"{_prefix}:me:{token_digest}"


def published_key(bot_id: int) -> str:
    """String: digest of the command menus that Telegram was last given."""
    return f"{_prefix}:published:{bot_id}"


# -- the HTTP API ------------------------------------------------------------------------------------------------


def rate_key(client: str) -> str:
    """String: the time (µs) until which the requests of an API client are paid for. `client`: a token or an address."""
    return f"{_prefix}:api:rate:{client}"


def request_key(digest: str) -> str:
    """Hash of a write with an idempotency key: f(ingerprint), o(wner of the attempt), u(ntil), r(esponse)."""
    return f"{_prefix}:api:request:{digest}"


def flags_known_key() -> str:
    """String: the changes of all feature flags as last read from PostgreSQL, for processes that start without it."""
    return f"{_prefix}:flags:known"


def processes_key() -> str:
    """Hash of the processes that run, by name, as JSON."""
    return f"{_prefix}:processes"


def profile_request_key(process: str) -> str:
    """Request for a profile of a process, as JSON, until the profile is stored."""
    return f"{_prefix}:profile:of:{process}"


def profile_key(profile: str) -> str:
    """Compressed profile; empty while it is made."""
    return f"{_prefix}:profile:{profile}"


def joined_by_api_key(game_id: str) -> str:
    """Hash of the players of a game for whom the API has joined: time of joining (ms), by player."""
    return f"{_prefix}:{{{game_id[:2]}}}:api:joined:{game_id}"


def app_session_key(name: str) -> str:
    """String: a session of a person in the Mini App, as JSON. `name`: hash of its secret."""
    return f"{_prefix}:app:session:{name}"


def login_key(digest: str) -> str:
    """String: a login to the dashboard that has begun: a one-time link, or one by OpenID Connect. `digest`: hash."""
    return f"{_prefix}:app:login:{digest}"


def live_ticket_key(digest: str) -> str:
    """String: the holder of a ticket for live updates, as JSON. `digest`: hash of the ticket."""
    return f"{_prefix}:api:ticket:{digest}"
