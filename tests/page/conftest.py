"""One browser for the tests of each file in this folder."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.page import browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[browser.Tab]:
    """Return an empty tab."""
    binary = browser.find()
    assert binary is not None
    async with browser.browsing(binary, tmp_path_factory.mktemp("browser")) as opened:
        yield opened
