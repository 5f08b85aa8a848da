"""Opening, checking and ending streams, where a test must say what happens in between."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from realtime import clock, log, websocket
from realtime.connection import MAX_BYTES, MAX_FRAMES, Connection, Frame
from realtime.database import DatabaseThreads
from realtime.hub import Hub
from realtime.listeners import Credentials
from realtime.log import LogEntry
from realtime.models import ProcessLease
from realtime.presence import Register
from realtime.rights import Refused, StreamRequest
from realtime.runs import Run
from realtime.streams import Streams
from tests.realtime.opened import SEVEN, Client, Doorkeeper, open_stream, request, until_handed_out
from tests.realtime.things import publish_thing
from tests.realtime.wires import Wire

pytestmark = pytest.mark.django_db(transaction=True)


async def serve(
    streams: Streams, connection: Connection, cursor: int | None, client: Client
) -> None:
    """What a transport does, until the stream ends."""
    replay = streams.replay(connection, client.write)
    await replay.open(cursor)
    await replay.pump()


def log_things(count: int, text: str = "") -> list[LogEntry]:
    """Announce so many things and number them."""
    with transaction.atomic():
        for number in range(count):
            publish_thing(number, text=text)
    entries: list[LogEntry] = []
    while batch := log.number_committed():
        entries += batch
    assert len(entries) == count
    return entries


async def test_it_says_nothing_between_the_greeting_and_a_reset(
    streams: Streams, doorkeeper: Doorkeeper
) -> None:
    client = Client()
    connection = await streams.admit(request(cursor=99))
    doorkeeper.answers.clear()
    replay = streams.replay(connection, client.write)
    opening = asyncio.create_task(replay.open(99))
    await doorkeeper.until_asked()
    await asyncio.sleep(1.5)  # the heartbeat of a stream that is slow to open
    doorkeeper.answers.set()
    await opening
    await client.write(await connection.take())
    assert client.types[:2] == ["connected", "reset"]
    streams.leave(connection)


async def test_it_takes_nobody_who_missed_much_for_a_slow_reader(
    streams: Streams, threads: DatabaseThreads, doorkeeper: Doorkeeper
) -> None:
    """What was missed and what comes meanwhile are together more than may wait for a reader."""
    missed, more = MAX_FRAMES - 100, 300
    entries = await threads.run(log_things, missed)
    streams.hub.feed(entries)
    await until_handed_out(streams, missed)
    client = Client()
    connection = await streams.admit(request(cursor=0))
    doorkeeper.answers.clear()
    serving = asyncio.create_task(serve(streams, connection, 0, client))
    await doorkeeper.until_asked()
    streams.hub.feed(await threads.run(log_things, more))
    await until_handed_out(streams, missed + more)
    doorkeeper.answers.set()
    async with asyncio.timeout(20):
        while len(client.things) < missed + more:
            await asyncio.sleep(0.01)
    assert client.things == list(range(1, missed + more + 1))
    connection.leave()
    await serving


async def test_it_lets_a_quick_reader_have_a_burst_that_no_queue_holds(
    streams: Streams, threads: DatabaseThreads
) -> None:
    """First from the hub's memory, then, where that is too short, from the log."""
    client = Client()
    connection = await streams.admit(request())
    serving = asyncio.create_task(serve(streams, connection, None, client))
    expected = 0
    for count, text in ((3 * MAX_FRAMES, ""), (60, "x" * 100_000), (400, "x" * 60_000)):
        entries = await threads.run(log_things, count, text)
        expected += count
        # At once: the connection's task has no turn in between.
        for entry in entries:
            streams.hub._deliver(Run([entry]))
            streams.hub._recent.add([entry])
            streams.hub.last = entry.position
        assert connection.behind
        async with asyncio.timeout(20):
            while len(client.things) < expected:
                await asyncio.sleep(0.01)
        assert not connection.behind
    assert client.things == list(range(1, expected + 1))
    streams.leave(connection)
    await serving


