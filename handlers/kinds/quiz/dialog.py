"""The settings of the quiz in the dialogs."""

from collections.abc import Sequence
from typing import Any

from aiogram_dialog import DialogManager

from fsm import scoring
from fsm.quiz import ACCURACY, KIND, NORMAL, QuizRules
from handlers.context import UpdateContext
from handlers.dialogs.form import CONDITIONS, Form, KindDialog
from handlers.dialogs.widgets import context_of
from handlers.kinds.quiz.settings import QuizSection
from handlers.kinds.quiz.view import category
from play.rules import ANY, BANK, NO, NONE, SEPARATOR, YES
from play.texts import Markup
from questions.bank import bank
from storage.questions import categories

MOST_CATEGORIES = 20
"""Maximum number of categories that are offered of a pack: its largest ones."""


class QuizForm(Form):
    """The form for the quiz's rules, with values that depend on the host's packs."""

    async def presets(self, manager: DialogManager, name: str) -> Sequence[str]:
        """Return the offered values: for packs the person's own, for categories those of the chosen questions."""
        if name == "pack":
            packs = await context_of(manager).deps.stores.questions.packs(context_of(manager).person.id)
            return (BANK, *(str(pack.id) for pack in packs))
        if name == "categories":
            return (ANY, *await self._categories(manager))
        return await super().presets(manager, name)

    def matters(self, context: UpdateContext, rules: Any, name: str) -> bool:
        """Return whether a setting has an effect: a topic does if a model is configured."""
        return (name != "topic" or _writes(context)) and super().matters(context, rules, name)

    async def _categories(self, manager: DialogManager) -> list[str]:
        rules: QuizRules = await self.rules(manager)
        context = context_of(manager)
        if rules.pack is None:
            return list(categories(bank(context.locale)))
        found = await context.deps.stores.questions.questions(rules.pack)
        return [name for name in categories(question for _, question in found) if name][:MOST_CATEGORIES]

    def chosen(self, rules: QuizRules, name: str, text: str) -> str:
        """Return the new value of a setting after a tap. A tap on a category adds or removes it."""
        if name != "categories" or text == ANY:
            return text
        others = [each for each in rules.categories if each != text]
        return SEPARATOR.join(others if text in rules.categories else [*others, text]) or ANY

    async def shown(self, context: UpdateContext, name: str, text: str) -> str | Markup:
        """Render a value for a message."""
        if name == "pack" and text != BANK:
            pack = await context.deps.stores.questions.pack(int(text), context.person.id)
            return pack.name if pack is not None else f"№ {text}"
        if name == "categories" and text != ANY:
            names = [_category(context, each) for each in text.split(SEPARATOR)]
            return context.deps.play.texts.listing(context.locale, names, len(names), budget=300)
        if name == "topic" and text != NONE:
            return text
        return self._shown(context, name, text) if name != "topic" else context.text("dlg-topic-none")

    async def remark(self, context: UpdateContext, rules: QuizRules) -> Markup | None:
        """Name the chosen pack; None if the questions are those of the built-in bank."""
        if rules.pack is None:
            return None
        shown = await self.shown(context, "pack", str(rules.pack))
        return context.text("dlg-line", name=context.text("dlg-name-pack"), value=shown)

    async def on_button(self, context: UpdateContext, name: str, text: str, rules: QuizRules) -> str:
        """Render a value for a button, with a mark on chosen categories."""
        if name == "pack" and text != BANK:
            return str(await self.shown(context, name, text))
        if name == "categories" and text != ANY:
            known = f"quiz-category-{text}"
            label = context.label(known) if context.has_text(known) else context.label("quiz-value", value=text)
            return f"✓ {label}" if text in rules.categories else label
        return (
            context.label("dlg-topic-none") if name == "topic" else str(self._shown(context, name, text, button=True))
        )


def _writes(context: UpdateContext) -> bool:
    """Return whether a model is configured."""
    section = context.deps.sections.get(KIND.name)
    return isinstance(section, QuizSection) and bool(section.model.base_url)


def _category(context: UpdateContext, name: str) -> Markup:
    return category(context.deps.play.texts, context.locale, name, own=False)


NAMES = (
    "questions",
    "question_seconds",
    "mode",
    "pack",
    "categories",
    "difficulty",
    "topic",
    "polls",
    "late_join",
    "winners",
    "prize",
    "split",
    "percentages",
    "min_players",
    "max_players",
    "lobby_seconds",
    "join_seconds",
)

DIALOG = KindDialog(
    kind=KIND,
    new_game=(*NAMES, *CONDITIONS),
    settings=(*(name for name in NAMES if name != "topic"), "reveal_seconds", *CONDITIONS),
    presets={
        "mode": (NORMAL, ACCURACY),
        "questions": ("5", "10", "15", "20", "30"),
        "question_seconds": ("10", "15", "20", "30", "60"),
        "reveal_seconds": ("3", "5", "8", "10"),
        "min_players": ("1", "2", "3", "5", "10"),
        "difficulty": (ANY, *scoring.BASE),
        "topic": (NONE,),
        "polls": (NO, YES),
        "late_join": (YES, NO),
    },
    ready={
        "quick": {"questions": "5", "question_seconds": "15", "join_seconds": "20"},
        "quiz_night": {"questions": "20", "question_seconds": "20", "reveal_seconds": "8", "join_seconds": "120"},
    },
    chosen_only=frozenset({"mode", "difficulty", "categories", "pack", "polls", "late_join"}),
    several=frozenset({"categories"}),
    form=QuizForm,
)
