"""uvicorn's two protocols, with bounds for what a client can make them hold."""

import asyncio
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.http11 import Request

from realtime.lean import Flag, Line, Mailbox
from realtime.transports import Socket, show_socket
from realtime.websocket import CLOSE_BAD_MESSAGES

# Of a head, of what follows a body, and of what stands between two pieces of it.
MAX_BYTES_BESIDE_BODY = 64 * 1024
HEADER_SECONDS = 20.0
BODY_SECONDS = 60.0  # from one piece to the next: a slow upload is no dead one
# Requests that wait for the answers to those before them. Browsers send none ahead.
MAX_PIPELINED = 100
MAX_UNREAD_PONG_BYTES = 1024 * 1024
# Messages, their fragments, pings and pongs together. A client has at most 100 messages a minute to
# say; parsing hundreds of thousands of empty frames would leave no time for anybody else.
FRAMES_PER_MINUTE = 3000
MAX_FRAGMENTS = 1024
SLICE_BYTES = 4096
BAD_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Refused(Exception):
    """Raised in the parser's midst: uvicorn answers 400 then, and ends the connection."""


class _Flow(FlowControl):
    """uvicorn's, smaller."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._is_writable_event = Flag()  # type: ignore[assignment]  # does the same
        self._is_writable_event.set()


class HttpProtocol(HttpToolsProtocol):
    """HTTP whose requests are bounded in what is no body, and in time; httptools bounds neither.

    Trailers are dropped. uvicorn would add them to the headers, and what a client puts there has
    passed a proxy that overwrites X-Forwarded-For and its like in the head alone.
    """

    # In slots: beside uvicorn's own thirty attributes they would make each instance 1 KB larger.
    __slots__ = ("_bytes_beside_body", "_clock", "_due", "_reads_head", "_served", "_socket")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first request its time."""
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self.pipeline = Line()  # type: ignore[assignment]  # does the same
        self._socket = Socket(transport, self.pipeline)
        self._served: RequestResponseCycle | None = None
        self._reads_head = False
        self._bytes_beside_body = 0
        # When something must have come that completes a head, or goes on with a body.
        self._due = 0.0
        self._clock: asyncio.TimerHandle | None = None
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clock, and tell the request that is served."""
        self._stop_clock()
        # uvicorn tells the one that came last. Those that wait are not begun any more.
        self.cycle = self._served  # type: ignore[assignment]  # None before the first
        super().connection_lost(exc)
        self._socket.tell_lost()

    def data_received(self, data: bytes) -> None:
        """Parse on, unless more comes beside a body than any browser sends."""
        self._bytes_beside_body += len(data)
        # Whatever completes something there starts the count anew: what else is in the same read
        # may well be a body, and a read is not endless.
        super().data_received(data)
        too_many = self._bytes_beside_body > MAX_BYTES_BESIDE_BODY
        if too_many and not self.transport.is_closing():
            self.send_400_response("The head or the trailers of the request are too large.")

    def on_message_begin(self) -> None:
        """A request's head begins."""
        self._reads_head = True
        if self._clock is None:
            self._start_clock()
        super().on_message_begin()
        show_socket(self.scope, self._socket)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header is whole, or a trailer."""
        if self._reads_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A request's head is whole."""
        self._reads_head = False
        self._bytes_beside_body = 0
        self._due = self.loop.time() + BODY_SECONDS
        self._refuse_what_cannot_follow()
        earlier = self.cycle
        super().on_headers_complete()
        if self.cycle is not earlier:  # an upgrade has none of its own
            self.cycle.message_event = Flag()  # type: ignore[assignment]  # does the same

    def _refuse_what_cannot_follow(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            raise Refused("Too many requests wait.")
        if self._socket.lost is not None:
            raise Refused("A request behind a stream, whose answer goes on.")
        if not self.parser.should_upgrade():
            return
        if not self._should_upgrade():
            if self._has_body():
                raise Refused("A body that the parser would take for the next request.")
        elif self._is_answering():
            # The request before would not hear of its client's end any more.
            raise Refused("A WebSocket that would begin in the midst of an answer.")

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._served = cycle
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, and let go of the parser, which holds this object."""
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]  # as where a connection is lost

    def _has_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.headers
        )

    def on_body(self, body: bytes) -> None:
        """A piece of a body came."""
        self._bytes_beside_body = 0
        self._due = self.loop.time() + BODY_SECONDS
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._bytes_beside_body = 0
        self._stop_clock()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong, and end the connection; without a word where what was said would be
        taken for the answer to an earlier request, or for a part of one."""
        if self._is_answering() and (
            self.pipeline or self.cycle.response_started or not self.cycle.more_body
        ):
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _start_clock(self) -> None:
        self._due = self.loop.time() + HEADER_SECONDS
        self._clock = self.loop.call_later(HEADER_SECONDS, self._look_at_clock)

    def _look_at_clock(self) -> None:
        if self.flow.read_paused:  # it may have sent what is not read yet
            self._due = self.loop.time() + BODY_SECONDS
        left = self._due - self.loop.time()
        if left > 0:
            self._clock = self.loop.call_later(left, self._look_at_clock)
        else:
            self.transport.close()

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSocket of which no client can make more work than it may: frames are bounded in number,
    and pongs in size, since uvicorn answers pings of a client that reads nothing.

    uvicorn leaves a handshake that cannot be read without an answer, and writes tracebacks for
    what a client did wrong; here such a connection is ended as RFC 6455 says.
    """

    __slots__ = ("_frames", "_minute_ends", "_socket")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over from HttpProtocol, whose client wants to upgrade."""
        super().connection_made(transport)
        self.queue = Mailbox()  # type: ignore[assignment]  # does the same
        self.writable = Flag()  # type: ignore[assignment]  # does the same
        self.writable.set()
        self._socket = Socket(self.transport)
        self._frames = 0  # in the present minute
        self._minute_ends = 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the stream, and break the circles of websockets: collections are rare here."""
        super().connection_lost(exc)
        # The frames of the parser, and those in the traceback of what ended it, hold its owner.
        self.conn.parser.close()
        self.conn.parser_exc = None
        self._socket.tell_lost()

    def handle_connect(self, event: Request) -> None:
        """Begin to serve a client, unless its handshake is refused."""
        super().handle_connect(event)
        if not self.close_sent:
            show_socket(self.scope, self._socket)

    def data_received(self, data: bytes) -> None:
        """Parse on, a little at a time: thousands of empty frames fit into one read."""
        for start in range(0, len(data), SLICE_BYTES):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + SLICE_BYTES])
        # A handshake comes whole, from HttpProtocol.
        if not self.handshake_initiated:
            self._refuse_handshake()

    def _refuse_handshake(self) -> None:
        # 414 or 431 where a line is too long for the parser, no word where there is a body.
        answer = b"".join(self.conn.data_to_send())
        self.transport.write(answer or BAD_HANDSHAKE)
        self.transport.close()

    def handle_events(self) -> None:
        """Take in what was parsed, unless that is more than any client has to say."""
        now = self.loop.time()
        if now >= self._minute_ends:
            self._minute_ends = now + 60
            self._frames = 0
        self._frames += len(self.conn.events)
        if self._frames > FRAMES_PER_MINUTE or len(self.frames) > MAX_FRAGMENTS:
            self._fail(CLOSE_BAD_MESSAGES)
            return
        super().handle_events()

    def start_keepalive(self) -> None:
        """Let go of the handshake, for which nobody asks again: 4 KB of headers."""
        self.request.headers.clear()  # the parser holds the request itself
        self.request = self.response = None  # type: ignore[assignment]
        super().start_keepalive()

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message on, or end the connection of a text that is none."""
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self.frames = []
            self._fail(CloseCode.INVALID_DATA)
            return
        super().send_receive_event_to_app()

    def _fail(self, code: int) -> None:
        if not self.close_sent:
            self.conn.fail(code)
            self.handle_parser_exception()

    def handle_parser_exception(self) -> None:
        """End the connection, whose client broke the protocol."""
        # The application may be about to say something. To a client that is gone it is no error.
        self.disconnected = True
        if self.conn.close_sent is None:  # its handshake was not answered yet
            self.transport.close()
            return
        super().handle_parser_exception()

    def handle_ping(self) -> None:
        """Answer a ping, or drop a client that takes no answers."""
        if self.transport.get_write_buffer_size() > MAX_UNREAD_PONG_BYTES:
            self.transport.abort()
            return
        super().handle_ping()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
