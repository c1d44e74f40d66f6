"""``/admin``, the operators' dialog: health, live games, global bans, broadcasts, tokens, flags, the audit log."""

from html import escape
from typing import Any

from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram_dialog import Dialog, DialogManager, LaunchMode, StartMode, Window
from aiogram_dialog.widgets.input import TextInput
from aiogram_dialog.widgets.kbd import Button, Group, Row, Select, SwitchTo, Url

from fsm.kind import Rejected, UnknownGame
from fsm.lobby import Cancel
from handlers.commands.dashboard import dashboard_link
from handlers.context import UpdateContext
from handlers.dialogs.form import cancel_button
from handlers.dialogs.widgets import GOOD, GRAVE, Given, ItemLabel, Label, context_of, value_of
from handlers.kinds.registry import of_state
from handlers.views.times import moment
from play.access import Needs, Role
from play.bans import EVERYWHERE, CannotBan
from play.broadcasts import LONGEST, Broadcast, failures_html
from play.flags import BadFlagSetting, UnknownFlag
from play.numbers import HIGHEST_ID, Unreadable, amount, whole
from play.texts import Markup, units
from play.tokens import UnknownToken
from storage.audit import LAST_ID, AuditEntry
from storage.flags import Change
from storage.jobs import UNFINISHED

PAGE = 8
CASTS = 5
"""Number of broadcasts whose progress is shown."""
CAST_WORDS = 40
"""Number of characters of a broadcast that are shown."""
TARGET = 40
"""Number of characters of a target in the audit log that are shown."""
MOST_PAGES = 100
"""Number of pages of the audit log that can be turned back."""
WRITES = 12
"""Rows of the audit log on a page: with all fields at their longest they still fit a message."""
MOST_DAYS = 3650
"""Largest number of days after which a token expires."""


class Admin(StatesGroup):
    """The windows of ``/admin``."""

    needs = Needs.OPERATE

    menu = State()
    games = State()
    game = State()
    end = State()
    ban = State()
    cast = State()
    tokens = State()
    flags = State()
    sure = State()
    audit = State()
    dashboard = State()


# -- health -----------------------------------------------------------------------------------------------------


