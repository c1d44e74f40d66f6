"""The owner of detached tasks."""

import asyncio

import pytest

from bot.tasks import Tasks


def owner() -> tuple[Tasks, list[tuple[str, BaseException]]]:
    deaths: list[tuple[str, BaseException]] = []
    return Tasks(lambda name, error: deaths.append((name, error))), deaths


async def test_an_unexpected_end_is_reported_once_with_its_error() -> None:
    tasks, deaths = owner()

    async def die() -> None:
        raise ZeroDivisionError

    await asyncio.wait({tasks.spawn("mortal", die())})

    assert [(name, type(error)) for name, error in deaths] == [("mortal", ZeroDivisionError)]
    assert len(tasks) == 0


async def test_a_normal_end_and_a_cancellation_are_no_deaths() -> None:
    tasks, deaths = owner()
    task = tasks.spawn("long", asyncio.Event().wait())
    await asyncio.wait({tasks.spawn("short", asyncio.sleep(0))})
    task.cancel()
    await asyncio.wait({task})

    assert deaths == []


async def test_closing_waits_until_all_have_cleaned_up() -> None:
    tasks, _ = owner()
    began, cleaned = asyncio.Event(), []

    async def slow_to_end(n: int) -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(n)

    for n in range(3):
        tasks.spawn(f"task {n}", slow_to_end(n))
    await began.wait()
    await tasks.close()

    assert sorted(cleaned) == [0, 1, 2]
    assert len(tasks) == 0


async def test_nothing_starts_any_more_once_it_closes() -> None:
    tasks, _ = owner()
    await tasks.close()

    with pytest.raises(RuntimeError, match="late"):
        tasks.spawn("late", asyncio.sleep(0))


@pytest.mark.parametrize(("options", "fails"), [({}, True), ({"vital": False}, False), ({"brief": True}, False)])
async def test_a_task_is_vital_unless_it_says_otherwise(options: dict[str, bool], *, fails: bool) -> None:
    tasks, deaths = owner()

    async def die() -> None:
        raise ZeroDivisionError

    await asyncio.wait({tasks.spawn("mortal", die(), **options)})

    assert (tasks.failed.is_set(), len(deaths)) == (fails, 1)


async def test_tasks_are_stopped_by_their_handles() -> None:
    tasks, _ = owner()
    stopped, going_on = (tasks.spawn("same name", asyncio.Event().wait()) for _ in range(2))

    await tasks.stop(stopped, None)

    assert stopped.cancelled()
    assert not going_on.done()
    await tasks.close()
