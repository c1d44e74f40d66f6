"""The bot's profile: commands, names, descriptions, menu button."""

import re
from typing import Any

from aiogram.methods import (
    Close,
    DeleteMyCommands,
    GetChatMenuButton,
    GetMe,
    GetMyCommands,
    GetMyDefaultAdministratorRights,
    GetMyDescription,
    GetMyName,
    GetMyShortDescription,
    LogOut,
    SetChatMenuButton,
    SetMyCommands,
    SetMyDefaultAdministratorRights,
    SetMyDescription,
    SetMyName,
    SetMyShortDescription,
)

from sandbox.calls import handles
from sandbox.errors import bad
from sandbox.markup import plain
from sandbox.methods.common import find_chat
from sandbox.render import user_json
from sandbox.state import ADMIN_RIGHTS, Json
from sandbox.world import World


def _language(code: str | None) -> str:
    if code and not re.fullmatch(r"[a-z]{2}", code):
        raise bad("invalid language code specified")
    return code or ""


def _scope(world: World, scope: Any) -> str:
    """Return a scope as a key: its type, and the chat and user that it names."""
    if scope is None:
        return "default"
    key = str(scope.type)
    if (chat_id := getattr(scope, "chat_id", None)) is not None:
        chat = find_chat(world, chat_id)
        if key in ("chat_administrators", "chat_member") and not chat.is_group:
            raise bad("can't change commands in private chats")
        key += f":{chat.id}"
    if (user_id := getattr(scope, "user_id", None)) is not None:
        key += f":{user_id}"
    return key


@handles(GetMe)
async def get_me(world: World, _: GetMe) -> Json:
    """Return the bot's user."""
    return user_json(world.bot) | {
        "can_join_groups": True,
        "can_read_all_group_messages": not world.privacy,
        "supports_guest_queries": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
        "can_manage_bots": False,
        "supports_join_request_queries": False,
    }


@handles(SetMyCommands)
async def set_my_commands(world: World, call: SetMyCommands) -> bool:
    """Set the commands of a scope and language."""
    key = _scope(world, call.scope), _language(call.language_code)
    if len(call.commands) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    commands = [plain(command) for command in call.commands]
    for command in commands:
        command["command"] = command["command"].removeprefix("/")
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"].strip()) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    if commands:
        world.profile.commands[key] = commands
    else:
        world.profile.commands.pop(key, None)
    world.changes.tell("commands")
    return True


@handles(GetMyCommands)
async def get_my_commands(world: World, call: GetMyCommands) -> list[Json]:
    """Return the commands of a scope and language, empty if none were set."""
    return world.profile.commands.get((_scope(world, call.scope), _language(call.language_code)), [])


@handles(DeleteMyCommands)
async def delete_my_commands(world: World, call: DeleteMyCommands) -> bool:
    """Delete the commands of a scope and language."""
    world.profile.commands.pop((_scope(world, call.scope), _language(call.language_code)), None)
    world.changes.tell("commands")
    return True


def _set(texts: dict[str, str], text: str | None, language: str | None, most: int, name: str) -> bool:
    code = _language(language)
    if len(text or "") > most:
        raise bad(f"BOT_{name}_TOO_LONG")
    texts.pop(code, None)
    if text:
        texts[code] = text
    return True


@handles(SetMyName)
async def set_my_name(world: World, call: SetMyName) -> bool:
    """Set the bot's name, at most 64 characters."""
    _set(world.profile.names, call.name, call.language_code, 64, "TITLE")
    world.bot.first_name = world.profile.names.get("", world.bot.first_name)
    return True


@handles(GetMyName)
async def get_my_name(world: World, call: GetMyName) -> Json:
    """Return the bot's name."""
    return {"name": world.profile.names.get(_language(call.language_code), world.bot.first_name)}


@handles(SetMyDescription)
async def set_my_description(world: World, call: SetMyDescription) -> bool:
    """Set the text of an empty chat with the bot, at most 512 characters."""
    return _set(world.profile.descriptions, call.description, call.language_code, 512, "DESCRIPTION")


@handles(GetMyDescription)
async def get_my_description(world: World, call: GetMyDescription) -> Json:
    """Return the text of an empty chat with the bot."""
    return {"description": world.profile.descriptions.get(_language(call.language_code), "")}


@handles(SetMyShortDescription)
async def set_my_short_description(world: World, call: SetMyShortDescription) -> bool:
    """Set the text of the bot's profile, at most 120 characters."""
    texts = world.profile.short_descriptions
    return _set(texts, call.short_description, call.language_code, 120, "SHORT_DESCRIPTION")


@handles(GetMyShortDescription)
async def get_my_short_description(world: World, call: GetMyShortDescription) -> Json:
    """Return the text of the bot's profile."""
    return {"short_description": world.profile.short_descriptions.get(_language(call.language_code), "")}


@handles(SetChatMenuButton)
async def set_chat_menu_button(world: World, call: SetChatMenuButton) -> bool:
    """Set the button beside the input field."""
    world.profile.menu_button = plain(call.menu_button) if call.menu_button else {"type": "default"}
    return True


@handles(GetChatMenuButton)
async def get_chat_menu_button(world: World, _: GetChatMenuButton) -> Json:
    """Return the button beside the input field."""
    return world.profile.menu_button


@handles(SetMyDefaultAdministratorRights)
async def set_my_default_rights(world: World, call: SetMyDefaultAdministratorRights) -> bool:
    """Set the rights that the bot requests when it is added as an administrator."""
    world.profile.default_rights[bool(call.for_channels)] = plain(call.rights) if call.rights else {}
    return True


@handles(GetMyDefaultAdministratorRights)
async def get_my_default_rights(world: World, call: GetMyDefaultAdministratorRights) -> Json:
    """Return the rights that the bot requests."""
    none = dict.fromkeys((*ADMIN_RIGHTS, "is_anonymous"), False)
    return none | world.profile.default_rights.get(bool(call.for_channels), {})


@handles(LogOut)
async def log_out(_world: World, _: LogOut) -> bool:
    """Accept the call; the sandbox has no other server to move to."""
    return True


@handles(Close)
async def close(_world: World, _: Close) -> bool:
    """Accept the call; there is no state to move."""
    return True
