"""The server's end and its clients' return, and readers that do not keep up."""

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import transaction
from websockets.exceptions import WebSocketException

from marketplace.accounts.models import User
from tests.conftest import StartServer
from tests.realtime.things import publish_thing
from tests.streams.clocks import hurried
from tests.streams.things import (
    bearer,
    cookie,
    in_thread,
    listen,
    next_events,
    process,
    settled,
    talk,
    ticket,
)
from tests.support.processes import end
from tests.support.servers import Marketplace
from tests.support.streams import SseClient, SseFrame, StreamRefused

# --- Draining -------------------------------------------------------------------------------

Refusal = tuple[int, dict[str, str], Any]
Close = tuple[str | None, int | None]  # the reason that was given, and the code


async def stop_while_watched(server: Marketplace) -> tuple[list[int], list[Refusal], set[Close]]:
    """Send SIGTERM; what readiness, new streams and new WebSockets are told until the end."""
    ready: list[int] = []
    refused: list[Refusal] = []
    closed: set[Close] = set()
    server.process.send_signal(signal.SIGTERM)
    async with httpx.AsyncClient(base_url=server.url) as client:
        while server.process.poll() is None:
            try:
                ready.append((await client.get("/health/ready")).status_code)
                async with await listen(server, channels="catalogue") as stream:
                    frames = [frame.event async for frame in stream]
                assert frames[-1] == "closing"
            except StreamRefused as error:
                refused.append((error.status, error.headers, json.loads(error.body)))
            except (OSError, httpx.TransportError, asyncio.IncompleteReadError):
                break  # it listens no longer
            try:
                async with await talk(server, channels="catalogue") as client_of_another_kind:
                    said, code = await client_of_another_kind.ends()
            except (OSError, WebSocketException):
                break
            closed.add((said[-1]["data"]["reason"] if said else None, code))
    return ready, refused, closed


async def test_it_drains_before_it_stops(start_server: StartServer) -> None:
    server = start_server(STREAMS_PER_ADDRESS="2000", DRAIN_SECONDS="3")
    streams = await asyncio.gather(
        *(listen(server, channels="catalogue") for _ in range(250)),
    )
    sockets = await asyncio.gather(*(talk(server, channels="catalogue") for _ in range(50)))
    assert httpx.get(f"{server.url}/health/ready").status_code == 200
    began = time.monotonic()
    watching = asyncio.create_task(stop_while_watched(server))
    pauses = set()
    for stream in streams:
        frames = [frame async for frame in stream]
        assert frames[-1].event == "closing"
        assert frames[-1].body["data"]["reason"] == "restart"
        pauses.add(frames[-1].body["data"]["retryAfter"])
        await stream.close()
    for socket in sockets:
        said, code = await socket.ends()
        assert (said[-1]["type"], said[-1]["data"]["reason"], code) == ("closing", "restart", 1012)
        pauses.add(said[-1]["data"]["retryAfter"])
    ready, refused, closed = await watching
    assert await asyncio.to_thread(server.process.wait, 20) == 0
    print(f"Drained {len(streams) + len(sockets)} in {time.monotonic() - began:.2f} s")

    assert all(pause > 0 for pause in pauses)
    assert len(pauses) > 100  # they do not come back all at once
    assert set(ready) <= {200, 503}
    assert ready[-1] == 503
    assert ready == sorted(ready)
    for status, headers, body in refused:
        assert status == 503
        assert int(headers["retry-after"]) > 0
        assert body["type"] == "server_error"
        assert body["errors"][0]["code"] == "restart"
    assert refused
    # When the drain is over the server is faster with its bare close.
    assert ("restart", 1012) in closed
    assert closed <= {("restart", 1012), (None, 1012)}
    assert "Traceback" not in server.log.read_text()


def assert_it_stopped_in_time(server: Marketplace) -> None:
    """Nothing had to be cancelled because its time was over."""
    told = server.log.read_text()
    assert "graceful shutdown exceeded" not in told
    assert "Traceback" not in told


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_it_tells_its_few_clients_and_is_gone_at_once(
    start_server: StartServer, buyer: User, how: signal.Signals
) -> None:
    server = start_server()
    async with (
        await listen(server, buyer) as stream,
        await talk(server, buyer) as client,
        httpx.AsyncClient(base_url=server.url) as idle,
    ):
        assert (await idle.get("/health")).status_code == 200
        await stream.frame()
        began = time.monotonic()
        server.process.send_signal(how)
        closing = await stream.until("closing")
        said, code = await client.ends()
        assert await asyncio.to_thread(server.process.wait, 20) == 0
        print(f"{how.name}: gone after {time.monotonic() - began:.2f} s")
    assert closing.body["data"]["reason"] == said[-1]["data"]["reason"] == "restart"
    assert code == 1012
    assert_it_stopped_in_time(server)


