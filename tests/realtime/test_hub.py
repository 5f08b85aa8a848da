"""Contiguity: whatever becomes of the doorbells, each event is handed out once and in order."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence

import pytest

from realtime import log
from realtime.connection import Connection
from realtime.database import DatabaseThreads
from realtime.hub import Hub
from realtime.listeners import NOBODY
from realtime.models import LogEvent, LogHead
from realtime.tallies import Tallies
from tests.realtime.things import entry, publish_thing

pytestmark = pytest.mark.django_db(transaction=True)


class Told:
    """The internal rows that the hub told of, and whom they concern."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, list[Connection]]] = []

    def control(self, row: log.LogEntry, concerned: Sequence[Connection]) -> None:
        self.rows.append((row.type, list(concerned)))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def hub(told: Told, threads: DatabaseThreads) -> AsyncIterator[Hub]:
    """A hub that has started on an empty log."""
    await threads.run(log.ensure_head)
    hub = Hub(control=told.control, tallies=Tallies())
    await hub.start()
    yield hub
    await hub.stop()


def listener(hub: Hub, *audiences: str) -> Connection:
    connection = Connection(listener=NOBODY, transport="websocket", address="", opened_at=0)
    hub.add(connection)
    hub.listen(connection, audiences)
    connection.behind = False
    return connection


async def reach(hub: Hub, position: int) -> None:
    async with asyncio.timeout(10):
        while hub.last < position:
            await asyncio.sleep(0.005)


async def positions_of(connection: Connection) -> list[int]:
    if not connection.waiting:
        return []
    frames = await connection.take()
    return [int(str(frame).partition(":")[2].partition(",")[0]) for frame in frames]


def fill_log(count: int, to: str = "all") -> list[log.LogEntry]:
    for number in range(count):
        publish_thing(number, to=to)
    moved: list[log.LogEntry] = []
    while len(moved) < count:
        moved += log.number_committed()
    return moved


@pytest.mark.parametrize("seed", range(5))
async def test_it_heals_lost_doubled_and_reordered_batches(
    hub: Hub, threads: DatabaseThreads, seed: int
) -> None:
    chance = random.Random(seed)
    connection = listener(hub, "all")
    entries = await threads.run(fill_log, 120)
    batches = []
    while entries:
        size = chance.randint(1, 9)
        batches.append(entries[:size])
        entries = entries[size:]
    doorbells = [batch for batch in batches for _ in range(chance.choice([0, 1, 1, 2]))]
    for number in range(len(doorbells) - 1):
        if chance.random() < 0.4:
            doorbells[number], doorbells[number + 1] = doorbells[number + 1], doorbells[number]
    for doorbell in doorbells:
        hub.feed(list(doorbell))
        if chance.random() < 0.3:
            await asyncio.sleep(0)
    hub.heard(120)
    await reach(hub, 120)
    assert await positions_of(connection) == list(range(1, 121))


async def test_it_cuts_a_batch_that_overlaps(hub: Hub) -> None:
    connection = listener(hub, "all")
    hub.feed([entry(1), entry(2)])
    hub.feed([entry(2), entry(3)])
    await reach(hub, 3)
    assert await positions_of(connection) == [1, 2, 3]
    assert hub._tallies.gaps_healed == 0


async def test_it_reads_from_the_log_what_no_doorbell_told(
    hub: Hub, threads: DatabaseThreads
) -> None:
    connection = listener(hub, "all")
    await threads.run(fill_log, 3)
    assert hub.heard(3)
    await reach(hub, 3)
    assert await positions_of(connection) == [1, 2, 3]
    assert hub._tallies.gaps_healed == 1


async def test_it_goes_on_when_the_log_lost_a_stretch(hub: Hub) -> None:
    """Whoever listens looks into the log itself, and is told there what is missing."""
    connection = listener(hub, "all")
    hub.feed([entry(5)])
    await reach(hub, 5)
    assert connection.behind
    assert connection.sent == 0
    assert await positions_of(connection) == []


async def test_it_delivers_once_to_a_listener_of_two_audiences(hub: Hub) -> None:
    both = listener(hub, "all", "staff")
    one, other = listener(hub, "all"), listener(hub, "user.7")
    hub.feed([entry(1, "all staff"), entry(2, "staff"), entry(3, "all")])
    await reach(hub, 3)
    assert await positions_of(both) == [1, 2, 3]
    assert await positions_of(one) == [1, 3]
    assert await positions_of(other) == []


async def test_it_forgets_a_connection_and_its_audiences(hub: Hub) -> None:
    connection = listener(hub, "all", "user.1")
    hub.remove(connection)
    hub.remove(connection)
    hub.feed([entry(1)])
    await reach(hub, 1)
    assert not connection.waiting
    assert not hub.connections
    assert not hub._listeners


