"""Clients of the event stream from outside: raw sockets, so that a test says where one is cut."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


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

    @classmethod
    async def open(
        cls,
        port: int,
        *,
        headers: Mapping[str, str] | None = None,
        path: str = "/api/webhook/events",
        **query: str,
    ) -> "SseClient":
        """Connect; raises StreamRefused for an answer other than 200."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        target = f"{path}?{urlencode(query)}" if query else path
        lines = [f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        client = cls(reader, writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        status = int(head[0].split()[1])
        client.headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        if status != 200:
            body = await reader.readexactly(int(client.headers.get("content-length", "0")))
            writer.close()
            raise StreamRefused(status, client.headers, body)
        return client

    async def frame(self, seconds: float = 10.0) -> SseFrame:
        """The next frame; asyncio.IncompleteReadError at the end of the stream."""
        async with asyncio.timeout(seconds):
            while b"\n\n" not in self._chunks:
                size = int(await self._reader.readuntil(b"\r\n"), 16)
                self._chunks += (await self._reader.readexactly(size + 2))[:-2]
                if size == 0:
                    raise asyncio.IncompleteReadError(self._chunks, None)
        raw, _, self._chunks = self._chunks.partition(b"\n\n")
        return parse_frame(raw)

    async def until(self, event: str, seconds: float = 10.0) -> SseFrame:
        """The next frame of that type; others are passed over."""
        async with asyncio.timeout(seconds):
            while (frame := await self.frame()).event != event:
                pass
        return frame

    async def __aiter__(self) -> AsyncIterator[SseFrame]:
        try:
            while True:
                yield await self.frame(60)
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
