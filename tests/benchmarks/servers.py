"""A server that does to its subscribers what it is told: it loses, doubles, delays, cuts."""

import asyncio
import contextlib
import json
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

# What a subscriber gets of an event: (number of the subscriber, number of the event, its frame).
Deliver = Callable[[int, int, bytes], Sequence[bytes]]
Frame = Callable[[bytes], bytes]
# What one that comes back gets of the frames that it missed.
Replay = Callable[[Sequence[bytes]], Sequence[bytes]]
FIRST_NUMBER = 1_000_000  # of the load generator's events

WELCOMES = {
    "sse": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
    "websocket": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
}


def sse_frame(line: bytes) -> bytes:
    """The line as an event."""
    return b"data: " + line + b"\n\n"


def numbered_sse_frame(line: bytes) -> bytes:
    """The line as an event that one can come back behind."""
    return b"id: %d\n" % json.loads(line)["n"] + sse_frame(line)


def websocket_frame(text: bytes, *, opcode: int = 1, final: bool = True) -> bytes:
    """The text as a frame of a server."""
    first = opcode | (0x80 if final else 0)
    if len(text) < 126:
        return struct.pack("!BB", first, len(text)) + text
    if len(text) < 65536:
        return struct.pack("!BBH", first, 126, len(text)) + text
    return struct.pack("!BBQ", first, 127, len(text)) + text


class OddServer:
    """One server, in the loop of its thread."""

    def __init__(
        self,
        deliver: Deliver,
        *,
        frame: Frame,
        welcome: bytes,
        piece: int | None,
        dies_at: int,
        rest: float,
        mute: bool,
        replay: Replay,
    ) -> None:
        self._deliver = deliver
        self._frame = frame
        self._welcome = welcome
        self._piece = piece
        self._dies_at = dies_at
        self._rest = rest
        self._mute = mute
        self._replay = replay
        self._subscribers: list[asyncio.StreamWriter] = []
        self._log: list[bytes] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                began = time.monotonic()
                head = await reader.readuntil(b"\r\n\r\n")
                if time.monotonic() - began > self._rest:
                    return
                if head.startswith(b"GET"):
                    _, _, cursor = head.partition(b"Last-Event-ID: ")
                    missed = self._log[int(cursor) - FIRST_NUMBER + 1 :] if cursor else []
                    writer.write(b"".join([self._welcome, *self._replay(missed)]))
                    self._subscribers.append(writer)
                    continue
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                body = await reader.readexactly(length)
                if not self._mute:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                for line in body.splitlines():
                    await self._publish(line)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            if writer in self._subscribers:
                self._subscribers.remove(writer)

    async def _publish(self, line: bytes) -> None:
        event, frame = len(self._log), self._frame(line)
        self._log.append(frame)
        if len(self._log) == self._dies_at:
            await self.die()
            return
        for number, subscriber in enumerate([*self._subscribers]):
            for each in self._deliver(number, event, frame):
                with contextlib.suppress(ConnectionError):  # it has dropped
                    await self._write(subscriber, each)

    async def _write(self, subscriber: asyncio.StreamWriter, data: bytes) -> None:
        size = self._piece or len(data)
        for start in range(0, len(data), size):
            subscriber.write(data[start : start + size])
            await asyncio.sleep(0)  # each piece is a write of its own
        await subscriber.drain()

    async def die(self) -> None:
        """Close everything, and listen no more."""
        assert self._server is not None
        self._server.close()
        for subscriber in self._subscribers:
            subscriber.close()


@contextmanager
def odd_server(
    deliver: Deliver = lambda _subscriber, _event, frame: [frame],
    *,
    frame: Frame = sse_frame,
    welcome: bytes = WELCOMES["sse"],
    piece: int | None = None,
    dies_at: int = 0,
    rest: float = 60,
    mute: bool = False,
    replay: Replay = list,
) -> Iterator[int]:
    """Run one; gives its port. piece: bytes in one write; dies_at: the event that it dies of; rest:
    seconds after which it ends a connection without a word, in place of taking a request;
    mute: it answers no request that publishes; replay: what it gives who comes back."""
    server = OddServer(
        deliver,
        frame=frame,
        welcome=welcome,
        piece=piece,
        dies_at=dies_at,
        rest=rest,
        mute=mute,
        replay=replay,
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(server.start(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: OddServer) -> None:
    await server.die()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
