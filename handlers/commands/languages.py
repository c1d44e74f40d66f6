"""Languages: one's own in private, the group's by a host in a group."""

from handlers.commands.finding import host_only
from handlers.context import UpdateContext
from handlers.views.message import Button
from play.texts import Markup

CHOICE = "lang:"
"""Callback data of a choice: this and the locale."""


async def language(incoming: UpdateContext) -> None:
    """Choose a language: one's own in private, the group's by a host in a group."""
    wanted = incoming.arguments.lower()
    if wanted:
        await speak(incoming, wanted)
        return
    buttons = [
        [Button(incoming.deps.texts.plain(locale, "cmd-language-name"), data=f"{CHOICE}{locale}")]
        for locale in incoming.deps.texts.LOCALES
    ]
    await incoming.answer(incoming.text("cmd-language-own" if incoming.private else "cmd-language-chat"), buttons)


async def speak(incoming: UpdateContext, locale: str) -> None:
    """Store the language chosen, and say so in it."""
    said = await choose_language(incoming, locale)
    await incoming.answer(said)


async def choose_language(incoming: UpdateContext, locale: str) -> Markup:
    """Store the language; the confirmation, in it. Raises ``NotAHost``."""
    texts, people = incoming.deps.texts, incoming.deps.people
    if locale not in texts.LOCALES:
        return incoming.text("cmd-usage-language", locales=", ".join(texts.LOCALES))
    if incoming.private:
        await people.set_player_locale(incoming.person.id, locale)
        return texts.html(locale, "cmd-language-own-set")
    await host_only(incoming)
    await people.saw_chat(incoming.place.chat_id, incoming.chat_type, incoming.chat_title)
    await people.set_chat_locale(incoming.place.chat_id, locale)
    return texts.html(locale, "cmd-language-chat-set")


async def tap(incoming: UpdateContext, data: str) -> None:
    """A language was chosen by its button."""
    said = await choose_language(incoming, data.removeprefix(CHOICE))
    await incoming.edit(said)
    await incoming.toast()
