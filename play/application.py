"""The objects of the application layer, as one group that the composition root assembles."""

from dataclasses import dataclass

from fsm.engine import Clock, Engine
from fsm.pick_number import Beacon
from play.access import Access
from play.acting import Acting
from play.bans import Bans
from play.broadcasts import Broadcasts
from play.departures import Departures
from play.flags import Flags
from play.guarded_http import GuardedHttp
from play.hosts import Hosts
from play.incoming_webhooks import IncomingWebhooks
from play.jobs import JobDesk
from play.members import Members
from play.next_games import NextGames
from play.occurrences import Occurrences
from play.opening import Openings
from play.pack_imports import PackImports
from play.privacy import Privacy
from play.proofs import Proofs
from play.public_chats import PublicChats
from play.recurring import RecurringDesk
from play.sessions import Sessions
from play.templates import GameTemplates
from play.texts import Texts
from play.tokens import Tokens
from play.webhooks import WebhookDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The engine and the other objects that every face needs.

    Attributes:
        engine: executes commands.
        clock: the wall clock that commands are judged by.
        texts: all texts, by locale.
        hosts: the administrators of chats.
        members: the members of chats.
        access: authorises actions.
        flags: the feature flags.
        openings: opens games, and stores the settings of chats.
        templates: the named settings of games that hosts have saved.
        recurring: makes and changes recurring games.
        occurrences: announces and opens the games of recurring games.
        next_games: tells subscribers when a game opens.
        jobs: lists, cancels and repeats jobs.
        broadcasts: sends messages to all chats.
        acting: authorises moves in a player's name.
        bans: bans people from games.
        privacy: shows, exports and erases the data of people.
        departures: applies departures from chats to their games.
        proofs: makes the proofs of draws.
        public: the chats whose games anybody may look at.
        http: calls addresses that strangers choose.
        webhooks: manages endpoints and deliveries.
        incoming: handles signed calls of other systems.
        imports: imports packs from addresses.
        tokens: tokens of the HTTP API.
        sessions: sessions of people in the Mini App.
        beacon: the public randomness that draws use; None if draws use none.
    """

    engine: Engine
    clock: Clock
    texts: Texts
    hosts: Hosts
    members: Members
    access: Access
    flags: Flags
    openings: Openings
    templates: GameTemplates
    recurring: RecurringDesk
    occurrences: Occurrences
    next_games: NextGames
    jobs: JobDesk
    broadcasts: Broadcasts
    acting: Acting
    bans: Bans
    privacy: Privacy
    departures: Departures
    proofs: Proofs
    public: PublicChats
    http: GuardedHttp
    webhooks: WebhookDesk
    incoming: IncomingWebhooks
    imports: PackImports
    tokens: Tokens
    sessions: Sessions
    beacon: Beacon | None
