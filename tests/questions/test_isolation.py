"""Files that are sent at once: those of one person are read one after the other, and nobody waits for a stranger's."""

import asyncio
from collections import Counter

import pytest

from questions.isolation import MOST_WAITING, FileReader, TooManyFiles
from questions.packs import Pack, PackRefused, Vocabulary


def table(number: int) -> bytes:
    rows = "".join(f"What is {number} times {n}?,{number * n},{number * n + 1}\n" for n in range(1, 30))
    return f"question,answer,wrong1\n{rows}".encode()


async def test_files_of_one_person_are_read_one_after_the_other_and_those_of_others_meanwhile() -> None:
    files = FileReader()
    reading, most, finished = Counter[int](), Counter[int](), list[tuple[int, int]]()

    async def read(person: int, number: int) -> Pack:
        async with files.turn(person):
            reading[person] += 1
            most[person] = max(most[person], reading[person])
            most[0] = max(most[0], reading.total())
            pack = await files.read(table(number), f"{number}.csv", Vocabulary())
            reading[person] -= 1
            finished.append((person, number))
            return pack

    packs = await asyncio.gather(*(read(person, number) for number in (3, 5, 7) for person in (1, 2)))
    assert [pack.questions[0].answers[0] for pack in packs] == ["3", "3", "5", "5", "7", "7"]
    assert (most[1], most[2], most[0]) == (1, 1, 2)
    for person in (1, 2):
        assert [number for who, number in finished if who == person] == [3, 5, 7]


async def test_a_bad_file_holds_up_no_later_one_and_the_queue_of_a_person_has_an_end() -> None:
    files = FileReader()
    with pytest.raises(PackRefused):
        async with files.turn(1):
            await files.read(b"\0\0\0", "x.csv", Vocabulary())
    async with files.turn(1):
        assert (await files.read(table(3), "x.csv", Vocabulary())).questions
        waiting = [asyncio.create_task(files.turn(1).__aenter__()) for _ in range(MOST_WAITING - 1)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyFiles):
            await files.turn(1).__aenter__()
        async with files.turn(2):
            pass
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    async with files.turn(1):
        pass
