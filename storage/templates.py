"""Templates of chats in PostgreSQL: the settings of a game under a name, which hosts save.

Methods raise asyncpg's errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from storage.audit import wrote
from storage.connections import Pool

MOST_TEMPLATES = 20
"""Maximum number of templates of a chat."""

_OF_CHAT = """
SELECT id, chat_id, name, kind, title, settings FROM chat_templates WHERE chat_id = $1 ORDER BY lower(name), id LIMIT $2
"""
_ONE = "SELECT id, chat_id, name, kind, title, settings FROM chat_templates WHERE chat_id = $1 AND id = $2"
_SAVE = """
INSERT INTO chat_templates (chat_id, name, kind, title, settings)
SELECT $1, $2, $3, $4, $5::jsonb WHERE (SELECT count(*) FROM chat_templates WHERE chat_id = $1) < $6
    OR EXISTS (SELECT 1 FROM chat_templates WHERE chat_id = $1 AND lower(name) = lower($2))
ON CONFLICT (chat_id, lower(name)) DO UPDATE SET
    name = excluded.name, kind = excluded.kind, title = excluded.title, settings = excluded.settings, updated_at = now()
RETURNING id
"""
_RENAME = "UPDATE chat_templates SET name = $3, updated_at = now() WHERE chat_id = $1 AND id = $2"
_DELETE = "DELETE FROM chat_templates WHERE chat_id = $1 AND id = $2"

_settings = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class Template:
    """The settings of a game under a name. ``settings`` holds those that differ from the defaults, as texts."""

    id: int
    chat_id: int
    name: str
    kind: str
    title: str
    settings: Mapping[str, str]


class Templates:
    """Reads and writes the templates of chats."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_chat(self, chat_id: int) -> list[Template]:
        """Return the templates of a chat, by name."""
        return [_template(row) for row in await self._pool.fetch(_OF_CHAT, chat_id, MOST_TEMPLATES)]

    async def one(self, chat_id: int, template_id: int) -> Template | None:
        """Return one template of a chat, or None if the chat has none with this id."""
        row = await self._pool.fetchrow(_ONE, chat_id, template_id)
        return None if row is None else _template(row)

    async def save(self, chat_id: int, name: str, kind: str, title: str, settings: Mapping[str, str]) -> int | None:
        """Save a template, over one of the same name if there is one. Returns its id; None if the chat has too many."""
        stored = msgspec.json.encode(settings).decode()
        found: int | None = await self._pool.fetchval(_SAVE, chat_id, name, kind, title, stored, MOST_TEMPLATES)
        if found is not None:
            wrote("save-template", chat_id=chat_id, target=found)
        return found

    async def rename(self, chat_id: int, template_id: int, name: str) -> bool:
        """Rename a template. Returns False if another template of the chat has the name."""
        try:
            done = await self._pool.execute(_RENAME, chat_id, template_id, name)
        except asyncpg.UniqueViolationError:
            return False
        if not done.endswith(" 0"):
            wrote("rename-template", chat_id=chat_id, target=template_id)
        return True

    async def delete(self, chat_id: int, template_id: int) -> None:
        """Delete a template of a chat, if it is there."""
        done = await self._pool.execute(_DELETE, chat_id, template_id)
        if not done.endswith(" 0"):
            wrote("delete-template", chat_id=chat_id, target=template_id)


def _template(row: Any) -> Template:
    return Template(*(*row[:-1], _settings.decode(row[-1])))
