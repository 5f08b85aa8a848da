"""Between server processes: batches through the Channels group "events", where there is Redis.

The layer is a doorbell that happens to carry the news. It may lose, double and reorder: the hub
sees that by the positions and reads the log.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from realtime.doorbell import EVENTS_GROUP, channel_layer
from realtime.log import LogEntry

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 256 * 1024
MAX_WAITING = 64
RETRY_SECONDS = 0.5


class Relay:
    """Sends this process's batches to the group and feeds the hub with the others'."""

    def __init__(
        self,
        *,
        feed: Callable[[list[LogEntry]], None],
        heard: Callable[[int], Any],
        wake: Callable[[], None],
    ) -> None:
        self._layer = channel_layer()
        self._feed = feed
        self._heard = heard
        self._wake = wake
        self._own = uuid4().hex
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MAX_WAITING)
        self._has_waiting = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._receiving: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send and to receive."""
        self._tasks = [asyncio.create_task(self._send(), name="relay-send")]
        self.join_again()

    async def stop(self) -> None:
        """End both tasks."""
        tasks = [*self._tasks, *([self._receiving] if self._receiving else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def join_again(self) -> None:
        """Join the group under a new name: the old one may have become deaf without a word."""
        deaf = self._receiving
        self._receiving = asyncio.create_task(self._receive(), name="relay-receive")
        if deaf is not None:
            deaf.cancel()

    def pass_on(self, entries: list[LogEntry]) -> None:
        """Send a batch to the other processes, soon; the oldest waiting one is dropped when Redis
        does not take them."""
        message: dict[str, Any] = {
            "type": "log.batch",
            "from": self._own,
            "first": entries[0].position,
            "last": entries[-1].position,
        }
        if sum(len(entry.text) for entry in entries) <= MAX_MESSAGE_BYTES:
            message["events"] = [
                [e.type, " ".join(e.audiences), e.payload, e.published_at.isoformat()]
                for e in entries
            ]
        self._waiting.append(message)
        self._has_waiting.set()

    async def _send(self) -> None:
        while True:
            await self._has_waiting.wait()
            self._has_waiting.clear()
            while self._waiting:
                try:
                    await self._layer.group_send(EVENTS_GROUP, self._waiting.popleft())
                except Exception as error:  # noqa: BLE001 the others' own look finds the events
                    logger.warning("Passing events on through Redis failed: %s", error)
                    await asyncio.sleep(RETRY_SECONDS)

    async def _receive(self) -> None:
        while True:
            try:
                channel = await self._layer.new_channel()
                await self._layer.group_add(EVENTS_GROUP, channel)
                await self._hear(channel)
            except Exception as error:  # noqa: BLE001 as above
                logger.warning("Hearing events through Redis failed: %s", error)
                # Nobody else of this process uses the layer. What is left of the old channel would
                # go on collecting messages that nobody reads.
                with contextlib.suppress(Exception):
                    await self._layer.flush()
                await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self, channel: str) -> None:
        try:
            while True:
                self._take(await self._layer.receive(channel))
        finally:
            with contextlib.suppress(Exception):
                await self._layer.group_discard(EVENTS_GROUP, channel)

    def _take(self, message: dict[str, Any]) -> None:
        try:
            self._understand(message)
        except Exception:
            # A process of another release may say what this one does not know.
            logger.exception("A message of another process was not understood.")

    def _understand(self, message: dict[str, Any]) -> None:
        if message["type"] == "log.wake":
            self._wake()
        elif message["from"] == self._own:
            return
        elif "events" in message:
            self._feed(
                [
                    LogEntry(position, type_name, names, payload, datetime.fromisoformat(at))
                    for position, (type_name, names, payload, at) in enumerate(
                        message["events"], message["first"]
                    )
                ]
            )
        else:
            self._heard(message["last"])
