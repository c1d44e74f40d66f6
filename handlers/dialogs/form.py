"""The form for a game's rules: a window that lists the settings, and a window that changes one of them.

``/newgame`` uses it for one game, ``/settings`` for all games of a chat. The ``KindDialog`` of a kind lists the
settings that a form offers; a ``Form`` also loads and saves their values.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from aiogram.fsm.state import State, StatesGroup, StatesGroupMeta
from aiogram.types import CallbackQuery, Message
from aiogram_dialog import DialogManager, ShowMode, StartMode, Window
from aiogram_dialog.widgets.input import TextInput
from aiogram_dialog.widgets.kbd import Button, Select

from fsm import lobby, prizes
from fsm.kind import ChatTopic, Kind, Rejected
from handlers.context import UpdateContext
from handlers.dialogs.stack_validator import target_in
from handlers.dialogs.widgets import Fitting, Given, ItemLabel, Label, Paired, context_of, value_of
from handlers.kinds.registry import FACES
from play.access import Needs
from play.numbers import Ambiguous, Unreadable, written
from play.prizes import plain, read
from play.rules import AUTO, NO, NONE, PRIZE, YES, change, give, prize_of, rules_for, setting
from play.texts import Markup

TITLE = "title"
PRESETS: Mapping[str, Sequence[str]] = {
    TITLE: (),
    "winners": tuple(str(count) for count in range(1, prizes.MAX_WINNERS + 1)),
    PRIZE: ("-",),
    "split": (prizes.AUTO, prizes.EQUAL, prizes.PERCENTAGES),
    "percentages": (),
    "min_players": ("2", "3", "5", "10"),
    "max_players": ("10", "25", "50", "100", "500"),
    "lobby_seconds": ("300", "900", "1800", "3600"),
    "join_seconds": ("15", "30", "60", "120", "300"),
    "channel": (NONE,),
    "known_days": ("0", "1", "7", "30", "90"),
    "booster": (NO, YES),
    "premium": (NO, YES),
}
"""Setting -> the values that buttons offer, for settings that kinds share. Most can be typed as well."""
CONDITIONS = ("channel", "known_days", "booster", "premium")
"""The settings with the conditions to join."""
CHOSEN_ONLY = frozenset({"split", "booster", "premium"})
"""Settings in ``PRESETS`` whose values can only be chosen, not typed."""


TARGET, VALUES, NOTE, BACK = "target", "values", "note", "back"
"""Keys of a dialog's data: the chat and topic that it is about, the form's values, a remark, the window to go back to.

``TARGET`` is given at the start, and stays."""


class States(NamedTuple):
    """The states of a form's windows: ``summary`` shows it in short, ``all`` in full, ``field`` changes one setting."""

    summary: State
    all: State
    field: State
    name: State


def states(group: str, needs: Needs) -> States:
    """Make the states of a form's windows. ``group`` is part of their names, which are stored with open dialogs."""
    windows = States(State(), State(), State(), State())
    # The metaclass gives the states their names; the group itself is reached through them.
    StatesGroupMeta(group, (StatesGroup,), {**windows._asdict(), "needs": needs})
    return windows


def target_of(manager: DialogManager) -> ChatTopic:
    """Return the chat and topic that a dialog is about."""
    context = manager.current_context()
    place = target_in(context)
    assert place is not None
    return place


@dataclass(frozen=True, kw_only=True)
class KindDialog:
    """The settings of a kind that the dialogs offer, under their names in ``config.toml``.

    Attributes:
        kind: the kind of game.
        new_game: the settings of a new game, in the order of display.
        settings: the settings that a chat can fix for all its games, in the order of display.
        presets: setting of the kind -> the values that buttons offer.
        ready: name of a preset -> its settings; the text ``form-ready-<name>`` is its label.
        chosen_only: settings whose values can only be chosen, not typed.
        several: settings that take several values, chosen one after the other.
        form: a subclass of ``Form`` that offers or shows values differently; None for ``Form``.
    """

    kind: Kind[Any]
    new_game: tuple[str, ...]
    settings: tuple[str, ...]
    presets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ready: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    chosen_only: frozenset[str] = frozenset()
    several: frozenset[str] = frozenset()
    form: "type[Form] | None" = None


