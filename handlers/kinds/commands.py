"""The commands of all kinds of games. Importing this module imports aiogram."""

from collections.abc import Mapping
from types import MappingProxyType

from handlers.commands.command import Command
from handlers.dialogs.dialog_command import DialogCommand
from handlers.kinds.registry import FACES

COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        name: command
        for face in FACES.values()
        if face.commands is not None
        for name, command in face.imported("commands").COMMANDS.items()
    }
)
"""Name of a command -> the command, which opens a game in one line."""

DIALOG_COMMANDS: Mapping[str, DialogCommand] = MappingProxyType(
    {
        name: command
        for face in FACES.values()
        if face.dialogs is not None
        for name, command in face.imported("dialogs").DIALOG_COMMANDS.items()
    }
)
"""Name of a command -> the command, which opens a kind's own dialog in private."""
