"""``/privacy``: what is stored of a person is shown, exported and erased, in private alone."""

import msgspec

from handlers.context import UpdateContext
from handlers.limited_session import TooBusy
from handlers.views.message import Button

LINK = "privacy"
"""Payload of the deep link that opens ``/privacy`` in private."""
CHOICE = "priv:"
"""Prefix of callback data: ``priv:show``, ``priv:export``, ``priv:erase``, ``priv:sure``."""
WAIT_SECONDS = 3.0
FILE = "tombola-data.json"


async def privacy(context: UpdateContext) -> None:
    """Handle ``/privacy``: show what is stored of the person; in a group, offer a button that leads to private."""
    if context.private:
        await context.answer(await _summary(context), _buttons(context))
        return
    link = f"https://t.me/{context.deps.bot_username}?start={LINK}"
    await context.answer(context.text("privacy-in-private"), [[Button(context.label("privacy-go-private"), url=link)]])


async def tap(context: UpdateContext, data: str) -> None:
    """Handle a tap on a button of ``/privacy``. In groups there are none."""
    if not context.private:
        await context.toast(context.word("privacy-in-private"))
        return
    match data.removeprefix(CHOICE):
        case "export":
            await _export(context)
        case "erase":
            keyboard = [
                [Button(context.label("privacy-sure"), data=f"{CHOICE}sure", style="danger")],
                [Button(context.label("privacy-keep"), data=f"{CHOICE}show")],
            ]
            await context.edit(context.text("privacy-erase-sure"), keyboard)
        case "sure":
            await _erase(context)
        case _:
            await context.edit(await _summary(context), _buttons(context))
    await context.toast()


async def _summary(context: UpdateContext) -> str:
    counts = await context.deps.play.privacy.summary(context.person.id)
    lines = [context.text(f"privacy-{group}", count=count) for group, count in counts.items() if count]
    lines = lines or [context.text("privacy-nothing")]
    kept = [context.text("privacy-kept")]
    url = context.deps.play.privacy.policy_url
    if url:
        kept.append(context.text("privacy-policy", url=url))
    return "\n".join([context.text("privacy-title"), *lines, "", *kept])


def _buttons(context: UpdateContext) -> list[list[Button]]:
    return [
        [Button(context.label("privacy-export"), data=f"{CHOICE}export")],
        [Button(context.label("privacy-erase"), data=f"{CHOICE}erase", style="danger")],
    ]


async def _export(context: UpdateContext) -> None:
    """Send the person's data as a document. It does not go through the outbox, which would keep a copy for a day."""
    found = msgspec.json.format(msgspec.json.encode(await context.deps.play.privacy.export(context.person.id)))
    chat, telegram = context.chat_topic.chat_id, context.deps.telegram
    async with telegram.limits.room(chat, WAIT_SECONDS) as room:
        if not room:
            raise TooBusy
        caption = {"chat_id": chat, "caption": str(context.text("privacy-exported")), "parse_mode": "HTML"}
        await telegram.api.call("sendDocument", caption, files={"document": (FILE, found)})


async def _erase(context: UpdateContext) -> None:
    person = context.person.id
    await context.deps.play.privacy.erase(person, asked_by=person, locale=context.own_locale)
    await context.edit(context.text("privacy-erasing"))
