"""Writing to a client's socket at once, where nothing waits for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.connection import FREE_BYTES, MAX_BYTES, MAX_FRAMES, Connection, Transport
from realtime.control import LOGIN_ENDED
from realtime.ephemeral import Ephemeral
from realtime.frames import chunk, websocket_text
from realtime.listeners import NOBODY
from realtime.log import LogEntry
from realtime.messages import Heartbeat
from realtime.runs import RUN_BYTES, Run, runs_of
from tests.realtime.things import entry
from tests.realtime.wires import Wire, texts_in


class Stream:
    """A live connection whose task waits for something to write."""

    def __init__(self, transport: Transport = "websocket") -> None:
        self.writes: list[bytes] = []
        self.wire = Wire(self.writes.append)
        self.connection = Connection(listener=NOBODY, transport=transport, address="", opened_at=0)
        self.connection.behind = False
        self.connection.socket = self.wire

    @property
    def positions(self) -> list[int]:
        """Of what went to the socket."""
        texts = texts_in(b"".join(self.writes))
        return [int(text.partition(":")[2].partition(",")[0]) for text in texts]

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[asyncio.Task[list[str | bytes]]]:
        """With its task in take(), which nothing has woken yet."""
        task = asyncio.create_task(self.connection.take())
        await asyncio.sleep(0)
        yield task
        task.cancel()


def run_of(*positions: int, text: str = "") -> Run:
    return Run([entry(position, text=text) for position in positions])


async def test_it_writes_events_at_once_and_together() -> None:
    stream = Stream()
    async with stream.waiting() as task:
        stream.connection.deliver_run(run_of(1, 2, 3))
        assert stream.positions == [1, 2, 3]
        assert len(stream.writes) == 1
        assert not task.done()
    assert (stream.connection.sent, stream.connection.delivered) == (3, 3)


async def test_it_writes_one_chunk_to_an_event_stream() -> None:
    stream = Stream("sse")
    async with stream.waiting():
        run = run_of(1, 2)
        stream.connection.deliver_run(run)
        stream.connection.say(Heartbeat(), 2)
    events, heartbeat = stream.writes
    assert events == chunk(run.entries[0].sse + run.entries[1].sse)
    size, _, rest = heartbeat.partition(b"\r\n")
    assert rest.startswith(b"id: 2\nevent: heartbeat\n")
    assert rest.endswith(b"\n\n\r\n")
    assert int(size, 16) == len(rest) - 2


async def test_it_writes_nothing_past_what_waits() -> None:
    stream = Stream()
    stream.connection.deliver(entry(1))  # its task is not there
    stream.connection.deliver_run(run_of(2))
    assert stream.writes == []
    assert len(await stream.connection.take()) == 2
    async with stream.waiting() as task:
        stream.wire.stop_reading()
        stream.wire.write(b"x" * FREE_BYTES)
        stream.connection.deliver_run(run_of(3))
        stream.wire.read_on()
        # The socket is free, but the third event waits for its task.
        stream.connection.deliver_run(run_of(4))
        assert stream.writes == [b"x" * FREE_BYTES]
        assert len(await task) == 2


async def test_it_counts_what_the_socket_holds_as_waiting() -> None:
    stream = Stream()
    stream.wire.stop_reading()
    async with stream.waiting():
        stream.connection.deliver_run(run_of(1, text="x" * 1000))
    assert stream.connection.waiting_bytes > 1000
    stream.wire.read_on()
    assert stream.connection.waiting_bytes == 0


async def test_it_leaves_out_what_was_sent_and_what_is_held_back() -> None:
    stream = Stream()
    async with stream.waiting():
        stream.connection.deliver_run(run_of(1, 2))
        stream.connection.deliver_run(run_of(1, 2))  # by another audience
        stream.connection.hold(2)
        stream.connection.deliver_run(run_of(3))
        assert stream.positions == [1, 2]
        stream.connection.release()
    assert stream.positions == [1, 2, 3]


async def test_it_counts_what_it_holds_back_once() -> None:
    stream = Stream()
    stream.connection.hold(0)
    stream.connection.deliver_run(run_of(1, 2))
    once = stream.connection.waiting_bytes
    stream.connection.deliver_run(run_of(1, 2))  # by another audience
    assert stream.connection.waiting_bytes == once > 0


def release(connection: Connection) -> None:
    connection.release()


def hear_nothing(connection: Connection) -> None:
    connection.hear(frozenset())


def hold_nothing(connection: Connection) -> None:
    connection.hold_only([])


@pytest.mark.parametrize("let_go", [release, hear_nothing, hold_nothing])
async def test_it_has_room_when_nothing_is_held_back_any_more(
    let_go: Callable[[Connection], None],
) -> None:
    stream = Stream()
    async with stream.waiting() as task:
        stream.connection.hold(0)
        for position in range(1, MAX_FRAMES + 1):
            stream.connection.deliver(entry(position))
        answering = asyncio.create_task(stream.connection.wait_for_room())
        await asyncio.sleep(0)
        assert not answering.done()
        let_go(stream.connection)
        await asyncio.wait_for(answering, 10)
        assert not task.done()  # nothing woke the one that writes


async def test_it_has_room_whatever_its_socket_holds() -> None:
    stream = Stream()
    stream.wire.stop_reading()
    stream.wire.write(b"x" * MAX_BYTES)
    await asyncio.wait_for(stream.connection.wait_for_room(), 10)
    stream.connection.queue("x" * MAX_BYTES)  # waits for its task, and counts
    answering = asyncio.create_task(stream.connection.wait_for_room())
    await asyncio.sleep(0)
    assert not answering.done()
    await stream.connection.take()
    await asyncio.sleep(0)
    assert not answering.done()  # it is in the hand of the socket
    await asyncio.gather(stream.connection.take(), end_soon(stream.connection))
    await asyncio.wait_for(answering, 10)


async def end_soon(connection: Connection) -> None:
    """Once its task waits."""
    await asyncio.sleep(0)
    connection.leave()


async def test_it_leaves_out_the_part_of_a_run_that_a_replay_sent() -> None:
    stream = Stream()
    stream.connection.replay([entry(1), entry(2)], 2)
    await stream.connection.take()
    async with stream.waiting():
        stream.connection.deliver_run(run_of(2, 3))
    assert stream.positions == [3]


async def test_it_writes_nothing_to_a_socket_that_closes() -> None:
    stream = Stream()
    async with stream.waiting():
        stream.wire.close()
        stream.connection.deliver_run(run_of(1))
        stream.connection.queue("later")
    assert stream.writes == []


async def test_it_writes_a_moment_at_once_unless_its_reader_is_not_there_yet() -> None:
    stream = Stream()
    moment = Ephemeral("presence", "all", "", '{"id":0,"x":1}')
    async with stream.waiting():
        stream.connection.tell(moment)
        stream.connection.hold(0)
        stream.connection.tell(moment)
    assert stream.positions == [0]


async def test_it_writes_the_farewell_and_ends() -> None:
    stream = Stream()
    async with stream.waiting() as task:
        stream.connection.end("forbidden")
        stream.connection.deliver_run(run_of(1))
        assert await task == []
    (farewell,) = texts_in(b"".join(stream.writes))
    assert '"reason":"forbidden"' in farewell


@given(st.text(max_size=70_000) | st.sampled_from([125, 126, 65_535, 65_536]).map("x".__mul__))
def test_it_frames_every_text_as_websockets_are_framed(text: str) -> None:
    assert texts_in(websocket_text(text)) == [text]


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_its_headers_are_those_of_rfc_6455(size: int, header: str) -> None:
    assert websocket_text("x" * size)[: -size or None].hex() == header


def test_its_chunks_are_those_of_rfc_9112() -> None:
    assert chunk(b"data: 1\n\n") == b"9\r\ndata: 1\n\n\r\n"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["all", "staff", "all staff"]),
            st.sampled_from([0, 0, RUN_BYTES // 3, RUN_BYTES + 1]),
            st.booleans(),
        )
    )
)
def test_it_puts_together_what_has_the_same_audiences(drawn: list[tuple[str, int, bool]]) -> None:
    entries = [
        _internal(position, names) if internal else entry(position, names, "x" * size)
        for position, (names, size, internal) in enumerate(drawn, 1)
    ]
    runs = list(runs_of(entries))
    assert [each for run in runs for each in run.entries] == entries
    for run in runs:
        assert len({each.audiences for each in run.entries}) == 1
        assert len(run.entries) == 1 or not any(each.internal for each in run.entries)
        assert len(run.entries) == 1 or sum(len(each.text) for each in run.entries) <= RUN_BYTES


def _internal(position: int, audiences: str) -> LogEntry:
    return LogEntry(position, LOGIN_ENDED, audiences, '{"x":1}', datetime.now(UTC))
