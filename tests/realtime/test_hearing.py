"""What an open stream may hear, where its rights change while they are asked for."""

import asyncio
import json
import queue
from collections.abc import Iterator

import pytest
from django.db import DatabaseError
from django.utils import timezone

from realtime.api import ChannelKind, Listener
from realtime.channels import _kinds, register_channel_kind
from realtime.connection import Connection
from realtime.ephemeral import Ephemeral
from realtime.log import LogEntry
from realtime.rights import Refused
from realtime.streams import Streams
from tests.realtime.opened import Doorkeeper, open_stream, until_handed_out
from tests.realtime.things import entry

pytestmark = pytest.mark.django_db(transaction=True)

HALL = "hall.5"


class Hall:
    """A kind of channel of which the test says at each question whether it may be heard."""

    def __init__(self) -> None:
        self.asked = 0
        self._rulings: queue.SimpleQueue[bool | DatabaseError] = queue.SimpleQueue()

    def rule(self, *rulings: bool | DatabaseError) -> None:
        """Answer the next questions so."""
        for ruling in rulings:
            self._rulings.put(ruling)

    def may_listen(self, _listener: Listener, _id: str) -> bool:
        self.asked += 1
        ruling = self._rulings.get(timeout=30)
        if isinstance(ruling, DatabaseError):
            raise ruling
        return ruling

    async def until_asked(self, times: int) -> None:
        async with asyncio.timeout(10):
            while self.asked < times:
                await asyncio.sleep(0.005)


@pytest.fixture
def hall() -> Iterator[Hall]:
    """The kind of channel `hall.<id>`."""
    hall = Hall()
    register_channel_kind(
        ChannelKind(
            name="hall",
            id_form="integer",
            public=False,
            may_listen=hall.may_listen,
            state=lambda _listener, _id: None,
        )
    )
    yield hall
    del _kinds["hall"]


async def hear(streams: Streams, connection: Connection, hall: Hall) -> None:
    """Have the connection hear the hall."""
    hall.rule(True, True)
    await streams.hearing.subscribe(connection, HALL)
    assert HALL in connection.audiences


def changed(position: int) -> LogEntry:
    """The row that has the streams of the test's user checked again."""
    return LogEntry(position, "_user-changed", "user.7", "{}", timezone.now())


async def until_asked_again(connection: Connection) -> None:
    """Wait until its rights were checked and nothing is held back any more."""
    async with asyncio.timeout(10):
        while connection.holds:
            await asyncio.sleep(0.005)


async def said_to(connection: Connection) -> list[str]:
    """What waits for the client, but for heartbeats: types, and of an event whom it was for."""
    messages = [json.loads(frame) for frame in await connection.take()]
    said = [message for message in messages if message["type"] != "ping"]
    return [message["data"].get("to", message["type"]) for message in said]


@pytest.mark.parametrize("heard_before", [False, True])
@pytest.mark.parametrize("ruling", [False, DatabaseError("The database is gone.")])
async def test_it_tells_nothing_of_a_channel_whose_right_is_lost_while_it_is_asked_for(
    streams: Streams, hall: Hall, heard_before: bool, ruling: bool | DatabaseError
) -> None:
    """The first check allows it; the second, with the state, comes after the registration."""
    connection = await open_stream(streams)
    if heard_before:
        await hear(streams, connection, hall)
    await connection.take()
    asked = hall.asked
    hall.rule(True)
    asking = asyncio.create_task(streams.hearing.subscribe(connection, HALL))
    await hall.until_asked(asked + 2)
    streams.hub.feed([entry(1, HALL), entry(2)])
    await until_handed_out(streams, 2)
    hall.rule(ruling)
    with pytest.raises(DatabaseError if ruling else Refused):
        await asking
    assert await said_to(connection) == ["all"]
    assert HALL not in connection.audiences
    streams.leave(connection)


async def test_it_tells_nothing_of_a_channel_that_was_refused_while_rights_are_asked_again(
    streams: Streams, doorkeeper: Doorkeeper, hall: Hall
) -> None:
    """The refusal comes first, so the check finds nothing that is not theirs."""
    connection = await open_stream(streams)
    await hear(streams, connection, hall)
    await connection.take()
    asking = asyncio.create_task(streams.hearing.subscribe(connection, HALL))
    await hall.until_asked(3)
    doorkeeper.answers.clear()
    streams.hub.feed([changed(1), entry(2, HALL), entry(3)])
    await until_handed_out(streams, 3)
    hall.rule(False)
    with pytest.raises(Refused):
        await asking
    doorkeeper.answers.set()
    await until_asked_again(connection)
    assert await said_to(connection) == ["all"]
    assert not connection.ended
    streams.leave(connection)


async def test_it_ends_a_stream_that_has_a_channel_when_its_right_is_found_lost(
    streams: Streams, hall: Hall
) -> None:
    connection = await open_stream(streams)
    await hear(streams, connection, hall)
    await connection.take()
    hall.rule(False)
    streams.hub.feed([changed(1), entry(2, HALL)])
    async with asyncio.timeout(10):
        while not connection.ended:
            await asyncio.sleep(0.005)
    assert await said_to(connection) == ["closing"]
    assert connection.closed_because == "forbidden"
    streams.leave(connection)


async def test_it_tells_nothing_of_a_channel_once_it_was_left(
    streams: Streams, doorkeeper: Doorkeeper, hall: Hall
) -> None:
    connection = await open_stream(streams)
    await hear(streams, connection, hall)
    await connection.take()
    doorkeeper.answers.clear()
    hall.rule(True)
    streams.hub.feed([changed(1), entry(2, HALL)])
    await doorkeeper.until_asked()
    await until_handed_out(streams, 2)
    leaving = asyncio.create_task(streams.hearing.unsubscribe(connection, HALL))
    await asyncio.sleep(0)  # it has begun
    doorkeeper.answers.set()
    await leaving
    assert await said_to(connection) == [HALL, "unsubscribed"]
    streams.leave(connection)


async def test_it_drops_what_waits_of_a_channel_when_it_is_left(
    streams: Streams, hall: Hall
) -> None:
    """Before the check has begun that holds events back; and what was true for a moment."""
    connection = await open_stream(streams)
    await hear(streams, connection, hall)
    await connection.take()
    streams.hub.tell(Ephemeral("presence", HALL, "", "somebody is there"))
    streams.hearing.apply_row("_user-changed", connection)
    for held in (entry(1, HALL), entry(2), entry(3, f"all {HALL}")):
        connection.deliver(held)
    await streams.hearing.unsubscribe(connection, HALL)
    await until_asked_again(connection)
    assert await said_to(connection) == ["unsubscribed", "all", f"all {HALL}"]
    streams.leave(connection)
