"""Chats, their settings, and bans."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.dispatch import etag, matches, position
from api.endpoint import HIGHEST_ID, About, Call, Count, Cursor, Endpoint, Handler, Page, Reply
from api.problems import InvalidRequest, PreconditionFailed, SettingsChanged, UnknownChat
from api.values import moment, moment_of
from api.views import rules_view
from fsm.kind import ChatTopic, Rejected
from fsm.lobby import BadRule
from play.access import EVERYONE, HOSTS, OPENERS, Needs
from play.bans import EVERYWHERE, LONGEST_REASON, CannotBan
from play.public_chats import INDEXED, PUBLIC, is_on
from play.rules import YES, UnreadableSetting, change_together, names_of, rules_for
from play.telling import CHOICES, told
from play.zones import TIME_ZONE, UnknownTimeZone, check_zone, zone_of
from storage.people import Ban, Chat

CHATS: Final = "chats"
TRIES: Final = 5
"""Times that a change of settings is made again because somebody else was first."""


class ChatView(msgspec.Struct, frozen=True, kw_only=True):
    """A chat that the bot has met.

    Attributes:
        id: the chat's id.
        type: `private`, `group` or `supergroup`; empty if it is unknown.
        title: the title as last seen.
        language: the language of the bot's messages; null if none was chosen.
        active: true if the bot is in the chat and may write.
        migrated_to: the supergroup that the group has become; null if it has not.
    """

    id: int
    type: str
    title: str
    language: str | None
    active: bool
    migrated_to: int | None


class SettingsView(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a chat.

    Attributes:
        openers: the people who may open games: `hosts` or `everyone`.
        language: the language of the bot's messages; null if none was chosen.
        time_zone: the time zone of recurring games, by its name in the IANA database.
        public: true if anybody who knows their address may look at the chat's games, results and leaderboard.
        indexed: true if search engines may list those pages.
        public_url: the address of those pages; null while there are none.
        messages: settings of the messages that games send beside their boards.
        rules: the rules of new games, by kind and name.
    """

    openers: str
    language: str | None
    time_zone: str
    public: bool
    indexed: bool
    public_url: str | None
    messages: dict[str, str]
    rules: dict[str, dict[str, str]]


class SettingsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes of settings. A setting that is left out stays; null restores the default.

    Attributes:
        openers: the people who may open games.
        language: the language of the bot's messages.
        time_zone: the time zone of recurring games, such as `Europe/Madrid`.
        public: true to let anybody who knows their address look at the chat's games, results and leaderboard.
        indexed: true to let search engines list those pages.
        messages: settings of the messages that games send beside their boards.
        rules: the rules of new games, by kind and name.
    """

    openers: Literal["hosts", "everyone"] | UnsetType | None = UNSET
    language: Annotated[str, Meta(max_length=16)] | UnsetType | None = UNSET
    time_zone: Annotated[str, Meta(max_length=64)] | UnsetType | None = UNSET
    public: bool | UnsetType | None = UNSET
    indexed: bool | UnsetType | None = UNSET
    messages: dict[str, str | None] = {}
    rules: dict[str, dict[str, str | None]] = {}


class ChatsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of the list of chats.

    Attributes:
        limit: the number of chats on a page.
        cursor: the position to continue from.
    """

    limit: Count = 20
    cursor: Cursor | None = None


class BanView(msgspec.Struct, frozen=True, kw_only=True):
    """A ban in force.

    Attributes:
        player_id: the banned person's id in Telegram.
        name: the person's name as last seen; empty if it is unknown.
        by: the person or chat that imposed it; 0 for a token without an owner.
        reason: the reason.
        created_at: the time of the ban.
        expires_at: the time of its end; null for a ban without end.
    """

    player_id: int
    name: str
    by: int
    reason: str
    created_at: datetime
    expires_at: datetime | None


class BanBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A ban to impose.

    Attributes:
        reason: the reason.
        days: the days until it ends; null for a ban without end.
    """

    reason: Annotated[str, Meta(max_length=LONGEST_REASON)] = ""
    days: Annotated[float, Meta(gt=0, le=36_500)] | None = None


# -- chats ------------------------------------------------------------------------------------------------------


async def list_chats(call: Call) -> Page:
    """List the chats that the bot has met, by id."""
    after = await position(call)
    start = -HIGHEST_ID - 1 if after is None else int(after[0])
    found = await call.services.stores.people.chats(start, call.query.limit + 1)
    page = found[: call.query.limit]
    return Page([chat_view(chat) for chat in page], (page[-1].id,) if len(found) > len(page) else None)


async def get_chat(call: Call) -> ChatView:
    """Return a chat."""
    chat = await call.services.stores.people.chat_now(call.path["chat"])
    if chat is None:
        raise UnknownChat
    return chat_view(chat)


def chat_view(chat: Chat) -> ChatView:
    """Return a chat."""
    return ChatView(
        id=chat.id,
        type=chat.type,
        title=chat.title,
        language=chat.locale,
        active=chat.active,
        migrated_to=chat.migrated_to,
    )


# -- settings ---------------------------------------------------------------------------------------------------


async def get_settings(call: Call) -> SettingsView:
    """Return the settings of a chat. The header ETag names this state of them, for If-Match."""
    return await _settings(call, await call.services.stores.people.chat_now(call.path["chat"]))


async def change_settings(call: Call) -> Reply:
    """Change settings of a chat.

    With If-Match, the change is refused if somebody else has changed the settings since.
    """
    people, chat_id, body = call.services.stores.people, call.path["chat"], call.body
    wanted = call.request.headers.get("if-match")
    for _ in range(TRIES):
        chat = await people.chat_now(chat_id)
        if wanted is not None and not matches(wanted, tag_of(await _settings(call, chat))):
            raise PreconditionFailed
        before = {} if chat is None else chat.settings
        language = body.language
        if isinstance(language, UnsetType):
            language = None if chat is None else chat.locale
        changed = await people.change_settings_if(chat_id, chat, _changes(call, before, body), language)
        if changed is not None:
            if not isinstance(body.time_zone, UnsetType):
                await call.services.play.recurring.follow_zone(chat_id)
            settings = await _settings(call, await people.chat_now(chat_id))
            return Reply(body=settings, headers={"etag": tag_of(settings)}, changed=changed)
        if wanted is not None:
            raise PreconditionFailed
    raise SettingsChanged


def tag_of(settings: SettingsView) -> str:
    """Return the entity tag of settings."""
    return etag(msgspec.json.encode(settings))


async def _settings(call: Call, chat: Chat | None) -> SettingsView:
    stored: Mapping[str, Any] = {} if chat is None else chat.settings
    defaults = call.services.play.openings.defaults
    return SettingsView(
        openers=str(stored.get(OPENERS, HOSTS)),
        language=None if chat is None else chat.locale,
        time_zone=zone_of(stored, call.services.play.recurring.default_zone),
        public=is_on(stored, PUBLIC),
        indexed=is_on(stored, INDEXED),
        public_url=await call.services.play.public.url(call.path["chat"], stored),
        messages={name: told(stored, name) for name in CHOICES},
        rules={kind: rules_view(rules_for(stored.get(kind, {}), rules)) for kind, rules in defaults.items()},
    )


def _changes(call: Call, before: Mapping[str, Any], body: SettingsBody) -> dict[str, Any]:
    """Return the changes to store. Raises ``InvalidRequest``, ``UnknownTimeZone`` and ``BadRule``."""
    changes: dict[str, Any] = {}
    if not isinstance(body.openers, UnsetType):
        changes[OPENERS] = body.openers if body.openers == EVERYONE else None
    if isinstance(body.language, str) and body.language not in call.services.play.texts.LOCALES:
        raise InvalidRequest("Unknown language - at `$.language`")
    if not isinstance(body.time_zone, UnsetType):
        changes[TIME_ZONE] = None if body.time_zone is None else check_zone(body.time_zone)
    for name, wanted in ((PUBLIC, body.public), (INDEXED, body.indexed)):
        if not isinstance(wanted, UnsetType):
            changes[name] = YES if wanted else None
    for name, value in body.messages.items():
        if name not in CHOICES or value not in {*CHOICES[name], None}:
            raise InvalidRequest(f"Unknown setting - at `$.messages.{name[:40]}`")
        changes[name] = value
    for kind, given in body.rules.items():
        defaults = call.services.play.openings.defaults.get(kind)
        if defaults is None:
            raise InvalidRequest(f"Unknown kind of game - at `$.rules.{kind[:40]}`")
        changes[kind] = _rules(before.get(kind, {}), defaults, kind, given) or None
    return changes


def _rules(before: Mapping[str, str], defaults: Any, kind: str, given: Mapping[str, str | None]) -> dict[str, str]:
    for name in given:
        if name not in names_of(defaults):
            raise InvalidRequest(f"Unknown rule - at `$.rules.{kind}.{name[:40]}`")
    try:
        return change_together(before, defaults, given)
    except UnreadableSetting as problem:
        raise InvalidRequest(f"Unreadable value - at `$.rules.{kind}.{problem.args[0]}`") from None


class RightsView(msgspec.Struct, frozen=True, kw_only=True):
    """The rights of the caller in a chat. Each call decides anew, so they are no promise.

    Attributes:
        open: true if the caller may open games.
        host: true if the caller may change the settings, and host games.
    """

    open: bool
    host: bool


async def get_rights(call: Call) -> RightsView:
    """Return the rights of the caller in a chat, so that a page can hide what it would refuse."""

    async def may(needs: Needs) -> bool:
        try:
            await call.services.play.access.authorise(call.actor, ChatTopic(call.path["chat"]), needs)
        except Rejected:
            return False
        return True

    return RightsView(open=await may(Needs.OPEN), host=await may(Needs.HOST))


# -- bans -------------------------------------------------------------------------------------------------------


async def list_bans_of_chat(call: Call) -> Page:
    """List the bans in force in a chat, by the person's id."""
    return await _bans(call, call.path["chat"])