async def test_it_keeps_no_stream_that_opens_while_it_stops(
    start_server: StartServer, buyer: User
) -> None:
    server = start_server(STREAMS_PER_USER="1000")
    headers = bearer(buyer)
    ends: list[str] = []

    async def come_and_stay() -> None:
        while True:
            try:
                async with await listen(server, headers=headers) as stream:
                    ends.append([frame.event async for frame in stream][-1])
            except StreamRefused as refused:
                ends.append(f"refused with {refused.status}")
            except (OSError, asyncio.IncompleteReadError):
                return

    coming = [asyncio.create_task(come_and_stay()) for _ in range(20)]
    await asyncio.sleep(0.3)
    server.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(server.process.wait, 20) == 0
    assert_it_stopped_in_time(server)
    await asyncio.gather(*coming)
    assert set(ends) <= {"closing", "refused with 503"}


# --- Coming back ----------------------------------------------------------------------------


class Follower:
    """A client that comes back with its cursor, to whatever server there is."""

    def __init__(self, cursor: int, headers: dict[str, str]) -> None:
        self.cursor = cursor
        self.numbers: list[int] = []
        self._headers = headers

    async def follow_sse(self, server: Marketplace) -> None:
        """Until the stream ends."""
        async with await listen(
            server, headers=self._headers, lastEventId=str(self.cursor)
        ) as stream:
            try:
                while True:
                    frame = await stream.any_frame(30)
                    self._take(frame.event, frame.id, frame.body)
            except (OSError, asyncio.IncompleteReadError):
                return

    async def follow_websocket(self, server: Marketplace) -> None:
        """Until the connection ends."""
        async with await talk(
            server, headers=self._headers, lastEventId=str(self.cursor)
        ) as client:
            said, _code = await client.ends(30)
            for message in said:
                self._take(message["type"], message.get("id"), message)

    def _take(self, event: str, position: int | None, body: dict[str, Any]) -> None:
        assert event in {"connected", "thing-happened", "closing", "heartbeat", "ping"}
        if position is not None:
            assert position >= self.cursor
            self.cursor = position
        if event == "thing-happened":
            self.numbers.append(body["data"]["number"])


PUBLISHER = """
from tests.realtime.things import publish_thing
audiences, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for number in range(count):
    publish_thing(number, to=audiences, text="x" * size)
    time.sleep(0.004)
"""


async def test_its_clients_miss_nothing_when_it_comes_back(
    start_server: StartServer, buyer: User
) -> None:
    """Stopped, stopped by Ctrl-C, and killed, while another process publishes."""
    first = start_server(program=hurried())
    headers = bearer(buyer)
    cursor = await settled()
    followers = [Follower(cursor, headers) for _ in range(4)]

    async def follow(server: Marketplace) -> None:
        by_sse, by_websocket = followers[:2], followers[2:]
        await asyncio.gather(
            *(follower.follow_sse(server) for follower in by_sse),
            *(follower.follow_websocket(server) for follower in by_websocket),
        )

    async def serve(server: Marketplace, how: signal.Signals) -> None:
        following = asyncio.create_task(follow(server))
        await asyncio.sleep(0.5)
        code = await asyncio.to_thread(end, server.process, how=how)
        assert code == (-9 if how == signal.SIGKILL else 0)
        await following

    count = 700
    with process(PUBLISHER, f"user.{buyer.pk}", str(count), "10") as publishing:
        await serve(first, signal.SIGTERM)
        await serve(start_server(program=hurried()), signal.SIGKILL)
        await serve(start_server(program=hurried()), signal.SIGINT)
        await asyncio.to_thread(publishing.wait, 60)
    await serve(start_server(program=hurried()), signal.SIGTERM)
    for follower in followers:
        assert follower.numbers == list(range(count))


async def test_a_spent_ticket_is_no_way_back(
    server: Marketplace, start_server: StartServer, buyer: User
) -> None:
    later, once = start_server(), ticket(server, buyer)
    async with await listen(server, ticket=once) as stream:
        await stream.frame()
    with pytest.raises(StreamRefused) as refused:
        await listen(later, ticket=once)
    assert refused.value.status == 401


# --- Readers that do not keep up ------------------------------------------------------------


