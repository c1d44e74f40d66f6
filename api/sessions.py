"""Sessions of people who open the Mini App."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from api.endpoint import About, Call, Endpoint
from api.values import moment_of
from play.access import Banned, Needs
from play.sessions import LONGEST_LAUNCH, BadLaunch, StaleLaunch


class LaunchBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The launch data of a Mini App.

    Attributes:
        init_data: the text that Telegram's client gives to the page, with its signature.
    """

    init_data: Annotated[str, Meta(min_length=1, max_length=LONGEST_LAUNCH)]


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session that has just begun.

    Attributes:
        token: the token of the session, for the header Authorization. It ends half an hour after its last use.
        player_id: the person's id in Telegram.
        name: the person's name, as games show it.
        locale: the language that the person has chosen from the bot; else that of their app, or the default one.
        now: the server's time, by which clocks of games run.
    """

    token: str
    player_id: int
    name: str
    locale: str
    now: datetime


async def create_session(call: Call) -> SessionView:
    """Begin the session of a person in the Mini App.

    Telegram signs the launch data for the bot whose page it opens. Data of another bot, altered data, and data older
    than an hour are refused. The session may do only what its person may do in Telegram, by the endpoints whose
    `x-people` is true; it ends when the person is banned.
    """
    body: LaunchBody = call.body
    services = call.services
    token, launch = await services.play.sessions.begin(body.init_data)
    chosen = await services.stores.people.locale_of_player(launch.player_id)
    return SessionView(
        token=token,
        player_id=launch.player_id,
        name=launch.name,
        locale=services.play.texts.pick(chosen or launch.language or None),
        now=moment_of(services.play.clock.now()),
    )


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/sessions",
        handle=create_session,
        tag="sessions",
        needs=Needs.NOTHING,
        about=About.NOTHING,
        public=True,
        keyless=True,
        body=LaunchBody,
        result=SessionView,
        status=201,
        refuses=(BadLaunch, StaleLaunch, Banned),
        example={"init_data": "auth_date=1764500000&user=%7B%22id%22%3A4242%7D&hash=0123"},
    ),
)
