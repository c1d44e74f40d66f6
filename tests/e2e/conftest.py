"""A group of people, the bot, and a simulated clock."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot import process
from bot.clock import SystemEntropy
from bot.runtime import ALL_ROLES
from bot.settings import GAMES, Api, Database, Games, Log, Redis, Settings, Telegram, Web
from handlers.kinds.pick_number.settings import PickNumberSection
from handlers.kinds.settings import Section
from sandbox.app import serve
from sandbox.state import Message
from storage.keys import send_base
from tests.support.clock import TurnedClock
from tests.support.groups import Group

T = TypeVar("T")
STEP = 0.5
"""Seconds by which the clock is turned at a time while a test waits."""


@dataclass
class Table(Group):
    """A group that plays with the whole bot, on a clock that tests turn."""

    bot: process.RunningBot
    clock: TurnedClock
    settings: Settings

    async def turn(self, seconds: float) -> None:
        """Turn the clock, and let all due tasks run."""
        await self.landed()
        self.clock.turn(seconds)
        self.box.control.clock_turned()
        await self.bot.deadlines.fire_due()

    async def landed(self) -> None:
        """Wait until no call is under way: one that arrived after the clock was turned would arrive late."""
        for _ in range(100):
            # The calls that the sender has claimed and not yet recorded.
            if not await self.bot.redis.exists(f"{send_base()}:inflight"):
                return
            await asyncio.sleep(0.005)

    async def until(self, condition: Callable[[], T | None], *, steps: int = 200) -> T:
        """Wait for a condition, and turn the clock so that Telegram's rates delay nobody."""
        for _ in range(steps):
            try:
                return await self.box.control.until(condition, timeout=0.05)
            except TimeoutError:
                await self.landed()
                self.clock.turn(STEP)
                self.box.control.clock_turned()
                await self.bot.deadlines.fire_due()
        texts = "\n---\n".join(self.box.control.texts(self.host, self.group)[-4:])
        raise AssertionError(f"it never came; the group reads:\n{texts}\nviolations: {self.box.control.violations()}")

    async def close(self, game_id: str) -> Message:
        """Turn the clock until the game's end is shown. Returns the message."""
        for _ in range(60):
            if self.button(f"^r:{game_id}$"):
                break
            await self.turn(1)
        return await super().close(game_id)

    def no_complaints(self) -> None:
        """Check that no call was wrong, no limit was exceeded, and every tap was answered."""
        assert self.box.control.violations() == []
        assert self.box.control.open_queries() == []
        assert "429" not in str(self.box.control.statistics())


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@asynccontextmanager
async def seated(
    postgres_dsn: str,
    redis_dsn: str,
    mode: str,
    *,
    people: int = 5,
    games: Games | None = None,
    host_joins: bool = False,
    api: Api | None = None,
    private_networks: tuple[str, ...] = (),
    roles: frozenset[str] = ALL_ROLES,
    operators: int = 0,
    **sections: Section,
) -> AsyncIterator[Table]:
    """Create a group with a number of people and the bot. Unless ``host_joins``, hosts join by a tap only.

    ``operators`` people, from the second on, are operators. ``sections`` are further sections of the settings, by name.
    """
    of_games = games or GAMES.model_validate({"pick_number": PickNumberSection(reveal_seconds=0.2)})
    clock = TurnedClock(runs=True)
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(serve(now=clock.seconds))
        users = [box.control.add_user(f"Player {number}", username=f"player_{number}") for number in range(people)]
        group = box.control.add_group("Friday games", users[0], users[1:])
        port = free_port()
        telegram = Telegram(
            token=SecretStr(box.token),
            api_base=box.url,
            mode="webhook" if mode == "webhook" else "polling",
            webhook_url=f"http://127.0.0.1:{port}/telegram/webhook" if mode == "webhook" else "",
            webhook_secret=SecretStr("e2e-secret"),
            operators=tuple(user.id for user in users[1 : 1 + operators]),
        )
        settings = Settings(
            telegram=telegram,
            database=Database(dsn=SecretStr(postgres_dsn)),
            redis=Redis(dsn=SecretStr(redis_dsn), shards=2),
            web=Web(port=port, private_networks=private_networks),
            api=api or Api(),
            log=Log(level="DEBUG"),
            games=of_games.model_copy(update={"host_joins": host_joins}),
            **cast("dict[str, Any]", sections),
        )
        running = process.running(settings, roles=roles, clock=clock, entropy=SystemEntropy())
        bot = await stack.enter_async_context(running)
        yield Table(box, group, users, bot, clock, settings)


@pytest_asyncio.fixture(params=["polling", "webhook"])
async def table(request: pytest.FixtureRequest, postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Table]:
    """Create a group of five people and the bot, for each way of receiving updates."""
    async with seated(postgres_dsn, redis_dsn, request.param) as found:
        yield found


@pytest_asyncio.fixture
async def polled(postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Table]:
    """Create a group of five people and the bot, with polling."""
    async with seated(postgres_dsn, redis_dsn, "polling") as found:
        yield found
