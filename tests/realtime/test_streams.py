"""Opening, checking and ending streams, where a test must say what happens in between."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from django.utils import timezone

from realtime import log, wheel
from realtime.connection import Connection, Frame
from realtime.database import DatabaseThreads
from realtime.listeners import (
    Credentials,
    Listener,
    authenticator,
    register_authenticator,
)
from realtime.streams import Refused, StreamRequest, Streams

pytestmark = pytest.mark.django_db(transaction=True)

SOMEBODY = Listener(user_id=7, login_id="seven", audiences=("all", "user.7"))


class Doorkeeper:
    """Knows one person, and takes as long as a test wants."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.answers.set()

    def log_in(self, credentials: Credentials) -> Listener:
        return self._answer()

    def still_valid(self, listener: Listener) -> Listener | None:
        return self._answer()

    def _answer(self) -> Listener:
        self.asked.set()
        assert self.answers.wait(30)
        return SOMEBODY

    async def until_asked(self) -> None:
        self.asked.clear()
        async with asyncio.timeout(10):
            while not self.asked.is_set():
                await asyncio.sleep(0.005)


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


class Client:
    """What one client is sent."""

    def __init__(self) -> None:
        self.types: list[str] = []

    async def write(self, frames: Sequence[Frame]) -> None:
        self.types += [json.loads(frame)["type"] for frame in frames]


def request(cursor: int | None = None) -> StreamRequest:
    """What somebody asks for."""
    given = Credentials(token="seven")
    return StreamRequest(credentials=given, transport="websocket", address="", cursor=cursor)


async def open_stream(streams: Streams) -> Connection:
    """A stream that has caught up."""
    connection = await streams.admit(request())
    await streams.catch_up(connection, None, Client().write)
    return connection


async def test_it_says_nothing_between_the_greeting_and_a_reset(
    streams: Streams, doorkeeper: Doorkeeper
) -> None:
    client = Client()
    connection = await streams.admit(request(cursor=99))
    doorkeeper.answers.clear()
    catching_up = asyncio.create_task(streams.catch_up(connection, 99, client.write))
    await doorkeeper.until_asked()
    await asyncio.sleep(1.5)  # the heartbeat of a stream that is slow to open
    doorkeeper.answers.set()
    await catching_up
    await client.write(await connection.take())
    assert client.types[:2] == ["connected", "reset"]
    streams.leave(connection)


async def test_it_admits_nobody_once_it_drains(streams: Streams, doorkeeper: Doorkeeper) -> None:
    doorkeeper.answers.clear()
    asking = asyncio.create_task(streams.admit(request()))
    await doorkeeper.until_asked()
    await streams.drain(1)
    doorkeeper.answers.set()
    with pytest.raises(Refused) as refused:
        await asking
    assert refused.value.code == "restart"


async def test_it_forgets_a_stream_that_goes_while_it_is_checked_again(
    streams: Streams, doorkeeper: Doorkeeper
) -> None:
    connection = await open_stream(streams)
    assert "user.7" in connection.audiences
    doorkeeper.answers.clear()
    changed = log.LogEntry(1, "_user-changed", "user.7", "{}", timezone.now())
    streams.hub.feed([changed])
    await doorkeeper.until_asked()
    streams.leave(connection)
    doorkeeper.answers.set()
    await asyncio.sleep(0.3)
    assert connection.audiences == frozenset()
