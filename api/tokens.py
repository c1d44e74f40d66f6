"""Tokens of the API itself."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from api.dispatch import position
from api.endpoint import About, Call, ChatId, Count, Cursor, Endpoint, Page, Reply
from api.values import moment, moment_of
from play.access import Needs, Role
from play.tokens import LONGEST_NAME, UnknownToken
from storage.api_tokens import ApiToken

TOKENS: Final = "tokens"


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret.

    Attributes:
        prefix: the public part of the token, which names it.
        role: the role.
        chats: the chats that it is limited to; null for all chats.
        name: a note for people.
        created_at: the time at which it was made.
        expires_at: the time from which it is refused; null if it does not expire.
        revoked_at: the time at which it was revoked; null if it was not.
        last_used_at: the time of a recent use, to the minute; null if it was not used.
    """

    prefix: str
    role: Role
    chats: list[int] | None
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewToken(TokenView, frozen=True, kw_only=True):
    """A token that was just made.

    Attributes:
        token: the whole token, which is shown this once; null in the response to a repeated request.
    """

    token: str | None


class TokenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A token to make.

    Attributes:
        role: the role.
        chats: the chats to which it is limited; null for all chats.
        days: the days after which it expires; null if it does not expire.
        name: a note for people.
    """

    role: Role
    chats: Annotated[list[ChatId], Meta(min_length=1, max_length=1000)] | None = None
    days: Annotated[float, Meta(gt=0, le=3650)] | None = None
    name: Annotated[str, Meta(max_length=LONGEST_NAME)] = ""


class TokensQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of the list of tokens.

    Attributes:
        limit: the number of tokens on a page.
        cursor: the position to continue from.
    """

    limit: Count = 20
    cursor: Cursor | None = None


async def list_tokens(call: Call) -> Page:
    """List tokens, latest first, the revoked and expired ones included."""
    after = await position(call)
    found = await call.services.tokens.listed(call.query.limit + 1, None if after is None else (after[0], after[1]))
    page = found[: call.query.limit]
    more = (page[-1].created_at, page[-1].prefix) if len(found) > len(page) else None
    return Page([token_view(token) for token in page], more)


async def create_token(call: Call) -> Reply:
    """Make a token.

    The whole token is in this response only. A repeat of the request describes the token, without its secret.
    """
    body: TokenBody = call.body
    chats = None if body.chats is None else frozenset(body.chats)
    owner = call.actor.id
    token, made = await call.services.tokens.issue(body.role, chats, days=body.days, name=body.name, owner_id=owner)
    described = msgspec.structs.asdict(token_view(made))
    return Reply(
        body=NewToken(token=token, **described),
        stored=NewToken(token=None, **described),
        headers={"location": f"/api/v1/tokens/{made.prefix}"},
    )


async def get_own_token(call: Call) -> TokenView:
    """Return the token of this request."""
    assert call.token is not None
    return token_view(call.token)


async def get_token(call: Call) -> TokenView:
    """Return a token, without its secret."""
    return token_view(await call.services.tokens.found(call.path["token"]))


async def revoke_token(call: Call) -> TokenView:
    """Revoke a token. All processes refuse it at once, and after five seconds at the latest."""
    return token_view(await call.services.tokens.revoke(call.path["token"]))


def token_view(token: ApiToken) -> TokenView:
    """Return a token without its secret."""
    return TokenView(
        prefix=token.prefix,
        role=Role(token.role),
        chats=None if token.chats is None else sorted(token.chats),
        name=token.name,
        created_at=moment_of(token.created_at),
        expires_at=moment(token.expires_at),
        revoked_at=moment(token.revoked_at),
        last_used_at=moment(token.last_used_at),
    )


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/token",
        handle=get_own_token,
        tag=TOKENS,
        needs=Needs.NOTHING,
        about=About.NOTHING,
        result=TokenView,
    ),
    Endpoint(
        method="GET",
        path="/tokens",
        handle=list_tokens,
        tag=TOKENS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        query=TokensQuery,
        result=TokenView,
        paged=True,
    ),
    Endpoint(
        method="POST",
        path="/tokens",
        handle=create_token,
        tag=TOKENS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        body=TokenBody,
        result=NewToken,
        status=201,
        headers=("Location",),
        example={"role": "host", "chats": [-1001234567890], "days": 90, "name": "scoreboard"},
    ),
    Endpoint(
        method="GET",
        path="/tokens/{token}",
        handle=get_token,
        tag=TOKENS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        result=TokenView,
        refuses=(UnknownToken,),
    ),
    Endpoint(
        method="DELETE",
        path="/tokens/{token}",
        handle=revoke_token,
        tag=TOKENS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        result=TokenView,
        refuses=(UnknownToken,),
    ),
)
