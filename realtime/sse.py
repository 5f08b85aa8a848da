"""Server-Sent Events as an ASGI application, routed ahead of Django (contract §7).

No thread and no request machinery stays with a stream that waits.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, cast

import msgspec
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.conf import settings

from realtime.connection import Connection, Frame
from realtime.frames import sse_preamble
from realtime.requests import (
    BadRequest,
    has_body,
    is_allowed_host,
    read_headers,
    read_request,
)
from realtime.rights import RefusalCode, Refused
from realtime.station import station
from realtime.streams import Streams
from realtime.transports import Socket, forget_head, socket_of, was_cut_off

logger = logging.getLogger(__name__)

# When a client that was cut comes back that has no idea of its own.
RETRY_MILLISECONDS = 3000

PATHS = frozenset({"/api/webhook/events", "/api/events"})

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_REFUSALS: dict[RefusalCode, tuple[int, str, str]] = {
    "not-logged-in": (401, "not_authenticated", "A valid login is needed."),
    "forbidden": (403, "forbidden", "You may not listen to one of these channels."),
    "unknown-channel": (403, "unknown-channel", "There is no such channel."),
    "too-many": (429, "throttled", "Too many open streams."),
    "restart": (503, "restart", "The server is restarting."),
    "unavailable": (503, "unavailable", "The server cannot serve now."),
}
_REFUSAL_HEADERS: dict[RefusalCode, list[tuple[bytes, bytes]]] = {
    "not-logged-in": [(b"www-authenticate", b'Bearer realm="api"')],
    "too-many": [(b"retry-after", b"10")],
    "restart": [(b"retry-after", b"2")],
    "unavailable": [(b"retry-after", b"2")],
}


async def sse_application(
    scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Serve one stream from its request to its end."""
    # What only the opening needs is gone while the stream waits.
    stream = await _open(scope, send)
    if stream is not None:
        await stream.serve(receive)


async def _open(scope: HTTPScope, send: ASGISendCallable) -> "_Stream | None":
    """The stream that is asked for, or None where it was refused."""
    headers = read_headers(scope)
    cors = _cors_headers(headers)
    if not is_allowed_host(headers):
        await _answer_error(send, 400, "bad_request", "This host is not served here.", cors)
        return None
    if has_body(headers):
        # Nobody reads it while the stream lasts, and it would be work without end to throw away.
        extra = [(b"connection", b"close")]
        await _answer_error(send, 400, "bad_request", "It takes no body.", [*cors, *extra])
        return None
    try:
        request = read_request(scope, "sse")
    except BadRequest as error:
        await _answer_error(send, 400, "invalid", str(error), cors)
        return None
    streams = (await station()).streams
    try:
        connection = await streams.admit(request)
    except Refused as refused:
        status, code, detail = _REFUSALS[refused.code]
        extra = _REFUSAL_HEADERS.get(refused.code, [])
        await _answer_error(send, status, code, detail, [*cors, *extra])
        return None
    forget_head(scope)
    try:
        await _send_start(send, 200, [*_STREAM_HEADERS, *cors])
        await _send_body(send, sse_preamble(RETRY_MILLISECONDS), more=True)
    except BaseException:
        streams.leave(connection)
        raise
    return _Stream(streams, connection, request.cursor, send, socket_of(scope))


class _Stream:
    """An admitted stream whose answer has begun."""

    __slots__ = ("_connection", "_cursor", "_send", "_socket", "_streams")

    def __init__(
        self,
        streams: Streams,
        connection: Connection,
        cursor: int | None,
        send: ASGISendCallable,
        socket: Socket | None,
    ) -> None:
        self._streams = streams
        self._connection = connection
        self._cursor = cursor
        self._send = send
        self._socket = socket

    async def serve(self, receive: ASGIReceiveCallable) -> None:
        """Write until the client goes or the stream ends."""
        connection = self._connection
        watcher = self._watch(receive)
        try:
            replay = self._streams.replay(connection, self._write)
            await replay.open(self._cursor)
            await replay.pump()
            await _send_body(self._send, b"", more=False)
        except asyncio.CancelledError:
            if not was_cut_off(connection):
                raise
            if self._socket:
                await self._socket.abort()
        finally:
            if watcher:
                watcher.cancel()
            if self._socket:
                self._socket.lost = None  # another request may follow
            self._streams.leave(connection)

    def _watch(self, receive: ASGIReceiveCallable) -> asyncio.Task[None] | None:
        """Have the connection end when its client goes: told by the server, or else by a task."""
        connection, socket = self._connection, self._socket
        if socket is None:
            return asyncio.create_task(_watch(receive, connection))
        connection.socket = socket.transport
        socket.lost = connection.leave
        # Who sent more ahead is answered that in place of a stream whose end nobody would notice.
        if socket.transport.is_closing() or socket.sent_ahead:
            connection.leave()
        return None

    async def _write(self, frames: Sequence[Frame]) -> None:
        await _send_body(self._send, b"".join(cast(Sequence[bytes], frames)), more=True)


async def _watch(receive: ASGIReceiveCallable, connection: Connection) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    connection.leave()


def _cors_headers(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """What lets a page of an allowed origin read the stream. Credentials are not allowed: such a
    page comes with a token or a ticket."""
    if not settings.ALLOWED_ORIGINS:
        return []
    vary = (b"vary", b"origin")
    origin = headers.get("origin", "")
    if origin not in settings.ALLOWED_ORIGINS:
        return [vary]
    return [vary, (b"access-control-allow-origin", origin.encode("latin-1"))]


async def _answer_error(
    send: ASGISendCallable,
    status: int,
    code: str,
    detail: str,
    headers: list[tuple[bytes, bytes]],
) -> None:
    error_type = "server_error" if status >= 500 else "client_error"
    body = msgspec.json.encode(
        {"type": error_type, "errors": [{"code": code, "detail": detail, "attr": None}]}
    )
    json_headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await _send_start(send, status, [*json_headers, *headers])
    await _send_body(send, body, more=False)


async def _send_start(
    send: ASGISendCallable, status: int, headers: list[tuple[bytes, bytes]]
) -> None:
    await send(
        {"type": "http.response.start", "status": status, "headers": headers, "trailers": False}
    )


async def _send_body(send: ASGISendCallable, body: bytes, *, more: bool) -> None:
    message: Any = {"type": "http.response.body", "body": body, "more_body": more}
    await send(message)
