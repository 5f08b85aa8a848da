"""A client that drops and comes back at random, to whichever server answers, and hears it all."""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from websockets.exceptions import InvalidHandshake, WebSocketException

from realtime.testing import Witness
from tests.faults.services import Service
from tests.support.streams import SseClient, StreamRefused, WebSocketClient

# What it is to be cut off, in whatever moment.
CUT_OFF = (
    OSError,
    EOFError,  # IncompleteReadError among them
    TimeoutError,
    ValueError,  # half of a chunk
    StreamRefused,
    WebSocketException,
    InvalidHandshake,
)


class Roamer:
    """One client with one login. `run` goes on until the event is set, then stays connected."""

    def __init__(
        self,
        *,
        token: str,
        witness: Witness,
        servers: Sequence[Service],
        transport: str,
        chance: random.Random,
    ) -> None:
        self.witness = witness
        self.transport = transport
        self.streams = 0
        self.resets = 0
        self.ends: dict[str, int] = {}
        self._headers = {"Authorization": f"Bearer {token}"}
        self._servers = servers
        self._chance = chance
        self._settles = asyncio.Event()

    def settle(self) -> None:
        """Stay connected from now on."""
        self._settles.set()

    async def run(self) -> None:
        """Connect, listen for a while, drop, and again; until the task is cancelled."""
        while True:
            server = self._chance.choice(self._servers)
            stays = self._chance.expovariate(1 / 4)
            try:
                async with asyncio.timeout(None if self._settles.is_set() else stays):
                    await self._listen(server)
            except CUT_OFF as error:
                name = type(error).__name__
                self.ends[name] = self.ends.get(name, 0) + 1
            await asyncio.sleep(self._chance.uniform(0.05, 0.5))

    async def _listen(self, server: Service) -> None:
        cursor = str(self.witness.cursor)
        if self.transport == "sse":
            stream = await SseClient.open(server.port, headers=self._headers, lastEventId=cursor)
            self.streams += 1
            try:
                while True:
                    self._hear((await stream.any_frame(60)).body)
            finally:
                stream.cut()
        else:
            client = await WebSocketClient.open(
                server.port, headers=self._headers, lastEventId=cursor
            )
            self.streams += 1
            try:
                while True:
                    self._hear(json.loads(await client.connection.recv()))
            finally:
                client.connection.transport.abort()

    def _hear(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "reset":
            self.resets += 1
        self.witness.hear(message)
