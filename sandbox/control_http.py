"""HTTP interface of the controls: `/sandbox/...` in JSON, a stream of changes, and the data of the page."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.control import Control, Refused
from sandbox.launch import launch_data
from sandbox.players import Players
from sandbox.render import poll_json
from sandbox.state import Chat, Json, Message, User

PAUSE = 0.05
PAGE = Path(__file__).parent / "page" / "index.html"
SHOWN_MESSAGES = 120
SHOWN_CALLS = 150


class Body:
    """JSON body of a request. Every getter raises Refused for a missing field or a wrong type."""

    def __init__(self, control: Control, fields: Json) -> None:
        self.control = control
        self.fields = fields

    def get(self, name: str, kind: type[Any], default: Any = ...) -> Any:
        """Return a field of one type. Without a default, a missing field is an error."""
        value = self.fields.get(name)
        if value is None:
            if default is ...:
                raise Refused(f"{name} is missing")
            return default
        if not isinstance(value, kind):
            raise Refused(f"{name} must be of type {kind.__name__}")
        return value

    def user(self, name: str = "user") -> User:
        """Return the person with the id in a field."""
        user = self.control.world.users.get(self.get(name, int))
        if user is None:
            raise Refused(f"no such {name}")
        return user

    def chat(self) -> Chat:
        """Return the chat of the request. A person's id stands for that person's chat with the bot."""
        chat_id = self.get("chat", int)
        world = self.control.world
        if chat_id in world.users:
            return world.private_chat(world.users[chat_id])
        if chat_id not in world.chats:
            raise Refused("no such chat")
        return world.chats[chat_id]

    def message(self) -> Message:
        """Return the message that `chat` and `message` or `ephemeral` identify."""
        chat = self.chat()
        ephemeral = self.get("ephemeral", int, None)
        message = chat.ephemeral.get(ephemeral) if ephemeral else chat.messages.get(self.get("message", int))
        if message is None:
            raise Refused("no such message")
        return message


def user_row(user: User) -> Json:
    """Return a person for the page's list."""
    row = {
        name: getattr(user, name) for name in ("id", "first_name", "username", "language_code", "simulated", "premium")
    }
    return row | {"name": user.name, "blocked": user.blocked, "started": user.started, "is_bot": user.is_bot}


def chat_row(chat: Chat) -> Json:
    """Return a group for the page's list."""
    members = {m.user_id: {"status": m.status, "anonymous": m.is_anonymous} for m in chat.members.values()}
    topics = [{"id": topic.id, "name": topic.name, "closed": topic.closed} for topic in chat.topics.values()]
    row = {
        name: getattr(chat, name) for name in ("id", "type", "title", "is_forum", "migrated_to", "pinned", "username")
    }
    return row | {"members": members, "topics": topics, "boosts": list(chat.boosts)}


def message_row(control: Control, viewer: User, message: Message) -> Json:
    """Return a message as the page shows it to one person."""
    sender = control.world.users[message.sender]
    poll = control.world.polls.get(message.poll_id or "")
    poll_row = None
    if poll:
        voted = viewer.id in poll.votes
        poll_row = poll_json(poll, for_voters=not voted or poll.hide_results) | {"mine": poll.votes.get(viewer.id)}
    return {
        "id": message.id,
        "ephemeral": message.ephemeral_id,
        "date": message.date,
        "from": sender.id,
        "name": "anonymous" if message.anonymous else sender.name,
        "anonymous": message.anonymous,
        "mine": sender.id == viewer.id,
        "thread": message.thread_id,
        "reply_to": message.reply_to,
        "edited": message.edit_date is not None,
        "content": message.content,
        "markup": message.markup,
        "poll": poll_row,
        "reactions": [r["emoji"] for reactions in message.reactions.values() for r in reactions],
    }


