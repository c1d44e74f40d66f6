"""A process that gives way to others lowers its priority once."""

import os
import sys
from threading import Thread

import pytest

from bot.launch import give_way


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all threads of a process have one niceness")
def test_a_process_that_gives_way_is_as_nice_as_the_setting_says_and_never_less_than_it_was() -> None:
    before, seen = os.nice(0), list[int]()

    def lower() -> None:
        for niceness in (before + 2, before + 2, 0):
            give_way(niceness)
            seen.append(os.nice(0))

    thread = Thread(target=lower)  # a thread has a niceness of its own, so the other tests keep theirs
    thread.start()
    thread.join()
    assert seen == [min(19, before + 2)] * 3
    assert os.nice(0) == before
