"""The HTTP server and plain uvicorn get the same damaged requests."""

from collections.abc import Iterator

import pytest
import uvloop
from loguru import logger

from tests.e2e.fuzz_http import SEEDS, fuzz


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep the log of thousands of refusals out of a failure's report."""
    logger.disable("bot")
    yield
    logger.enable("bot")


@pytest.mark.parametrize("seed", SEEDS)
def test_no_damaged_request_is_smuggled_hung_or_answered_twice(seed: int) -> None:
    outcomes = uvloop.run(fuzz(2_500, seed))
    assert outcomes["the same requests"] > 1_500
    assert outcomes["refused earlier"] > 20
