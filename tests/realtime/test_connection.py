"""One listener's queue."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from realtime.connection import MAX_BYTES, MAX_FRAMES, Connection
from realtime.listeners import NOBODY
from tests.realtime.things import entry


def connection() -> Connection:
    return Connection(listener=NOBODY, transport="websocket", address="", opened_at=0)


def position(frame: bytes | str) -> int:
    return int(str(frame).partition(":")[2].partition(",")[0])


async def test_it_gives_out_all_that_waits_at_once() -> None:
    one = connection()
    for number in (1, 2, 3):
        one.deliver(entry(number))
    assert [position(frame) for frame in await one.take()] == [1, 2, 3]


async def test_it_wakes_the_writer_that_waits() -> None:
    one = connection()
    taking = asyncio.create_task(one.take())
    await asyncio.sleep(0)
    one.deliver(entry(1))
    assert [position(frame) for frame in await taking] == [1]


async def test_it_gives_the_farewell_last_and_then_nothing() -> None:
    one = connection()
    one.deliver(entry(1))
    one.end("restart", "farewell")
    one.deliver(entry(2))
    one.queue("too late")
    frames = await one.take()
    assert [position(frames[0]), *frames[1:]] == [1, "farewell"]
    assert await one.take() == []


async def test_it_drops_the_queue_of_a_slow_reader_who_comes_back_with_its_cursor() -> None:
    one = connection()
    one.deliver(entry(1))
    one.end("too-slow", "farewell")
    assert await one.take() == ["farewell"]


def test_it_says_when_there_are_too_many_frames() -> None:
    one = connection()
    assert all(one.deliver(entry(number)) for number in range(1, MAX_FRAMES + 1))
    assert not one.deliver(entry(MAX_FRAMES + 1))


async def test_it_counts_the_bytes_in_the_writer_s_hand() -> None:
    one = connection()
    large = "x" * (MAX_BYTES // 10)
    assert all(one.deliver(entry(number, text=large)) for number in range(1, 6))
    await one.take()
    assert all(one.deliver(entry(number, text=large)) for number in range(6, 10))
    assert not one.deliver(entry(10, text=large))
    await one.take()
    assert one.deliver(entry(11, text=large))


async def test_it_counts_what_is_held_back() -> None:
    one = connection()
    one.hold()
    large = "x" * (MAX_BYTES // 10)
    assert all(one.deliver(entry(number, text=large)) for number in range(1, 10))
    assert not one.deliver(entry(10, text=large))


@given(
    before=st.lists(st.integers(1, 30), unique=True).map(sorted),
    replayed=st.integers(0, 40),
    held=st.lists(st.integers(1, 60), unique=True).map(sorted),
)
def test_it_releases_what_waited_without_what_was_sent(
    before: list[int], replayed: int, held: list[int]
) -> None:
    """Replay then live: positions only ever grow, and nothing above the replay is missing."""
    one = connection()
    for number in before:
        one.deliver(entry(number))
    one.hold()
    for number in held:
        one.deliver(entry(number))
        one.deliver(entry(number))  # a second audience
    one.sent = max(one.sent, replayed)
    sent = one.sent
    one.release()
    frames = asyncio.run(one.take()) if one.waiting else []
    positions = [position(frame) for frame in frames]
    assert positions == before + [number for number in held if number > sent]
