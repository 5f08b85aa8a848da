"""Clients over SSE in a process of their own, which take down when each event arrived.

Raw sockets and as little parsing as it takes: they must not be slower than what they measure.
"""

import multiprocessing
import random
import re
import selectors
import socket
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from typing import cast

_EVENT = re.compile(
    rb'data: \{"id":(\d+),"type":"(?:thing-happened|availability-updated)","timestamp":"([^"]+)"'
)


ARRIVE_SECONDS = 30.0


@dataclass(frozen=True)
class Heard:
    """What all clients heard between two moments: latencies in seconds, from the event's timestamp,
    which is taken just before its commit, to its arrival."""

    deliveries: int
    latencies: list[float]  # sorted


class Listeners:
    """The clients, from outside their process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def hear(self, deliveries: int) -> Heard:
        """What came, when it is so many deliveries. Raises RuntimeError where they do not come.

        None can stand for another that is lost: a client ends that hears one twice."""
        deadline = time.monotonic() + ARRIVE_SECONDS
        latencies: list[float] = []
        while (missing := deliveries - len(latencies)) > 0:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{missing} deliveries are missing.")
            time.sleep(0.02)
            latencies += self.collect().latencies
        if missing < 0:
            raise RuntimeError(f"{-missing} deliveries too many.")
        return Heard(deliveries=len(latencies), latencies=sorted(latencies))

    def collect(self) -> Heard:
        """What came since they connected, or since this was last asked."""
        self._pipe.send("collect")
        latencies = sorted(self._pipe.recv())
        return Heard(deliveries=len(latencies), latencies=latencies)


@contextmanager
def listening(
    *, port: int, token: str, clients: int, churn: float = 0.0, channels: str = ""
) -> Iterator[Listeners]:
    """So many clients, connected. churn: how many of them drop and come back each second;
    channels: what they ask for."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_listen, args=(port, token, clients, churn, channels, theirs), daemon=True
    )
    process.start()
    theirs.close()  # where the clients end, there is an end to read
    try:
        if not ours.poll(60) or ours.recv() != "connected":
            raise RuntimeError("The clients could not connect.")
        yield Listeners(ours)
    finally:
        process.terminate()
        process.join()


class Client:
    """One stream: what has come of a frame, and the cursor."""

    def __init__(
        self, port: int, token: str, receive_buffer: int | None = None, channels: str = ""
    ) -> None:
        """receive_buffer: bytes that the kernel takes while it does not read; channels: what it
        asks for."""
        self._port, self._token = port, token
        self._path = f"/api/events?channels={channels}" if channels else "/api/events"
        self._receive_buffer = receive_buffer
        self._rest = b""
        self.cursor: int | None = None
        self.socket = self._open()

    def _open(self) -> socket.socket:
        client = socket.socket()
        if self._receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        client.connect(("127.0.0.1", self._port))
        resume = f"Last-Event-ID: {self.cursor}\r\n" if self.cursor is not None else ""
        client.sendall(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Authorization: Bearer {self._token}\r\n{resume}\r\n".encode()
        )
        while b"event: connected" not in self._rest:
            if not (more := client.recv(65536)):
                raise RuntimeError(f"A stream was refused: {self._rest!r}")
            self._rest += more
        client.setblocking(False)
        return client

    def read(self) -> Iterator[tuple[int, float]]:
        """(position, latency) of each event that has come."""
        data = self.socket.recv(262144)
        if not data:
            raise ConnectionError("The server ended a stream.")
        now = time.time()
        whole, separator, self._rest = (self._rest + data).rpartition(b"\n\n")
        for match in _EVENT.finditer(whole + separator):
            position = int(match[1])
            if self.cursor is not None and position <= self.cursor:
                raise RuntimeError(f"{position} came after {self.cursor}.")
            self.cursor = position
            yield position, now - datetime.fromisoformat(match[2].decode()).timestamp()

    def come_back(self) -> None:
        """Drop the connection, and open one that goes on where this one was."""
        self.socket.close()
        self._rest = b""
        self.socket = self._open()


def _listen(
    port: int, token: str, clients: int, churn: float, channels: str, pipe: Connection
) -> None:
    selector = selectors.DefaultSelector()
    for _ in range(clients):
        client = Client(port, token, channels=channels)
        selector.register(client.socket, selectors.EVENT_READ, client)
    selector.register(pipe, selectors.EVENT_READ)
    pipe.send("connected")
    latencies = array("d")
    next_drop = time.monotonic() + (1 / churn if churn else float("inf"))
    while True:
        for key, _ in selector.select(0.05):
            if key.fileobj is pipe:
                pipe.recv()
                pipe.send(latencies)
                latencies = array("d")
            else:
                latencies.extend(latency for _, latency in cast(Client, key.data).read())
        if time.monotonic() > next_drop:
            next_drop += 1 / churn
            _drop_one(selector, pipe)


def _drop_one(selector: selectors.BaseSelector, pipe: Connection) -> None:
    keys = [key for key in selector.get_map().values() if key.fileobj is not pipe]
    client = cast(Client, random.choice(keys).data)
    selector.unregister(client.socket)
    client.come_back()
    selector.register(client.socket, selectors.EVENT_READ, client)
