"""The WebSocket transport (contract §8): a bare ASGI application, so that outgoing frames stay off
Channels' dispatch, which hops into a thread before every message."""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, Union, cast

import msgspec
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope

from realtime.client_messages import client_messages, tag_of
from realtime.connection import Connection, Frame, jittered
from realtime.events import iso_milliseconds
from realtime.lean import Flag
from realtime.limits import Rate
from realtime.messages import Closing, ClosingReason
from realtime.requests import (
    BadRequest,
    is_allowed_host,
    is_allowed_origin,
    read_headers,
    read_request,
)
from realtime.rights import RefusalCode, Refused
from realtime.station import station
from realtime.streams import Streams
from realtime.transports import Socket, forget_head, socket_of, was_cut_off

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 16 * 1024
MESSAGES_PER_MINUTE = 100
BAD_MESSAGES_IN_A_ROW = 10

CLOSE_BAD_MESSAGES = 4400
_CLOSE_CODES: dict[ClosingReason, int] = {
    "expired": 4401,
    "logged-out": 4401,
    "forbidden": 4403,
    "too-slow": 4408,
    "restart": 1012,
}
# How a connection that is not admitted is closed, after `closing` with this reason and a pause of
# about so long.
_REFUSALS: dict[RefusalCode, tuple[int, ClosingReason, int | None]] = {
    "not-logged-in": (4401, "logged-out", None),
    "forbidden": (4403, "forbidden", None),
    "unknown-channel": (4403, "forbidden", None),
    "too-many": (4429, "forbidden", 10_000),
    "restart": (1012, "restart", 2_000),
    "unavailable": (1012, "restart", 2_000),
}

ErrorCode = Literal[
    "invalid-message", "unknown-type", "unknown-channel", "forbidden", "rate-limited", "too-large"
]
_ERROR_TEXTS: dict[ErrorCode, str] = {
    "invalid-message": "A message is a JSON object with a type and that type's fields.",
    "unknown-type": "There is no message of this type.",
    "unknown-channel": "There is no such channel.",
    "forbidden": "This is not yours to do or to hear.",
    "rate-limited": f"At most {MESSAGES_PER_MINUTE} messages a minute.",
    "too-large": f"A message has at most {MAX_MESSAGE_BYTES} bytes.",
}


class _Subscribe(msgspec.Struct, tag="subscribe", forbid_unknown_fields=True):
    channel: str


class _Unsubscribe(msgspec.Struct, tag="unsubscribe", forbid_unknown_fields=True):
    channel: str


class _Ping(msgspec.Struct, tag="ping"):
    pass


class _Pong(msgspec.Struct, tag="pong"):
    pass


class _Authenticate(msgspec.Struct, tag="authenticate", forbid_unknown_fields=True):
    token: str


_OWN_MESSAGES: tuple[type[msgspec.Struct], ...] = (
    _Subscribe,
    _Unsubscribe,
    _Ping,
    _Pong,
    _Authenticate,
)


@cache
def _decoder() -> msgspec.json.Decoder[msgspec.Struct]:
    """Of all messages, those of the apps included; made when all of them are registered."""
    return msgspec.json.Decoder(Union[(*_OWN_MESSAGES, *client_messages())])


class _Named(msgspec.Struct):
    """All that can be said of a message of an unknown type: the rest is not even looked at."""

    type: str


_named_decoder = msgspec.json.Decoder(_Named)


class BadMessage(Exception):
    """A message from the client that gets an error in place of an answer."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code)
        self.code: ErrorCode = code


async def websocket_application(
    scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Serve one WebSocket from its handshake to its end."""
    # What only the opening needs is gone while the stream waits.
    session = await _open(scope, receive, send)
    if session is not None:
        await session.run(receive)


