"""Languages: one's own in private, the group's by a host in a group."""

from handlers.context import UpdateContext
from handlers.views.message import Button
from play.access import Needs
from play.texts import Markup

CHOICE = "lang:"
"""Callback data of a choice: this and the locale."""


async def language(context: UpdateContext) -> None:
    """Choose a language: one's own in private, the group's by a host in a group."""
    wanted = context.arguments.lower()
    if wanted:
        await speak(context, wanted)
        return
    buttons = [
        [Button(context.deps.texts.plain(locale, "cmd-language-name"), data=f"{CHOICE}{locale}")]
        for locale in context.deps.texts.LOCALES
    ]
    await context.answer(context.text("cmd-language-own" if context.private else "cmd-language-chat"), buttons)


async def speak(context: UpdateContext, locale: str) -> None:
    """Store the language chosen, and say so in it."""
    said = await choose_language(context, locale)
    await context.answer(said)


async def choose_language(context: UpdateContext, locale: str) -> Markup:
    """Store the language, and return the confirmation in it. In a group only a host may. Raises ``NotAHost``."""
    texts, people = context.deps.texts, context.deps.people
    if locale not in texts.LOCALES:
        return context.text("cmd-usage-language", locales=", ".join(texts.LOCALES))
    if context.private:
        await people.set_player_locale(context.person.id, locale)
        return texts.html(locale, "cmd-language-own-set")
    await context.authorise(Needs.HOST)
    await people.saw_chat(context.place.chat_id, context.chat_type, context.chat_title)
    await people.set_chat_locale(context.place.chat_id, locale)
    return texts.html(locale, "cmd-language-chat-set")


async def tap(context: UpdateContext, data: str) -> None:
    """A language was chosen by its button."""
    said = await choose_language(context, data.removeprefix(CHOICE))
    await context.edit(said)
    await context.toast()
