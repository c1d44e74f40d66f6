"""Feature flags: parts of the program that operators switch on for a share of the chats, without a restart.

``play/flags.toml`` defines them. A flag is asked once when a game opens or a request begins, never for a tap, through
the OpenFeature API: its hooks and its other providers can therefore be used without a change here. A change by an
operator outweighs the operator's file, and the file outweighs the definition.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

import msgspec
from loguru import logger
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata
from typing_extensions import override

from fsm.kind import Rejected
from fsm.pick_number import SECOND_DRAW_FORMAT
from fsm.quiz import NATIVE_POLLS
from play.access import Access, Actor, Needs
from questions.plain_files import read_plain
from storage.audit import AWAY
from storage.flags import MOST_CHATS, Change, FlagSettings, Setting
from storage.leases import STORE_GONE, jitter

API_WRITES: Final = "api-writes"
"""The HTTP API accepts writes."""
OF_GAMES: Final = frozenset({SECOND_DRAW_FORMAT, NATIVE_POLLS})
"""The flags that are asked when a game opens, and that it keeps."""
WATCH_SECONDS: Final = 1.0
"""Time between two looks at the operator's file."""
REFRESH_SECONDS: Final = 60.0
"""Time after which the stored changes are read again, although no process announced one."""
RETRY_SECONDS: Final = 2.0
"""Time until the stored changes are asked for again while PostgreSQL is away."""
MOST_BYTES: Final = 1 << 18
"""Largest file: enough for all chats that each flag may name."""
UNREADABLE: Final = (0, -1)
"""In place of time and size of a file that cannot be looked at."""
PARTS: Final = 10_000
"""Number of parts into which the chats are divided: shares are exact to a hundredth of a percent."""


@dataclass(unsafe_hash=True)
class FlagOff(Rejected):
    """An operator has switched off this part of the program."""

    flag: str


@dataclass(unsafe_hash=True)
class UnknownFlag(Rejected):
    """This version has no such flag."""


@dataclass(unsafe_hash=True)
class BadFlagSetting(Rejected):
    """The share is not from 0 to 100, a chat is named on both sides, or there are too many chats."""


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The definition of a flag in ``play/flags.toml``. The text ``flag-<name>`` describes its effect.

    Attributes:
        owner: the part of the project that removes it.
        ends: the day by which it is removed.
        percent: the share of the chats for which it is on by default, 0 to 100.
    """

    owner: str
    ends: date
    percent: float


class _Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An operator's setting of a flag in a file."""

    percent: float
    on_chats: frozenset[int] = frozenset()
    off_chats: frozenset[int] = frozenset()


