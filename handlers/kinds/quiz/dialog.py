"""The quiz in the dialogs: a new one, rule by rule, and what quizzes of a chat begin with."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from aiogram.types import CallbackQuery
from aiogram_dialog import Dialog, DialogManager, LaunchMode, StartMode, Window
from aiogram_dialog.widgets.kbd import Button, Row, Start

from fsm import scoring
from fsm.pick_number import KIND as NUMBERS
from fsm.quiz import ACCURACY, KIND, NORMAL, QuizRules
from handlers.context import UpdateContext
from handlers.dialogs.form import PRESETS, TITLE, Form, cancel_button, close, instead
from handlers.dialogs.parts import GOOD, Given, Label, incoming_of
from handlers.dialogs.states import ChatSettings, NewGame, NewQuiz, QuizSettings
from handlers.kinds.quiz.view import category
from handlers.opening import create, settings_of, store_setting
from play.rules import ANY, BANK, NO, NONE, SEPARATOR, YES
from play.texts import Markup
from questions.bank import bank
from storage.questions import categories

QUIZ_PRESETS: Mapping[str, Sequence[str]] = {
    "mode": (NORMAL, ACCURACY),
    "questions": ("5", "10", "15", "20", "30"),
    "question_seconds": ("10", "15", "20", "30", "60"),
    "reveal_seconds": ("3", "5", "8", "10"),
    "min_players": ("1", "2", "3", "5", "10"),
    "difficulty": (ANY, *scoring.BASE),
    "topic": (NONE,),
    "polls": (NO, YES),
}
MOST_CATEGORIES = 20
"""Offered of a pack; the largest."""


class QuizForm(Form):
    """The form of the quiz's rules."""

    async def presets(self, manager: DialogManager, name: str) -> Sequence[str]:
        """What is offered: of packs the person's own, of categories those that the questions have."""
        if name == "pack":
            packs = await incoming_of(manager).deps.questions.packs(incoming_of(manager).person.id)
            return (BANK, *(str(pack.id) for pack in packs))
        if name == "categories":
            return (ANY, *await self._categories(manager))
        return QUIZ_PRESETS.get(name) or PRESETS[name]

    async def _categories(self, manager: DialogManager) -> list[str]:
        rules: QuizRules = await self.rules(manager)
        incoming = incoming_of(manager)
        if rules.pack is None:
            return list(categories(bank(incoming.locale)))
        found = await incoming.deps.questions.questions(rules.pack)
        return [name for name in categories(question for _, question in found) if name][:MOST_CATEGORIES]

    def chosen(self, rules: QuizRules, name: str, text: str) -> str:
        """A category is taken in, or out where it was in."""
        if name != "categories" or text == ANY:
            return text
        others = [each for each in rules.categories if each != text]
        return SEPARATOR.join(others if text in rules.categories else [*others, text]) or ANY

    async def shown(self, incoming: UpdateContext, name: str, text: str) -> str | Markup:
        """A value as people read it in a message."""
        if name == "pack" and text != BANK:
            pack = await incoming.deps.questions.pack(int(text), incoming.person.id)
            return pack.name if pack is not None else f"№ {text}"
        if name == "categories" and text != ANY:
            names = [_category(incoming, each) for each in text.split(SEPARATOR)]
            return incoming.deps.texts.listing(incoming.locale, names, len(names), budget=300)
        if name == "topic" and text != NONE:
            return text
        return self._shown(incoming, name, text) if name != "topic" else incoming.text("dlg-topic-none")

    async def on_button(self, incoming: UpdateContext, name: str, text: str, rules: QuizRules) -> str:
        """The same on a button; chosen categories are marked."""
        if name == "pack" and text != BANK:
            return str(await self.shown(incoming, name, text))
        if name == "categories" and text != ANY:
            known = f"quiz-category-{text}"
            label = (
                incoming.label(known) if incoming.deps.texts.has(known) else incoming.label("quiz-value", value=text)
            )
            return f"✓ {label}" if text in rules.categories else label
        return (
            incoming.label("dlg-topic-none") if name == "topic" else str(self._shown(incoming, name, text, button=True))
        )