async def _menu(context: UpdateContext, dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    health = await context.deps.health()
    lines = [context.text("dlg-admin"), ""]
    lines += [context.text("dlg-admin-health", name=name, state=state) for name, state in health.items()]
    return {"html": "\n".join([*_note(dialog_manager), *lines]), "dashboard": bool(context.deps.dashboard_url)}


def _note(manager: DialogManager) -> list[str]:
    """Return the lines that report the last action, and remove the report, so that it is shown once."""
    note = manager.dialog_data.pop("note", None)
    return [note, ""] if note else []


async def _dashboard(context: UpdateContext, **_: Any) -> dict[str, Any]:
    """Return a new one-time link for the operator. Earlier ones count until they are used or too old."""
    return {"html": context.text("dlg-admin-dashboard"), "link": await dashboard_link(context)}


# -- live games -------------------------------------------------------------------------------------------------


async def _games(context: UpdateContext, dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    page = int(dialog_manager.dialog_data.get("page", 0))
    found = list(await context.deps.stores.archive.live_games(None, PAGE + 1, page * PAGE))
    lines = [context.text("dlg-admin-games"), ""]
    lines += [
        context.text(
            "cmd-games-line",
            title=context.title(game.title, game.kind),
            game=Markup(game.id),
            phase=game.status,
            count=game.players,
        )
        for game in found[:PAGE]
    ] or [context.text("dlg-none")]
    return {
        "html": "\n".join(lines),
        "games": [(game.id, game.id) for game in found[:PAGE]],
        "earlier": page > 0,
        "later": len(found) > PAGE,
    }


async def _earlier(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    manager.dialog_data["page"] = max(0, int(manager.dialog_data.get("page", 0)) - 1)


async def _later(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    manager.dialog_data["page"] = int(manager.dialog_data.get("page", 0)) + 1


async def _open_game(_: CallbackQuery, __: Any, manager: DialogManager, game_id: str) -> None:
    manager.dialog_data["game"] = game_id
    await manager.switch_to(Admin.game)


async def _game(context: UpdateContext, dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    game_id = str(dialog_manager.dialog_data["game"])
    try:
        outcome = await context.deps.play.engine.look(game_id)
    except UnknownGame as unknown:
        return {"html": context.deps.play.texts.refusal_html(context.locale, unknown), "live": False}
    state = outcome.state
    kind = of_state(state).kind
    lines = [
        *_note(dialog_manager),
        context.text("cmd-status", title=context.title_of(state), game=Markup(state.id), count=len(state.players)),
        context.phase(kind.name, state.phase),
        *([context.text("cmd-time-up", when=moment(ends))] if (ends := state.ends_at) is not None else []),
        context.text(
            "dlg-admin-game",
            kind=kind.name,
            chat=Markup(state.place.chat_id),
            topic=Markup(state.place.topic_id),
            host=state.host.name,
            version=outcome.version,
        ),
    ]
    return {"html": "\n".join(lines), "live": not kind.machine.is_final(state.phase)}


async def _end(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    context = context_of(manager)
    game_id = str(manager.dialog_data["game"])
    try:
        await context.deps.play.engine.execute(
            game_id,
            Cancel(context.person.id, "operator"),
            command_id=context.command_id,
            received=context.received,
        )
    except Rejected as refusal:
        manager.dialog_data["note"] = context.deps.play.texts.refusal_html(context.locale, refusal)
    else:
        manager.dialog_data["note"] = context.text("dlg-admin-ended")
    await manager.switch_to(Admin.game)


# -- bans -------------------------------------------------------------------------------------------------------


async def _bans(context: UpdateContext, dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    bans = await context.deps.stores.people.bans(0, PAGE)
    return {
        "html": "\n".join([*_note(dialog_manager), context.text("dlg-admin-ban")]),
        "banned": [
            (str(ban.player_id), context.label("dlg-admin-unban", name=ban.name or str(ban.player_id))) for ban in bans
        ],
    }


async def _ban(_: Message, __: Any, manager: DialogManager, text: str) -> None:
    context = context_of(manager)
    player, reason = (*text.strip().split(maxsplit=1), "", "")[:2]
    player_id = whole(player, HIGHEST_ID, 1)
    if player_id is None:
        manager.dialog_data["note"] = context.text("dlg-admin-ban-whom")
        return
    try:
        await context.deps.play.bans.ban(
            context.actor,
            EVERYWHERE,
            player_id,
            reason=reason,
            command_id=context.command_id,
            received=context.received,
        )
    except CannotBan:
        manager.dialog_data["note"] = context.text("dlg-admin-ban-whom")
    else:
        manager.dialog_data["note"] = context.text("dlg-admin-banned", player=player)


async def _unban(_: CallbackQuery, __: Any, manager: DialogManager, player: str) -> None:
    context = context_of(manager)
    player_id = whole(player, HIGHEST_ID, 1)
    if player_id is None:  # forged callback data
        return
    await context.deps.play.bans.unban(context.actor, EVERYWHERE, player_id)
    manager.dialog_data["note"] = context.text("dlg-admin-unbanned", player=player)


# -- tokens of the HTTP API -------------------------------------------------------------------------------------


async def _tokens(context: UpdateContext, dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    tokens = await context.deps.play.tokens.listed(PAGE)
    valid = [token for token in tokens if token.revoked_at is None]
    lines = [
        context.text(
            "dlg-admin-token",
            token=Markup(token.prefix),
            role=token.role,
            chats=Markup(", ".join(map(str, sorted(token.chats))) if token.chats is not None else "*"),
            name=token.name,
        )
        for token in valid
    ]
    return {
        "html": "\n".join([*_note(dialog_manager), context.text("dlg-admin-tokens"), *lines]),
        "tokens": [(token.prefix, context.label("dlg-admin-revoke", token=token.prefix)) for token in valid],
    }


async def _create_token(_: Message, __: Any, manager: DialogManager, text: str) -> None:
    """Make a token from a line ``role [chat ...] [days]``: a negative number is a chat, a positive one the days."""
    context = context_of(manager)
    role, *numbers = text.split()
    values = [whole(number.removeprefix("-"), HIGHEST_ID, 1) for number in numbers]
    chats = [-value for number, value in zip(numbers, values, strict=True) if value and number.startswith("-")]
    days = [value for number, value in zip(numbers, values, strict=True) if value and not number.startswith("-")]
    if role not in {each.value for each in Role} or None in values or len(days) > 1 or max(days, default=0) > MOST_DAYS:
        manager.dialog_data["note"] = context.text("dlg-admin-token-wrong")
        return
    token, _made = await context.deps.play.tokens.issue(
        Role(role), frozenset(chats) or None, days=days[0] if days else None, owner_id=context.person.id
    )
    manager.dialog_data["note"] = context.text("dlg-admin-token-made", token=Markup(token))


async def _revoke(_: CallbackQuery, __: Any, manager: DialogManager, prefix: str) -> None:
    context = context_of(manager)
    try:
        await context.deps.play.tokens.revoke(prefix)
    except UnknownToken as refusal:  # forged callback data
        manager.dialog_data["note"] = context.deps.play.texts.refusal_html(context.locale, refusal)
    else:
        manager.dialog_data["note"] = context.text("dlg-admin-token-revoked", token=Markup(prefix))


# -- feature flags ----------------------------------------------------------------------------------------------


async def _flags(context: UpdateContext, dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    flags = context.deps.play.flags.all()
    lines = [
        context.text(
            "dlg-admin-flag",
            flag=Markup(flag.name),
            percent=f"{flag.setting.percent:g}",
            about=context.text(f"flag-{flag.name}"),
            on=len(flag.setting.on_chats),
            off=len(flag.setting.off_chats),
        )
        for flag in flags
    ]
    how = context.text("dlg-admin-flags-how", example=Markup(flags[0].name))
    return {"html": "\n".join([*_note(dialog_manager), context.text("dlg-admin-flags"), *lines, "", how])}


async def _set_flag(_: Message, __: Any, manager: DialogManager, text: str) -> None:
    """Set a flag by a line ``flag percent``; without a percentage the operators' setting is taken back."""
    context = context_of(manager)
    flags, (name, percent) = context.deps.play.flags, (*text.split(maxsplit=1), "", "")[:2]
    try:
        if percent.strip():
            share = float(amount(percent.strip().removesuffix("%"), context.locale))
            flag = await flags.change(context.actor, name, Change(percent=share))
        else:
            flag = await flags.reset(context.actor, name)
    except (Unreadable, UnknownFlag, BadFlagSetting):
        manager.dialog_data["note"] = context.text("dlg-admin-flag-wrong")
    else:
        share_ = f"{flag.setting.percent:g}"
        manager.dialog_data["note"] = context.text("dlg-admin-flag-set", flag=Markup(name), percent=share_)


# -- broadcasts -------------------------------------------------------------------------------------------------


async def _cast(context: UpdateContext, dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    casts = await context.deps.play.broadcasts.page(context.actor, limit=CASTS)
    shown = [line for cast in casts for line in _cast_lines(context, cast)]
    stoppable = [cast for cast in casts if cast.job.status in UNFINISHED and not cast.job.cancelling]
    return {
        "html": "\n".join([*_note(dialog_manager), context.text("dlg-admin-cast"), *shown]),
        "casts": [(str(cast.job.id), context.label("dlg-admin-cast-stop", job=str(cast.job.id))) for cast in stoppable],
    }


def _cast_lines(context: UpdateContext, cast: Broadcast) -> list[str]:
    """Return the lines about a broadcast: its number, status, first words and progress."""
    stopping = cast.job.cancelling and cast.job.status in UNFINISHED
    first = cast.text.split("\n", 1)[0]
    line = context.text(
        "dlg-admin-cast-line",
        job=str(cast.job.id),
        status="stopping" if stopping else cast.job.status,
        text=first if len(first) <= CAST_WORDS else f"{first[:CAST_WORDS]}…",
        sent=cast.sent,
        total=cast.total,
        queued=cast.queued,
    )
    return ["", line, *failures_html(context.deps.play.texts, context.locale, cast)]


async def _stop_cast(_: CallbackQuery, __: Any, manager: DialogManager, job: str) -> None:
    context = context_of(manager)
    job_id = whole(job, HIGHEST_ID, 1)
    if job_id is None:  # forged callback data
        return
    try:
        await context.deps.play.broadcasts.cancel(context.actor, job_id)
    except Rejected as refusal:
        manager.dialog_data["note"] = context.deps.play.texts.refusal_html(context.locale, refusal)
    else:
        manager.dialog_data["note"] = context.text("dlg-admin-cast-stopping")


async def _word(_: Message, __: Any, manager: DialogManager, text: str) -> None:
    context = context_of(manager)
    if units(text) > LONGEST:
        manager.dialog_data["note"] = context.text("dlg-admin-cast-long", limit=LONGEST)
        return
    manager.dialog_data["word"] = text
    await manager.switch_to(Admin.sure)


async def _sure(context: UpdateContext, dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    return {"html": "\n\n".join([context.text("dlg-admin-cast-sure"), _body(dialog_manager.dialog_data["word"])])}


def _body(word: str) -> str:
    """Return the operator's text as HTML. `Texts` would join its lines, so it is only escaped."""
    return escape(word, quote=False)


async def _send(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    """Begin the broadcast. Its key is the dialog's id, so a second tap sends nothing twice."""
    context = context_of(manager)
    word = manager.dialog_data.pop("word", None)
    if word is not None:
        key = f"{context.person.id}:{manager.current_context().id}"
        await context.deps.play.broadcasts.begin(context.actor, word, key)
    manager.dialog_data["note"] = context.text("dlg-admin-cast-sent")
    await manager.switch_to(Admin.menu)


# -- the audit log ----------------------------------------------------------------------------------------------


async def _audit(context: UpdateContext, dialog_manager: DialogManager, **_: Any) -> dict[str, Any]:
    data = dialog_manager.dialog_data
    about, before = data.get("about"), list(data.get("before", []))
    # A person's id is positive, and the id of a group negative. A private chat has the id of its person.
    filters = {} if about is None else {"actor_id" if about > 0 else "chat_id": about}
    found = await context.deps.stores.audit.page(WRITES + 1, before[-1] if before else LAST_ID, **filters)
    shown = found[:WRITES]
    data["last"] = shown[-1].id if shown else 0
    heading = "dlg-admin-audit" if about is None else "dlg-admin-audit-of"
    lines = [_written(context, entry) for entry in shown] or [context.text("dlg-none")]
    args = {} if about is None else {"id": Markup(about)}
    return {
        "html": "\n".join([*_note(dialog_manager), context.text(heading, **args), "", *lines]),
        "newer": bool(before),
        "older": len(found) > WRITES,
    }


def _written(context: UpdateContext, entry: AuditEntry) -> str:
    """Return the line about a write."""
    return context.text(
        "dlg-admin-audit-line",
        when=moment(entry.at),
        actor=Markup(entry.actor_id) if entry.actor_id else entry.token or entry.face,
        action=entry.action,
        target=_short(entry.target),
        has="target" if entry.target else "none",
        chat=Markup(entry.chat_id or 0),
        where="chat" if entry.chat_id is not None and entry.chat_id != entry.actor_id else "none",
        outcome=entry.outcome,
        done="done" if entry.outcome == "done" else "refused",
    )


def _short(text: str) -> str:
    return text if len(text) <= TARGET else f"{text[:TARGET]}…"


async def _older_writes(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    data = manager.dialog_data
    data["before"] = [*data.get("before", []), data["last"]][-MOST_PAGES:]


async def _newer_writes(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    manager.dialog_data["before"] = list(manager.dialog_data.get("before", []))[:-1]


async def _filter_audit(_: Message, __: Any, manager: DialogManager, text: str) -> None:
    """Show the writes of a person or about a group, by the id that the text holds; 0 shows all again."""
    context, given = context_of(manager), text.strip().replace("\u2212", "-")
    value = whole(given.removeprefix("-"), HIGHEST_ID, 0)
    if value is None:
        manager.dialog_data["note"] = context.text("dlg-admin-audit-wrong")
        return
    manager.dialog_data["about"] = (-value if given.startswith("-") else value) or None
    manager.dialog_data["before"] = []


# -- the dialog -------------------------------------------------------------------------------------------------


def _to(text_id: str, state: State) -> SwitchTo:
    return SwitchTo(Label(text_id), id=f"to_{str(state.state).rpartition(':')[2]}", state=state)


def admin_dialog() -> Dialog:
    """Return the dialog with all windows of ``/admin``."""
    back = _to("dlg-back", Admin.menu)
    return Dialog(
        Window(
            Given("html"),
            Row(_to("dlg-admin-to-games", Admin.games), _to("dlg-admin-to-ban", Admin.ban)),
            Row(_to("dlg-admin-to-cast", Admin.cast), _to("dlg-admin-to-tokens", Admin.tokens)),
            Row(_to("dlg-admin-to-flags", Admin.flags), _to("dlg-admin-to-audit", Admin.audit)),
            SwitchTo(Label("dlg-admin-to-dashboard"), id="to_dashboard", state=Admin.dashboard, when="dashboard"),
            _to("dlg-admin-refresh", Admin.menu),
            cancel_button(),
            state=Admin.menu,
            getter=_menu,
        ),
        Window(
            Given("html"),
            Group(Select(ItemLabel(), id="game", item_id_getter=value_of, items="games", on_click=_open_game), width=2),
            Row(
                Button(Label("dlg-admin-games-earlier"), id="earlier", on_click=_earlier, when="earlier"),
                Button(Label("dlg-admin-games-later"), id="later", on_click=_later, when="later"),
            ),
            back,
            state=Admin.games,
            getter=_games,
        ),
        Window(
            Given("html"),
            SwitchTo(Label("dlg-admin-end"), id="end", state=Admin.end, when="live"),
            _to("dlg-back", Admin.games),
            state=Admin.game,
            getter=_game,
        ),
        Window(
            Label("dlg-admin-end-sure"),
            Row(Button(Label("dlg-admin-end"), id="end_now", on_click=_end, style=GRAVE), _to("dlg-back", Admin.game)),
            state=Admin.end,
        ),
        Window(
            Given("html"),
            Group(Select(ItemLabel(), id="unban", item_id_getter=value_of, items="banned", on_click=_unban), width=1),
            back,
            TextInput(id="whom", on_success=_ban),
            state=Admin.ban,
            getter=_bans,
        ),
        Window(
            Given("html"),
            Group(Select(ItemLabel(), id="revoke", item_id_getter=value_of, items="tokens", on_click=_revoke), width=1),
            back,
            TextInput(id="token", on_success=_create_token),
            state=Admin.tokens,
            getter=_tokens,
        ),
        Window(Given("html"), back, TextInput(id="flag", on_success=_set_flag), state=Admin.flags, getter=_flags),
        Window(
            Given("html"),
            Group(Select(ItemLabel(), id="stop", item_id_getter=value_of, items="casts", on_click=_stop_cast), width=1),
            Row(_to("dlg-admin-refresh", Admin.cast), back),
            TextInput(id="word", on_success=_word),
            state=Admin.cast,
            getter=_cast,
        ),
        Window(
            Given("html"),
            Row(
                Button(Label("dlg-admin-audit-newer"), id="newer", on_click=_newer_writes, when="newer"),
                Button(Label("dlg-admin-audit-older"), id="older", on_click=_older_writes, when="older"),
            ),
            Row(_to("dlg-admin-refresh", Admin.audit), back),
            TextInput(id="of", on_success=_filter_audit),
            state=Admin.audit,
            getter=_audit,
        ),
        Window(
            Given("html"),
            Url(Label("dlg-admin-dashboard-open"), Given("link")),
            back,
            state=Admin.dashboard,
            getter=_dashboard,
        ),
        Window(
            Given("html"),
            Row(Button(Label("dlg-admin-cast-send"), id="send", on_click=_send, style=GOOD), back),
            state=Admin.sure,
            getter=_sure,
        ),
        launch_mode=LaunchMode.ROOT,
    )


async def start_admin(_: UpdateContext, manager: DialogManager) -> None:
    """Handle ``/admin``: open the dialog."""
    await manager.start(Admin.menu, mode=StartMode.RESET_STACK)
