"""`run --workers`: processes of one machine that share a port, and forward updates to the worker of their chat."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bot.ingest.peers import PeerWorkers, WorkerSlot
from bot.ingest.updates import MalformedUpdate, Reply, RetryLater, chat_of
from bot.tasks import Tasks
from fsm.engine import Promise
from sandbox.app import Box, serve
from sandbox.control import buttons
from sandbox.state import Chat, Message, User
from tests.e2e.conftest import free_port

PATIENCE = 100.0
GROUPS = 4
"""Number of groups. With two workers, one run in eight assigns all of these groups to the same one."""


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for an effect of other processes and tasks. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 -- no task could set an event
            await asyncio.sleep(0.02)


# -- peers in one process ------------------------------------------------------------------------------------


class Pair:
    """Two workers, reduced to updates: each records the updates that it handles."""

    def __init__(self, folder: Path) -> None:
        self.tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error}"))
        self.peers = [PeerWorkers(WorkerSlot(index, 2, folder)) for index in range(2)]
        self.handled: list[list[bytes]] = [[], []]
        self.running: list[asyncio.Task[None]] = []
        self.reply: Callable[[bytes], Reply] = lambda raw: {"length": len(raw)}

    async def start(self) -> None:
        """Start both, and wait until they are connected."""
        for index, one in enumerate(self.peers):
            self.running.append(asyncio.create_task(one.run(self.here(index))))
        await until(lambda: all(one.linked for one in self.peers), 10)

    def here(self, index: int) -> Callable[[bytes, Promise[Reply]], None]:
        """Return the function that handles an update in one of them."""

        async def later(raw: bytes, sender: Promise[Reply]) -> None:
            self.handled[index].append(raw)
            try:
                sender.set_result(self.reply(raw))
            except Exception as problem:  # noqa: BLE001 -- any error is passed on to the caller
                sender.set_exception(problem)

        def handle(raw: bytes, sender: Promise[Reply]) -> None:
            self.tasks.spawn("update", later(raw, sender))

        return handle

    async def deliver(self, index: int, raw: bytes) -> Reply:
        """Deliver an update to one of them. Returns the reply."""
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.peers[index].take(raw, reply, self.here(index))
        return await reply

    async def stop(self, index: int) -> None:
        """Stop one of them."""
        self.running[index].cancel()
        await asyncio.wait([self.running[index]])


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as folder:
        found = Pair(Path(folder))
        await found.start()
        yield found
        for index in range(2):
            await found.stop(index)
        await found.tasks.close()


def tap_in(chat_id: int, size: int = 0) -> bytes:
    return json.dumps(
        {"update_id": 1, "callback_query": {"message": {"chat": {"id": chat_id}, "text": "x" * size}}}
    ).encode()


async def test_all_updates_of_a_chat_are_handled_by_one_worker_wherever_they_come_in(pair: Pair) -> None:
    chats = list(range(-1000, -960))
    for chat_id in chats:
        replies = [await pair.deliver(index, tap_in(chat_id)) for index in (0, 1)]
        assert replies == [{"length": len(tap_in(chat_id))}] * 2
    homes = [{chat_of(raw) for raw in handled} for handled in pair.handled]
    assert homes[0] | homes[1] == set(chats)
    assert not homes[0] & homes[1]
    assert all(homes)


async def test_many_large_updates_at_once_find_their_own_replies(pair: Pair) -> None:
    sizes = [number * 97 for number in range(300)]
    replies = await asyncio.gather(*(pair.deliver(size % 2, tap_in(-size - 1, size)) for size in sizes))
    assert replies == [{"length": len(tap_in(-size - 1, size))} for size in sizes]


async def test_an_update_of_a_worker_that_has_gone_is_handled_by_who_has_it(pair: Pair) -> None:
    await pair.stop(1)
    for chat_id in range(-20, 0):
        assert await pair.deliver(0, tap_in(chat_id)) is not None
    assert len(pair.handled[0]) == 20
    assert pair.handled[1] == []


async def test_an_update_that_a_worker_had_when_it_was_killed_is_handled_once_more(pair: Pair) -> None:
    chat_id = next(id_ for id_ in range(-50, 0) if pair.peers[0].home(tap_in(id_)) == 1)

    def dies(_raw: bytes) -> Reply:
        pair.reply = lambda raw: {"length": len(raw)}
        pair.running[1].cancel()
        raise asyncio.CancelledError

    pair.reply = dies
    assert await pair.deliver(0, tap_in(chat_id)) == {"length": len(tap_in(chat_id))}
    assert [len(handled) for handled in pair.handled] == [1, 1]


@pytest.mark.parametrize("problem", [RetryLater("not now"), MalformedUpdate("no update"), ValueError("a bug")])
async def test_what_a_worker_can_not_handle_its_sibling_hears(pair: Pair, problem: Exception) -> None:
    chat_id = next(id_ for id_ in range(-50, 0) if pair.peers[0].home(tap_in(id_)) == 1)

    def refuse(_raw: bytes) -> Reply:
        raise problem

    pair.reply = refuse
    with pytest.raises(MalformedUpdate if isinstance(problem, MalformedUpdate) else RetryLater):
        await pair.deliver(0, tap_in(chat_id))


@pytest.mark.parametrize(
    ("update", "chat_id"),
    [
        ({"update_id": 1, "message": {"chat": {"id": -5, "type": "group"}, "from": {"id": 7}}}, -5),
        ({"update_id": 1, "message": {"chat": {"type": "group", "id": -5}, "from": {"id": 7}}}, -5),
        ({"update_id": 1, "message": {"text": '"chat":{"id":9}', "chat": {"id": -5}, "from": {"id": 7}}}, -5),
        ({"update_id": 1, "callback_query": {"from": {"id": 7}, "message": {"chat": {"id": -5}}}}, -5),
        ({"update_id": 1, "poll_answer": {"poll_id": "1", "from": {"id": 7}}}, 7),
        ({"update_id": 1, "poll": {"id": "1"}}, 0),
        ([], 0),
    ],
)
def test_the_chat_of_an_update_is_found_in_whatever_form_it_comes(update: Any, chat_id: int) -> None:
    for separators in ((",", ":"), (", ", ": ")):
        assert chat_of(json.dumps(update, separators=separators).encode()) == chat_id


# -- real processes ---------------------------------------------------------------------------------------------


class House:
    """A bot with two workers, and groups that play with it."""

    def __init__(self, box: Box, process: asyncio.subprocess.Process, port: int) -> None:
        self.box = box
        self.process = process
        self.port = port
        self.people = [box.control.add_user(f"Player {number}") for number in range(3)]
        self.groups = [
            box.control.add_group(f"Group {number}", self.people[0], self.people[1:]) for number in range(GROUPS)
        ]

    def workers(self) -> list[int]:
        """Return the process ids of the children."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in listed]

    async def ready(self) -> None:
        """Wait until it accepts updates."""
        async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE):
            while True:
                with suppress(aiohttp.ClientError, OSError):
                    async with session.get(f"http://127.0.0.1:{self.port}/health/ready") as response:
                        if response.status == 200:
                            return
                await asyncio.sleep(0.05)

    async def opens(self, group: Chat) -> None:
        """Open a game as the host, and let one person join."""
        self.box.control.say(self.people[0], group, "/create_game Friday")
        await self.taps(self.people[0], group, "j:")

    async def begins(self, group: Chat) -> None:
        """Let the others join, the host start, and somebody pick, through whichever worker is available."""
        for person in self.people[1:]:
            await self.taps(person, group, "j:")
        await self.taps(self.people[0], group, "s:")
        await self.taps(self.people[1], group, "p:", ":3")

    async def taps(self, person: User, group: Chat, begin: str, end: str = "") -> None:
        """Wait for a button and press it, again if the bot asks for it."""
        message, data = await self.box.control.until(lambda: self._button(group, begin, end), PATIENCE)
        answer = await self.box.control.press_data(person, message, data).answer(PATIENCE)
        assert answer.text

    def _button(self, group: Chat, begin: str, end: str) -> tuple[Message, str] | None:
        for message in reversed(self.box.control.bot_messages(group)):
            for button in buttons(message):
                data = button.get("callback_data", "")
                if data.startswith(begin) and data.endswith(end):
                    return message, data
        return None


