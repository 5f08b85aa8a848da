"""How an import's progress is told: often enough for a bar that moves, and no oftener."""

import time
from collections import deque

from products.imports.events import progress_audiences, progress_of
from products.imports.holding import Hold
from products.imports.models import Import
from realtime.api import publish_ephemeral

TOLD_EACH_SECONDS = 0.125
# However fast steps follow one another. That it was handed in and that it is over come besides.
MOST_A_SECOND = 8


class Reporter:
    """Tells how far the held import is. Its row knows at any time; the hold saves it."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._job = hold.job
        self._told_at: deque[float] = deque(maxlen=MOST_A_SECOND)

    def begin(self, step: Import.Step, *, total: int, current: int = 0) -> None:
        """A step begins; saved at once. Raises Lost, Stopped, Cancelled."""
        self._hold.check(may_be_cancelled=step != Import.Step.PUBLISHING)
        self._job.step, self._job.current, self._job.total = step, current, total
        self._hold.save("step", "current", "total")
        self._tell()

    def move(self, current: int, total: int | None = None) -> None:
        """It is so far, told unless something was told a moment ago.

        Raises Lost, Stopped and, unless all is written, Cancelled.
        """
        self._job.current = current
        if total is not None:
            self._job.total = total
        if not self._told_at or time.monotonic() - self._told_at[-1] >= TOLD_EACH_SECONDS:
            self._hold.check(may_be_cancelled=self._job.step != Import.Step.PUBLISHING)
            self._tell()

    def _tell(self) -> None:
        told = self._told_at
        if len(told) == MOST_A_SECOND and time.monotonic() - told[0] < 1:
            return
        publish_ephemeral(progress_of(self._job), audiences=progress_audiences(self._job))
        # Afterwards: the moment that the event names lies before it.
        told.append(time.monotonic())
