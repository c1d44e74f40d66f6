"""Templates: the settings of a game under a name, which hosts of a chat save. Every face opens games from them.

The settings of a template are complete: a later change of the chat's settings does not change them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fsm.kind import ChatTopic, Rejected
from fsm.lobby import check_title
from play.access import Access, Actor, Needs
from play.texts import tidy
from storage.templates import MOST_TEMPLATES, Template, Templates

MAX_NAME: Final = 32
"""Longest name of a template, in code points: what a button of a phone shows."""


@dataclass(unsafe_hash=True)
class BadName(Rejected):
    """The name of a template is empty or too long."""

    limit: int = MAX_NAME


@dataclass(unsafe_hash=True)
class NameTaken(Rejected):
    """Another template of the chat has the name."""


@dataclass(unsafe_hash=True)
class TooManyTemplates(Rejected):
    """The chat has as many templates as it may have."""

    limit: int = MOST_TEMPLATES


@dataclass(unsafe_hash=True)
class NoSuchTemplate(Rejected):
    """The chat has no such template any more."""


class GameTemplates:
    """Lists, saves, renames and deletes the templates of chats.

    Args:
        stored: the store of templates.
        access: authorises changes, which need a host.
    """

    def __init__(self, stored: Templates, access: Access) -> None:
        self._stored = stored
        self._access = access

    async def of_chat(self, actor: Actor, chat_id: int) -> list[Template]:
        """Return the templates of a chat, by name, for people who may open games there."""
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.OPEN)
        return await self._stored.of_chat(chat_id)

    async def one(self, actor: Actor, chat_id: int, template_id: int) -> Template:
        """Return one template of a chat. Raises ``NoSuchTemplate``."""
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.OPEN)
        found = await self._stored.one(chat_id, template_id)
        if found is None:
            raise NoSuchTemplate
        return found

    async def save(
        self, actor: Actor, chat_id: int, name: str, kind: str, title: str, settings: Mapping[str, str]
    ) -> int:
        """Save a template, over one of the same name if there is one, and return its id.

        Raises ``BadName``, ``BadTitle``, ``TooManyTemplates``, and the errors of ``Access.authorise``.
        """
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)
        saved = await self._stored.save(chat_id, _checked(name), kind, check_title(title), settings)
        if saved is None:
            raise TooManyTemplates
        return saved

    async def rename(self, actor: Actor, chat_id: int, template_id: int, name: str) -> None:
        """Rename a template. Raises ``BadName``, ``NameTaken``, and the errors of ``Access.authorise``."""
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)
        if not await self._stored.rename(chat_id, template_id, _checked(name)):
            raise NameTaken

    async def delete(self, actor: Actor, chat_id: int, template_id: int) -> None:
        """Delete a template, if it is there. Raises the errors of ``Access.authorise``."""
        await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)
        await self._stored.delete(chat_id, template_id)


def _checked(name: str) -> str:
    kept = tidy(name)
    if not name.strip() or len(kept) > MAX_NAME:
        raise BadName
    return kept
