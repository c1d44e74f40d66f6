"""The stores of a process, as one group that the composition root assembles."""

from dataclasses import dataclass

from redis.asyncio import Redis

from storage.achievements import Achievements
from storage.api_requests import ApiRequests
from storage.api_tokens import ApiTokens
from storage.archive import Archive
from storage.audit import Audit
from storage.broadcast_chats import BroadcastChats
from storage.codec import Codec
from storage.connections import Pool
from storage.figures import Figures
from storage.flags import FlagSettings
from storage.games import RedisGames
from storage.jobs import Jobs
from storage.people import People
from storage.processes import Processes
from storage.projector import Projector
from storage.public_log import PublicLog
from storage.questions import Questions
from storage.recurring import RecurringGames
from storage.seeds import Seeds
from storage.subscriptions import Subscriptions
from storage.templates import Templates
from storage.unpublished import Unpublished
from storage.wallets import Wallets
from storage.webhooks import Webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Redis, PostgreSQL, and the repositories on them.

    Attributes:
        pool: connections to PostgreSQL without a circuit breaker, for work with retries of its own.
        redis: the client for commands that are answered at once.
        listening: the client for commands that wait: pub/sub and blocking reads.
        codec: encoder and decoder for states and events of every kind.
        games: live games in Redis.
        projector: writer of the feed to PostgreSQL.
        people: players, chats, bans and languages.
        archive: finished games and statistics.
        figures: figures by time.
        achievements: the achievements of players.
        questions: packs, and the questions that a chat has had.
        seeds: the seeds of draws, fixed in advance.
        log: the public log of draws.
        wallets: proven wallet addresses.
        templates: the named settings of games that hosts have saved.
        recurring: games that are opened from a template again and again.
        subscriptions: the people whom a word tells when a game opens.
        jobs: work that must not be lost.
        broadcast_chats: the chats of broadcasts.
        audit: the log of all writes by people.
        unpublished: the events that the bridge has to publish.
        webhooks: endpoints, deliveries, and sources of incoming calls.
        api_tokens: tokens of the HTTP API.
        flags: the changes that operators made to feature flags.
        processes: the processes that run.
        api_requests: rates and idempotency keys of the HTTP API.
    """

    pool: Pool
    redis: Redis
    listening: Redis
    codec: Codec
    games: RedisGames
    projector: Projector
    people: People
    archive: Archive
    figures: Figures
    achievements: Achievements
    questions: Questions
    seeds: Seeds
    log: PublicLog
    wallets: Wallets
    templates: Templates
    recurring: RecurringGames
    subscriptions: Subscriptions
    jobs: Jobs
    broadcast_chats: BroadcastChats
    audit: Audit
    unpublished: Unpublished
    webhooks: Webhooks
    api_tokens: ApiTokens
    flags: FlagSettings
    api_requests: ApiRequests
    processes: Processes
