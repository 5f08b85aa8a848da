"""Ending a connection whose client takes nothing any more."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from realtime.connection import Connection


def abort_transport(send: Callable[[Any], Awaitable[None]]) -> bool:
    """Drop the socket behind an ASGI send, with all that it has not taken, where it can be reached;
    whether it could.

    ASGI has no word for it, and a server that closes a connection waits for the client to take what
    is buffered. On uvicorn `send` is a method of what holds the transport; elsewhere nothing
    happens here, and the kernel ends the connection (TCP_USER_TIMEOUT).
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    abort = getattr(transport, "abort", None)
    if abort is None:
        return False
    abort()
    return True


def was_cut_off(connection: Connection) -> bool:
    """Whether the running task was cancelled because its stream ended and its socket is stuck.

    Then the cancellation is taken back, for the server did not ask for it; else it is the server's.
    """
    task = asyncio.current_task()
    if connection.closed_because is None or task is None:
        return False
    task.uncancel()
    return True
