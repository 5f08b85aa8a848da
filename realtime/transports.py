"""The socket behind a stream, on servers that show it.

ASGI has no word for writing without a task and none for dropping a client that takes nothing. Our
server (marketplace.protocols) adds both as an extension; on others streams do without: each
connection's task writes, and the kernel ends what is stuck (TCP_USER_TIMEOUT).
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from asgiref.typing import HTTPScope, WebSocketScope

from realtime.connection import Connection

_EXTENSION = "realtime.socket"
# So long a server may take to notice that a socket was dropped.
NOTICE_SECONDS = 1.0


class Socket:
    """One client's transport, who wants to know when it is gone, and the requests that the client
    sent ahead: while there are any, the server may not read on to its end."""

    __slots__ = ("lost", "sent_ahead", "transport")

    def __init__(self, transport: asyncio.Transport, sent_ahead: Sequence[object] = ()) -> None:
        self.transport = transport
        self.sent_ahead = sent_ahead
        self.lost: Callable[[], None] | None = None

    def tell_lost(self) -> None:
        """Say that it is gone; for servers."""
        if self.lost is not None:
            self.lost()

    async def abort(self) -> None:
        """Drop the client, with all that it has not taken; returns when the server knows."""
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = partial(gone.set_result, None)
        self.transport.abort()
        await asyncio.wait([gone], timeout=NOTICE_SECONDS)


def show_socket(scope: Any, socket: Socket) -> None:
    """Let the application of this ASGI scope write to the socket; for servers."""
    scope.setdefault("extensions", {})[_EXTENSION] = socket


def socket_of(scope: HTTPScope | WebSocketScope) -> Socket | None:
    """The socket behind a stream, where the server shows it."""
    extensions: dict[str, Any] = scope.get("extensions") or {}
    return extensions.get(_EXTENSION)


def forget_head(scope: Any) -> None:
    """Let go of the request's headers, which the server keeps as long as its stream lives: often
    more than all else of a stream, and a login among them."""
    if isinstance(scope["headers"], list):
        scope["headers"].clear()


def was_cut_off(connection: Connection) -> bool:
    """Whether the running task was cancelled because its stream ended and its socket is stuck.

    Then the cancellation is taken back, for the server did not ask for it; else it is the server's.
    """
    task = asyncio.current_task()
    if connection.closed_because is None or task is None:
        return False
    task.uncancel()
    return True
