"""The choice of a language: in private for the person, in a group for the group, by a host."""

from handlers.context import UpdateContext
from handlers.views.message import Button
from play.access import Needs
from play.texts import Markup

CHOICE = "lang:"
"""Prefix of a choice's callback data; the locale follows."""


async def language(context: UpdateContext) -> None:
    """Handle ``/language [locale]``: store the locale, or offer all locales as buttons."""
    wanted = context.arguments.lower()
    if wanted:
        await speak(context, wanted)
        return
    buttons = [
        [Button(context.deps.play.texts.plain(locale, "cmd-language-name"), data=f"{CHOICE}{locale}")]
        for locale in context.deps.play.texts.LOCALES
    ]
    await context.answer(context.text("cmd-language-own" if context.private else "cmd-language-chat"), buttons)


async def speak(context: UpdateContext, locale: str) -> None:
    """Store the locale, and confirm it in its own language."""
    said = await choose_language(context, locale)
    await context.answer(said)


async def choose_language(context: UpdateContext, locale: str) -> Markup:
    """Store the locale of the person or group, and return a confirmation in its language.

    In a group this needs a host; raises ``NotAHost``. An unknown locale gives the text with all locales.
    """
    texts, people = context.deps.play.texts, context.deps.stores.people
    if locale not in texts.LOCALES:
        return context.text("cmd-usage-language", locales=", ".join(texts.LOCALES))
    if context.private:
        await people.set_player_locale(context.person.id, locale)
        return texts.html(locale, "cmd-language-own-set")
    await context.authorise(Needs.HOST)
    await people.saw_chat(context.chat_topic.chat_id, context.chat_type, context.chat_title)
    await people.set_chat_locale(context.chat_topic.chat_id, locale)
    return texts.html(locale, "cmd-language-chat-set")


async def tap(context: UpdateContext, data: str) -> None:
    """Handle a tap on the button of a language."""
    said = await choose_language(context, data.removeprefix(CHOICE))
    await context.edit(said)
    await context.toast()
