"""Fixtures for the tests of the event path."""

from collections.abc import AsyncIterator

import pytest

from realtime.database import DatabaseThreads


@pytest.fixture
async def threads(transactional_db: None) -> AsyncIterator[DatabaseThreads]:
    """A thread for what an asynchronous test does with the database, closed afterwards."""
    threads = DatabaseThreads(size=1, name="test")
    yield threads
    await threads.close()
