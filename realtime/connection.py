"""One listener's stream: what waits to be sent to it, and how it ends. Knows no server."""

import asyncio
import random
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

from realtime.channels import Channel
from realtime.ephemeral import Ephemeral, Slot
from realtime.events import Message
from realtime.frames import chunk, numbered, sse_frame, websocket_text
from realtime.listeners import Listener
from realtime.log import LogEntry
from realtime.messages import Closing, ClosingReason
from realtime.runs import Run

Transport = Literal["sse", "websocket"]
Frame = bytes | str

# What may wait for a reader. One who has not taken so much yet falls behind: nothing more is
# queued, and the rest is read from the log when there is room.
MAX_FRAMES = 2048
MAX_BYTES = 1024 * 1024  # text by its characters, which is near enough
# What is true for a moment is kept for so many keys; the oldest goes first.
MAX_EPHEMERALS = 64
# What is handed to the socket in one write, so that a slow one is seen to take something.
WRITE_BYTES = 64 * 1024
# A socket that holds so much is not free: what comes waits for the task, whose write waits for the
# socket. Not above the transport's high-water mark, from which on that is so.
FREE_BYTES = 64 * 1024
# So long a socket that takes nothing may take to end cleanly; then its task is cancelled.
ABORT_SECONDS = 1.0
# Clients that were told to come back do so at different moments.
COME_BACK_MILLISECONDS = 500
JITTER_MILLISECONDS = 2000
_COMES_BACK: frozenset[ClosingReason] = frozenset({"restart", "expired", "too-slow"})


def jittered(milliseconds: int) -> int:
    """A pause of at least so long, another one for each client."""
    return milliseconds + random.randint(0, JITTER_MILLISECONDS)  # noqa: S311 no secret


