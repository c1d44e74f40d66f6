"""Webhooks in: systems that open and end games, or set feature flags, by calls that are signed as ours are.

A source of a chat may do there as much as a host's token. A source of all chats (``EVERYWHERE``), which operators add,
sets feature flags.
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from fsm.engine import Clock, Engine, Outcome
from fsm.kind import ChatTopic, Rejected
from fsm.lobby import MAX_TITLE, Cancel
from fsm.registry import KINDS
from play.access import Access, Actor, Needs, Role, Token
from play.bans import EVERYWHERE
from play.flags import Flag, Flags
from play.opening import Openings
from play.rules import UnreadableSetting, names_of, with_settings
from play.standard_webhooks import BadSignature, new_secret, verify
from play.webhooks import MAX_DESCRIPTION, MAX_ENDPOINTS, TooManyEndpoints
from storage.flags import MOST_CHATS, Change
from storage.seen_calls import SeenCalls
from storage.webhooks import Webhooks, WebhookSource

OPEN: Final = "game.open"
END: Final = "game.end"
SET_FLAG: Final = "flag.set"
MOST_BYTES: Final = 16 << 10
"""Longest body of a call."""
SEEN_MS: Final = 900_000
"""Time for which ids are remembered: longer than the time in which a signature is valid, before and after."""


@dataclass(unsafe_hash=True)
class UnknownSource(Rejected):
    """There is no such source, or it belongs to another chat."""


@dataclass(unsafe_hash=True)
class ReplayedCall(Rejected):
    """A call with this id was handled before."""


@dataclass(unsafe_hash=True)
class BadCall(Rejected):
    """The body of a signed call is no event that can be handled."""


class _Event(msgspec.Struct, frozen=True):
    type: str
    data: msgspec.Raw


class OpenCall(msgspec.Struct, frozen=True):
    """The data of ``game.open``.

    Attributes:
        kind: the kind of game.
        title: the title; empty for the name of the kind.
        rules: rules other than those of the chat, by the names that /settings and config.toml have.
    """

    kind: str
    title: Annotated[str, Meta(extra_json_schema={"maxLength": MAX_TITLE})] = ""
    rules: dict[str, str] = {}


class EndCall(msgspec.Struct, frozen=True):
    """The data of ``game.end``.

    Attributes:
        game_id: the game.
    """

    game_id: str


_Chats = Annotated[frozenset[Annotated[int, Meta(ge=-(1 << 52), le=1 << 52)]], Meta(max_length=MOST_CHATS)] | None


class FlagCall(msgspec.Struct, frozen=True):
    """The data of ``flag.set``.

    Attributes:
        flag: the flag.
        percent: the share of all chats for which it is on.
        on_chats: chats for which it is on, regardless of the share; without them, the present ones stay.
        off_chats: chats for which it is off, regardless of the share; without them, the present ones stay.
        reason: a note for people, such as the alert that caused the call.
    """

    flag: str
    percent: Annotated[float, Meta(ge=0, le=100)]
    on_chats: _Chats = None
    off_chats: _Chats = None
    reason: Annotated[str, Meta(max_length=200)] = ""


class IncomingWebhooks:
    """Handles signed calls, and manages their sources."""

    def __init__(
        self,
        *,
        webhooks: Webhooks,
        seen: SeenCalls,
        engine: Engine,
        openings: Openings,
        flags: Flags,
        access: Access,
        clock: Clock,
    ) -> None:
        self._flags = flags
        self._webhooks = webhooks
        self._seen = seen
        self._engine = engine
        self._openings = openings
        self._access = access
        self._clock = clock

    # -- sources ------------------------------------------------------------------------------------------------

    async def sources(self, actor: Actor, chat_id: int) -> list[WebhookSource]:
        """Return the sources of a chat; those of all chats for ``EVERYWHERE``."""
        await self._authorise(actor, chat_id)
        return await self._webhooks.sources(chat_id)

    async def add(self, actor: Actor, chat_id: int, *, topic_id: int = 0, description: str = "") -> WebhookSource:
        """Add a source with a new secret. Raises ``TooManyEndpoints``."""
        await self._authorise(actor, chat_id)
        if len(await self._webhooks.sources(chat_id)) >= MAX_ENDPOINTS:
            raise TooManyEndpoints(MAX_ENDPOINTS)
        id_ = f"in{secrets.token_hex(8)}"
        return await self._webhooks.add_source(
            id_, chat_id, topic_id, description[:MAX_DESCRIPTION], new_secret(), actor.id
        )

    async def remove(self, actor: Actor, chat_id: int, source_id: str) -> None:
        """Remove a source. Raises ``UnknownSource``."""
        await self._authorise(actor, chat_id)
        source = await self._webhooks.source(source_id)
        if source is None or source.chat_id != chat_id:
            raise UnknownSource
        await self._webhooks.remove_source(source_id)

    async def _authorise(self, actor: Actor, chat_id: int) -> None:
        if chat_id == EVERYWHERE:
            await self._access.authorise(actor, None, Needs.OPERATE)
        else:
            await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)

    # -- calls --------------------------------------------------------------------------------------------------

    async def handle(self, source_id: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Handle one call of a chat's source. ``headers`` have lower-case names.

        Raises ``BadSignature`` (also without such a source), ``StaleCall``, ``ReplayedCall``, ``BadCall``, and the
        refusals of the engine. An id is remembered only if the call has an end, so an interrupted one can be repeated.
        """
        source, id_ = await self._verified(source_id, headers, body, of_flags=False)
        async with self._once(source_id, id_):
            return await self._act(source, f"hook:{source_id}:{id_}", body)

    async def handle_flag(self, source_id: str, headers: Mapping[str, str], body: bytes) -> Flag:
        """Handle one call of a source that operators have added. Raises as ``handle``, and ``UnknownFlag``."""
        source, id_ = await self._verified(source_id, headers, body, of_flags=True)
        async with self._once(source_id, id_):
            return await self._set_flag(source, body)

    async def _verified(
        self, source_id: str, headers: Mapping[str, str], body: bytes, *, of_flags: bool
    ) -> tuple[WebhookSource, str]:
        """Return the source and the id of a call that it has signed."""
        source = await self._webhooks.source(source_id)
        if source is None or (source.chat_id == EVERYWHERE) != of_flags:
            raise BadSignature
        now = self._clock.now()
        return source, verify([source.secret] if source.secret else [], headers, body, now / 1000)

    @asynccontextmanager
    async def _once(self, source_id: str, id_: str) -> AsyncIterator[None]:
        """Let a call through once. Raises ``ReplayedCall``."""
        if not await self._seen.begin(source_id, id_):
            raise ReplayedCall
        try:
            yield
        except Rejected:
            raise
        except BaseException:
            await self._seen.forget(source_id, id_)
            raise

    async def _act(self, source: WebhookSource, command_id: str, body: bytes) -> Outcome:
        actor = _actor(source, Token(Role.HOST, frozenset({source.chat_id})))
        try:
            event = msgspec.json.decode(body, type=_Event)
            if event.type == OPEN:
                return await self._open(source, actor, msgspec.json.decode(event.data, type=OpenCall), command_id)
            if event.type == END:
                return await self._end(actor, msgspec.json.decode(event.data, type=EndCall), command_id)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadCall from None
        raise BadCall

    async def _set_flag(self, source: WebhookSource, body: bytes) -> Flag:
        try:
            event = msgspec.json.decode(body, type=_Event)
            if event.type != SET_FLAG:
                raise BadCall
            call = msgspec.json.decode(event.data, type=FlagCall)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadCall from None
        change = Change(
            percent=call.percent, on_chats=call.on_chats, off_chats=call.off_chats, reason=call.reason
        )  # fmt: skip
        return await self._flags.change(_actor(source, Token(Role.OPERATOR)), call.flag, change)

    async def _open(self, source: WebhookSource, actor: Actor, call: OpenCall, command_id: str) -> Outcome:
        if call.kind not in KINDS:
            raise BadCall
        rules: Any = await self._openings.rules(source.chat_id, call.kind)
        if not call.rules.keys() <= {*names_of(rules)}:
            raise BadCall
        try:
            rules = with_settings(rules, call.rules)
        except UnreadableSetting:
            raise BadCall from None
        return await self._openings.open_game(
            actor,
            ChatTopic(source.chat_id, source.topic_id),
            call.kind,
            call.title,
            rules,
            command_id=command_id,
            received=self._clock.now(),
        )

    async def _end(self, actor: Actor, call: EndCall, command_id: str) -> Outcome:
        state = (await self._engine.look(call.game_id)).state
        await self._access.authorise(actor, state, Needs.HOST)
        return await self._engine.execute(call.game_id, Cancel(actor.host.id, "host"), command_id=command_id)


def _actor(source: WebhookSource, token: Token) -> Actor:
    return Actor(source.created_by, source.description or source.id, token=token)
