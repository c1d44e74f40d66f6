"""Problem details (RFC 9457): every refusal as a response whose ``code`` is the refusal's code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import msgspec

from fsm import kind, lobby, pick_number, quiz
from fsm.engine import Unavailable
from fsm.kind import Rejected
from play import access, flags, guarded_http, incoming_webhooks, jobs, sessions, standard_webhooks, webhooks
from play.broadcasts import BroadcastTooLong
from play.proofs import NothingToProve
from play.recurring import NoSuchRecurring
from play.templates import BadName, NoSuchTemplate
from play.texts import Texts
from play.tokens import NotAuthenticated, UnknownToken
from play.zones import UnknownTimeZone
from storage.connections import POSTGRES_GONE
from storage.leases import STORE_GONE

MEDIA_TYPE: Final = "application/problem+json"
TYPE: Final = "/api/v1/reference#problem-"
"""Beginning of a problem's type: a part of the reference page."""
AWAY: Final = (Unavailable, *POSTGRES_GONE, *STORE_GONE)
"""Errors that say that a store or Telegram is away: the same request may be sent again."""


@dataclass(unsafe_hash=True)
class NotFound(Rejected):
    """There is nothing at that address."""


@dataclass(unsafe_hash=True)
class MethodNotAllowed(Rejected):
    """The resource does not have that method; the header Allow lists those that it has."""


@dataclass(unsafe_hash=True)
class BadRequest(Rejected):
    """The request can't be read: its body is no JSON, or it is cut off."""


@dataclass(unsafe_hash=True)
class InvalidRequest(Rejected):
    """A parameter or a field is missing, unknown, of the wrong type or out of bounds."""

    detail: str


@dataclass(unsafe_hash=True)
class TooLarge(Rejected):
    """The body is larger than the endpoint takes."""

    limit: int


@dataclass(unsafe_hash=True)
class RequestTimeout(Rejected):
    """The body did not arrive in time. The connection is closed; the same request may be sent again."""


@dataclass(unsafe_hash=True)
class UnsupportedMediaType(Rejected):
    """The body has another media type than the endpoint takes, or is compressed."""


@dataclass(unsafe_hash=True)
class TooManyRequests(Rejected):
    """The token or the address makes more requests than it may."""

    seconds: int


@dataclass(unsafe_hash=True)
class IdempotencyKeyMissing(Rejected):
    """A write needs the header Idempotency-Key, with 1 to 128 visible ASCII characters."""


@dataclass(unsafe_hash=True)
class IdempotencyKeyReused(Rejected):
    """The idempotency key belongs to another request."""


@dataclass(unsafe_hash=True)
class RequestInProgress(Rejected):
    """An attempt at the same request is under way; repeat it later for its response."""


@dataclass(unsafe_hash=True)
class BadCursor(Rejected):
    """The cursor was not made by this list with these parameters."""


@dataclass(unsafe_hash=True)
class TooManyConnections(Rejected):
    """The token has as many live connections as it may, or the process has."""

    limit: int


@dataclass(unsafe_hash=True)
class TooManyWatched(Rejected):
    """The connection would watch more games and chats than it may."""

    limit: int


@dataclass(unsafe_hash=True)
class WrongOrigin(Rejected):
    """The page that connects is of an origin that is not let in."""


@dataclass(unsafe_hash=True)
class TokensOnly(Rejected):
    """The session of a person may not do this; a token may."""


@dataclass(unsafe_hash=True)
class PreconditionFailed(Rejected):
    """The resource has changed since it had the entity tag in If-Match."""


@dataclass(unsafe_hash=True)
class SettingsChanged(Rejected):
    """Others change the same settings all the time; try again."""


@dataclass(unsafe_hash=True)
class UnknownChat(Rejected):
    """The bot has not met that chat."""


@dataclass(unsafe_hash=True)
class UnknownPlayer(Rejected):
    """The person is unknown there."""


@dataclass(unsafe_hash=True)
class NotInLog(Rejected):
    """The public log does not have the whole of the game: it is live, has no draw, or ended just now."""


@dataclass(unsafe_hash=True)
class UnknownPack(Rejected):
    """The chat has no such pack."""


@dataclass(unsafe_hash=True)
class PackUnreadable(Rejected):
    """The file can't become a pack; `errors` lists its mistakes. No part of it is stored."""

    count: int
    errors: list["FieldError"] = field(default_factory=list, init=False, repr=False)


@dataclass(unsafe_hash=True)
class TooManyPacks(Rejected):
    """The chat has the most packs allowed."""

    limit: int


@dataclass(unsafe_hash=True)
class PackNameTaken(Rejected):
    """The chat has a pack of that name already."""


@dataclass(unsafe_hash=True)
class TooManyFiles(Rejected):
    """Too many files of the chat wait to be read."""


@dataclass(unsafe_hash=True)
class BadQuery(Rejected):
    """The GraphQL query has a mistake, or is no query of this schema."""

    detail: str


@dataclass(unsafe_hash=True)
class QueryTooLong(Rejected):
    """The GraphQL query has more tokens than allowed."""

    limit: int


@dataclass(unsafe_hash=True)
class QueryTooDeep(Rejected):
    """The GraphQL query is nested more deeply than allowed."""

    limit: int


@dataclass(unsafe_hash=True)
class TooManyAliases(Rejected):
    """The GraphQL query has more aliases than allowed."""

    limit: int


@dataclass(unsafe_hash=True)
class QueryTooCostly(Rejected):
    """The GraphQL query may read more objects than allowed; ask for shorter pages."""

    cost: int
    limit: int


@dataclass(unsafe_hash=True)
class QueryTooSlow(Rejected):
    """The GraphQL query has taken longer than allowed."""

    seconds: int


