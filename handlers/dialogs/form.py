"""The form of a game's rules: a window that lists them, and one that changes the chosen one.

``/newgame`` fills it in for one game, ``/settings`` for all games of a chat. A kind says in its ``KindDialog`` which
rules a form offers; a ``Form`` also knows where the values are kept.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from aiogram.fsm.state import State, StatesGroup, StatesGroupMeta
from aiogram.types import CallbackQuery, Message
from aiogram_dialog import DialogManager, ShowMode, StartMode, Window
from aiogram_dialog.widgets.input import TextInput
from aiogram_dialog.widgets.kbd import Button, Group, Select, SwitchTo

from fsm import lobby, prizes
from fsm.kind import Kind, Rejected
from handlers.context import UpdateContext
from handlers.dialogs.parts import Fitting, Given, ItemLabel, Label, incoming_of, value_of
from handlers.kinds.registry import FACES
from play.access import Needs
from play.numbers import Ambiguous, Unreadable, written
from play.rules import AUTO, change, rules_for, setting
from play.texts import Markup

TITLE = "title"
PRESETS: Mapping[str, Sequence[str]] = {
    TITLE: (),
    "winners": tuple(str(count) for count in range(1, prizes.MAX_WINNERS + 1)),
    "prize_pool": ("0", "10", "50", "100", "500", "1000"),
    "split": (prizes.AUTO, prizes.EQUAL, prizes.PERCENTAGES),
    "percentages": (),
    "min_players": ("2", "3", "5", "10"),
    "max_players": ("10", "25", "50", "100", "500"),
    "lobby_seconds": ("300", "900", "1800", "3600"),
    "join_seconds": ("15", "30", "60", "120", "300"),
}
"""The values offered for the settings of every kind that has them; most can be typed as well."""
CHOSEN_ONLY = frozenset({"split"})
"""Those of them that can't be typed."""


class States(NamedTuple):
    """The windows of a form: the list of the settings, and the one that changes a setting."""

    summary: State
    field: State


def states(group: str, needs: Needs) -> States:
    """Make the states of a form's windows; ``group`` begins their names, under which open dialogs are kept."""
    summary, field = State(), State()
    StatesGroupMeta(group, (StatesGroup,), {"summary": summary, "field": field, "needs": needs})  # names the two
    return States(summary, field)


@dataclass(frozen=True, kw_only=True)
class KindDialog:
    """The rules of a kind that the dialogs offer. Names are those of ``config.toml``.

    Attributes:
        kind: of game.
        new_game: the settings of a new game, in order.
        settings: the settings that a chat can give to all its games, in order.
        presets: the values offered for each of the kind's own settings.
        chosen_only: settings that have no other values than those offered.
        several: settings of which several values can be chosen, one after the other.
        form: the kind's own ``Form``, if values are offered or shown in a way of their own.
    """

    kind: Kind[Any]
    new_game: tuple[str, ...]
    settings: tuple[str, ...]
    presets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    chosen_only: frozenset[str] = frozenset()
    several: frozenset[str] = frozenset()
    form: "type[Form] | None" = None


