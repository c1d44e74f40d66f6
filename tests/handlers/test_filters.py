"""Filters and handlers stay on the event loop: aiogram would run a plain function in a thread."""

from collections.abc import Iterator

from aiogram import Router
from aiogram.dispatcher.event.handler import CallableObject

from handlers.commands import hosts, players
from handlers.kinds.pick_number import commands as pick_number
from handlers.kinds.quiz import commands as quiz
from handlers.routing import build_dispatcher
from tests.handlers.room import Room


def asked(router: Router) -> Iterator[tuple[str, CallableObject]]:
    """Yield every filter and handler of our routers."""
    for name, observer in router.observers.items():
        for handler in observer.handlers:
            for each in (handler, *(handler.filters or ())):
                yield f"{router.name}/{name}", each
    for sub in router.sub_routers:
        yield from asked(sub)


async def test_nothing_that_an_update_is_handed_to_runs_in_a_thread(room: Room) -> None:
    found = list(asked(build_dispatcher(room.deps)))
    assert len(found) > 20
    # aiogram-dialog's own filter of its own updates is not ours
    threads = [(where, each.callback) for where, each in found if not each.awaitable and "aiogd" not in where]
    assert threads == []


async def test_all_commands_are_one_question(room: Room) -> None:
    handlers = [each for router in build_dispatcher(room.deps).sub_routers for each in router.message.handlers]
    assert len(handlers) <= 6 < len(players.COMMANDS)


def test_no_two_commands_have_the_same_name() -> None:
    names = [name for module in (players, hosts, pick_number, quiz) for name in module.COMMANDS]
    assert len(names) == len(set(names))
