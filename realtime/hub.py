"""The process's one member of the event path: it takes the log's events in and hands them out.

One task alone advances the hub's position. The sequencer, the relay and the once-a-second look
only feed it, so that lost, doubled and reordered doorbells are harmless: what is missing is seen by
arithmetic and read from the log.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from realtime import log
from realtime.connection import Connection
from realtime.database import DatabaseThreads
from realtime.ephemeral import Ephemeral
from realtime.inbox import Inbox
from realtime.log import LogEntry, LogIncomplete
from realtime.recent import Recent
from realtime.runs import Run, runs_of
from realtime.tallies import Tallies

logger = logging.getLogger(__name__)

# A batch that runs ahead is held so long for the one before it, then the log is read.
REORDER_SECONDS = 0.02
RETRY_SECONDS = 0.5
GAP_PAGE = 1000
# How long events are handed out before the connections' writers get their turn.
HAND_OUT_SECONDS = 0.005


class Hub:
    """Audience to connections, contiguity, and the last events in memory.

    control is told of each internal row, with the connections that hear its audiences. All methods
    are called in the hub's event loop.
    """

    def __init__(
        self, *, control: Callable[[LogEntry, Sequence[Connection]], None], tallies: Tallies
    ) -> None:
        self.last = 0  # everything up to here was handed out
        self.connections: set[Connection] = set()
        self._tallies = tallies
        # Most audiences are one user's or one login's: a tuple for a single listener is a quarter
        # of a set.
        self._listeners: dict[str, set[Connection] | tuple[Connection]] = {}
        self._recent = Recent()
        self._inbox = Inbox()
        self._rewound = False  # the log was seen to end before our position
        self._fed = asyncio.Event()
        self.at_rest = threading.Event()  # clear from when it is fed until that is handed out
        self.at_rest.set()
        self._reader = DatabaseThreads(size=1, name="hub")
        self._task: asyncio.Task[None] | None = None
        self._control = control

    # --- life -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take the log's present head as position; events after it are handed out."""
        self.last = await self._reader.run(log.head_position)
        self._inbox.start_from(self.last)
        self._task = asyncio.create_task(self._run(), name="hub")

    async def stop(self) -> None:
        """End the task and the reading thread."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._reader.close()

    # --- connections ------------------------------------------------------------------------

    def add(self, connection: Connection) -> None:
        """Count the connection; it hears nothing before listen()."""
        self.connections.add(connection)

    def listen(self, connection: Connection, audiences: Iterable[str]) -> None:
        """Deliver the events of exactly these audiences to the connection from now on."""
        wanted = frozenset(audiences)
        for name in connection.audiences - wanted:
            self._forget_listener(name, connection)
        for name in wanted - connection.audiences:
            self._remember_listener(name, connection)
        connection.hear(wanted)

    def remove(self, connection: Connection) -> None:
        """Forget the connection; harmless for one that is unknown."""
        self.listen(connection, ())
        self.connections.discard(connection)

    def is_heard(self, audience: str) -> bool:
        """Whether anybody here listens to that audience."""
        return audience in self._listeners

    def _remember_listener(self, name: str, connection: Connection) -> None:
        listeners = self._listeners.get(name)
        if listeners is None:
            self._listeners[name] = (connection,)
        elif isinstance(listeners, tuple):
            self._listeners[name] = {*listeners, connection}
        else:
            listeners.add(connection)

    def _forget_listener(self, name: str, connection: Connection) -> None:
        listeners = self._listeners[name]
        if isinstance(listeners, set):
            listeners.discard(connection)
        if isinstance(listeners, tuple) or not listeners:
            del self._listeners[name]

    def listen_anew(self, connection: Connection, audiences: Iterable[str]) -> None:
        """Deliver the events of exactly these audiences from where the connection is: what was
        held back went by what it might hear before."""
        wanted = frozenset(audiences)
        if wanted == connection.audiences:
            return
        self.listen(connection, wanted)
        if connection.behind:
            return  # it reads on from where it is by what it may hear then
        since = self.recent_for(wanted, min(connection.sent, self.last))
        if since is None:
            connection.fall_behind(connection.sent)
        else:
            connection.hold_only(since)

    def bring_level(self, connection: Connection) -> bool:
        """Go on with a connection that fell behind, from memory; whether that reaches back so far.

        It may fall behind again, further on. What it may hear is as the hub delivers it: the rows
        that change this come in order, too.
        """
        missed = self.recent_for(connection.audiences, connection.sent)
        if missed is None:
            return False
        connection.go_on(missed)
        return True

    def recent_for(
        self, audiences: frozenset[str], after: int, until: int | None = None
    ) -> list[LogEntry] | None:
        """What listeners of these audiences saw after that position (and up to until), from memory.

        None when the memory does not reach back so far. Complete up to last as long as the caller
        does not await between this call and listen().
        """
        if after >= self.last:
            return [] if after == self.last else None
        if not self._recent.reaches_back_to(after):
            return None
        return self._recent.heard_by(audiences, after, until)

    # --- feeding ----------------------------------------------------------------------------

    def feed(self, entries: list[LogEntry]) -> None:
        """Take a batch of consecutive events; it may come twice, late or too early."""
        if entries:
            self._inbox.add(entries)
            self._fed.set()

    def heard(self, position: int) -> bool:
        """Learn that the log reaches up to there; whether that is news to this hub."""
        is_news = self._inbox.hear(position)
        if position != self.last:
            self._rewound = position < self.last
            self._fed.set()
        return is_news

    def tell(self, ephemeral: Ephemeral) -> None:
        """Hand out what is true for a moment."""
        for name in ephemeral.audiences:
            for connection in self._listeners.get(name, ()):
                connection.tell(ephemeral)

    async def _run(self) -> None:
        while True:
            try:
                await self._fed.wait()
                self._fed.clear()
                await self._take_in()
                self.at_rest.set()
            except asyncio.CancelledError:
                raise
            except Exception:
                self._tallies.hub_errors += 1
                # Nothing may end this loop. The position stays where it is: the next look goes on.
                logger.exception("The hub failed at position %d and goes on.", self.last)
                await asyncio.sleep(RETRY_SECONDS)
                self._fed.set()

    async def _take_in(self) -> None:
        if self._rewound:
            self._rewound = False
            await self._jump()
        await self._hand_out_inbox()
        if self._inbox.missing_after(self.last) is None:
            return
        # Something is missing: it may be just behind in another queue.
        await asyncio.sleep(REORDER_SECONDS)
        await self._hand_out_inbox()
        while (end := self._inbox.missing_after(self.last)) is not None:
            await self._read_gap(min(end, self.last + GAP_PAGE))
            await self._hand_out_inbox()

    async def _jump(self) -> None:
        """Go on far above our position where the database was restored to an older state.

        Mostly it was not: the look read the head before the last batch came.
        """
        head = await self._reader.run(log.jump_beyond, self.last)
        if head is not None:
            logger.error("The log ended before position %d: it was restored.", self.last)
            self._inbox.start_from(head)
            self._lose_all_until(head)

    async def _hand_out_inbox(self) -> None:
        while entries := self._inbox.take_after(self.last):
            await self._hand_out(entries)

    async def _read_gap(self, until: int) -> None:
        try:
            entries = await self._reader.run(log.read_stretch, self.last + 1, until)
        except LogIncomplete:
            # Trimmed away before it was handed out: nobody's stream can be whole any more.
            logger.error("Positions %d to %d are not in the log.", self.last + 1, until)
            _, floor = await self._reader.run(log.read_head)
            self._lose_all_until(max(until, floor))
            return
        self._tallies.gaps_healed += 1
        await self._hand_out(entries)

    def _lose_all_until(self, position: int) -> None:
        # Each connection finds in the log what is left for it, and is told if anything is missing.
        self._leave_to_replay(self.last)
        self.last = position
        self._recent.clear()

    def _leave_to_replay(self, handed_out: int) -> None:
        for connection in self.connections:
            connection.fall_behind(connection.sent if connection.holds else handed_out)

    # --- handing out ------------------------------------------------------------------------

    async def _hand_out(self, entries: list[LogEntry]) -> None:
        began = time.monotonic()
        for run in runs_of(entries):
            # No await from the first connection's frame to the new position: whoever reads `last`
            # knows that everything up to it is in the queues.
            try:
                self._deliver(run)
            except Exception:
                # One event that cannot be handed out must not keep all others from everybody.
                self._tallies.hub_errors += 1
                logger.exception("Event %d was not handed out; it is read again.", run.first)
                self._leave_to_replay(run.first - 1)
            self._recent.add(run.entries)
            self.last = run.last
            self._tallies.handed_out += len(run.entries)
            if time.monotonic() - began > HAND_OUT_SECONDS:
                await asyncio.sleep(0)
                began = time.monotonic()

    def _deliver(self, run: Run) -> None:
        first = run.entries[0]
        if first.internal:
            concerned = (self._listeners.get(name, ()) for name in first.audiences)
            self._control(first, list(chain.from_iterable(concerned)))
            return
        connection: Connection | None = None
        for name in first.audiences:
            # A connection that hears two of the audiences is skipped at the second: its own
            # position says that it has the events.
            for connection in self._listeners.get(name, ()):
                connection.deliver_run(run)
        # One delivery of each event is timed: a clock for every one of them would cost too much.
        if connection is None or connection.sent != run.last:
            return
        if connection.waiting:
            connection.time(first.published_at.timestamp())
        else:
            self._observe(run)

    def _observe(self, run: Run) -> None:
        now = time.time()
        for entry in run.entries:
            self._tallies.latencies.observe(now - entry.published_at.timestamp())