async def test_it_waits_for_a_socket_that_holds_more_than_may_wait(
    streams: Streams, threads: DatabaseThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last write before it was full may have been as large as that: a state, many moments."""
    client = Client()
    reads = asyncio.Event()

    async def write(frames: Sequence[Frame]) -> None:
        await reads.wait()
        await client.write(frames)

    connection = await streams.admit(request())
    replay = streams.replay(connection, write)
    reads.set()
    await replay.open(None)
    serving = asyncio.create_task(replay.pump())
    await asyncio.sleep(0)  # it waits for something to write
    connection.socket = wire = Wire(lambda _: None)
    reads.clear()
    wire.stop_reading()
    wire.write(b"x" * MAX_BYTES)
    levelled = 0

    def bring_level(connection: Connection) -> bool:
        nonlocal levelled
        levelled += 1
        if levelled > 10:
            connection.leave()  # or the loop would never get its turn
        return Hub.bring_level(streams.hub, connection)

    monkeypatch.setattr(streams.hub, "bring_level", bring_level)
    entries = await threads.run(log_things, 3)
    streams.hub.feed(entries)
    await until_handed_out(streams, entries[-1].position)
    assert levelled == 1
    wire.read_on()
    reads.set()
    async with asyncio.timeout(10):
        while len(client.things) < 3:
            await asyncio.sleep(0.005)
    assert client.things == [entry.position for entry in entries]
    streams.leave(connection)
    await serving


async def test_it_resets_who_fell_behind_what_the_log_holds(
    streams: Streams, threads: DatabaseThreads
) -> None:
    client = Client()
    connection = await streams.admit(request())
    serving = asyncio.create_task(serve(streams, connection, None, client))
    while "connected" not in client.types:
        await asyncio.sleep(0.01)
    connection.fall_behind(0)
    await threads.run(log_things, 5)
    await threads.run(lambda: log.trim(before=timezone.now(), keep=0))
    streams.hub.heard(5)
    async with asyncio.timeout(20):
        while "reset" not in client.types:
            await asyncio.sleep(0.01)
    streams.hub.feed(await threads.run(log_things, 1))
    async with asyncio.timeout(20):
        while not client.things:
            await asyncio.sleep(0.01)
    assert client.things == [6]
    streams.leave(connection)
    await serving


async def test_it_says_in_a_heartbeat_no_more_than_was_sent(
    streams: Streams, threads: DatabaseThreads
) -> None:
    """Neither while a reader is behind, nor while its events are held back."""
    behind, held, level = [await open_stream(streams) for _ in range(3)]
    behind.fall_behind(0)
    held.hold(0)
    streams.hub.feed(await threads.run(log_things, 3))
    await until_handed_out(streams, 3)
    await asyncio.sleep(1.2)  # each second one, here
    ids = []
    for connection in (behind, held, level):
        connection.leave()
        frames = [json.loads(frame) for frame in await connection.take()]
        ids.append({frame["id"] for frame in frames if frame["type"] == "ping"})
        streams.leave(connection)
    assert ids[0] == ids[1] == {0}
    assert 3 in ids[2]


async def test_it_ends_who_takes_nothing_and_is_behind(
    streams: Streams, threads: DatabaseThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "STALL_SECONDS", 0.5)
    stuck, idle = [await streams.admit(request()) for _ in range(2)]
    taken = asyncio.Event()

    async def take_nothing(frames: Sequence[Frame]) -> None:
        taken.set()
        await asyncio.Event().wait()

    async def serve_stuck() -> None:
        replay = streams.replay(stuck, take_nothing)
        await replay.open(None)
        await replay.pump()

    serving = asyncio.create_task(serve_stuck())
    quick = Client()
    serving_idle = asyncio.create_task(serve(streams, idle, None, quick))
    await taken.wait()
    await asyncio.sleep(1.7)
    assert not stuck.ended  # what waits for it is within its bounds
    streams.hub.feed(await threads.run(log_things, MAX_FRAMES + 1))
    async with asyncio.timeout(20):
        while not stuck.ended:
            await asyncio.sleep(0.01)
    assert stuck.closed_because == "too-slow"
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert not idle.ended
    for connection in (stuck, idle):
        streams.leave(connection)
    await serving_idle


async def test_it_asks_for_no_login_while_it_drains(
    streams: Streams, doorkeeper: Doorkeeper
) -> None:
    await streams.drain(1)
    with pytest.raises(Refused) as refused:
        await streams.admit(request())
    assert refused.value.code == "restart"
    assert not doorkeeper.asked.is_set()


async def test_it_admits_nobody_once_it_drains(streams: Streams, doorkeeper: Doorkeeper) -> None:
    doorkeeper.answers.clear()
    asking = asyncio.create_task(streams.admit(request()))
    await doorkeeper.until_asked()
    await streams.drain(1)
    doorkeeper.answers.set()
    with pytest.raises(Refused) as refused:
        await asking
    assert refused.value.code == "restart"


async def test_it_asks_for_the_logins_of_a_moment_together(
    streams: Streams, doorkeeper: Doorkeeper
) -> None:
    with override_settings(STREAMS_PER_USER=250):
        await admit_all(streams, [request() for _ in range(250)])
    assert sorted(doorkeeper.lots) == [50, 100, 100]


async def test_a_ticket_that_waits_in_vain_refuses_nobody_elses_login(
    streams: Streams, doorkeeper: Doorkeeper
) -> None:
    """It is spent by a write, which another write may hold up; a token is only looked up."""
    given = SEVEN, Credentials(ticket="locked"), SEVEN, Credentials(ticket="fresh")
    requests = [request(given=each) for each in given]
    assert await admit_all(streams, requests) == ["", "unavailable", "", ""]


async def test_a_login_that_fails_spends_nobody_elses_ticket(
    streams: Streams, doorkeeper: Doorkeeper
) -> None:
    given = Credentials(ticket="fresh"), Credentials(token="odd"), SEVEN
    requests = [request(given=each) for each in given]
    assert await admit_all(streams, requests) == ["", "odd", ""]


async def admit_all(streams: Streams, requests: Sequence[StreamRequest]) -> list[str]:
    """What each is refused for that comes in the same moment; "" for who is admitted."""
    opening = (streams.admit(each) for each in requests)
    opened = await asyncio.gather(*opening, return_exceptions=True)
    for connection in opened:
        if isinstance(connection, Connection):
            streams.leave(connection)
    return [str(found) if isinstance(found, Exception) else "" for found in opened]


async def test_it_renews_its_lease_and_asks_for_rights_while_presence_waits(
    streams: Streams,
    doorkeeper: Doorkeeper,
    threads: DatabaseThreads,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the database, for another process."""
    waits, goes_on = threading.Event(), threading.Event()

    def keep(*_args: object) -> None:
        waits.set()
        assert goes_on.wait(30)

    def renewed_at() -> datetime:
        return ProcessLease.objects.get(process=streams.counts.process).renewed_at

    monkeypatch.setattr(Register, "keep", keep)
    connection = await open_stream(streams)
    async with asyncio.timeout(20):
        while not waits.is_set():
            await asyncio.sleep(0.01)
        before = await threads.run(renewed_at)
        while await threads.run(renewed_at) == before:
            await asyncio.sleep(0.05)
        streams.hub.feed([LogEntry(1, "_user-changed", "user.7", "{}", timezone.now())])
        await doorkeeper.until_asked()
        while connection.holds:
            await asyncio.sleep(0.01)
    assert not goes_on.is_set()
    goes_on.set()
    streams.leave(connection)


async def test_it_forgets_a_stream_that_goes_while_it_is_checked_again(
    streams: Streams, doorkeeper: Doorkeeper
) -> None:
    connection = await open_stream(streams)
    assert "user.7" in connection.audiences
    doorkeeper.answers.clear()
    changed = LogEntry(1, "_user-changed", "user.7", "{}", timezone.now())
    streams.hub.feed([changed])
    await doorkeeper.until_asked()
    streams.leave(connection)
    doorkeeper.answers.set()
    await asyncio.sleep(0.3)
    assert connection.audiences == frozenset()


async def test_it_obeys_nobody_whose_stream_has_ended(
    streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that takes nothing keeps its session for a second after the login ended."""

    async def own_station() -> SimpleNamespace:
        return SimpleNamespace(streams=streams)

    obeyed: list[object] = []

    async def hand_on(_connection: Connection, message: object) -> None:
        obeyed.append(message)

    monkeypatch.setattr(websocket, "station", own_station)
    monkeypatch.setattr(streams.hearing, "hand_on", hand_on)
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    incoming.put_nowait({"type": "websocket.connect"})
    sent: list[dict[str, Any]] = []
    takes = asyncio.Event()
    takes.set()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        await takes.wait()

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.005)

    typing = {"type": "websocket.receive", "text": f'{{"type":"typing","sessionId":"{uuid4()}"}}'}
    scope: Any = {
        "type": "websocket",
        "headers": [(b"host", b"testserver")],
        "query_string": b"token=seven",
        "client": ("127.0.0.1", 1),
    }
    serving = asyncio.create_task(
        websocket.websocket_application(scope, incoming.get, send)  # type: ignore[arg-type]
    )
    incoming.put_nowait(typing)
    await until(lambda: len(obeyed) == 1)
    takes.clear()
    [connection] = streams.hub.connections
    connection.queue("a frame")
    await until(lambda: sent[-1].get("text") == "a frame")
    connection.end("logged-out")
    incoming.put_nowait(typing)
    await until(incoming.empty)
    takes.set()
    await serving
    assert len(obeyed) == 1
    assert sent[-1] == {"type": "websocket.close", "code": 4401, "reason": ""}
