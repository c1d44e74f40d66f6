"""Chats whose games anybody may look at in a browser, because an administrator of the chat has allowed it.

The address of such a chat is its id, encrypted. It stays the same while the setting is switched off and on again, and
nobody can make the address of another chat from it.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from play.rules import NO, YES
from storage.people import Chat, People

PUBLIC: Final = "public"
"""Name of the chat setting that allows public pages: ``YES`` or ``NO``, the default."""
INDEXED: Final = "indexed"
"""Name of the chat setting that lets search engines list those pages: ``YES`` or ``NO``, the default."""
VISIBILITY: Final = (PUBLIC, INDEXED)
ID_BYTES: Final = 8
TAG_BYTES: Final = 16


def is_on(settings: Mapping[str, Any], name: str) -> bool:
    """Return whether a chat has switched one of the settings in ``VISIBILITY`` on."""
    return bool(settings.get(name, NO) == YES)


class PublicChats:
    """Makes and reads the addresses of public chats, and decides which chats are public.

    Args:
        people: the settings of chats.
        key: returns the secret that all processes share.
        app_url: the public address of the Mini App, beside which the public pages are served; empty for no pages.
    """

    def __init__(self, people: People, key: Callable[[], Awaitable[bytes]], app_url: str = "") -> None:
        self._people = people
        self._key = key
        self._root = f"{app_url.rstrip('/').rpartition('/')[0]}/public/" if app_url else ""

    async def url(self, chat_id: int, settings: Mapping[str, Any]) -> str | None:
        """Return the address of a chat's public page; None if the chat, or this installation, has none."""
        if not self._root or not is_on(settings, PUBLIC):
            return None
        return self._root + await self.name_of(chat_id)

    async def name_of(self, chat_id: int) -> str:
        """Return the part of the address that names a chat."""
        plain, key = chat_id.to_bytes(ID_BYTES, "big", signed=True), await self._key()
        tag = _tag(key, plain)
        return base64.urlsafe_b64encode(tag + _masked(key, tag, plain)).decode()

    async def find(self, name: str) -> Chat | None:
        """Return the chat that a part of an address names; None unless the chat is public at this moment.

        The settings are read from PostgreSQL each time, so that a page is gone as soon as it is switched off.
        """
        chat_id = await self._opened(name)
        chat = None if chat_id is None else await self._people.chat_now(chat_id)
        if chat is not None and chat.migrated_to is not None:
            chat = await self._people.chat_now(chat.migrated_to)
        return chat if chat is not None and is_on(chat.settings, PUBLIC) else None

    async def has(self, chat: Chat, chat_id: int) -> bool:
        """Return True if an id is that of a chat, or of the group that the chat was before it became a supergroup."""
        if chat_id == chat.id:
            return True
        former = await self._people.chat_now(chat_id)
        return former is not None and former.migrated_to == chat.id

    async def _opened(self, name: str) -> int | None:
        try:
            raw = base64.b64decode(name.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError, ValueError):
            return None
        if len(raw) != TAG_BYTES + ID_BYTES:
            return None
        key, tag = await self._key(), raw[:TAG_BYTES]
        plain = _masked(key, tag, raw[TAG_BYTES:])
        return int.from_bytes(plain, "big", signed=True) if hmac.compare_digest(tag, _tag(key, plain)) else None


# The tag authenticates the id, and is the nonce of its encryption: a synthetic initialization vector.


def _tag(key: bytes, plain: bytes) -> bytes:
    return hashlib.blake2b(plain, digest_size=TAG_BYTES, key=key[:64], person=b"tombola pub tag").digest()


def _masked(key: bytes, tag: bytes, text: bytes) -> bytes:
    mask = hashlib.blake2b(tag, digest_size=ID_BYTES, key=key[:64], person=b"tombola pub mask").digest()
    return bytes(one ^ other for one, other in zip(text, mask, strict=True))
