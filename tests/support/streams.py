"""Clients of the event stream from outside: the SSE one is a raw socket, so that a test says where
it is cut."""

import asyncio
import contextlib
import json
import socket
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin


@dataclass(frozen=True)
class SseFrame:
    """One frame as it came: its lines, and what they mean."""

    raw: bytes
    id: int | None
    event: str
    body: dict[str, Any]


def parse_frame(raw: bytes) -> SseFrame:
    """The frame of these bytes (without the blank line behind it)."""
    fields: dict[str, str] = {}
    for line in raw.decode().split("\n"):
        name, _, value = line.partition(": ")
        fields[name] = value
    position = int(fields["id"]) if "id" in fields else None
    return SseFrame(raw, position, fields["event"], json.loads(fields["data"]))


class StreamRefused(Exception):
    """The server answered with something other than 200."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


class SseClient:
    """One connection to the stream; an async iterator over its frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.headers: dict[str, str] = {}
        self._chunks = b""
        self._ended = False

    @classmethod
    async def open(
        cls,
        port: int,
        *,
        headers: Mapping[str, str] | None = None,
        path: str = "/api/webhook/events",
        receive_buffer: int | None = None,
        **query: str,
    ) -> "SseClient":
        """Connect; raises StreamRefused for an answer other than 200.

        receive_buffer: bytes that the kernel takes for a client that does not read; its own limit
        is some megabytes.
        """
        plain = socket.socket()
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
        except BaseException:
            plain.close()
            raise
        limit = receive_buffer or 2**16
        reader, writer = await asyncio.open_connection(sock=plain, limit=limit)
        target = f"{path}?{urlencode(query)}" if query else path
        lines = [f"GET {target} HTTP/1.1"]
        sent = {"Host": f"127.0.0.1:{port}", **(headers or {})}
        lines += [f"{name}: {value}" for name, value in sent.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        client = cls(reader, writer)
        try:
            await client._read_head()
        except BaseException:
            writer.close()
            raise
        return client

    async def _read_head(self) -> None:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        status = int(head[0].split()[1])
        self.headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        if status != 200:
            size = int(self.headers.get("content-length", "0"))
            raise StreamRefused(status, self.headers, await self._reader.readexactly(size))

    async def frame(self, seconds: float = 10.0) -> SseFrame:
        """The next frame that is no heartbeat: one of those may come at any time."""
        async with asyncio.timeout(seconds):
            while (frame := await self.any_frame(seconds)).event == "heartbeat":
                pass
        return frame

    async def any_frame(self, seconds: float = 10.0) -> SseFrame:
        """The next frame; asyncio.IncompleteReadError at the end of the stream."""
        await self.wait_for_frame(seconds)
        if b"\n\n" not in self._chunks:
            raise asyncio.IncompleteReadError(self._chunks, None)
        raw, _, self._chunks = self._chunks.partition(b"\n\n")
        return parse_frame(raw)

    async def wait_for_frame(self, seconds: float = 10.0) -> None:
        """Return when a frame, or the end of the stream, is there to be taken."""
        async with asyncio.timeout(seconds):
            while b"\n\n" not in self._chunks and not self._ended:
                size = int(await self._reader.readuntil(b"\r\n"), 16)
                self._chunks += (await self._reader.readexactly(size + 2))[:-2]
                self._ended = size == 0

    async def read_part(self, size: int) -> None:
        """Take at most so many bytes from the socket, wherever they end, and drop them."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._reader.read(size), 0.05)

    async def until(self, event: str, seconds: float = 10.0) -> SseFrame:
        """The next frame of that type; others are passed over."""
        async with asyncio.timeout(seconds):
            while (frame := await self.any_frame(seconds)).event != event:
                pass
        return frame

    async def __aiter__(self) -> AsyncIterator[SseFrame]:
        try:
            while True:
                yield await self.any_frame(60)
        except asyncio.IncompleteReadError:
            return

    def cut(self) -> None:
        """Break the connection without a word."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()

    async def __aenter__(self) -> "SseClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()


class WebSocketClient:
    """One WebSocket to the server; what it says comes as dictionaries."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._arrived: deque[str | bytes] = deque()

    @classmethod
    async def open(
        cls,
        port: int,
        *,
        headers: Mapping[str, str] | None = None,
        origin: str | None = None,
        **query: str,
    ) -> "WebSocketClient":
        """Connect; the server accepts everybody, and tells then whom it does not serve."""
        address = f"ws://127.0.0.1:{port}/ws/events?{urlencode(query)}"
        connection = await connect(
            address,
            additional_headers=dict(headers or {}),
            origin=None if origin is None else Origin(origin),
            compression=None,
            max_size=None,
            # With one, it stops reading while messages wait, and its close() waits for ten seconds.
            max_queue=None,
            ping_interval=None,
            proxy=None,
        )
        return cls(connection)

    async def say(self, type_name: str, **fields: Any) -> None:
        """Send a message of that type."""
        await self.connection.send(json.dumps({"type": type_name, **fields}))

    async def message(self, seconds: float = 10.0) -> dict[str, Any]:
        """The next message that is no ping: one of those may come at any time."""
        async with asyncio.timeout(seconds):
            while (message := await self.any_message(seconds))["type"] == "ping":
                pass
        return message

    async def any_message(self, seconds: float = 10.0) -> dict[str, Any]:
        """The next message; ConnectionClosed at the end."""
        async with asyncio.timeout(seconds):
            text = self._arrived.popleft() if self._arrived else await self.connection.recv()
        message: dict[str, Any] = json.loads(text)
        return message

    async def wait_for_message(self, seconds: float = 10.0) -> None:
        """Return when a message, or the end of the connection, is there to be taken."""
        async with asyncio.timeout(seconds):
            with contextlib.suppress(ConnectionClosed):
                self._arrived.append(await self.connection.recv())

    async def until(self, type_name: str, seconds: float = 10.0) -> dict[str, Any]:
        """The next message of that type; others are passed over."""
        async with asyncio.timeout(seconds):
            while (message := await self.any_message(seconds))["type"] != type_name:
                pass
        return message

    async def ends(self, seconds: float = 10.0) -> tuple[list[dict[str, Any]], int | None]:
        """What is said until the server closes the connection, and its close code."""
        said = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    said.append(await self.message(seconds))
        except ConnectionClosed:
            return said, self.connection.close_code

    async def __aenter__(self) -> "WebSocketClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()


class Wire:
    """A port whose connections go on to another one, until they are cut.

    Clients that somebody else wrote can so be cut, and find another server at the same address.
    """

    def __init__(self) -> None:
        self.target = 0  # a port of 127.0.0.1; 0: nobody is there
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """Break all connections."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connect(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writers = [back]
        try:
            far, forth = await asyncio.open_connection("127.0.0.1", self.target)
            writers.append(forth)
            await asyncio.gather(_pass_on(near, forth), _pass_on(far, back))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for writer in writers:
                writer.transport.abort()
            self._tasks.discard(task)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    raise ConnectionError("One end is closed.")