class Connection:
    """A bounded queue of frames with the position of the last event that was put into it.

    It is live, or behind: then what the hub hands out is not queued, and its own task reads the log
    from `sent` on until it is live again. A new one is behind. Every method is called in the hub's
    event loop. The frames are taken by one task (take), which writes what it was given. Where the
    server shows the socket, and nothing waits for it, frames go to it at once: no task wakes.
    """

    __slots__ = (
        "_bytes", "_ephemerals", "_frames", "_held", "_held_bytes", "_holds", "_in_hand",
        "_room_waiter", "_waiter", "address", "audiences", "beat", "behind", "changing", "channels",
        "client_id", "closed_because", "delivered", "due", "ended", "listener", "opened_at", "sent",
        "socket", "task", "timed", "transport", "warned", "writing_since",
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
        self.audiences: frozenset[str] = frozenset()  # what the hub delivers here: see hear()
        self.sent = 0  # nothing at or below it is queued, replayed or live
        self.behind = True
        self.beat = 0  # the slot of the wheel in which its heartbeat comes
        self.due: int | None = None  # the second at which the wheel looks at its login
        self.warned = False  # of the end of its login
        self.delivered = 0
        self.socket: asyncio.Transport | None = None  # where the server shows it
        self.task: asyncio.Task[None] | None = None  # that serves it
        self.writing_since: float | None = None  # by the loop's clock, while its socket takes
        self.timed: float | None = None  # when an event that waits was announced, if it is timed
        self.changing = asyncio.Lock()  # had by whoever changes what it hears
        self.ended = False
        self.closed_because: ClosingReason | None = None
        self._frames: list[Frame] = []  # a deque takes 700 bytes, even of most, which is empty
        # By slot; only while there are any, since most connections never have one.
        self._ephemerals: dict[Slot, Frame] | None = None
        self._held: list[LogEntry] = []
        self._holds = 0  # how many want events held back
        self._bytes = 0
        self._held_bytes = 0
        self._in_hand = 0  # bytes taken by the transport and not known to be sent
        self._waiter: asyncio.Future[None] | None = None
        self._room_waiter: asyncio.Future[None] | None = None

    # --- what the hub puts in ---------------------------------------------------------------

    def hear(self, audiences: frozenset[str]) -> None:
        """Hear exactly these audiences. What is held back, and what was true for a moment and
        waits, is dropped where none of them hears it; events in the queue were handed out."""
        self.audiences = audiences
        if self._held:
            self._held = [e for e in self._held if not audiences.isdisjoint(e.audiences)]
            self._held_bytes = sum(len(entry.text) for entry in self._held)
            self._tell_of_room()
        if self._ephemerals:
            self._ephemerals = {
                slot: frame
                for slot, frame in self._ephemerals.items()
                if not audiences.isdisjoint(slot[1])
            }

    def deliver(self, entry: LogEntry) -> None:
        """Queue the event unless it was sent already. Who has no room for it falls behind."""
        if entry.position <= self.sent or self.behind or self.ended:
            return
        if self._holds:
            self._keep_back(entry)
        elif self._has_room():
            self._queue_event(entry)
        else:
            self.fall_behind(entry.position - 1)

    def deliver_run(self, run: Run) -> None:
        """Deliver several events: in one write, if the socket is free."""
        if run.first > self.sent and not self._holds and (socket := self._free_socket()):
            socket.write(run.sse if self.transport == "sse" else run.websocket)
            self.sent = run.last
            self.delivered += len(run.entries)
        else:
            for entry in run.entries:
                self.deliver(entry)

    def time(self, announced_at: float) -> None:
        """Have it measured when the event that was queued last, announced at that second, is out.

        One at a time: of what waits together the oldest counts.
        """
        if self.timed is None:
            self.timed = announced_at

    def _queue_event(self, entry: LogEntry) -> None:
        if self._ephemerals:
            # What was stored is newer than a moment of the same type for the same audiences.
            stored = (entry.type, entry.audiences)
            for slot in [slot for slot in self._ephemerals if slot[:2] == stored]:
                del self._ephemerals[slot]
        self.sent = entry.position
        self.delivered += 1
        self.queue(entry.sse if self.transport == "sse" else entry.text)

    def _keep_back(self, entry: LogEntry) -> None:
        if self._held and entry.position <= self._held[-1].position:
            return  # it hears two of the audiences
        if not self._has_room():
            self.fall_behind(self.sent)
            return
        self._held.append(entry)
        self._held_bytes += len(entry.text)

    def _has_room(self) -> bool:
        return self._keeps_little() and self.waiting_bytes < MAX_BYTES

    def _keeps_little(self) -> bool:
        """Whether there is room, whatever its socket holds."""
        frames = len(self._frames) + len(self._held)
        return frames < MAX_FRAMES and self._kept_bytes < MAX_BYTES

    def tell(self, ephemeral: Ephemeral) -> None:
        """Queue what is true for a moment, in place of an older one of its slot. Where events are
        held back or replayed, it waits for their end: its reader is not there yet."""
        if self.ended:
            return
        if self._is_live and self._free_socket():
            self.queue(ephemeral.sse if self.transport == "sse" else ephemeral.text)
            return
        if self._ephemerals is None:
            self._ephemerals = {}
        self._ephemerals.pop(ephemeral.slot, None)
        self._ephemerals[ephemeral.slot] = (
            ephemeral.sse if self.transport == "sse" else ephemeral.text
        )
        if len(self._ephemerals) > MAX_EPHEMERALS:
            del self._ephemerals[next(iter(self._ephemerals))]
        self._wake()

    def queue(self, frame: Frame) -> None:
        """Put one frame at the tail. Nothing follows the farewell."""
        if self.ended:
            return
        if socket := self._free_socket():
            socket.write(websocket_text(frame) if isinstance(frame, str) else chunk(frame))
            return
        self._frames.append(frame)
        self._bytes += len(frame)
        self._wake()

    def _free_socket(self) -> asyncio.Transport | None:
        """The socket, if nothing waits for it and it takes more at once. Of a stream that is
        behind, or has ended, it is not free: its task was woken by that, and runs."""
        waiter, socket = self._waiter, self.socket
        if (
            socket is None
            or waiter is None  # the task is about to write, or is gone
            or waiter.done()  # something waits, or ends
            or socket.get_write_buffer_size() >= FREE_BYTES
            or socket.is_closing()
        ):
            return None
        return socket

    def say(self, message: Message, position: int | None = None) -> None:
        """Tell something about the connection itself, with an id where there is a position."""
        self.queue(self._frame_for(message, position))

    def _frame_for(self, message: Message, position: int | None = None) -> Frame:
        text = message.encode(datetime.now(UTC))
        if position is not None:
            text = numbered(text, position)
        if self.transport == "websocket":
            return text
        return sse_frame(event=message.type_name, data=text, position=position)

    # --- replay and live --------------------------------------------------------------------

    def replay(self, entries: list[LogEntry], until: int) -> int:
        """Queue what was missed: all that the listener may see at positions up to until.

        Returns how many that were.
        """
        before = self.delivered
        for entry in entries:
            if not entry.internal and not self.ended:
                self._queue_event(entry)
        self.sent = max(self.sent, until)
        return self.delivered - before

    def go_on(self, missed: list[LogEntry]) -> None:
        """Be live again after these events. It may fall behind again, but never at the first: what
        is queued makes the task wait for the socket, and nothing else does."""
        self.behind = False
        for entry in missed[:1]:
            if entry.position > self.sent and not self.ended:
                self._queue_event(entry)
        for entry in missed[1:]:
            self.deliver(entry)

    def fall_behind(self, handed_out: int) -> None:
        """Queue no more events; everything up to that position was queued. Its task reads on."""
        if self.behind or self.ended:
            return
        self.sent = max(self.sent, handed_out)
        self.behind = True
        self._drop_held()
        self._wake()

    def hold(self, handed_out: int) -> None:
        """Keep events back from now on, until as many release() as hold(); everything up to that
        position was handed out by what the listener might hear then."""
        if not self._holds and not self.behind:
            self.sent = max(self.sent, handed_out)
        self._holds += 1

    def hold_only(self, entries: list[LogEntry]) -> None:
        """Keep back these in place of what was kept: what the connection may hear has changed."""
        self._drop_held()
        for entry in entries:
            if entry.position > self.sent:
                self._keep_back(entry)
        self._tell_of_room()

    def release(self) -> None:
        """Queue what was kept back, without what was sent meanwhile, and go on live."""
        self._holds -= 1
        if self._holds:
            return
        held = self._held
        self._held, self._held_bytes = [], 0
        for entry in held:
            self.deliver(entry)
        self._tell_of_room()
        if self._ephemerals:
            self._wake()

    def _drop_held(self) -> None:
        self._held, self._held_bytes = [], 0

    @property
    def holds(self) -> bool:
        """Whether events are kept back."""
        return self._holds > 0

    # --- its end ----------------------------------------------------------------------------

    def leave(self) -> None:
        """End the stream without a word: its client is gone, or was told already."""
        if not self.ended:
            self.ended = True
            self._drop_held()
            self._wake()
            if self._room_waiter is not None:
                _set(self._room_waiter)

    def end(self, reason: ClosingReason) -> None:
        """Send `closing` as the last frame; the transport then ends the stream. A slow reader's
        queue is dropped, it comes back with its cursor; everybody else still gets what waits."""
        if self.ended:
            return
        retry_after = jittered(COME_BACK_MILLISECONDS) if reason in _COMES_BACK else None
        farewell = self._frame_for(Closing(reason=reason, retry_after=retry_after))
        self.closed_because = reason
        self._ephemerals = None
        if reason == "too-slow":
            self._frames.clear()
            self._bytes = 0
        self.queue(farewell)
        self.leave()
        if self.task is not None:
            # A socket that takes nothing would keep the task in its write for ever.
            task = self.task
            loop = asyncio.get_running_loop()
            loop.call_later(ABORT_SECONDS, lambda: task.done() or task.cancel())

    # --- what the transport takes out -------------------------------------------------------

    @property
    def waiting_bytes(self) -> int:
        """What waits for the reader: queued, held back, or in the hand of its socket."""
        buffered = self.socket.get_write_buffer_size() if self.socket else 0
        return self._kept_bytes + buffered

    @property
    def _kept_bytes(self) -> int:
        return self._bytes + self._held_bytes + self._in_hand

    @property
    def waiting_frames(self) -> int:
        """How many frames are queued."""
        return len(self._frames)

    @property
    def waiting(self) -> bool:
        """Whether take() would return at once with frames."""
        return bool(self._frames or (self._ephemerals and self._is_live))

    @property
    def _is_live(self) -> bool:
        return not self.behind and not self._holds

    async def take(self) -> list[Frame]:
        """The frames that wait, as many as make one write, as soon as there is one; none when the
        stream has ended or is behind. What was taken before counts as sent to the socket by then.
        """
        self._in_hand = 0
        self._tell_of_room()
        while not self.waiting:
            if self.ended or self.behind:
                return []
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._next_frames()

    async def wait_for_room(self) -> None:
        """Return when more may be queued, or nothing any more: whoever answers the client waits
        until it has read the answers before. For one caller at a time."""
        while not self._keeps_little() and not self.ended:
            self._room_waiter = asyncio.get_running_loop().create_future()
            try:
                await self._room_waiter
            finally:
                self._room_waiter = None

    def _tell_of_room(self) -> None:
        # What the socket holds does not count here: it shrinks without a word to anybody.
        if self._room_waiter is not None and self._keeps_little():
            _set(self._room_waiter)

    def _next_frames(self) -> list[Frame]:
        if self._bytes <= WRITE_BYTES:
            frames, self._frames = self._frames, []
            self._in_hand, self._bytes = self._bytes, 0
            if self._ephemerals and self._is_live:
                frames += self._ephemerals.values()
                self._ephemerals = None
            return frames
        count = 0
        while count < len(self._frames) and self._in_hand < WRITE_BYTES:
            self._in_hand += len(self._frames[count])
            count += 1
        frames, self._frames = self._frames[:count], self._frames[count:]
        self._bytes -= self._in_hand
        return frames

    def _wake(self) -> None:
        if self._waiter is not None:
            _set(self._waiter)


def _set(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