@dataclass(frozen=True)
class Form:
    """The form of one kind's rules, in one place.

    Attributes:
        game: the kind, and the rules that it offers.
        states: the windows.
        names: the settings, in order.
        load: gives the values that differ from the defaults, and the game's title if it has one.
        save: keeps them.
    """

    game: KindDialog
    states: States
    names: tuple[str, ...]
    load: Callable[[DialogManager], Awaitable[dict[str, str]]]
    save: Callable[[DialogManager, dict[str, str]], Awaitable[None]]

    async def rules(self, manager: DialogManager) -> Any:
        """The rules as they are filled in."""
        return rules_for(await self.load(manager), self.defaults(manager))

    def defaults(self, manager: DialogManager) -> Any:
        """What the configuration says."""
        return incoming_of(manager).deps.openings.defaults[self.game.kind.name]

    # -- what a kind may see otherwise --------------------------------------------------------------------------

    async def presets(self, manager: DialogManager, name: str) -> Sequence[str]:  # noqa: ARG002
        """Return the values offered for a setting."""
        return self.game.presets[name] if name in self.game.presets else PRESETS[name]

    def chosen(self, rules: Any, name: str, text: str) -> str:  # noqa: ARG002
        """The value that tapping an offered one comes to."""
        return text

    async def shown(self, context: UpdateContext, name: str, text: str) -> str | Markup:
        """A value as people read it in a message."""
        return self._shown(context, name, text)

    async def on_button(self, context: UpdateContext, name: str, text: str, rules: Any) -> str:  # noqa: ARG002
        """The same on a button that offers it."""
        return str(self._shown(context, name, text, button=True))

    # -- windows ------------------------------------------------------------------------------------------------

    def fields(self) -> Group:
        """The buttons that lead to each setting."""
        return Group(
            Select(ItemLabel(), id="field", item_id_getter=value_of, items="names", on_click=self._open),
            width=2,
        )

    def field_window(self) -> Window:
        """The window that changes one setting."""
        return Window(
            Given("html"),
            Fitting(Select(ItemLabel(), id="value", item_id_getter=value_of, items="presets", on_click=self._choose)),
            SwitchTo(Label("dlg-back"), id="back", state=self.states.summary),
            TextInput(id="typed", on_success=self._typed),
            state=self.states.field,
            getter=self._field,
        )

    async def lines(self, manager: DialogManager) -> list[Markup]:
        """One line a setting: its name and value."""
        context, values = incoming_of(manager), await self.load(manager)
        rules = rules_for(values, self.defaults(manager))
        found = [(name, values.get(TITLE, "") if name == TITLE else setting(rules, name)) for name in self.names]
        return [
            context.text(
                "dlg-line",
                name=context.text(self._word(context, f"name-{name}")),
                value=await self.shown(context, name, text),
            )
            for name, text in found
            if text or name == TITLE
        ]

    def buttons(self, context: UpdateContext) -> list[tuple[str, str]]:
        """The items of ``fields``."""
        named = [(name, context.label(self._word(context, f"name-{name}"))) for name in self.names]
        return [(name, label) for name, label in named if name != "percentages"]

    def _only_chosen(self, name: str) -> bool:
        return name in CHOSEN_ONLY or name in self.game.chosen_only

    def _word(self, context: UpdateContext, what: str) -> str:
        """The id of a text: the kind's own where it has one."""
        own = f"dlg-{self.game.kind.slug}-{what}"
        return own if context.deps.texts.has(own) else f"dlg-{what}"

    def _shown(self, context: UpdateContext, name: str, text: str, *, button: bool = False) -> str | Markup:
        words = context.label if button else context.text
        texts, locale = context.deps.texts, context.locale
        if name == TITLE:
            return text or words(FACES[self.game.kind.name].title)
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
        current = values.get(TITLE, "") if name == TITLE else setting(rules, name)
        note = dialog_manager.dialog_data.get("note")
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
        """How a value is given, where not by the buttons alone."""
        if self._only_chosen(name):
            return None
        return context.text("dlg-reply-with-it" if offered else "dlg-reply-only")

    # -- taps and texts -----------------------------------------------------------------------------------------

    async def _open(self, _: CallbackQuery, __: Any, manager: DialogManager, name: str) -> None:
        if name in self.names:
            await _go_to(manager, self.states.field, name)

    async def _choose(self, _: CallbackQuery, __: Any, manager: DialogManager, text: str) -> None:
        name = str(manager.dialog_data["field"])
        if text not in await self.presets(manager, name):
            return
        if (name, text) == ("split", prizes.PERCENTAGES):
            await _go_to(manager, self.states.field, "percentages")
        else:
            stays = name in self.game.several
            await self._set(manager, name, self.chosen(await self.rules(manager), name, text), stays=stays)

    async def _typed(self, _: Message, __: Any, manager: DialogManager, text: str) -> None:
        name = str(manager.dialog_data["field"])
        if not self._only_chosen(name):
            await self._set(manager, name, text.strip(), locale=incoming_of(manager).locale)

    async def _set(
        self, manager: DialogManager, name: str, text: str, *, stays: bool = False, locale: str | None = None
    ) -> None:
        """Keep the value and go back to the list; or stay, where there is more to choose or something is wrong.

        ``locale`` is the language of a value that was typed; a value from a button has none.
        """
        context = incoming_of(manager)
        try:
            values = await self.load(manager)
            if name == TITLE:
                changed = {**values, TITLE: lobby.check_title(text)}
            else:
                changed = change(values, self.defaults(manager), name, text, locale)
        except Ambiguous as doubt:
            low, high = (written(each, context.locale) for each in doubt.readings)
            manager.dialog_data["note"] = context.text("dlg-ambiguous", text=text, low=Markup(low), high=Markup(high))
        except Unreadable:
            manager.dialog_data["note"] = context.text("dlg-unreadable")
        except Rejected as refusal:
            manager.dialog_data["note"] = context.deps.texts.refusal_html(context.locale, refusal)
        else:
            await self.save(manager, changed)
            manager.dialog_data.pop("note", None)
            if not stays:
                await manager.switch_to(self.states.summary, show_mode=ShowMode.EDIT)


async def _go_to(manager: DialogManager, state: State, name: str) -> None:
    manager.dialog_data["field"] = name
    manager.dialog_data.pop("note", None)
    await manager.switch_to(state)


async def begin(manager: DialogManager, state: State, data: dict[str, str] | None = None) -> None:
    """Open a dialog below the command that asked for it; one that was open before, far up by now, goes."""
    await manager.start(state, data=data, mode=StartMode.RESET_STACK, show_mode=ShowMode.DELETE_AND_SEND)


def cancel_button() -> Button:
    """The button that closes a dialog and takes its message away."""
    return Button(Label("dlg-close"), id="close", on_click=close)


async def close(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    """Close the dialog and delete its message."""
    await manager.done(show_mode=ShowMode.DELETE_AND_SEND)