def memory_of(server: Marketplace) -> float:
    """What the process has in memory, in MiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def publish_things(numbers: list[int], audiences: str, text: str) -> None:
    """Publish one thing after another."""
    for number in numbers:
        publish_thing(number, to=audiences, text=text)


async def hear_all(stream: SseClient, count: int) -> list[int]:
    """The numbers of so many events."""
    return [frame.body["data"]["number"] for frame in await next_events(stream, count, 60)]


async def test_it_drops_who_stops_reading_and_disturbs_nobody(
    start_server: StartServer, buyer: User, other_buyer: User
) -> None:
    server = start_server(program=hurried(stall=3), STREAMS_PER_USER="100")
    rounds, at_once, size = 40, 10, 60_000
    count = rounds * at_once
    start = await settled()
    headers, others = bearer(buyer), bearer(other_buyer)
    slow = [
        await SseClient.open(server.port, headers=headers, receive_buffer=4096) for _ in range(3)
    ]
    stuck = [await talk(server, headers=headers) for _ in range(3)]
    for socket in stuck:
        await socket.message()
        socket.connection.transport.pause_reading()
    quick = [await listen(server, headers=others) for _ in range(2)]
    for stream in quick:
        await stream.frame()
    most = before = memory_of(server)
    audiences = f"user.{buyer.pk} user.{other_buyer.pk}"
    for first in range(0, count, at_once):
        numbers = list(range(first, first + at_once))
        await in_thread(publish_things, numbers, audiences, "x" * size)
        for stream in quick:
            assert await hear_all(stream, at_once) == numbers
        most = max(most, memory_of(server))
    print(f"{count * size / 2**20:.0f} MiB to 6 stuck clients cost {most - before:.0f} MiB")
    # The hub's own memory of events is 16 MiB, twice over while frames are joined.
    assert most - before < 110

    for stream in quick:
        await stream.close()
    async with asyncio.timeout(20):
        while "too-slow" not in server.log.read_text():
            await asyncio.sleep(0.1)
    await asyncio.gather(*(comes_back(server, stream, start, headers, count) for stream in slow))
    for socket in stuck:
        socket.connection.transport.resume_reading()
        said, code = await socket.ends(20)
        assert len(said) < count
        assert code in {4408, 1006}  # where the socket still took it
    assert server.log.read_text().count("too-slow") >= 6
    assert "Traceback" not in server.log.read_text()


async def comes_back(
    server: Marketplace, stream: SseClient, start: int, headers: dict[str, str], count: int
) -> None:
    """Read what is left of a stream that was cut, and the rest from there."""
    frames: list[SseFrame] = []
    try:
        while True:
            frames.append(await stream.frame(20))
    except (OSError, asyncio.IncompleteReadError):
        await stream.close()
    heard = [frame for frame in frames if frame.event == "thing-happened"]
    assert len(heard) < count
    cursor = max([start, *(frame.id for frame in frames if frame.id is not None)])
    async with await listen(server, headers=headers, lastEventId=str(cursor)) as again:
        numbers = [frame.body["data"]["number"] for frame in heard]
        numbers += await hear_all(again, count - len(heard))
    assert numbers == list(range(count))


async def test_it_holds_little_for_clients_that_stop_in_their_replay(
    start_server: StartServer, server: Marketplace, buyer: User
) -> None:
    start = await settled()
    with transaction.atomic():
        for number in range(200):
            publish_thing(number, to=f"user.{buyer.pk}", text="x" * 100_000)
    await settled()
    later = start_server(STREAMS_PER_USER="100")
    headers = cookie(buyer)
    before = memory_of(later)
    stuck = [
        await SseClient.open(
            later.port, headers=headers, receive_buffer=4096, lastEventId=str(start)
        )
        for _ in range(30)
    ]
    await asyncio.sleep(1.5)
    grown = memory_of(later) - before
    print(f"30 clients that take nothing of 19 MiB cost {grown:.0f} MiB")
    assert grown < 150
    async with await listen(later, headers=headers, lastEventId=str(start)) as quick:
        assert await hear_all(quick, 200) == list(range(200))
    for stream in stuck:
        stream.cut()


async def test_it_takes_nobody_who_reads_for_a_slow_reader(
    start_server: StartServer, buyer: User
) -> None:
    """A burst that no queue holds, to clients of both kinds that read it as it comes."""
    server = start_server(program=hurried())
    headers = bearer(buyer)
    async with (
        await listen(server, headers=headers) as stream,
        await talk(server, headers=headers) as client,
    ):
        await client.message()
        with transaction.atomic():
            for number in range(400):
                publish_thing(number, to=f"user.{buyer.pk}", text="x" * 100_000)
        said = [await client.until("thing-happened", 60) for _ in range(400)]
        assert [message["data"]["number"] for message in said] == list(range(400))
        assert await hear_all(stream, 400) == list(range(400))
