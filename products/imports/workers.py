"""Who does the work: Celery's workers where there is a broker, else a thread of a server process.

Each server process has one thread that looks for imports which nobody works on, when one is handed
in here and once a second: new ones, and those whose worker has died.
"""

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from uuid import UUID

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connection
from django.utils import timezone

from products.imports.files import tidy
from products.imports.holding import waiting_imports
from products.imports.models import Import
from products.imports.running import run_import
from realtime.api import with_own_connection

logger = logging.getLogger(__name__)

LOOK_EACH_SECONDS = 1.0
TIDY_EACH_SECONDS = 3600.0
# A task that nobody took up in that time is sent again: its message, or its worker, is gone.
SENT_AGAIN_SECONDS = 10.0
# So often it is sent before somebody is told that nobody takes it.
NOBODY_AFTER = 3
# How long a stop waits for the lot in hand.
STOP_SECONDS = 5.0


class Foreman(Thread):
    """The thread of one server process.

    send: hands an import to a worker elsewhere; None where the thread does the work itself.
    """

    def __init__(self, send: Callable[[UUID], None] | None) -> None:
        super().__init__(name="imports", daemon=True)
        self._hand_over = send
        self._ending = Event()
        self._woken = Event()
        self._sent: dict[UUID, tuple[int, float]] = {}  # how often, and when last
        self._tidied_at = -TIDY_EACH_SECONDS

    def wake(self) -> None:
        """Look at once. Callable from any thread."""
        self._woken.set()

    def stop(self) -> None:
        """End after the lot in hand; another worker goes on behind it."""
        self._ending.set()
        self._woken.set()
        self.join(STOP_SECONDS)

    def run(self) -> None:
        """Look until stopped; no failure ends it."""
        while not self._ending.is_set():
            self._woken.wait(LOOK_EACH_SECONDS)
            self._woken.clear()
            try:
                with_own_connection(self._look)
            except AnyDatabaseError as error:
                logger.warning("Imports wait for the database: %s", error)
            except Exception:
                logger.exception("Looking for imports failed and goes on.")
        connection.close()

    def _look(self) -> None:
        self._tidy()
        while not self._ending.is_set() and (waiting := waiting_imports()):
            if self._hand_over is not None:
                self._send(waiting, self._hand_over)
                return
            # Those that other processes have taken meanwhile are passed over.
            if not any(run_import(task_id, stop=self._ending) for task_id in waiting):
                return

    def _send(self, waiting: list[UUID], send: Callable[[UUID], None]) -> None:
        now = time.monotonic()
        self._sent = {task_id: sent for task_id, sent in self._sent.items() if task_id in waiting}
        for task_id in waiting:
            times, sent_at = self._sent.get(task_id, (0, -SENT_AGAIN_SECONDS))
            if now - sent_at < SENT_AGAIN_SECONDS:
                continue
            self._sent[task_id] = times + 1, now
            if times == NOBODY_AFTER:
                logger.warning("Import %s waits: does a Celery worker run?", task_id)
            try:
                send(task_id)
            except Exception as error:  # noqa: BLE001 whatever the broker's client raises
                logger.warning("Import %s was not sent, and is sent again: %s", task_id, error)

    def _tidy(self) -> None:
        now = time.monotonic()
        if now - self._tidied_at < TIDY_EACH_SECONDS:
            return
        self._tidied_at = now
        long_ago = timezone.now() - settings.IMPORT_RETENTION
        Import.objects.filter(finished_at__lt=long_ago).delete()
        tidy()


_foreman: Foreman | None = None


def start_foreman(send: Callable[[UUID], None] | None) -> None:
    """Have this process look after imports from now on, if it does not yet. send: see Foreman."""
    global _foreman
    if _foreman is None:
        _foreman = Foreman(send)
        _foreman.start()


def stop_foreman() -> None:
    """Have it look after them no longer. Blocks until the lot in hand is written."""
    global _foreman
    if _foreman is not None:
        _foreman.stop()
        _foreman = None


def wake_workers() -> None:
    """An import was handed in: where this process has a thread for it, that looks at once."""
    if _foreman is not None:
        _foreman.wake()
