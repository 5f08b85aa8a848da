"""What the kernel is told about the connections of the production server, and how it takes them."""

import asyncio
import socket
from typing import Any

import pytest
import uvicorn
import uvloop

from marketplace import server as production
from marketplace.asgi import application
from marketplace.server import STALLED_MILLISECONDS, UNSENT_BYTES, listen


def test_its_connections_end_when_they_take_nothing_and_hold_little() -> None:
    with listen("127.0.0.1", 0) as listener, socket.socket() as client:
        listener.listen()
        listener.setblocking(True)
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            timeout = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            unsent = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
    assert timeout == STALLED_MILLISECONDS
    assert unsent == UNSENT_BYTES


@pytest.fixture(autouse=True)
def untuned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the interpreter as it is: it is the tests'."""
    monkeypatch.setattr(production, "tune_interpreter", lambda: None)


def server_of(config: uvicorn.Config) -> production.Server:
    """A production server, ready to start."""
    config.load()
    server = production.Server(config)
    server.lifespan = config.lifespan_class(config)
    return server


async def close(server: production.Server) -> None:
    """Have it listen no longer."""
    for listening in server.servers:
        listening.close()
        await listening.wait_closed()


async def take(count: int) -> list[int]:
    """In which steps of its loop the server takes so many connections that wait."""
    loop = asyncio.get_running_loop()
    step = 0
    taken: list[int] = []

    class Connection(asyncio.Protocol):
        def __init__(self, **_: Any) -> None:
            """As uvicorn makes its protocols."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken.append(step)
            transport.close()

    config = uvicorn.Config(application, http=Connection, lifespan="off", log_config=None)
    server = server_of(config)
    with listen("127.0.0.1", 0) as listener:
        await server.startup([listener])
        # The loop stands still meanwhile.
        clients = [socket.create_connection(listener.getsockname()) for _ in range(count)]
        deadline = loop.time() + 20
        while len(taken) < count:
            assert loop.time() < deadline
            step += 1
            await asyncio.sleep(0)
        for client in clients:
            client.close()
        await close(server)
    return taken


def test_it_takes_many_connections_in_a_step_of_its_loop() -> None:
    steps = uvloop.run(take(40))
    assert max(map(steps.count, steps)) >= 10


async def test_it_opens_its_own_socket_where_it_is_given_none() -> None:
    server = server_of(uvicorn.Config(application, port=0, lifespan="off", log_config=None))
    await server.startup()
    assert [len(listening.sockets) for listening in server.servers] == [1]
    await close(server)