async def _open(
    scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> "_Session | None":
    """The session that is asked for, or None where it was refused."""
    if (await receive())["type"] != "websocket.connect":
        return None
    # Accepted in any case: browsers do not see the code of a handshake that was refused.
    await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
    headers = read_headers(scope)
    if not is_allowed_host(headers) or not is_allowed_origin(headers):
        await _refuse(send, "forbidden")
        return None
    try:
        request = read_request(scope, "websocket")
    except BadRequest:
        await _send_text(send, _error_text("invalid-message"))
        await _close(send, CLOSE_BAD_MESSAGES)
        return None
    streams = (await station()).streams
    try:
        connection = await streams.admit(request)
    except Refused as refused:
        await _refuse(send, refused.code)
        return None
    forget_head(scope)
    return _Session(streams, connection, request.cursor, send, socket_of(scope))


class _Session:
    """One admitted WebSocket: the calling task writes, a second one hears the client."""

    __slots__ = (
        "_bad_in_a_row", "_close_code", "_connection", "_cursor", "_live", "_rate", "_send",
        "_socket", "_streams",
    )  # fmt: skip

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
        connection.socket = socket.transport if socket else None
        self._live = Flag()
        self._close_code: int | None = None
        self._bad_in_a_row = 0
        self._rate = Rate(most=MESSAGES_PER_MINUTE, seconds=60)

    async def run(self, receive: ASGIReceiveCallable) -> None:
        """Serve until the client goes or the stream ends."""
        connection = self._connection
        reader = asyncio.create_task(self._hear_all(receive))
        try:
            replay = self._streams.replay(connection, self._write)
            await replay.open(self._cursor)
            self._live.set()
            await replay.pump()
            if connection.closed_because is not None:
                self._close_code = _CLOSE_CODES[connection.closed_because]
            if self._close_code is not None:
                await _close(self._send, self._close_code)
        except asyncio.CancelledError:
            if not was_cut_off(connection):
                raise
            if self._socket:
                await self._socket.abort()
        finally:
            reader.cancel()
            self._streams.leave(connection)

    async def _write(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            await _send_text(self._send, cast(str, frame))

    # --- what the client says ---------------------------------------------------------------

    async def _hear_all(self, receive: ASGIReceiveCallable) -> None:
        connection = self._connection
        while not connection.ended:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                connection.leave()
            elif event["type"] == "websocket.receive":
                # Its channels are not changed while a replay is under way.
                await self._live.wait()
                await connection.wait_for_room()
                if not connection.ended:  # who was told to go has nothing to say any more
                    await self._hear(event.get("text"))

    async def _hear(self, text: str | None) -> None:
        try:
            self._count_message()
            await self._obey(_parse(text))
        except BadMessage as bad:
            self._complain(bad.code)
        except Exception:
            logger.exception("A message of a client could not be handled; its stream is ended.")
            self._connection.end("restart")
        else:
            self._bad_in_a_row = 0

    def _count_message(self) -> None:
        if not self._rate.allows(time.monotonic()):
            raise BadMessage("rate-limited")

    def _complain(self, code: ErrorCode) -> None:
        self._connection.queue(_error_text(code))
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= BAD_MESSAGES_IN_A_ROW:
            self._close_code = CLOSE_BAD_MESSAGES
            self._connection.leave()

    async def _obey(self, message: msgspec.Struct) -> None:
        match message:
            case _Subscribe(channel=channel):
                await self._subscribe(channel)
            case _Unsubscribe(channel=channel):
                await self._unsubscribe(channel)
            case _Ping():
                self._say({"type": "pong", "timestamp": _now()})
            case _Authenticate(token=token):
                await self._authenticate(token)
            case _Pong():
                pass
            case _:
                await self._hand_on(message)

    async def _hand_on(self, message: msgspec.Struct) -> None:
        """To the app whose word it is."""
        try:
            await self._streams.hearing.hand_on(self._connection, message)
        except Refused as refused:
            self._refuse(refused)

    async def _subscribe(self, channel: str) -> None:
        try:
            await self._streams.hearing.subscribe(self._connection, channel)
        except Refused as refused:
            self._refuse(refused)

    async def _unsubscribe(self, channel: str) -> None:
        try:
            await self._streams.hearing.unsubscribe(self._connection, channel)
        except Refused as refused:
            self._refuse(refused)

    async def _authenticate(self, token: str) -> None:
        try:
            await self._streams.hearing.authenticate(self._connection, token)
        except Refused as refused:
            self._refuse(refused)
        else:
            self._say({"type": "authenticated", "timestamp": _now()})

    def _refuse(self, refused: Refused) -> None:
        # A well-formed message that is refused is not a bad one: the connection stays.
        unknown = refused.code == "unknown-channel"
        self._connection.queue(_error_text("unknown-channel" if unknown else "forbidden"))

    def _say(self, answer: dict[str, str]) -> None:
        self._connection.queue(json.dumps(answer))


def _parse(text: str | None) -> msgspec.Struct:
    """The message in a frame; raises BadMessage. Binary frames have no text."""
    if text is None:
        raise BadMessage("invalid-message")
    if len(text) > MAX_MESSAGE_BYTES or len(text.encode()) > MAX_MESSAGE_BYTES:
        raise BadMessage("too-large")
    try:
        return _decoder().decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadMessage(_why_not(text)) from error


def _why_not(text: str) -> ErrorCode:
    """Which error a message deserves that could not be decoded."""
    try:
        named = _named_decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return "invalid-message"
    known = {tag_of(fields) for fields in (*_OWN_MESSAGES, *client_messages())}
    return "invalid-message" if named.type in known else "unknown-type"


def _now() -> str:
    return iso_milliseconds(datetime.now(UTC))


def _error_text(code: ErrorCode) -> str:
    return json.dumps({"type": "error", "code": code, "message": _ERROR_TEXTS[code]})


async def _refuse(send: ASGISendCallable, code: RefusalCode) -> None:
    """Close a connection that is not admitted, with the reason before it."""
    close_code, reason, pause = _REFUSALS[code]
    if code == "unknown-channel":
        await _send_text(send, _error_text("unknown-channel"))
    closing = Closing(reason=reason, retry_after=None if pause is None else jittered(pause))
    await _send_text(send, closing.encode(datetime.now(UTC)))
    await _close(send, close_code)


async def _send_text(send: ASGISendCallable, text: str) -> None:
    message: Any = {"type": "websocket.send", "text": text}
    await send(message)


async def _close(send: ASGISendCallable, code: int) -> None:
    await send({"type": "websocket.close", "code": code, "reason": ""})
