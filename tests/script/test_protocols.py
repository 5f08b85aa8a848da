"""What connections of the production server's protocols leave behind: nothing."""

import asyncio
import gc
import logging
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import uvicorn
import uvloop
from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.server import ServerState

from marketplace.protocols import HttpProtocol, WebSocketProtocol
from tests.support.raw_websocket import CLOSE, frame, handshake

GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nhello"
# How a client ends its WebSocket: by a word, without one, and against the protocol.
ENDS = {"close": frame(CLOSE), "cut": b"", "nonsense": frame(3)}


async def stay(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Take a WebSocket, and serve every client until it goes."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
    while not (await receive())["type"].endswith(".disconnect"):
        pass


@asynccontextmanager
async def serving(application: ASGI3Application) -> AsyncIterator[tuple[int, ServerState]]:
    """A server in this loop; its port, and what it holds."""
    config = uvicorn.Config(
        application,
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        log_config=None,
    )
    state = ServerState()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: HttpProtocol(config, state, {}), "127.0.0.1") as it:
        yield it.sockets[0].getsockname()[1], state


async def until(is_it: Callable[[], bool]) -> None:
    """Wait until a question is answered with yes."""
    async with asyncio.timeout(10):
        while not is_it():
            await asyncio.sleep(0.01)


def test_it_tells_the_request_that_is_served_whatever_waits_behind_it() -> None:
    async def come_and_go() -> None:
        async with serving(stay) as (port, state):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            with closing(writer):
                writer.write(GET * 2)
                await until(lambda: bool(state.tasks))
            await until(lambda: not (state.tasks or state.connections))

    uvloop.run(come_and_go())


@pytest.mark.parametrize("first", [GET, POST, GET * 2], ids=["GET", "POST", "two"])
def test_it_refuses_to_switch_before_it_has_answered(
    first: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The request before would not hear of its client's end, and its answer would be no frame."""

    async def come_and_go() -> None:
        async with serving(stay) as (port, state):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with closing(writer):
                writer.write(first + handshake(port))
                async with asyncio.timeout(10):
                    assert await reader.read() == b""
            await until(lambda: not (state.tasks or state.connections))

    uvloop.run(come_and_go())
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("end", ENDS)
def test_it_leaves_no_circle_behind_a_websocket(end: str) -> None:
    """Collections of old objects are so rare that it would stay for hours."""

    async def come_and_go() -> list[weakref.ref[Any]]:
        async with serving(stay) as (port, state):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with closing(writer):
                request = handshake(port)
                writer.write(request[:20])
                await until(lambda: bool(state.connections))
                (http,) = map(weakref.ref, state.connections)
                writer.write(request[20:])
                await reader.readuntil(b"\r\n\r\n")
                (websocket,) = state.connections
                assert isinstance(websocket, WebSocketProtocol)
                writer.write(ENDS[end])
            await until(lambda: not (state.tasks or state.connections))
        return [http, weakref.ref(websocket), weakref.ref(websocket.conn)]

    gc.disable()
    try:
        assert [left() for left in uvloop.run(come_and_go())] == [None, None, None]
    finally:
        gc.enable()
