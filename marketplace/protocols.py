"""uvicorn's two protocols, with bounds for what a client can make them hold."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MAX_HEADER_BYTES = 64 * 1024
HEADER_SECONDS = 20.0
MAX_UNREAD_PONG_BYTES = 1024 * 1024


class HttpProtocol(HttpToolsProtocol):
    """HTTP whose request heads are bounded in size and in time; httptools bounds neither."""

    _reads_head = False
    _head_bytes = 0
    _too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first request its time."""
        super().connection_made(transport)
        self._too_late = self.loop.call_later(HEADER_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse on, unless the head is longer than any that a browser sends."""
        if self._reads_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEADER_BYTES:
                self.send_400_response("The head of the request is too large.")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request's head begins."""
        self._reads_head = True
        self._head_bytes = 0
        if self._too_late is None:
            self._too_late = self.loop.call_later(HEADER_SECONDS, self.transport.close)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A request's head is whole."""
        self._reads_head = False
        self._stop_clock()
        super().on_headers_complete()

    def _stop_clock(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSocket whose pongs are bounded: uvicorn answers pings of a client that reads nothing."""

    def handle_ping(self) -> None:
        """Answer a ping, or drop a client that takes no answers."""
        if self.transport.get_write_buffer_size() > MAX_UNREAD_PONG_BYTES:
            self.transport.abort()
            return
        super().handle_ping()
