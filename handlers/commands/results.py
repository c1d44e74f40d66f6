"""The results of a group as a spreadsheet, which the group's hosts get in private."""

from fsm.kind import ChatTopic
from handlers.context import UpdateContext
from handlers.kinds.registry import FACES
from handlers.limited_session import TooBusy
from play.access import Needs
from play.exports import hosts_file
from play.numbers import HIGHEST_ID, whole

LINK = "csv_"
"""Prefix of the deep link's payload: ``csv_<chat>``. The bot may write to nobody who has not started it, so that the
button leads to private for everybody."""
WAIT_SECONDS = 3.0
FILE = "tombola-results.csv"


def link(context: UpdateContext) -> str:
    """Return the link by which a host of this group gets its results in private."""
    return f"https://t.me/{context.deps.bot_username}?start={LINK}{context.chat_topic.chat_id}"


async def send(context: UpdateContext) -> None:
    """Handle the link: send the results of the group to its host.

    The document does not go through the outbox, which would keep a copy for a day. Raises ``TooBusy`` and the refusals
    of `Access`.
    """
    digits = whole(context.arguments.removeprefix(LINK).removeprefix("-"), HIGHEST_ID, 1)
    if digits is None:
        await context.reply("dlg-stale")
        return
    group = ChatTopic(-digits)
    await context.authorise(Needs.HOST, group)
    play, telegram, chat = context.deps.play, context.deps.telegram, context.chat_topic.chat_id
    async with telegram.limits.room(chat, WAIT_SECONDS) as room:
        if not room:
            raise TooBusy
        found = await hosts_file(
            context.deps.stores.archive.uncached,
            group.chat_id,
            at=context.received,
            texts=play.texts,
            locale=context.locale,
            zone=await play.recurring.zone(group.chat_id),
            kinds={name: context.label(face.title) for name, face in FACES.items()},
        )
        if not found.rows:
            await context.reply("results-none")
            return
        caption = context.text("results-year" if found.complete else "results-newest", rows=found.rows)
        params = {"chat_id": chat, "caption": str(caption), "parse_mode": "HTML"}
        await telegram.api.call("sendDocument", params, files={"document": (FILE, found.content)})