@dataclass(unsafe_hash=True)
class UnknownQuery(Rejected):
    """There is no persisted GraphQL query with that id."""


@dataclass(unsafe_hash=True)
class Away(Rejected):
    """A store or Telegram is away. Nothing was acknowledged; the same request may be sent again."""


@dataclass(unsafe_hash=True)
class Bug(Rejected):
    """An error of the program, logged under the trace."""

    trace: str


STATUSES: Final[Mapping[type[Rejected], int]] = MappingProxyType(
    {
        BadRequest: 400,
        IdempotencyKeyMissing: 400,
        BadCursor: 400,
        NotAuthenticated: 401,
        sessions.BadLaunch: 401,
        sessions.StaleLaunch: 401,
        sessions.BadLogin: 401,
        standard_webhooks.BadSignature: 401,
        standard_webhooks.StaleCall: 401,
        access.Banned: 403,
        access.NotAMember: 403,
        access.Elsewhere: 403,
        access.JoinInGroup: 403,
        access.NotAHost: 403,
        access.NotAnOperator: 403,
        access.NeedsAPerson: 403,
        access.NeedsAToken: 403,
        TokensOnly: 403,
        NotFound: 404,
        UnknownQuery: 404,
        kind.UnknownGame: 404,
        UnknownToken: 404,
        jobs.UnknownJob: 404,
        webhooks.UnknownEndpoint: 404,
        webhooks.UnknownDelivery: 404,
        incoming_webhooks.UnknownSource: 404,
        UnknownChat: 404,
        UnknownPlayer: 404,
        UnknownPack: 404,
        NoSuchTemplate: 404,
        NoSuchRecurring: 404,
        NotInLog: 404,
        NothingToProve: 404,
        MethodNotAllowed: 405,
        PreconditionFailed: 412,
        RequestTimeout: 408,
        TooLarge: 413,
        UnsupportedMediaType: 415,
        InvalidRequest: 422,
        BadQuery: 422,
        QueryTooLong: 422,
        QueryTooDeep: 422,
        TooManyAliases: 422,
        QueryTooCostly: 422,
        IdempotencyKeyReused: 422,
        PackUnreadable: 422,
        BroadcastTooLong: 422,
        guarded_http.BadUrl: 422,
        guarded_http.ForbiddenAddress: 422,
        webhooks.UnknownEventType: 422,
        incoming_webhooks.BadCall: 422,
        UnknownTimeZone: 422,
        BadName: 422,
        lobby.BadTitle: 422,
        lobby.BadRule: 422,
        lobby.BadExtension: 422,
        pick_number.NumberOutOfRange: 422,
        quiz.NoSuchAnswer: 422,
        TooManyRequests: 429,
        TooManyFiles: 429,
        flags.UnknownFlag: 404,
        flags.BadFlagSetting: 422,
        TooManyConnections: 429,
        TooManyWatched: 422,
        WrongOrigin: 403,
        Bug: 500,
        Away: 503,
        flags.FlagOff: 503,
        QueryTooSlow: 503,
    }
)
"""Refusal -> status. Any other refusal is a conflict with the state of a game or of a chat."""
CONFLICT: Final = 409
RETRY_SECONDS: Final = 1
"""Time after which a request may be repeated that met an absent store or an attempt under way."""


class FieldError(msgspec.Struct, frozen=True):
    """A part of a request that is wrong.

    Attributes:
        pointer: the place in the body or the parameters, such as `$.player_id`.
        detail: the complaint.
    """

    pointer: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Details of a problem, by RFC 9457.

    Attributes:
        type: address of the problem's description.
        title: the problem in a few words, always the same for a code.
        status: the HTTP status.
        detail: the problem in words, in the language of Accept-Language.
        code: the refusal's code.
        parameters: the refusal's values, by name.
        trace: the trace id under which the logs have the request.
        errors: the wrong parts of the request.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    trace: str
    parameters: dict[str, Any] = {}
    errors: list[FieldError] = []


def status_of(refusal: type[Rejected]) -> int:
    """Return the status of a refusal."""
    return STATUSES.get(refusal, CONFLICT)


def refusal_of(error: Exception, trace: str) -> Rejected:
    """Return the refusal that stands for an error."""
    if isinstance(error, Rejected):
        return error
    return Away() if isinstance(error, AWAY) else Bug(trace)


def problem_of(refusal: Rejected, texts: Texts, locale: str, trace: str) -> Problem:
    """Return the details of a refusal in a language."""
    code = refusal.code
    invalid = isinstance(refusal, InvalidRequest)
    return Problem(
        type=f"{TYPE}{code}",
        title=code.replace("-", " ").capitalize(),
        status=status_of(type(refusal)),
        detail=texts.refusal(locale, refusal),
        code=code,
        trace=trace,
        parameters={} if invalid else refusal.parameters,
        errors=_errors(refusal),
    )


def _errors(refusal: Rejected) -> list[FieldError]:
    if isinstance(refusal, PackUnreadable):
        return refusal.errors
    return [_field_error(refusal.detail)] if isinstance(refusal, InvalidRequest) else []


def _field_error(complaint: str) -> FieldError:
    """Split a complaint of msgspec, ``Expected `int` - at `$.number` ``, into its place and its words."""
    words, _, place = complaint.partition(" - at ")
    return FieldError(place.strip("`") or "$", words)


def retry_after(refusal: Rejected) -> int | None:
    """Return the seconds after which a request may be repeated; None if a repeat would have the same end."""
    if isinstance(refusal, TooManyRequests):
        return refusal.seconds
    return RETRY_SECONDS if isinstance(refusal, Away | RequestInProgress | TooManyFiles) else None