Source = Literal["definition", "file", "operator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flag and its present setting.

    Attributes:
        name: its name.
        definition: its definition.
        setting: its setting.
        source: the origin of the setting: ``definition``, ``file`` or ``operator``.
    """

    name: str
    definition: Definition
    setting: Setting
    source: Source


def defined(text: str | None = None) -> dict[str, Definition]:
    """Return the definitions of a TOML document: by default those of this version."""
    found = (Path(__file__).with_name("flags.toml")).read_text(encoding="utf-8") if text is None else text
    return msgspec.toml.decode(found, type=dict[str, Definition])


def in_share(name: str, chat_id: int, percent: float) -> bool:
    """Return whether a chat belongs to a share of all chats, in percent. A larger share contains a smaller one."""
    digest = hashlib.sha256(f"{name}:{chat_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % PARTS < round(percent * PARTS / 100)


class Flags:
    """The flags of this process, and their changing.

    Args:
        settings: the stored changes.
        access: authorises changes.
        file: the operator's file; None for none.
    """

    def __init__(self, settings: FlagSettings, access: Access, file: Path | None = None) -> None:
        self.definitions = defined()
        self._settings = settings
        self._access = access
        self._file = file
        self._in_file: Mapping[str, Setting] = {}
        self._seen_file: tuple[int, int] | None = None
        self._stored: Mapping[str, Setting] = {}
        self._loaded = False
        self._changed = asyncio.Event()
        # OpenFeature keeps providers by domain in one table for the whole process, where tests run several bots.
        domain = f"tombola-{secrets.token_hex(4)}"
        api.set_provider(_Provider(self), domain)
        self.client = api.get_client(domain)

    # -- asking -------------------------------------------------------------------------------------------------

    def is_on(self, name: str, chat_id: int = 0) -> bool:
        """Return whether a flag is on for a chat; 0 stands for no chat. An unknown flag is off."""
        return self.client.get_boolean_value(name, False, EvaluationContext(targeting_key=str(chat_id)))

    def off_for_games(self, chat_id: int) -> frozenset[str]:
        """Return the flags of games that are off for a chat."""
        return frozenset(name for name in OF_GAMES if not self.is_on(name, chat_id))

    def setting(self, name: str) -> Setting:
        """Return the present setting of a flag. Raises KeyError if there is no such flag."""
        return self._flag(name).setting

    def all(self) -> Sequence[Flag]:
        """Return all flags, by name."""
        return [self._flag(name) for name in sorted(self.definitions)]

    def _flag(self, name: str) -> Flag:
        definition = self.definitions[name]
        source: Source = "operator" if name in self._stored else "file" if name in self._in_file else "definition"
        setting = self._stored.get(name) or self._in_file.get(name) or Setting(percent=definition.percent)
        return Flag(name=name, definition=definition, setting=setting, source=source)

    # -- changing -----------------------------------------------------------------------------------------------

    async def change(self, actor: Actor, name: str, change: Change) -> Flag:
        """Change a flag on all processes, within two seconds.

        Raises ``UnknownFlag``, ``BadFlagSetting`` and the errors of ``Access.authorise``.
        """
        await self._access.authorise(actor, None, Needs.OPERATE)
        self._check(name, change.applied(Setting(percent=0)))
        setting = await self._settings.set(name, change, self._flag(name).setting)
        self._stored = {**self._stored, name: setting}
        return self._flag(name)

    async def reset(self, actor: Actor, name: str) -> Flag:
        """Take the operators' change of a flag back, so that file and definition decide again. Harmless to repeat."""
        await self._access.authorise(actor, None, Needs.OPERATE)
        if name not in self.definitions:
            raise UnknownFlag
        await self._settings.reset(name)
        self._stored = {other: setting for other, setting in self._stored.items() if other != name}
        return self._flag(name)

    def _check(self, name: str, setting: Setting) -> None:
        if name not in self.definitions:
            raise UnknownFlag
        sides = setting.on_chats, setting.off_chats
        if not 0 <= setting.percent <= 100 or sides[0] & sides[1] or max(map(len, sides)) > MOST_CHATS:
            raise BadFlagSetting

    # -- keeping up to date -------------------------------------------------------------------------------------

    async def load(self) -> bool:
        """Read the stored changes and the file. Returns False while PostgreSQL is away.

        The changes known before then stay. A process that knows none yet takes those that any process last read.
        """
        await self.read_file()
        try:
            self._stored = await self._settings.all()
        except AWAY as problem:
            logger.warning("the changes of flags cannot be read: {}", type(problem).__name__)
        else:
            self._loaded = True
            return True
        if not self._loaded:
            try:
                self._stored = await self._settings.known()
            except STORE_GONE as problem:
                logger.warning("the last known changes of flags cannot be read: {}", type(problem).__name__)
        return False

    async def run(self) -> None:
        """Keep the flags up to date until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._settings.listen(self._changed.set))
            tasks.create_task(self._refresh())
            if self._file is not None:
                tasks.create_task(self._watch())

    async def _refresh(self) -> None:
        loaded = self._loaded
        while True:
            try:
                async with asyncio.timeout(REFRESH_SECONDS if loaded else jitter(RETRY_SECONDS)):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            loaded = await self.load()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await self.read_file()

    async def read_file(self) -> None:
        """Read the operator's file if it has changed. A file with a mistake is logged, and the one before stays.

        Flags that this version does not have are left out: during a rollout two versions read one file. Without the
        file no flag has a setting of it.
        """
        if self._file is not None:
            # A large file takes the parser a tenth of a second, and a file of another machine may wait for the network.
            await asyncio.to_thread(self._read, self._file)

    def _read(self, file: Path) -> None:
        try:
            found = file.stat()
        except FileNotFoundError:
            self._seen_file, self._in_file = None, {}
            return
        except (OSError, ValueError) as problem:  # ValueError: a zero byte in the name
            if self._seen_file != UNREADABLE:
                logger.error("flags.file is not used: {}", problem)
            self._seen_file = UNREADABLE
            return
        if self._seen_file == (found.st_mtime_ns, found.st_size):
            return
        self._seen_file = (found.st_mtime_ns, found.st_size)
        try:
            given = msgspec.toml.decode(read_plain(file, MOST_BYTES), type=dict[str, _Override])
            settings = {
                name: Setting(percent=each.percent, on_chats=each.on_chats, off_chats=each.off_chats)
                for name, each in given.items()
                if name in self.definitions
            }
            for name, setting in settings.items():
                self._check(name, setting)
        # tomllib raises a plain ValueError for a number of too many digits, and RecursionError for deep brackets.
        except (OSError, ValueError, RecursionError) as problem:
            logger.error("flags.file is not used: {}", problem)
        except Rejected as problem:
            logger.error("flags.file is not used: {}", type(problem).__name__)
        else:
            if unknown := sorted(given.keys() - settings.keys()):
                logger.warning("flags.file has flags that this version does not have: {}", ", ".join(unknown)[:500])
            self._in_file = settings
            logger.info("flags.file was read: {}", ", ".join(sorted(settings)) or "no flags")


class _Provider(AbstractProvider):
    """The provider of OpenFeature that answers from the settings of ``Flags``."""

    def __init__(self, flags: Flags) -> None:
        super().__init__()
        self._flags = flags

    @override
    def get_metadata(self) -> Metadata:
        return Metadata(name="tombola")

    @override
    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        try:
            setting = self._flags.setting(flag_key)
        except KeyError:
            raise FlagNotFoundError(flag_key) from None
        chat_id = int((evaluation_context and evaluation_context.targeting_key) or 0)
        if chat_id in setting.on_chats or chat_id in setting.off_chats:
            return FlagResolutionDetails(value=chat_id in setting.on_chats, reason=Reason.TARGETING_MATCH)
        return FlagResolutionDetails(value=in_share(flag_key, chat_id, setting.percent), reason=Reason.SPLIT)

    @override
    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        raise FlagNotFoundError(flag_key)

    @override
    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        raise FlagNotFoundError(flag_key)

    @override
    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        raise FlagNotFoundError(flag_key)

    @override
    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        raise FlagNotFoundError(flag_key)
