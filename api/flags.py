"""Feature flags."""

from datetime import date
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from api.endpoint import About, Call, ChatId, Endpoint
from play.access import Needs
from play.flags import BadFlagSetting, Flag, Source, UnknownFlag
from play.texts import DEFAULT_LOCALE, Texts
from storage.flags import MOST_CHATS, Change

FLAGS: Final = "flags"
LONGEST_REASON: Final = 200
Chats = Annotated[list[ChatId], Meta(max_length=MOST_CHATS)]


class FlagView(msgspec.Struct, frozen=True, kw_only=True):
    """A feature flag.

    Attributes:
        name: its name.
        about: its effect, in English.
        owner: the part of the project that removes it.
        ends: the day by which it is removed.
        percent: the share of all chats for which it is on, 0 to 100.
        on_chats: chats for which it is on, regardless of the share.
        off_chats: chats for which it is off, regardless of the share.
        reason: a note for people about the last change.
        source: the origin of the setting: `definition`, `file`, or `operator` for a change by /admin, API or webhook.
    """

    name: str
    about: str
    owner: str
    ends: date
    percent: float
    on_chats: list[int]
    off_chats: list[int]
    reason: str
    source: Source


class FlagBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A setting of a flag.

    Attributes:
        percent: the share of all chats for which it is on. A chat that is on stays on when the share grows.
        on_chats: chats for which it is on, regardless of the share. Without this list, the present ones stay.
        off_chats: chats for which it is off, regardless of the share. Without this list, the present ones stay.
        reason: a note for people.
    """

    percent: Annotated[float, Meta(ge=0, le=100)]
    on_chats: Chats | None = None
    off_chats: Chats | None = None
    reason: Annotated[str, Meta(max_length=LONGEST_REASON)] = ""


async def list_flags(call: Call) -> list[FlagView]:
    """List the feature flags of this version, with their present settings."""
    return [flag_view(flag, call.services.play.texts) for flag in call.services.play.flags.all()]


async def set_flag(call: Call) -> FlagView:
    """Set a flag on all processes, within two seconds. Games that are open keep what they were opened with."""
    body: FlagBody = call.body
    change = Change(
        percent=body.percent,
        on_chats=None if body.on_chats is None else frozenset(body.on_chats),
        off_chats=None if body.off_chats is None else frozenset(body.off_chats),
        reason=body.reason,
    )
    flag = await call.services.play.flags.change(call.actor, call.path["flag"], change)
    return flag_view(flag, call.services.play.texts)


async def reset_flag(call: Call) -> FlagView:
    """Take the operators' setting of a flag back, so that the file of flags and the flag's definition decide again."""
    flag = await call.services.play.flags.reset(call.actor, call.path["flag"])
    return flag_view(flag, call.services.play.texts)


def flag_view(flag: Flag, texts: Texts) -> FlagView:
    """Return a flag as the API shows it."""
    return FlagView(
        name=flag.name,
        about=texts.plain(DEFAULT_LOCALE, f"flag-{flag.name}"),
        owner=flag.definition.owner,
        ends=flag.definition.ends,
        percent=flag.setting.percent,
        on_chats=sorted(flag.setting.on_chats),
        off_chats=sorted(flag.setting.off_chats),
        reason=flag.setting.reason,
        source=flag.source,
    )


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/flags",
        handle=list_flags,
        tag=FLAGS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        result=list[FlagView],
    ),
    Endpoint(
        method="PUT",
        path="/flags/{flag}",
        handle=set_flag,
        tag=FLAGS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        without_flag=True,
        body=FlagBody,
        result=FlagView,
        refuses=(UnknownFlag, BadFlagSetting),
        example={"percent": 10, "on_chats": [-1001234567890], "reason": "first tenth"},
    ),
    Endpoint(
        method="DELETE",
        path="/flags/{flag}",
        handle=reset_flag,
        tag=FLAGS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        without_flag=True,
        result=FlagView,
        refuses=(UnknownFlag,),
    ),
)
