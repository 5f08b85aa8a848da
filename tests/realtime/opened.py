"""Streams without a server, where a test must say what happens in between."""

import asyncio
import json
import threading
from collections.abc import Sequence

from django.db import OperationalError

from realtime.connection import Connection, Frame
from realtime.listeners import Credentials, Listener, NotLoggedIn
from realtime.rights import StreamRequest
from realtime.streams import Streams

SOMEBODY = Listener(user_id=7, login_id="seven", audiences=("all", "user.7"))
SEVEN = Credentials(token="seven")


class Doorkeeper:
    """Knows one person, and takes as long as a test wants. A ticket opens once; one that is
    "locked" meets a database that is, a token that is "odd" what nobody thought of."""

    def __init__(self) -> None:
        self.lots: list[int] = []  # how many logins were asked together
        self._spent: set[str] = set()
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.answers.set()

    def log_in(self, many: Sequence[Credentials]) -> list[Listener | NotLoggedIn]:
        self.lots.append(len(many))
        return [self._answer_to(credentials) for credentials in many]

    def only_reads(self, credentials: Credentials) -> bool:
        return not credentials.ticket

    def still_valid(self, many: Sequence[Listener]) -> list[Listener | None]:
        return [self._answer() for _ in many]

    def _answer_to(self, credentials: Credentials) -> Listener | NotLoggedIn:
        listener = self._answer()
        if credentials.ticket == "locked":
            raise OperationalError("database is locked")
        if credentials.token == "odd":
            raise ValueError("odd")
        if credentials.ticket in self._spent:
            return NotLoggedIn()
        if credentials.ticket:
            self._spent.add(credentials.ticket)
        return listener

    def _answer(self) -> Listener:
        self.asked.set()
        assert self.answers.wait(30)
        return SOMEBODY

    async def until_asked(self) -> None:
        self.asked.clear()
        async with asyncio.timeout(10):
            while not self.asked.is_set():
                await asyncio.sleep(0.005)


class Client:
    """What one client is sent."""

    def __init__(self) -> None:
        self.types: list[str] = []
        self.things: list[int] = []  # the positions of events

    async def write(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            message = json.loads(frame)
            self.types.append(message["type"])
            if message["type"] == "thing-happened":
                self.things.append(message["id"])


def request(cursor: int | None = None, given: Credentials = SEVEN) -> StreamRequest:
    """What somebody asks for."""
    return StreamRequest(credentials=given, transport="websocket", address="", cursor=cursor)


async def until_handed_out(streams: Streams, position: int) -> None:
    """Wait until the hub has come to that position."""
    async with asyncio.timeout(10):
        while streams.hub.last < position:
            await asyncio.sleep(0.005)


async def open_stream(streams: Streams) -> Connection:
    """A stream that has caught up."""
    connection = await streams.admit(request())
    await streams.replay(connection, Client().write).open(None)
    return connection
