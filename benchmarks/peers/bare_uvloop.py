"""python bare_uvloop.py PORT: what Python can do. A protocol on uvloop that writes one frame, built
once, to every transport.

A GET subscribes, to Server-Sent Events or where it says Upgrade to WebSocket; the lines of a POST
go to all of them in one write. It answers the handshake of the load generator alone, whose key is
that of RFC 6455.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import cast

import uvloop

SSE_WELCOME = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
WEBSOCKET_WELCOME = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
PUBLISHED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def sse_frame(line: bytes) -> bytes:
    """The line as an event in a chunk of its own."""
    return b"%x\r\ndata: %b\n\n\r\n" % (len(line) + 8, line)


def websocket_frame(line: bytes) -> bytes:
    """The line as a text frame."""
    if len(line) < 126:
        return bytes([0x81, len(line)]) + line
    return b"\x81\x7e" + len(line).to_bytes(2) + line


Frame = Callable[[bytes], bytes]
subscribers: dict[Frame, set[asyncio.Transport]] = {sse_frame: set(), websocket_frame: set()}


def publish(lines: Iterable[bytes]) -> None:
    """Send the lines to everybody."""
    lines = list(lines)
    for frame, transports in subscribers.items():
        frames = b"".join(map(frame, lines))
        for transport in transports:
            transport.write(frames)


class Protocol(asyncio.Protocol):
    """One connection: a subscriber, or one that publishes."""

    _transport: asyncio.Transport
    _input = b""
    _frame: Frame | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        if self._frame:
            subscribers[self._frame].discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Take one request; what a subscriber says behind its own is of no interest."""
        if self._frame:
            return
        self._input += data
        head, end, body = self._input.partition(b"\r\n\r\n")
        if not end:
            return
        if head.startswith(b"GET"):
            self._subscribe(head)
            return
        _, _, length = head.partition(b"Content-Length: ")
        if len(body) >= int(length.split(b"\r\n")[0]):
            self._input = b""
            self._transport.write(PUBLISHED)
            publish(body.split(b"\n"))

    def _subscribe(self, head: bytes) -> None:
        upgrades = b"Upgrade: websocket" in head
        self._transport.write(WEBSOCKET_WELCOME if upgrades else SSE_WELCOME)
        self._frame = websocket_frame if upgrades else sse_frame
        subscribers[self._frame].add(self._transport)


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Protocol, "127.0.0.1", port, backlog=4096)
    print("Listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