async def list_bans(call: Call) -> Page:
    """List the bans in force in all chats, by the person's id."""
    return await _bans(call, EVERYWHERE)


async def ban_in_chat(call: Call) -> Reply:
    """Ban a person from a chat's games, and remove them from the live ones. An earlier ban is replaced."""
    return await _ban(call, call.path["chat"])


async def ban(call: Call) -> Reply:
    """Ban a person from the games of all chats. An earlier ban is replaced."""
    return await _ban(call, EVERYWHERE)


async def unban_in_chat(call: Call) -> Reply:
    """Lift a person's ban in a chat. Harmless if there is none."""
    return await _unban(call, call.path["chat"])


async def unban(call: Call) -> Reply:
    """Lift a person's ban in all chats. Bans in single chats stay. Harmless if there is none."""
    return await _unban(call, EVERYWHERE)


async def _bans(call: Call, chat_id: int) -> Page:
    after = await position(call)
    start = 0 if after is None else int(after[0])
    found = await call.services.stores.people.bans(chat_id, call.query.limit + 1, start)
    page = found[: call.query.limit]
    return Page([_view(each) for each in page], (page[-1].player_id,) if len(found) > len(page) else None)


async def _unban(call: Call, chat_id: int) -> Reply:
    changed = await call.services.play.bans.unban(call.actor, chat_id, call.path["player"])
    return Reply(changed=changed)


async def _ban(call: Call, chat_id: int) -> Reply:
    body: BanBody = call.body
    changed = await call.services.play.bans.ban(
        call.actor,
        chat_id,
        call.path["player"],
        reason=body.reason,
        expires_at=None if body.days is None else call.received + round(body.days * 86_400_000),
        command_id=call.command_id,
        received=call.received,
    )
    return Reply(changed=changed)


def _view(ban_: Ban) -> BanView:
    return BanView(
        player_id=ban_.player_id,
        name=ban_.name,
        by=ban_.by,
        reason=ban_.reason,
        created_at=moment_of(ban_.created_at),
        expires_at=moment(ban_.expires_at),
    )


def _of_chat(method: str, path: str, handle: Handler, needs: Needs, **more: Any) -> Endpoint:
    return Endpoint(
        method=method, path=f"/chats/{{chat}}{path}", handle=handle, tag=CHATS, needs=needs, about=About.CHAT, **more
    )


def _of_all(method: str, path: str, handle: Handler, **more: Any) -> Endpoint:
    return Endpoint(
        method=method, path=path, handle=handle, tag=CHATS, needs=Needs.OPERATE, about=About.EVERYWHERE, **more
    )


ENDPOINTS: Final = (
    _of_all("GET", "/chats", list_chats, query=ChatsQuery, result=ChatView, paged=True),
    _of_chat("GET", "", get_chat, Needs.LOOK, result=ChatView, refuses=(UnknownChat,)),
    _of_chat("GET", "/rights", get_rights, Needs.LOOK, result=RightsView, people=True),
    _of_chat("GET", "/settings", get_settings, Needs.LOOK, result=SettingsView, people=True),
    _of_chat(
        "PATCH",
        "/settings",
        change_settings,
        Needs.HOST,
        people=True,
        body=SettingsBody,
        result=SettingsView,
        headers=("ETag",),
        if_match=True,
        refuses=(PreconditionFailed, SettingsChanged, BadRule, UnknownTimeZone),
        example={"openers": "everyone", "rules": {"pick_number": {"winners": "3", "join_seconds": None}}},
    ),
    _of_chat("GET", "/bans", list_bans_of_chat, Needs.HOST, query=ChatsQuery, result=BanView, paged=True),
    _of_chat(
        "PUT",
        "/bans/{player}",
        ban_in_chat,
        Needs.HOST,
        body=BanBody,
        status=204,
        refuses=(CannotBan,),
        example={"reason": "spam", "days": 30},
    ),
    _of_chat("DELETE", "/bans/{player}", unban_in_chat, Needs.HOST, status=204),
    _of_all("GET", "/bans", list_bans, query=ChatsQuery, result=BanView, paged=True),
    _of_all("PUT", "/bans/{player}", ban, body=BanBody, status=204, refuses=(CannotBan,), example={"reason": "spam"}),
    _of_all("DELETE", "/bans/{player}", unban, status=204),
)
