"""The services that endpoints use, as one group that the composition root assembles."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from api.live.hub import Hub
from play.application import Application
from play.tokens import Tokens
from questions.isolation import FileReader
from storage.api_requests import ApiRequests
from storage.live_tickets import LiveTickets
from storage.stores import Stores
from telegram.telegram import Telegram


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on requests.

    Attributes:
        a_second: requests a second of a token in the long run.
        burst: requests of a token at once.
        seconds: time limit of a request.
        reads: reads that a process answers at once; it refuses others, so that they do not wait for seconds.
        body_seconds: time limit of the arrival of its body, less than ``seconds``.
    """

    a_second: float = 50
    burst: int = 100
    seconds: float = 30
    reads: int = 256
    body_seconds: float = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services of a process that serves the API.

    Attributes:
        play: the application layer.
        stores: the repositories.
        telegram: the Bot API and its queue.
        tokens: tokens of this API.
        requests: rates and idempotency keys.
        files: reads uploaded files.
        hub: live updates.
        tickets: tickets for live updates.
        health: reports the state of the dependencies.
        observe: gets the name of the endpoint, the status and the seconds of each request.
        limits: bounds on requests.
        proxies: networks of trusted proxies, whose X-Forwarded-For is believed.
        origins: the origins of pages that browsers let call the API; empty for none.
        graphql: True to serve GraphQL.
        version: the version of the program.
        dashboard_url: the public address of the dashboard; empty without one.
    """

    play: Application
    stores: Stores
    telegram: Telegram
    tokens: Tokens
    requests: ApiRequests
    files: FileReader
    hub: Hub
    tickets: LiveTickets
    health: Callable[[], Awaitable[Mapping[str, Any]]]
    observe: Callable[[str, int, float], None] = lambda _endpoint, _status, _seconds: None
    limits: Limits = field(default_factory=Limits)
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    origins: tuple[str, ...] = ()
    graphql: bool = True
    version: str = "0"
    dashboard_url: str = ""
