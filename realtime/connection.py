"""One listener's stream: what waits to be sent to it, and how it ends. Knows no transport."""

import asyncio
from collections import deque
from typing import Literal
from uuid import uuid4

from realtime.channels import Channel
from realtime.listeners import Listener
from realtime.log import LogEntry
from realtime.messages import ClosingReason

Transport = Literal["sse", "websocket"]
Frame = bytes | str

# What may wait for a slow reader before its stream is ended: it comes back with its cursor.
MAX_FRAMES = 2048
MAX_BYTES = 1024 * 1024


class Connection:
    """A bounded queue of frames with the position of the last event that was put into it.

    Every method is called in the hub's event loop. The frames of one connection are taken by one
    task (take), which sends all that is pending in one write.
    """

    __slots__ = (
        "_bytes", "_frames", "_held", "_held_bytes", "_holds", "_in_hand", "_waiter", "address",
        "audiences", "beat", "changing", "channels", "client_id", "closed_because", "delivered",
        "due", "ended", "listener", "opened_at", "sent", "task", "transport", "warned",
    )  # fmt: skip

    def __init__(
        self, *, listener: Listener, transport: Transport, address: str, opened_at: float
    ) -> None:
        self.client_id = str(uuid4())
        self.listener = listener
        self.transport = transport
        self.address = address
        self.opened_at = opened_at
        self.channels: dict[str, Channel] = {}  # those asked for
        self.audiences: frozenset[str] = frozenset()  # what the hub delivers here, by itself
        self.sent = 0  # nothing at or below it is queued, replayed or live
        self.beat = 0  # the slot of the wheel in which its heartbeat comes
        self.due: int | None = None  # the second at which the wheel looks at its login
        self.warned = False  # of the end of its login
        self.delivered = 0
        self.task: asyncio.Task[None] | None = None  # that serves it
        self.changing = asyncio.Lock()  # had by whoever changes what it hears
        self.ended = False
        self.closed_because: ClosingReason | None = None
        self._frames: deque[Frame] = deque()
        self._held: list[LogEntry] = []
        self._holds = 0  # how many want events held back
        self._bytes = 0
        self._held_bytes = 0
        self._in_hand = 0  # bytes taken by the transport and not known to be sent
        self._waiter: asyncio.Future[None] | None = None

    # --- what the hub puts in ---------------------------------------------------------------

    def deliver(self, entry: LogEntry) -> bool:
        """Queue the event unless it was sent already; whether the reader keeps up."""
        if entry.position <= self.sent or self.ended:
            return True
        if self._holds:
            if not self._held or self._held[-1] is not entry:
                self._held.append(entry)
                self._held_bytes += len(entry.text)
            return self._within_bounds()
        self.sent = entry.position
        self.delivered += 1
        return self.queue(self.frame_of(entry))

    def frame_of(self, entry: LogEntry) -> Frame:
        """The event as this transport sends it."""
        return entry.sse if self.transport == "sse" else entry.text

    def queue(self, frame: Frame) -> bool:
        """Put one frame at the tail; whether the reader keeps up. Nothing follows the farewell."""
        if self.ended:
            return True
        self._frames.append(frame)
        self._bytes += len(frame)
        self._wake()
        return self._within_bounds()

    def _within_bounds(self) -> bool:
        waiting = len(self._frames) + len(self._held)
        size = self._bytes + self._held_bytes + self._in_hand
        return waiting <= MAX_FRAMES and size <= MAX_BYTES

    def hold(self) -> None:
        """Keep events back from now on, until as many release() as hold()."""
        self._holds += 1

    def hold_only(self, entries: list[LogEntry]) -> None:
        """Keep back these in place of what was kept: what the connection may hear has changed."""
        self._held = [entry for entry in entries if entry.position > self.sent]
        self._held_bytes = sum(len(entry.text) for entry in self._held)

    def release(self) -> None:
        """Queue what was kept back, without what was sent meanwhile, and go on live."""
        self._holds -= 1
        if self._holds:
            return
        held, self._held, self._held_bytes = self._held, [], 0
        for entry in held:
            self.deliver(entry)

    @property
    def waiting(self) -> bool:
        """Whether take() would return at once with frames."""
        return bool(self._frames)

    @property
    def holds(self) -> bool:
        """Whether events are kept back."""
        return self._holds > 0

    def end(self, reason: ClosingReason | None, farewell: Frame | None = None) -> None:
        """End the stream: after farewell nothing more is queued. A slow reader's queue is dropped,
        it comes back with its cursor; everybody else still gets what waits."""
        if self.ended:
            return
        self.ended = True
        self.closed_because = reason
        if reason == "too-slow":
            self._frames.clear()
        self._held.clear()
        if farewell is not None:
            self._frames.append(farewell)
        self._wake()

    # --- what the transport takes out -------------------------------------------------------

    async def take(self) -> list[Frame]:
        """All frames that wait, as soon as there is one; none when the stream has ended.

        What was taken before counts as sent to the socket by then.
        """
        self._in_hand = 0
        while not self._frames:
            if self.ended:
                return []
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        frames = list(self._frames)
        self._frames.clear()
        self._in_hand, self._bytes = self._bytes, 0
        return frames

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