@asynccontextmanager
async def house(postgres: str, redis: str, workers: int = 2, **changes: str) -> AsyncIterator[House]:
    """Run the bot, and check afterwards that no process is left."""
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(serve())
        port = free_port()
        environment = {
            **os.environ,
            "TOMBOLA_TELEGRAM__TOKEN": box.token,
            "TOMBOLA_TELEGRAM__API_BASE": box.url,
            "TOMBOLA_TELEGRAM__MODE": "webhook",
            "TOMBOLA_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram/webhook",
            "TOMBOLA_TELEGRAM__WEBHOOK_SECRET": "a-secret-of-two",
            "TOMBOLA_DATABASE__DSN": postgres,
            "TOMBOLA_REDIS__DSN": redis,
            "TOMBOLA_WEB__PORT": str(port),
            "TOMBOLA_GAMES__HOST_JOINS": "false",
            **changes,
        }
        command = [sys.executable, "-m", "bot", "run", "--workers", str(workers)]
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stderr=asyncio.subprocess.PIPE, start_new_session=True
        )
        found = House(box, process, port)
        try:
            yield found
        finally:
            if process.returncode is None:
                process.kill()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.communicate(), PATIENCE)


async def gone(pids: list[int], seconds: float) -> None:
    """Wait until none of these processes is left."""
    await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), seconds)


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@on_linux
async def test_games_go_on_when_a_worker_is_killed_and_a_stop_leaves_nothing(postgres_dsn: str, redis_dsn: str) -> None:
    async with house(postgres_dsn, redis_dsn) as found:
        await found.ready()
        before = found.workers()
        assert len(before) == 2
        await asyncio.gather(*(found.opens(group) for group in found.groups))
        os.kill(before[0], signal.SIGKILL)
        await asyncio.gather(*(found.begins(group) for group in found.groups))
        await until(lambda: len(found.workers()) == 2, PATIENCE)
        after = found.workers()
        assert before[1] in after
        found.process.terminate()
        _, log = await asyncio.wait_for(found.process.communicate(), PATIENCE)
        assert found.process.returncode == 0, log.decode()
        await gone([*before, *after], PATIENCE)
        assert b"worker 0 exited" in log


@on_linux
async def test_workers_stop_when_their_parent_is_killed(postgres_dsn: str, redis_dsn: str) -> None:
    async with house(postgres_dsn, redis_dsn) as found:
        await found.ready()
        workers = found.workers()
        found.process.kill()
        await gone(workers, PATIENCE)


async def test_a_worker_that_can_not_start_ends_them_all_and_says_why(postgres_dsn: str, redis_dsn: str) -> None:
    async with house(postgres_dsn, redis_dsn, TOMBOLA_TELEGRAM__TOKEN="1:wrong") as found:
        _, log = await asyncio.wait_for(found.process.communicate(), PATIENCE)
        assert found.process.returncode == 1
        assert b"telegram.token" in log


async def test_a_port_that_is_taken_is_said_before_anything_starts(postgres_dsn: str, redis_dsn: str) -> None:
    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        await stack.enter_async_context(server)
        port = server.sockets[0].getsockname()[1]
        found = await stack.enter_async_context(house(postgres_dsn, redis_dsn, TOMBOLA_WEB__PORT=str(port)))
        _, log = await asyncio.wait_for(found.process.communicate(), PATIENCE)
        assert found.process.returncode == 1
        assert f"web.port: 127.0.0.1:{port} can't be listened on".encode() in log