class ControlHttp:
    """Request handlers of the controls. A refusal is a 400 with `{"error": ...}`."""

    def __init__(self, control: Control, players: Players) -> None:
        self.control = control
        self.players = players
        self.verbs: dict[str, Callable[[Body], Awaitable[Any]]] = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }

    async def verb(self, request: Request) -> Response:
        """Serve POST /sandbox/<verb>. Accepts only JSON, which a foreign page cannot send without permission."""
        verb = self.verbs.get(request.path_params["verb"])
        if verb is None:
            return reply({"error": "no such verb", "known": sorted(self.verbs)}, 404)
        if not request.headers.get("content-type", "").startswith("application/json"):
            return reply({"error": "application/json only"}, 415)
        try:
            fields = msgspec.json.decode(await request.body() or b"{}", type=dict[str, Any])
            return reply(await verb(Body(self.control, fields)))
        except (Refused, ValueError, KeyError) as problem:
            return reply({"error": str(problem)}, 400)
        except TimeoutError:
            return reply({"error": "the bot has not answered"}, 504)

    async def do_launch(self, body: Body) -> Json:
        """Sign launch data, and return the address of the Mini App that a client would open. Takes user, start?."""
        world, user = self.control.world, body.user()
        if not world.app_url:
            raise Refused("the bot has no Mini App")
        start = body.get("start", str, "")
        fields = {
            "tgWebAppData": launch_data(user, world.token, int(world.now()), start),
            "tgWebAppVersion": "9.1",
            "tgWebAppPlatform": "weba",
        }
        return {"url": f"{world.app_url}#{urlencode(fields)}"}

    # People and chats

    async def do_user(self, body: Body) -> Json:
        """Create a person. Takes first_name, last_name?, username?, language?, chat? (to join)."""
        user = self.control.add_user(
            body.get("first_name", str),
            last_name=body.get("last_name", str, ""),
            username=body.get("username", str, ""),
            language=body.get("language", str, "en"),
        )
        if "chat" in body.fields:
            self.control.join(body.chat(), user)
        return user_row(user)

    async def do_players(self, body: Body) -> list[Json]:
        """Add simulated players. Takes chat, count?."""
        return [user_row(user) for user in self.players.add(body.chat(), body.get("count", int, 1))]

    async def do_group(self, body: Body) -> Json:
        """Create a group. Takes title, user (creator), members?, kind?, forum?, with_bot?, bot_admin?."""
        users = self.control.world.users
        chat = self.control.add_group(
            body.get("title", str),
            body.user(),
            [users[user_id] for user_id in body.get("members", list, [])],
            kind=body.get("kind", str, "group"),
            forum=body.get("forum", bool, False),
            with_bot=body.get("with_bot", bool, True),
            bot_admin=body.get("bot_admin", bool, False),
        )
        return chat_row(chat)

    async def do_member(self, body: Body) -> Json:
        """Change a member's status. Takes chat, user (also the bot's id), status, anonymous?, rights?, by?."""
        chat, user = body.chat(), body.user()
        changes: Json = {}
        if "anonymous" in body.fields:
            changes["is_anonymous"] = body.get("anonymous", bool)
        if "rights" in body.fields:
            changes["rights"] = body.get("rights", dict)
        by = body.user("by") if "by" in body.fields else None
        self.control.set_status(chat, user, body.get("status", str), by=by, **changes)
        return chat_row(chat)

    async def do_channel(self, body: Body) -> Json:
        """Create a public channel. Takes title, username, user (creator), bot_admin?."""
        title, username = body.get("title", str), body.get("username", str)
        return chat_row(
            self.control.add_channel(title, username, body.user(), bot_admin=body.get("bot_admin", bool, False))
        )

    async def do_boost(self, body: Body) -> Json:
        """Boost a chat, or end the boost. Takes chat, user, boosts?."""
        chat = body.chat()
        self.control.boost(chat, body.user(), boosts=body.get("boosts", bool, True))
        return chat_row(chat)

    async def do_premium(self, body: Body) -> Json:
        """Give a person Telegram Premium, or take it away. Takes user, premium?."""
        user = body.user()
        self.control.premium(user, premium=body.get("premium", bool, True))
        return user_row(user)

    async def do_migrate(self, body: Body) -> Json:
        """Turn a group into a supergroup. Takes chat, user."""
        return chat_row(self.control.migrate(body.chat(), body.user()))

    async def do_delete_group(self, body: Body) -> Json:
        """Delete a group. Takes chat."""
        self.control.delete_group(body.chat())
        return {}

    async def do_topic(self, body: Body) -> Json:
        """Create a topic, or close or reopen one. Takes chat, user, name; or thread and closed."""
        chat, user = body.chat(), body.user()
        if "thread" in body.fields:
            self.control.close_topic(chat, body.get("thread", int), user, closed=body.get("closed", bool, True))
            return {}
        return {"thread": self.control.add_topic(chat, body.get("name", str), user)}

    async def do_block(self, body: Body) -> Json:
        """Block or unblock the bot. Takes user, blocked?."""
        user = body.user()
        (self.control.block_bot if body.get("blocked", bool, True) else self.control.unblock_bot)(user)
        return user_row(user)

    async def do_language(self, body: Body) -> Json:
        """Change a person's language. Takes user, language."""
        user = body.user()
        user.language_code = body.get("language", str)
        self.control.world.changes.tell("user", user=user.id)
        return user_row(user)

    # Actions

    async def do_say(self, body: Body) -> Json:
        """Send a text. Takes user, chat, text, thread?, reply_to?."""
        message = self.control.say(
            body.user(),
            body.chat(),
            body.get("text", str),
            thread_id=body.get("thread", int, None),
            reply_to=body.get("reply_to", int, None),
        )
        return {"message": message.id, "ephemeral": message.ephemeral_id}

    async def do_start(self, body: Body) -> Json:
        """Start the bot in private. Takes user, payload?."""
        return {"message": self.control.start(body.user(), body.get("payload", str, "")).id}

    async def do_press(self, body: Body) -> Json:
        """Tap a button. Takes user, chat, message or ephemeral, data, wait? (seconds).

        With `wait`, returns the bot's answer.
        """
        press = self.control.press_data(body.user(), body.message(), body.get("data", str))
        if wait := body.get("wait", int | float, 0):  # type: ignore[arg-type]
            return asdict(await press.answer(wait))
        return {"query": press.query.id}

    async def do_upload(self, body: Body) -> Json:
        """Send a document. Takes user, chat, name, content (base64), mime?, caption?."""
        message = self.control.upload(
            body.user(),
            body.chat(),
            body.get("name", str),
            base64.b64decode(body.get("content", str)),
            mime=body.get("mime", str, "application/octet-stream"),
            caption=body.get("caption", str, ""),
        )
        return {"message": message.id}

    async def do_vote(self, body: Body) -> Json:
        """Vote in a poll. Takes user, chat, message, options."""
        self.control.vote(body.user(), body.message(), *body.get("options", list))
        return {}

    # Faults

    async def do_fault(self, body: Body) -> Json:
        """Schedule faults, or clear them. Takes kind, times?, method?, seconds?; or clear."""
        if body.get("clear", bool, False):
            self.control.world.faults.clear()
            return {}
        times, method = body.get("times", int, 1), body.get("method", str, "")
        self.control.fail(body.get("kind", str), times, method=method, seconds=body.get("seconds", int | float, 1))  # type: ignore[arg-type]
        return {}

    async def do_delivery(self, body: Body) -> Json:
        """Disturb delivery.

        Takes duplicates? (updates to deliver twice), reorder? (batches to deliver out of order).
        """
        self.control.duplicate_updates(body.get("duplicates", int, 0))
        self.control.reorder_updates(body.get("reorder", int, 0))
        return {}

    async def do_limits(self, body: Body) -> Json:
        """Switch Telegram's sending limits. Takes enabled."""
        self.control.world.limits.enabled = body.get("enabled", bool)
        return {}

    async def do_clock_turned(self, _: Body) -> Json:
        """Announce that the injected clock was moved."""
        self.control.clock_turned()
        return {}

    # Views

    async def state(self, request: Request) -> Response:
        """Serve GET /sandbox/state: people, groups, the bot."""
        world = self.control.world
        groups = [chat_row(chat) for chat in world.chats.values() if chat.is_group and not chat.deleted]
        return reply(
            {
                "bot": user_row(world.bot),
                "languages": self.control.languages(),
                "users": [user_row(user) for user in world.users.values() if not user.is_bot],
                "groups": groups,
                "now": world.now(),
                "api": str(request.base_url).rstrip("/"),
                "token": world.token,
                "app": world.app_url,
            }
        )

    async def view(self, request: Request) -> Response:
        """Serve GET /sandbox/view?user&chat: the chat as one person sees it, with that person's command menu."""
        try:
            body = Body(self.control, {name: int(value) for name, value in request.query_params.items()})
            user, chat = body.user(), body.chat()
        except (Refused, ValueError) as problem:
            return reply({"error": str(problem)}, 400)
        world = self.control.world
        messages = self.control.messages(user, chat)[-SHOWN_MESSAGES:]
        pinned = chat.messages.get(chat.pinned[-1]) if chat.pinned else None
        description = world.profile.descriptions.get(user.language_code) or world.profile.descriptions.get("", "")
        return reply(
            {
                "messages": [message_row(self.control, user, message) for message in messages],
                "commands": self.control.commands(user, chat),
                "typing": chat.typing_until > world.now(),
                "pinned": message_row(self.control, user, pinned) if pinned else None,
                "description": description,
                "bot_present": not chat.is_group or world.member(chat, world.bot_id).is_present,
                "now": world.now(),
            }
        )

    async def seen(self, _: Request) -> Response:
        """Serve GET /sandbox/seen: the last calls, violations and counters."""
        world = self.control.world
        calls = [asdict(call) for call in list(world.calls)[-SHOWN_CALLS:]]
        violations = [asdict(violation) for violation in world.violations]
        return reply({"calls": calls, "violations": violations, "statistics": self.control.statistics()})

    async def file(self, request: Request) -> Response:
        """Serve GET /sandbox/file/<id> as a download, so that no uploaded script runs in the page."""
        file = self.control.world.files.get(request.path_params["file_id"])
        if file is None:
            return reply({"error": "no such file"}, 404)
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        media = file.mime if file.kind == "photo" else "application/octet-stream"
        return Response(file.content, media_type=media, headers=headers)

    async def events(self, _: Request) -> Response:
        """Serve GET /sandbox/events: server-sent events, each a JSON array of changes."""

        async def lines() -> AsyncIterator[bytes]:
            yield b": welcome\n\n"
            async for batch in self.control.world.changes.stream(PAUSE):
                yield b"data: " + msgspec.json.encode(batch) + b"\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def reply(content: Any, status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


async def page(request: Request) -> Response:
    """Serve the page, whose security policy allows only its own scripts, and frames of the bot's Mini App."""
    app = urlsplit(request.app.state.world.app_url)
    anywhere = app.hostname in {"0.0.0.0", "::"}  # noqa: S104 -- compared, not listened on
    host = f"{request.url.hostname}:{app.port}" if anywhere else app.netloc
    frames = f"; frame-src {app.scheme}://{host}" if host else ""
    policy = f"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'{frames}"
    return FileResponse(PAGE, headers={"Cache-Control": "no-store", "Content-Security-Policy": policy})


def control_routes(control: Control, players: Players) -> list[Route]:
    """Return the routes to mount under `/sandbox`."""
    http = ControlHttp(control, players)
    return [
        Route("/state", http.state),
        Route("/view", http.view),
        Route("/seen", http.seen),
        Route("/events", http.events),
        Route("/file/{file_id}", http.file),
        Route("/{verb}", http.verb, methods=["POST"]),
    ]
