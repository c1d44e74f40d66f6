"""The short form of a new game: three lines that say what is opened."""

from decimal import Decimal
from typing import Any

from fsm.kind import Kind
from handlers.views import lobby
from play.rules import names_of, setting
from play.texts import Markup, Texts


def short(kind: Kind[Any], rules: Any, title: str, texts: Texts, locale: str, note: Markup | None = None) -> Markup:
    """Render a title, a line of the kind with a note on the rules, the prizes, and the line about players.

    The kind's line is the text ``<slug>-form``, whose variables are the kind's settings.
    """
    values = {name: _value(rules, name, texts, locale) for name in names_of(rules)}
    lines = [
        texts.html(
            locale,
            "board-title",
            title=title or texts.plain(locale, f"{kind.slug}-name"),
            sign=Markup(texts.plain(locale, f"{kind.slug}-sign")),
        ),
        texts.html(locale, f"{kind.slug}-form", **values),
        note,
        _prizes(rules, texts, locale),
        lobby.conditions_html(rules, texts, locale),
        texts.html(locale, "form-players", **{name: values[name] for name in ("min_players", "join_seconds")}),
    ]
    return Markup("\n".join(line for line in lines if line))


def _prizes(rules: Any, texts: Texts, locale: str) -> Markup | None:
    """Render the prizes, or that there are none; None for kinds without prizes."""
    if not hasattr(rules, "prizes"):
        return None
    return lobby.prizes_html(rules, texts, locale) or texts.html(locale, "form-no-prize")


def _value(rules: Any, name: str, texts: Texts, locale: str) -> Any:
    """Return a setting as a variable of a text: a span of time, a whole number, or the setting's own text."""
    text = setting(rules, name)
    if name.endswith("_seconds"):
        return texts.duration(locale, int(Decimal(text) * 1000))
    return int(text) if text.isascii() and text.isdigit() else text
