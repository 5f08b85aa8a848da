"""One listener's queue."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from realtime.connection import (
    MAX_BYTES,
    MAX_EPHEMERALS,
    MAX_FRAMES,
    WRITE_BYTES,
    Connection,
    Transport,
)
from realtime.ephemeral import Ephemeral
from realtime.listeners import NOBODY
from realtime.log import LogEntry
from tests.realtime.things import entry


def connection(transport: Transport = "websocket") -> Connection:
    """One that is live."""
    one = Connection(listener=NOBODY, transport=transport, address="", opened_at=0)
    one.behind = False
    return one


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


async def test_it_gives_out_no_more_than_makes_one_write() -> None:
    one = connection()
    for number in range(1, 31):
        one.deliver(entry(number, text="x" * (WRITE_BYTES // 10)))
    sizes = []
    heard = []
    while one.waiting:
        frames = await one.take()
        sizes.append(sum(len(frame) for frame in frames))
        heard += [position(frame) for frame in frames]
    assert heard == list(range(1, 31))
    assert len(sizes) == 3
    assert max(sizes) < WRITE_BYTES * 1.2


async def test_it_gives_the_farewell_last_and_then_nothing() -> None:
    one = connection()
    one.deliver(entry(1))
    one.end("restart")
    one.deliver(entry(2))
    one.queue("too late")
    frames = await one.take()
    assert position(frames[0]) == 1
    assert '"reason":"restart"' in str(frames[1])
    assert len(frames) == 2
    assert await one.take() == []


async def test_it_drops_the_queue_of_a_slow_reader_who_comes_back_with_its_cursor() -> None:
    one = connection()
    one.deliver(entry(1))
    one.end("too-slow")
    (farewell,) = await one.take()
    assert '"reason":"too-slow"' in str(farewell)


async def test_it_falls_behind_when_there_are_too_many_frames() -> None:
    one = connection()
    for number in range(1, MAX_FRAMES + 1):
        one.deliver(entry(number))
        assert not one.behind
    for number in range(MAX_FRAMES + 1, MAX_FRAMES + 9):
        one.deliver(entry(number))
        assert one.behind
    assert one.sent == MAX_FRAMES
    heard: list[int] = []
    while frames := await one.take():
        heard += [position(frame) for frame in frames]
    assert heard == list(range(1, MAX_FRAMES + 1))


async def test_it_counts_the_bytes_in_the_writer_s_hand() -> None:
    one = connection()
    large = "x" * (MAX_BYTES // 10)
    for number in range(1, 11):
        one.deliver(entry(number, text=large))
    await one.take()
    one.deliver(entry(11, text=large))
    assert one.behind
    assert one.sent == 10


async def test_it_wakes_its_writer_when_it_falls_behind() -> None:
    one = connection()
    taking = asyncio.create_task(one.take())
    await asyncio.sleep(0)
    one.fall_behind(7)
    assert await taking == []
    assert one.sent == 7


async def test_it_holds_back_no_more_than_its_bounds() -> None:
    one = connection()
    one.hold(3)
    large = "x" * (MAX_BYTES // 10)
    for number in range(4, 30):
        one.deliver(entry(number, text=large))
    assert one.behind
    assert one.sent == 3  # what was held back is read from the log
    one.release()
    assert not one.waiting


def test_it_leaves_its_cursor_alone_when_it_is_held_back_behind() -> None:
    """What the hub has handed out did not reach a connection that is behind."""
    one = connection()
    one.deliver(entry(1))
    one.fall_behind(1)
    one.hold(9)
    assert one.sent == 1
    one.release()
    one.behind = False
    one.hold(9)
    assert one.sent == 9


async def test_it_has_room_again_when_its_reader_took_what_waited() -> None:
    one = connection()
    await one.wait_for_room()
    for number in range(1, 12):
        one.deliver(entry(number, text="x" * (MAX_BYTES // 10)))
    waiting = asyncio.create_task(one.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    while one.waiting:
        await one.take()
    await waiting
    for ending in (one.leave, lambda: None):
        ending()
        await one.wait_for_room()


async def test_it_sends_a_moment_that_moves_no_cursor() -> None:
    moment = Ephemeral("thing-happened", "all", "", "{}")
    talking, streaming = connection("websocket"), connection("sse")
    for one in (talking, streaming):
        one.tell(moment)
        assert one.sent == 0
    assert await talking.take() == ["{}"]
    assert await streaming.take() == [b"event: thing-happened\ndata: {}\n\n"]


async def test_it_keeps_a_moment_for_who_is_in_a_replay() -> None:
    one = connection()
    one.hear(frozenset({"all", "staff"}))

    def tell(text: str, audience: str = "all", type_name: str = "presence") -> None:
        one.tell(Ephemeral(type_name, audience, "", text))
        assert not one.waiting

    one.hold(0)
    tell("old")
    tell("held back")
    tell("no longer heard", "staff")
    one.deliver(entry(1))
    one.hear(frozenset({"all"}))
    one.release()
    event, moment = await one.take()
    assert (position(event), moment) == (1, "held back")
    one.fall_behind(1)
    tell("behind")
    one.replay([entry(2, "other")], 2)
    assert [position(frame) for frame in await one.take()] == [2]
    one.behind = False
    assert await one.take() == ["behind"]
    # What was stored meanwhile may be the newer one.
    one.hold(2)
    tell("overtaken", type_name="thing-happened")
    one.replay([entry(3)], 3)
    one.release()
    assert [position(frame) for frame in await one.take()] == [3]


async def test_it_drops_what_waits_for_audiences_that_it_hears_no_more() -> None:
    one = connection()
    one.hear(frozenset({"all", "order.5"}))
    one.tell(Ephemeral("presence", "order.5", "", "for a moment"))
    one.hold(0)
    for number, audiences in enumerate(("all", "order.5", "all order.5"), 1):
        one.deliver(entry(number, audiences))
    waiting_bytes = one.waiting_bytes
    one.hear(frozenset({"all"}))
    assert one.waiting_bytes == waiting_bytes - len(entry(2, "order.5").text)
    one.hear(frozenset({"all", "order.5"}))
    one.release()
    assert [position(frame) for frame in await one.take()] == [1, 3]


async def test_it_tells_no_moment_to_who_is_gone() -> None:
    moment = Ephemeral("thing-happened", "all", "", "{}")
    one = connection()
    one.tell(moment)
    one.end("restart")
    one.tell(moment)
    (farewell,) = await one.take()
    assert "closing" in str(farewell)


def test_it_keeps_moments_of_so_many_keys() -> None:
    one = connection()
    for number in range(MAX_EPHEMERALS + 10):
        one.tell(Ephemeral("thing-happened", "all", str(number), str(number)))
    frames = asyncio.run(one.take())
    assert frames == [str(number) for number in range(10, MAX_EPHEMERALS + 10)]


@dataclass(frozen=True)
class Moment:
    """Something is told of a key."""

    key: str


@dataclass(frozen=True)
class Stored:
    """An event is stored, of the type of the moments or of another, for all or for some."""

    type_name: str
    audiences: str


steps = st.lists(
    st.one_of(
        st.builds(Moment, st.sampled_from(["a", "b", "c"])),
        st.builds(
            Stored, st.sampled_from(["progress", "order"]), st.sampled_from(["all", "user.1"])
        ),
        st.just("take"),
    ),
    max_size=40,
)


@given(steps)
def test_it_coalesces(told: list[Moment | Stored | str]) -> None:
    """Of each key only the newest waits, and nothing that a stored event has overtaken; stored
    events all come, in order."""
    one = connection()
    waiting: dict[str, str] = {}  # what must come of each key
    stored: list[int] = []
    heard_stored: list[int] = []

    def take() -> None:
        frames = [str(frame) for frame in asyncio.run(one.take())] if one.waiting else []
        moments = [frame for frame in frames if not frame.startswith("{")]
        assert sorted(moments) == sorted(waiting.values())
        waiting.clear()
        heard_stored.extend(position(frame) for frame in frames if frame.startswith("{"))

    for number, step in enumerate([*told, "take"], 1):
        if isinstance(step, Moment):
            waiting[step.key] = f"{step.key}{number}"
            one.tell(Ephemeral("progress", "all", step.key, waiting[step.key]))
        elif isinstance(step, Stored):
            now = datetime.now(UTC)
            one.deliver(LogEntry(number, step.type_name, step.audiences, '{"x":1}', now))
            stored.append(number)
            if step == Stored("progress", "all"):
                waiting.clear()
        else:
            take()
    assert heard_stored == stored


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
    one.hold(max(before, default=0))
    for number in held:
        one.deliver(entry(number))
        one.deliver(entry(number))  # a second audience
    one.sent = max(one.sent, replayed)
    sent = one.sent
    one.release()
    frames = asyncio.run(one.take()) if one.waiting else []
    positions = [position(frame) for frame in frames]
    assert positions == before + [number for number in held if number > sent]
