"""The last events of the log, kept in memory: what a stream that comes back after a short cut is
served from, without a query.
"""

from collections import deque
from collections.abc import Iterable

from realtime.log import LogEntry

RECENT_EVENTS = 4096
RECENT_BYTES = 16 * 1024 * 1024


class Recent:
    """Events that follow one another without a hole, and which audience heard which of them.

    Thousands come back at the same moment, each of whom hears few of the events: nobody looks at
    all of them.
    """

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque()
        self._bytes = 0
        self._by_audience: dict[str, deque[LogEntry]] = {}  # without internal rows

    def add(self, entries: Iterable[LogEntry]) -> None:
        """Remember what follows, and forget the oldest."""
        for entry in entries:
            self._entries.append(entry)
            self._bytes += len(entry.text)
            if not entry.internal:
                for name in entry.audiences:
                    self._by_audience.setdefault(name, deque()).append(entry)
        while len(self._entries) > RECENT_EVENTS or self._bytes > RECENT_BYTES:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest = self._entries.popleft()
        self._bytes -= len(oldest.text)
        if oldest.internal:
            return
        for name in oldest.audiences:
            heard = self._by_audience[name]
            heard.popleft()
            if not heard:
                del self._by_audience[name]

    def clear(self) -> None:
        """Forget everything: what follows does not follow that."""
        self._entries.clear()
        self._by_audience.clear()
        self._bytes = 0

    def reaches_back_to(self, position: int) -> bool:
        """Whether everything after that position is remembered."""
        return bool(self._entries) and self._entries[0].position <= position + 1

    def heard_by(
        self, audiences: Iterable[str], after: int, until: int | None = None
    ) -> list[LogEntry]:
        """What listeners of these audiences saw after that position (and up to until), in order."""
        found: dict[int, LogEntry] = {}
        for name in audiences:
            for entry in reversed(self._by_audience.get(name, ())):
                if entry.position <= after:
                    break
                if until is None or entry.position <= until:
                    found[entry.position] = entry
        return [found[position] for position in sorted(found)]