async def test_it_serves_a_short_cut_from_memory(hub: Hub) -> None:
    hub.feed([entry(1, "all"), entry(2, "user.1"), entry(3, "all")])
    await reach(hub, 3)

    def recent(after: int) -> list[int] | None:
        entries = hub.recent_for(frozenset({"all"}), after)
        return None if entries is None else [entry.position for entry in entries]

    assert recent(0) == [1, 3]
    assert recent(1) == [3]
    assert recent(3) == []
    assert recent(4) is None


async def test_it_tells_of_internal_rows_in_order_and_frames_none(hub: Hub, told: Told) -> None:
    connection = listener(hub, "login.abc", "user.7", "all")
    ended = log.LogEntry(1, "_login-ended", "login.abc", "{}", entry(1).published_at)
    changed = log.LogEntry(2, "_user-changed", "user.7", "{}", entry(1).published_at)
    hub.feed([ended, changed, entry(3)])
    await reach(hub, 3)
    assert told.rows == [("_login-ended", [connection]), ("_user-changed", [connection])]
    assert await positions_of(connection) == [3]


async def test_it_lets_a_reader_fall_behind_and_brings_it_level_from_memory(hub: Hub) -> None:
    slow, quick = listener(hub, "all"), listener(hub, "all")
    text = "x" * 100_000
    for position in range(1, 31):
        hub.feed([entry(position, "all", text)])
        await reach(hub, position)
        assert await positions_of(quick) == [position]
    assert slow.behind
    heard: list[int] = []
    rounds = 0
    while slow.behind:
        rounds += 1
        while slow.waiting:
            heard += await positions_of(slow)
        assert hub.bring_level(slow)
    while slow.waiting:
        heard += await positions_of(slow)
    assert heard == list(range(1, 31))
    assert rounds == 2
    hub.feed([entry(31)])
    await reach(hub, 31)
    assert await positions_of(slow) == [31]


async def test_it_keeps_back_what_those_hear_who_hear_something_else_now(hub: Hub) -> None:
    connection = listener(hub, "all", "buyers")
    connection.hold(hub.last)
    hub.feed([entry(1, "buyers"), entry(2, "sellers"), entry(3, "all")])
    await reach(hub, 3)
    hub.listen_anew(connection, ["all", "sellers"])
    connection.release()
    assert await positions_of(connection) == [2, 3]


async def test_it_goes_on_behind_an_event_that_it_cannot_hand_out(
    threads: DatabaseThreads, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody loses it either: whoever listens reads it from the log."""

    def fail(row: log.LogEntry, concerned: Sequence[Connection]) -> None:
        raise RuntimeError("not today")

    await threads.run(log.ensure_head)
    tallies = Tallies()
    hub = Hub(control=fail, tallies=tallies)
    await hub.start()
    connection = listener(hub, "all")
    row = log.LogEntry(2, "_login-ended", "login.abc", "{}", entry(1).published_at)
    hub.feed([entry(1), row, entry(3)])
    await reach(hub, 3)
    assert tallies.hub_errors == 1
    assert "not today" in caplog.text
    assert await positions_of(connection) == [1]
    assert connection.behind
    assert connection.sent == 1
    assert hub.bring_level(connection)
    assert await positions_of(connection) == [3]
    await hub.stop()


async def test_it_goes_on_far_above_where_the_database_was_restored(
    hub: Hub, threads: DatabaseThreads
) -> None:
    connection = listener(hub, "all")
    hub.feed(await threads.run(fill_log, 20))
    await reach(hub, 20)
    await positions_of(connection)

    def restore() -> None:
        LogEvent.objects.filter(position__gt=5).delete()
        LogHead.objects.update(position=5)

    await threads.run(restore)
    hub.heard(5)
    await reach(hub, 20 + log.JUMP)
    assert connection.behind
    assert connection.sent == 20  # below what the log holds: it is told to load its page again
    hub.feed(await threads.run(fill_log, 1))
    await reach(hub, 20 + log.JUMP + 1)


async def test_it_takes_a_look_that_was_too_early_for_no_restored_database(
    hub: Hub, threads: DatabaseThreads
) -> None:
    hub.feed(await threads.run(fill_log, 3))
    await reach(hub, 3)
    connection = listener(hub, "all")
    hub.heard(1)
    await asyncio.sleep(0.1)
    assert hub.last == 3
    assert not connection.behind
    assert await threads.run(log.read_head) == (3, 0)


async def test_it_leaps_over_all_that_another_process_jumped_at_once(
    hub: Hub, threads: DatabaseThreads
) -> None:
    connection = listener(hub, "all")
    head = await threads.run(log.jump_beyond, 7)
    assert head == 7 + log.JUMP
    hub.heard(head)
    await reach(hub, head)
    assert connection.behind
