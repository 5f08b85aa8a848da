"""Fixtures for the tests of the event path."""

from collections.abc import AsyncIterator, Iterator

import pytest

from realtime import log, wheel
from realtime.database import DatabaseThreads
from realtime.listeners import authenticator, register_authenticator
from realtime.streams import Streams
from tests.realtime.opened import Doorkeeper


@pytest.fixture
async def threads(transactional_db: None) -> AsyncIterator[DatabaseThreads]:
    """A thread for what an asynchronous test does with the database, closed afterwards."""
    threads = DatabaseThreads(size=1, name="test")
    yield threads
    await threads.close()


@pytest.fixture
def doorkeeper() -> Iterator[Doorkeeper]:
    """The one who decides about logins in this test."""
    usual = authenticator()
    doorkeeper = Doorkeeper()
    register_authenticator(doorkeeper)
    yield doorkeeper
    doorkeeper.answers.set()
    register_authenticator(usual)


@pytest.fixture
async def streams(
    threads: DatabaseThreads, monkeypatch: pytest.MonkeyPatch, doorkeeper: Doorkeeper
) -> AsyncIterator[Streams]:
    """Streams whose heartbeats come each second."""
    monkeypatch.setattr(wheel, "HEARTBEAT_SECONDS", 1)
    await threads.run(log.ensure_head)
    pool = DatabaseThreads(size=2, name="streams")
    streams = Streams(pool)
    await streams.start()
    yield streams
    doorkeeper.answers.set()
    await streams.stop()
    await pool.close()
