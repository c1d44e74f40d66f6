"""The sessions of hosts and operators in the dashboard, and the chats that they host."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from api.chats import ChatView, chat_view
from api.cookies import COOKIE, PAGE_HEADER
from api.endpoint import About, Call, Endpoint, Reply
from api.problems import WrongOrigin
from api.values import moment_of
from play.access import Banned, Needs, NeedsAPerson
from play.sessions import LONGEST_MS, BadLogin, Session

TAG: Final = "dashboard"


class LinkBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A one-time link that the bot has sent.

    Attributes:
        link: the secret of the link.
    """

    link: Annotated[str, Meta(min_length=1, max_length=128)]


class DashboardSessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session of the dashboard.

    Attributes:
        player_id: the person's id in Telegram.
        name: the person's name.
        locale: the language that the person has chosen from the bot; else null.
        operator: true if the person is an operator.
        now: the server's time, by which clocks of games run.
    """

    player_id: int
    name: str
    locale: str | None
    operator: bool
    now: datetime


async def create_dashboard_session(call: Call) -> Reply:
    """Begin a session of the dashboard by a one-time link, which is spent.

    The response sets the cookie of the session. A session ends half an hour after its last use, after twelve hours, and
    when the person is banned.
    """
    if PAGE_HEADER not in call.request.headers:  # a page of another site must not let a person act as somebody else
        raise WrongOrigin
    secret, session = await call.services.play.sessions.begin_by_link(call.body.link)
    call.actor = session.actor  # for the audit log
    return Reply(body=await _view(call, session), headers=_cookie(call, secret, LONGEST_MS // 1000))


async def get_dashboard_session(call: Call) -> DashboardSessionView:
    """Return the session that makes the request."""
    return await _view(call, _session(call))


async def end_dashboard_session(call: Call) -> Reply:
    """End the session that makes the request."""
    await call.services.play.sessions.end(_session(call))
    return Reply(headers=_cookie(call, "", 0))


async def list_own_chats(call: Call) -> list[ChatView]:
    """List the chats that the person of the session hosts, among those where the bot has met the person."""
    session, services = _session(call), call.services
    found = await services.stores.people.chats_met(session.actor.id)
    return [chat_view(chat) for chat in found if await services.play.access.is_host(session.actor.id, chat.id)]


def _session(call: Call) -> Session:
    if call.session is None or not call.session.dashboard:
        raise NeedsAPerson
    return call.session


async def _view(call: Call, session: Session) -> DashboardSessionView:
    return DashboardSessionView(
        player_id=session.actor.id,
        name=session.actor.name,
        locale=await call.services.stores.people.locale_of_player(session.actor.id),
        operator=session.is_operator,
        now=moment_of(call.services.play.clock.now()),
    )


def _cookie(call: Call, secret: str, seconds: int) -> Mapping[str, str]:
    secure = "; Secure" if call.services.dashboard_url.startswith("https://") else ""
    return {"set-cookie": f"{COOKIE}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"}


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/dashboard/session",
        handle=create_dashboard_session,
        tag=TAG,
        needs=Needs.NOTHING,
        about=About.NOTHING,
        public=True,
        keyless=True,
        body=LinkBody,
        result=DashboardSessionView,
        status=201,
        headers=("Set-Cookie",),
        refuses=(BadLogin, Banned, WrongOrigin),
        example={"link": "Zm9vYmFyZm9vYmFyZm9vYmFy"},
    ),
    Endpoint(
        method="GET",
        path="/dashboard/session",
        handle=get_dashboard_session,
        tag=TAG,
        needs=Needs.USE,
        about=About.NOTHING,
        people=True,
        result=DashboardSessionView,
        refuses=(NeedsAPerson,),
    ),
    Endpoint(
        method="DELETE",
        path="/dashboard/session",
        handle=end_dashboard_session,
        tag=TAG,
        needs=Needs.USE,
        about=About.NOTHING,
        people=True,
        keyless=True,
        status=204,
        headers=("Set-Cookie",),
        refuses=(NeedsAPerson,),
    ),
    Endpoint(
        method="GET",
        path="/dashboard/chats",
        handle=list_own_chats,
        tag=TAG,
        needs=Needs.USE,
        about=About.NOTHING,
        people=True,
        result=list[ChatView],
        refuses=(NeedsAPerson,),
    ),
)
