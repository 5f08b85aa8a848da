"""The loop that numbers: one thread in each server process, with its own database connection."""

import logging
import threading
import time
from collections.abc import Callable

from django.db import DatabaseError, OperationalError, connection

from realtime import doorbell, log
from realtime.database import with_own_connection
from realtime.log import LogEntry
from realtime.tallies import Tallies

logger = logging.getLogger(__name__)

# How often every process looks whether there is something that no doorbell told of.
LOOK_SECONDS = 1.0
RETRY_SECONDS = 0.2
# So long it lets gather after a pass what is committed meanwhile: under load each pass then moves
# more, for little more, and its readers are written to less often. A quiet log waits for nothing.
GATHER_SECONDS = 0.002
_SQLITE_RETRY_SECONDS = 0.001
# How long it lets a busy hub finish: other processes' clients wait as long.
PATIENCE_SECONDS = 0.02


class Sequencer:
    """Moves committed outbox rows into the log whenever it is woken, and looks once a second.

    deliver gets every batch that this sequencer numbered, heard the head's position after each
    look; both are called in the sequencer's thread and must not block. at_rest is set by whoever
    gets the batches when the last one is handed out: the next pass waits for it a little, and as
    long again where there are others to whom the batches are passed on.
    """

    def __init__(
        self,
        *,
        deliver: Callable[[list[LogEntry]], None],
        heard: Callable[[int], None],
        at_rest: threading.Event,
        others: bool,
        tallies: Tallies,
    ) -> None:
        self._others = others
        self._at_rest = at_rest
        self._deliver = deliver
        self._heard = heard
        self._woken = threading.Event()
        self._stopping = False
        # Clear while the lock on the database is wanted: writers on SQLite step aside then.
        self._served = threading.Event()
        self._served.set()
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)
        self._look_at = 0.0  # by time.monotonic()
        self._prepared: object = None  # the driver's connection that has our settings
        self._tallies = tallies

    def start(self) -> None:
        """Begin to number; events that were committed before are numbered at once."""
        doorbell.register(self)
        self._woken.set()
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the pass in hand."""
        doorbell.unregister(self)
        self._stopping = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self) -> None:
        """Have the outbox looked at now. Callable from any thread; never waits."""
        self._woken.set()

    def let_pass(self, seconds: float) -> None:
        """Wait until the sequencer has had the database's lock if it wants it, at most so long."""
        self._served.wait(seconds)

    def _run(self) -> None:
        while not self._stopping:
            rung = self._woken.wait(self._look_at - time.monotonic())
            # Cleared before the pass: what is committed during it rings again.
            self._woken.clear()
            try:
                if with_own_connection(self._pass, rung):
                    self._let_gather()
            except Exception:
                # Nothing may end this loop: what could not be numbered now is numbered later.
                logger.exception("The sequencer failed and goes on.")
                self._tallies.sequencer_errors += 1
                connection.close()
                time.sleep(RETRY_SECONDS)
                self._woken.set()
        connection.close()

    def _let_gather(self) -> None:
        """What is committed close together, or while the hub is busy, goes out together."""
        began = time.monotonic()
        self._at_rest.wait(PATIENCE_SECONDS)
        busy = time.monotonic() - began
        # The others have as much to hand out, maybe on the same processor, and a message to read.
        time.sleep(max(GATHER_SECONDS - busy, busy if self._others else 0.0))

    def _pass(self, rung: bool) -> bool:
        """Number what there is; whether there was anything."""
        if self._prepared is not connection.connection:
            self._prepare_connection()
            self._prepared = connection.connection
        moved = (rung or log.has_unnumbered()) and self._number_all()
        # By the clock: where the bell rings all the time, others may number what it rings for.
        if time.monotonic() >= self._look_at:
            self._heard(log.head_position())
            self._look_at = time.monotonic() + LOOK_SECONDS
        return moved

    def _prepare_connection(self) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SHOW transaction_isolation")
                if cursor.fetchone() != ("read committed",):
                    raise DatabaseError("The sequencer needs READ COMMITTED.")
                cursor.execute("SET lock_timeout = '5s'")
                cursor.execute("SET idle_in_transaction_session_timeout = '5s'")
            else:
                # It tries again by itself, much sooner than SQLite's own busy handler.
                cursor.execute("PRAGMA busy_timeout = 0")

    def _number_all(self) -> bool:
        moved = False
        while not self._stopping:
            try:
                entries = self._number_once()
            except log.LogIncomplete:
                log.ensure_head()
                continue
            if entries:
                self._tallies.numbered += len(entries)
                self._at_rest.clear()
                self._deliver(entries)
                moved = True
            if len(entries) < log.MOVE_LIMIT:
                break
        return moved

    def _number_once(self) -> list[LogEntry]:
        if connection.vendor == "postgresql":
            return log.number_committed()
        try:
            while True:
                try:
                    return log.number_committed()
                except OperationalError as error:
                    if "locked" not in str(error) or self._stopping:
                        raise
                    self._served.clear()
                    time.sleep(_SQLITE_RETRY_SECONDS)
        finally:
            self._served.set()
