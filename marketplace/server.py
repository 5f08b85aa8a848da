"""The production server: uvicorn, drained before it stops.

uvicorn's own shutdown sends every WebSocket a bare 1012 at once and waits for streams that never
end. This one tells its clients first, spread over a time, and takes no new streams meanwhile.
"""

import argparse
import asyncio
import gc
import logging
import socket
import sys
from types import FrameType

import uvicorn
from asgiref.typing import ASGI3Application
from django.conf import settings

from marketplace.asgi import application  # first: it sets Django up
from marketplace.hosts import is_loopback
from marketplace.protocols import HttpProtocol, WebSocketProtocol
from realtime.station import running_station

logger = logging.getLogger("marketplace.server")

BACKLOG = 4096
ACCEPTS_AT_ONCE = 16
# New objects before a collection, young ones before one of the middle ones, those before all.
COLLECTION_THRESHOLDS = (50_000, 50, 100)
# How long a thread may have the interpreter while another one wants it.
SWITCH_SECONDS = 0.0005
# After this time without an acknowledgement the kernel ends a connection that takes nothing.
STALLED_MILLISECONDS = 30_000
# More than so many bytes that it cannot send yet the kernel does not take: else it holds megabytes
# for a client that reads slowly, and nobody sees that it does.
UNSENT_BYTES = 128 * 1024
# Larger messages of a client are not even read and end the connection; those above the limit that
# it is told, which is lower, are answered.
WEBSOCKET_MAX_BYTES = 1024 * 1024
# What is still running so long after the drain is cancelled.
STOP_SECONDS = 10


class Server(uvicorn.Server):
    """A uvicorn.Server that drains its streams between the first signal and its shutdown."""

    _loop: asyncio.AbstractEventLoop
    _draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, and tell on which address."""
        self._loop = asyncio.get_running_loop()
        listeners = sockets or []
        # libuv accepts one connection of each listener in a step of the loop. A busy one, to which
        # thousands come back, would leave them to the kernel, whose line ends at BACKLOG.
        again = [listener.dup() for listener in listeners for _ in range(ACCEPTS_AT_ONCE - 1)]
        await super().startup(None if sockets is None else [*listeners, *again])
        tune_interpreter()
        for listener in listeners:
            host, port = listener.getsockname()[:2]
            logger.info("Serving on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first signal; a second one stops at once."""
        if self._draining is None:
            self._loop.call_soon_threadsafe(self._drain_soon)
        else:
            self.force_exit = self.should_exit = True

    def _drain_soon(self) -> None:
        if self._draining is None:
            self._draining = self._loop.create_task(self._drain())

    async def _drain(self) -> None:
        logger.info("Draining: new streams are refused, open ones are told to come back.")
        try:
            present = running_station()
            if present is not None:
                await present.streams.drain(settings.DRAIN_SECONDS)
        finally:
            self.should_exit = True


def tune_interpreter() -> None:
    """Keep Python's housekeeping from standing in the way of the streams."""
    # A full collection looks at every object of every stream: some 50 ms with ten thousand of
    # them. Hardly anything here is cyclic; what was made at the start is not looked at any more.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTION_THRESHOLDS)
    # While the loop hands an event out to thousands, threads commit and number the next ones. By
    # default they wait for the interpreter 5 ms after each answer of the database, and the loop
    # for them when it is done: events are handed out one by one that could go together.
    sys.setswitchinterval(SWITCH_SECONDS)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket; connections that it accepts inherit its options."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # uvicorn does not end a connection whose client takes nothing: the kernel does.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MILLISECONDS)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    listener.bind((host, port))
    listener.setblocking(False)
    return listener


def main(application: ASGI3Application = application) -> None:
    """Serve on the host and port of the command line until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--insecure-demo", action="store_true", help="debug where others can look")
    options = parser.parse_args()
    if settings.DEBUG and not is_loopback(options.host) and not options.insecure_demo:
        sys.exit(f"Others reach {options.host}: set DEBUG=false, or add --insecure-demo.")
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_per_message_deflate=False,  # halves the deliveries and costs memory for each client
        ws_ping_interval=None,  # our own heartbeat carries the cursor
        ws_max_size=WEBSOCKET_MAX_BYTES,
        lifespan="on",
        access_log=False,  # it would write query strings, tickets included
        log_config=None,  # Django configures logging
        log_level="warning",
        backlog=BACKLOG,
        server_header=False,
        proxy_headers=False,  # the client's address is our own affair (TRUSTED_PROXIES)
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        sys.exit(f"Cannot serve on {options.host}:{options.port}: {error.strerror}.")
    Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
