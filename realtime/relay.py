"""Between server processes: batches through the Channels group "events", where there is Redis.

The layer is a doorbell that happens to carry the news. It may lose, double and reorder: the hub
sees that by the positions and reads the log.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from realtime.doorbell import EVENTS_GROUP, MOMENT, WAKE, new_channel_layer
from realtime.ephemeral import Ephemeral, Slot
from realtime.log import LogEntry
from realtime.tallies import Tallies

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 256 * 1024
MAX_WAITING = 64
RETRY_SECONDS = 0.5
# A process that hears nothing for so long, while the log grows, takes itself for deaf.
DEAF_SECONDS = 2.0
# So long the layer may take to let its connections go.
FLUSH_SECONDS = 1.0
# What a message has of each event beside texts: its moment, and what packing adds.
_BESIDE_TEXTS_BYTES = 48


@dataclass(slots=True)
class _Batch:
    """Events that follow one another, and about how many bytes a message of them has."""

    entries: list[LogEntry]
    size: int

    def takes(self, other: "_Batch") -> bool:
        """Whether the other follows and there was room for it: then it is in this one."""
        follows = self.entries[-1].position + 1 == other.entries[0].position
        if not follows or self.size + other.size > MAX_MESSAGE_BYTES:
            return False
        self.entries += other.entries
        self.size += other.size
        return True


def _size_of(entry: LogEntry) -> int:
    names = sum(len(name) + 1 for name in entry.audiences)
    return len(entry.text.encode()) + len(entry.type) + names + _BESIDE_TEXTS_BYTES


class Relay:
    """Sends this process's batches to the group and feeds the hub with the others'."""

    def __init__(
        self,
        *,
        feed: Callable[[list[LogEntry]], None],
        heard: Callable[[int], Any],
        tell: Callable[[Ephemeral], None],
        wake: Callable[[], None],
        tallies: Tallies,
    ) -> None:
        self._layer = new_channel_layer()
        self._feed = feed
        self._heard = heard
        self._tell = tell
        self._wake = wake
        self._tallies = tallies
        self._own = uuid4().hex
        self._waiting: deque[_Batch] = deque(maxlen=MAX_WAITING)
        self._moments: dict[Slot, Ephemeral] = {}  # the newest of each slot
        self._has_waiting = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._receiving: asyncio.Task[None] | None = None
        self._heard_at = 0.0  # by time.monotonic(): when another process was heard, or joined anew

    def start(self) -> None:
        """Begin to send and to receive."""
        self._tasks = [asyncio.create_task(self._send(), name="relay-send")]
        self._join()

    async def stop(self) -> None:
        """End both tasks, and the layer's connections."""
        tasks = [*self._tasks, *([self._receiving] if self._receiving else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._flush()

    def missed_news(self) -> None:
        """Learn that the log grew and no doorbell told of it. Who hears nothing else joins again,
        under a new name: the old one may have become deaf without a word."""
        if time.monotonic() - self._heard_at > DEAF_SECONDS:
            logger.warning("The other processes are not heard: joining them again.")
            self._tallies.rejoined += 1
            self._join()

    def _join(self) -> None:
        self._heard_at = time.monotonic()
        deaf = self._receiving
        self._receiving = asyncio.create_task(self._receive(deaf), name="relay-receive")

    def pass_on(self, entries: list[LogEntry]) -> None:
        """Send a batch to the other processes, soon; the oldest waiting one is dropped when Redis
        does not take them."""
        # A message costs every process more than the events in it: what waits goes together.
        batch = _Batch(list(entries), sum(map(_size_of, entries)))
        if not (self._waiting and self._waiting[-1].takes(batch)):
            self._waiting.append(batch)
            self._has_waiting.set()

    def pass_on_moment(self, ephemeral: Ephemeral) -> None:
        """Send what is true for a moment to the other processes, in place of what waits of it."""
        self._moments.pop(ephemeral.slot, None)
        self._moments[ephemeral.slot] = ephemeral
        if len(self._moments) > MAX_WAITING:
            del self._moments[next(iter(self._moments))]
        self._has_waiting.set()

    async def _send(self) -> None:
        while True:
            await self._has_waiting.wait()
            self._has_waiting.clear()
            while message := self._next_message():
                try:
                    await self._layer.group_send(EVENTS_GROUP, message)
                except Exception as error:  # noqa: BLE001 the others' own look finds the events
                    self._tallies.relay_errors += 1
                    logger.warning("Passing events on through Redis failed: %s", error)
                    await asyncio.sleep(RETRY_SECONDS)

    def _next_message(self) -> dict[str, Any] | None:
        if self._waiting:
            return self._message_of(self._waiting.popleft())
        if not self._moments:
            return None
        ephemeral = self._moments.pop(next(iter(self._moments)))
        return {"type": MOMENT, "from": self._own, "event": ephemeral.as_list()}

    def _message_of(self, batch: _Batch) -> dict[str, Any]:
        entries = batch.entries
        message: dict[str, Any] = {
            "type": "log.batch",
            "from": self._own,
            "first": entries[0].position,
            "last": entries[-1].position,
        }
        if batch.size <= MAX_MESSAGE_BYTES:
            message["events"] = [
                [e.type, " ".join(e.audiences), e.payload, e.published_at.isoformat()]
                for e in entries
            ]
        return message

    # --- receiving --------------------------------------------------------------------------

    async def _receive(self, deaf: asyncio.Task[None] | None) -> None:
        if deaf is not None:
            deaf.cancel()
            await asyncio.wait([deaf])
            await self._flush()
        while True:
            try:
                channel = await self._layer.new_channel()
                await self._layer.group_add(EVENTS_GROUP, channel)
                await self._hear(channel)
            except Exception as error:  # noqa: BLE001 as above
                self._tallies.relay_errors += 1
                logger.warning("Hearing events through Redis failed: %s", error)
                await self._flush()
                await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self, channel: str) -> None:
        # Never cancelled to wait for something else: that would unsubscribe, and lose what waits.
        while True:
            self._take(await self._layer.receive(channel))

    async def _flush(self) -> None:
        """Let go of the layer's connections, and of a channel that nobody reads any more: nobody
        else uses this layer, and it connects anew when it is next asked for something."""
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._layer.flush()
        except Exception as error:  # noqa: BLE001 as above
            logger.warning("The channel layer did not let go: %r", error)

    def _take(self, message: dict[str, Any]) -> None:
        self._heard_at = time.monotonic()
        try:
            self._understand(message)
        except Exception:
            # A process of another release may say what this one does not know.
            self._tallies.relay_errors += 1
            logger.exception("A message of another process was not understood.")

    def _understand(self, message: dict[str, Any]) -> None:
        if message["type"] == WAKE:
            self._wake()
        elif message.get("from") == self._own:
            return
        elif message["type"] == MOMENT:
            self._tell(Ephemeral(*message["event"]))
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
