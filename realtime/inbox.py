"""Contiguity: what was told of the log, in whatever order, handed out without a hole. Pure."""

from realtime.log import LogEntry

# What may wait to be handed out; what there is no room for is read from the log in its turn.
WAITING_BYTES = 16 * 1024 * 1024


class Inbox:
    """Batches of consecutive events, which may come twice, overlap, or come too early or never."""

    def __init__(self) -> None:
        self.heard = 0  # the highest position that anybody told of
        self._batches: dict[int, list[LogEntry]] = {}  # by their first position
        self._bytes = 0

    def add(self, entries: list[LogEntry]) -> None:
        """Take a batch, unless too much waits already."""
        first, last = entries[0].position, entries[-1].position
        self.heard = max(self.heard, last)
        present = self._batches.get(first, [])
        grows_by = _size_of(entries) - _size_of(present)
        if len(entries) > len(present) and self._bytes + grows_by <= WAITING_BYTES:
            self._batches[first] = entries
            self._bytes += grows_by

    def hear(self, position: int) -> bool:
        """Learn that the log reaches up to there; whether that is news."""
        is_news = position > self.heard
        self.heard = max(self.heard, position)
        return is_news

    def take_after(self, last: int) -> list[LogEntry]:
        """All events that follow that position without a hole, in order; none where the next one is
        not here. What is at or before it is forgotten.
        """
        taken: list[LogEntry] = []
        while self._batches:
            first = min(self._batches)
            if first > last + 1:
                break
            entries = self._batches.pop(first)
            self._bytes -= _size_of(entries)
            taken += [entry for entry in entries if entry.position > last]
            last = max(last, entries[-1].position)
        return taken

    def missing_after(self, last: int) -> int | None:
        """The end of what is missing right after that position; None where nothing is known of."""
        if self.heard <= last:
            return None
        return min([self.heard, *(first - 1 for first in self._batches if first > last)])

    def start_from(self, position: int) -> None:
        """Forget everything: the log goes on behind that position."""
        self.heard = position
        self._batches.clear()
        self._bytes = 0


def _size_of(entries: list[LogEntry]) -> int:
    return sum(len(entry.text) for entry in entries)