@dataclass(frozen=True)
class Form:
    """The form for one kind's rules in one dialog.

    Attributes:
        game: the kind and its settings.
        states: the states of the form's windows.
        names: the settings, in the order of display.
        load: returns the values that differ from the defaults, and the game's title if it has one.
        save: stores such values.
    """

    game: KindDialog
    states: States
    names: tuple[str, ...]
    load: Callable[[DialogManager], Awaitable[dict[str, str]]]
    save: Callable[[DialogManager, dict[str, str]], Awaitable[None]]

    async def rules(self, manager: DialogManager) -> Any:
        """Return the rules with the form's values applied to the defaults."""
        return rules_for(await self.load(manager), self.defaults(manager))

    async def buttons(self, manager: DialogManager) -> list[tuple[str, str]]:
        """Return the items of ``fields``: setting and label. The percentages are reached through the split."""
        context, rules = context_of(manager), await self.rules(manager)
        named = [
            (name, context.label(self._word(context, f"name-{name}")))
            for name in self.names
            if self.matters(context, rules, name)
        ]
        return [(name, label) for name, label in named if name != "percentages"]

    def defaults(self, manager: DialogManager) -> Any:
        """Return the kind's rules from the configuration."""
        return context_of(manager).deps.play.openings.defaults[self.game.kind.name]

    # -- hooks for subclasses -----------------------------------------------------------------------------------

    async def presets(self, manager: DialogManager, name: str) -> Sequence[str]:  # noqa: ARG002
        """Return the values that buttons offer for a setting."""
        return self.game.presets[name] if name in self.game.presets else PRESETS[name]

    def chosen(self, rules: Any, name: str, text: str) -> str:  # noqa: ARG002
        """Return the new value of a setting after a tap on the offered value ``text``."""
        return text

    async def shown(self, context: UpdateContext, name: str, text: str) -> str | Markup:
        """Render a value for a message."""
        return self._shown(context, name, text)

    async def remark(self, context: UpdateContext, rules: Any) -> Markup | None:  # noqa: ARG002
        """Render a line below the short form of the rules; None if it says enough."""
        return None

    async def on_button(self, context: UpdateContext, name: str, text: str, rules: Any) -> str:  # noqa: ARG002
        """Render a value for the button that offers it."""
        return str(self._shown(context, name, text, button=True))

    def matters(self, context: UpdateContext, rules: Any, name: str) -> bool:  # noqa: ARG002
        """Return whether a setting has an effect, given the others."""
        match name:
            case "split" | "percentages":
                by_percentages = name == "split" or rules.split == prizes.PERCENTAGES
                return bool(rules.prize_pool) and rules.winners > 1 and not rules.amounts and by_percentages
            case "beacon_policy":
                return rules.beacon is not None
            case "range_multiplier" | "max_number":
                return rules.numbers is None
            case _:
                return True

    # -- windows ------------------------------------------------------------------------------------------------

    def fields(self) -> Paired:
        """Return the buttons that open the window of each setting."""
        return Paired(Select(ItemLabel(), id="field", item_id_getter=value_of, items="names", on_click=self._open))

    def field_window(self) -> Window:
        """Return the window that changes one setting."""
        return Window(
            Given("html"),
            Fitting(Select(ItemLabel(), id="value", item_id_getter=value_of, items="presets", on_click=self._choose)),
            Button(Label("dlg-back"), id="back", on_click=self._back),
            TextInput(id="typed", on_success=self._typed),
            state=self.states.field,
            getter=self._field,
        )

    async def lines(self, manager: DialogManager) -> list[Markup]:
        """Render one line for each setting: its name and value."""
        context, values = context_of(manager), await self.load(manager)
        rules = rules_for(values, self.defaults(manager))
        found = [(name, self._current(context, values, rules, name)) for name in self.names]
        return [
            context.text(
                "dlg-line",
                name=context.text(self._word(context, f"name-{name}")),
                value=await self.shown(context, name, text),
            )
            for name, text in found
            if (text or name in {TITLE, PRIZE}) and self.matters(context, rules, name) and not _is_unset(name, text)
        ]

    def _current(self, context: UpdateContext, values: Mapping[str, str], rules: Any, name: str) -> str:
        """Return the value of a setting as a text."""
        if name == TITLE:
            return values.get(TITLE, "")
        if name == PRIZE:
            return plain(context.deps.play.texts, context.locale, prize_of(rules)) or "-"
        return setting(rules, name)

    def _only_chosen(self, name: str) -> bool:
        return name in CHOSEN_ONLY or name in self.game.chosen_only

    def _word(self, context: UpdateContext, what: str) -> str:
        """Return the id of a text: the kind's own if it exists, else the shared one."""
        own = f"dlg-{self.game.kind.slug}-{what}"
        return own if context.has_text(own) else f"dlg-{what}"

    def _shown(self, context: UpdateContext, name: str, text: str, *, button: bool = False) -> str | Markup:
        words = context.label if button else context.text
        texts, locale = context.deps.play.texts, context.locale
        if name == TITLE:
            return text or words(FACES[self.game.kind.name].title)
        if name == PRIZE:
            return words("dlg-prize-none") if text in {"", "-"} else text
        if name in {"channel", "known_days"} and text in {NONE, "0"}:
            return words("dlg-none")
        if name == "channel":
            return text
        if name == "known_days":
            return words("dlg-known_days", days=int(text))
        if name.endswith("_seconds"):
            return texts.duration(locale, int(Decimal(text) * 1000))
        if self._only_chosen(name) or text == AUTO:
            return words(self._word(context, f"{name}-{text}"))
        if name == "percentages":
            return " / ".join(f"{part} %" for part in text.split()) or words("dlg-none")
        return texts.number(locale, Decimal(text))

    async def _field(self, dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
        name = str(dialog_manager.dialog_data["field"])
        values = await self.load(dialog_manager)
        rules = rules_for(values, self.defaults(dialog_manager))
        current = self._current(context, values, rules, name)
        note = dialog_manager.dialog_data.get(NOTE)
        offered = await self.presets(dialog_manager, name)
        parts = [
            Markup(note) if note else None,
            context.text(
                "dlg-line",
                name=context.text(self._word(context, f"name-{name}")),
                value=await self.shown(context, name, current),
            ),
            context.text(self._word(context, f"about-{name}"), winners=getattr(rules, "winners", 0)),
            self._how(context, name, offered),
        ]
        labels = [(text, await self.on_button(context, name, text, rules)) for text in offered]
        presets = [
            (text, label if text != current or name in self.game.several else f"✓ {label}") for text, label in labels
        ]
        return {"html": "\n\n".join(part for part in parts if part), "presets": presets}

    def _how(self, context: UpdateContext, name: str, offered: Sequence[str]) -> Markup | None:
        """Render the hint about typing a value; None if the setting takes values from buttons only."""
        if self._only_chosen(name):
            return None
        return context.text("dlg-reply-with-it" if offered else "dlg-reply-only")

    # -- taps and texts -----------------------------------------------------------------------------------------

    async def _open(self, _: CallbackQuery, __: Any, manager: DialogManager, name: str) -> None:
        if name in self.names:
            await self.go_to(manager, name)

    async def go_to(self, manager: DialogManager, name: str) -> None:
        """Show the window that changes one setting."""
        here = manager.current_context().state
        if here != self.states.field:
            manager.dialog_data[BACK] = "all" if here == self.states.all else "summary"
        manager.dialog_data["field"] = name
        manager.dialog_data.pop(NOTE, None)
        await manager.switch_to(self.states.field)

    async def _back(self, _: CallbackQuery, __: Any, manager: DialogManager) -> None:
        await manager.switch_to(self._before(manager))

    def _before(self, manager: DialogManager) -> State:
        return self.states.all if manager.dialog_data.get(BACK) == "all" else self.states.summary

    async def _choose(self, _: CallbackQuery, __: Any, manager: DialogManager, text: str) -> None:
        name = str(manager.dialog_data["field"])
        if text not in await self.presets(manager, name):
            return
        if (name, text) == ("split", prizes.PERCENTAGES):
            await self.go_to(manager, "percentages")
        else:
            stays = name in self.game.several
            await self._set(manager, name, self.chosen(await self.rules(manager), name, text), stays=stays)

    async def _typed(self, _: Message, __: Any, manager: DialogManager, text: str) -> None:
        name = str(manager.dialog_data["field"])
        manager.show_mode = ShowMode.DELETE_AND_SEND  # below the message that was just written
        if not self._only_chosen(name):
            await self._set(manager, name, text.strip(), locale=context_of(manager).locale)

    async def _set(
        self, manager: DialogManager, name: str, text: str, *, stays: bool = False, locale: str | None = None
    ) -> None:
        """Save a value and return to the summary. If the value is invalid or ``stays`` is True, keep the window open.

        ``locale`` is the language of a typed value; None for a value from a button.
        """
        context = context_of(manager)
        try:
            values = await self.load(manager)
            if name == TITLE:
                changed = {**values, TITLE: lobby.check_title(text)}
            elif name == PRIZE:
                prize = read(context.deps.play.texts, locale or context.locale, text)
                changed = give(values, self.defaults(manager), prize)
            else:
                changed = change(values, self.defaults(manager), name, text, locale)
                if name in CONDITIONS:
                    rules, chat_id = rules_for(changed, self.defaults(manager)), target_of(manager).chat_id
                    await context.deps.play.access.check_readable(context.actor, chat_id, rules)
        except Ambiguous as doubt:
            # Only the number is written anew: the currency beside it must not be lost.
            low, high = (text.replace(str(doubt), written(each, context.locale)) for each in doubt.readings)
            manager.dialog_data[NOTE] = context.text("dlg-ambiguous", text=text, low=low, high=high)
        except Unreadable:
            manager.dialog_data[NOTE] = context.text("dlg-unreadable-prize" if name == PRIZE else "dlg-unreadable")
        except Rejected as refusal:
            manager.dialog_data[NOTE] = context.deps.play.texts.refusal_html(context.locale, refusal)
        else:
            await self.save(manager, changed)
            manager.dialog_data.pop(NOTE, None)
            if not stays:
                await manager.switch_to(self._before(manager))


def _is_unset(name: str, value: str) -> bool:
    """Return whether a setting is a condition to join that nobody has set. The form offers it by its button only."""
    return name in CONDITIONS and value in {NONE, "0", NO}


async def begin(manager: DialogManager, state: State, data: dict[str, Any] | None = None) -> None:
    """Open a dialog as a new message below the command, and delete the message of a dialog that was open before."""
    await manager.start(state, data=data, mode=StartMode.RESET_STACK, show_mode=ShowMode.DELETE_AND_SEND)


def cancel_button() -> Button:
    """Return the button that closes a dialog and deletes its message."""
    return Button(Label("dlg-close"), id="close", on_click=close)


async def close(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    """Close the dialog and delete its message."""
    await manager.done(show_mode=ShowMode.DELETE_AND_SEND)