def _category(incoming: UpdateContext, name: str) -> Markup:
    return category(incoming.deps.texts, incoming.locale, name, own=False)


NAMES = (
    "questions",
    "question_seconds",
    "mode",
    "pack",
    "categories",
    "difficulty",
    "topic",
    "polls",
    "winners",
    "prize_pool",
    "split",
    "percentages",
    "min_players",
    "max_players",
    "lobby_seconds",
    "join_seconds",
)


# -- a new quiz -------------------------------------------------------------------------------------------------


async def _load(manager: DialogManager) -> dict[str, str]:
    values = manager.dialog_data.setdefault("values", manager.start_data)
    return cast("dict[str, str]", values)


async def _save(manager: DialogManager, values: dict[str, str]) -> None:
    manager.dialog_data["values"] = values


FORM = QuizForm(KIND.name, NewQuiz.summary, NewQuiz.field, (TITLE, *NAMES), _load, _save)


async def _summary(dialog_manager: DialogManager, incoming: UpdateContext, **_: Any) -> dict[str, Any]:
    lines = await FORM.lines(dialog_manager)
    return {
        "html": "\n".join([incoming.text("dlg-newgame-quiz"), "", *lines]),
        "names": _offered(incoming, FORM),
    }


def _offered(incoming: UpdateContext, form: Form) -> list[tuple[str, str]]:
    """The settings; a topic where there is a model to write about it."""
    return [(name, label) for name, label in form.buttons(incoming) if name != "topic" or incoming.deps.writes]


async def _create(query: CallbackQuery, button: Any, manager: DialogManager) -> None:
    values = await _load(manager)
    if await create(incoming_of(manager), KIND.name, values.get(TITLE, ""), await FORM.rules(manager)):
        await close(query, button, manager)


def newquiz_dialog() -> Dialog:
    """The dialog of a new quiz."""
    return Dialog(
        Window(
            Given("html"),
            FORM.fields(),
            Button(Label("dlg-quiz-to-newgame"), id="numbers", on_click=instead(NUMBERS.name, NewGame.summary)),
            Row(Button(Label("dlg-newgame-create"), id="create", on_click=_create, style=GOOD), cancel_button()),
            state=NewQuiz.summary,
            getter=_summary,
        ),
        FORM.field_window(),
        launch_mode=LaunchMode.ROOT,
    )


# -- settings ---------------------------------------------------------------------------------------------------


async def _load_settings(manager: DialogManager) -> dict[str, str]:
    return dict((await settings_of(incoming_of(manager))).get(KIND.name, {}))


async def _save_settings(manager: DialogManager, values: dict[str, str]) -> None:
    await store_setting(incoming_of(manager), KIND.name, values)


SETTINGS = QuizForm(
    KIND.name,
    QuizSettings.summary,
    QuizSettings.field,
    (*(name for name in NAMES if name != "topic"), "reveal_seconds"),
    _load_settings,
    _save_settings,
)


async def _settings(dialog_manager: DialogManager, incoming: UpdateContext, **_: Any) -> dict[str, Any]:
    lines = await SETTINGS.lines(dialog_manager)
    return {
        "html": "\n".join([incoming.text("dlg-settings-quiz"), "", *lines]),
        "names": _offered(incoming, SETTINGS),
    }


async def _reset(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    await store_setting(incoming_of(manager), KIND.name, None)


def quiz_settings_dialog() -> Dialog:
    """The dialog of a chat's settings of quizzes."""
    return Dialog(
        Window(
            Given("html"),
            SETTINGS.fields(),
            Start(Label("dlg-back"), id="back", state=ChatSettings.summary, mode=StartMode.RESET_STACK),
            Row(Button(Label("dlg-reset"), id="reset", on_click=_reset), cancel_button()),
            state=QuizSettings.summary,
            getter=_settings,
        ),
        SETTINGS.field_window(),
        launch_mode=LaunchMode.ROOT,
    )
