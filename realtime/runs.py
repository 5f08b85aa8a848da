"""Events that are handed out together: one write for all of them, the same bytes to everybody."""

from collections.abc import Iterable, Iterator

from realtime.frames import chunk, websocket_text
from realtime.log import LogEntry

# So large one write may become, unless a single event is larger.
RUN_BYTES = 64 * 1024


class Run:
    """Events that follow one another in the log and have the same audiences; at least one."""

    __slots__ = ("_sse", "_websocket", "entries", "first", "last")

    def __init__(self, entries: list[LogEntry]) -> None:
        self.entries = entries
        self.first = entries[0].position
        self.last = entries[-1].position
        self._sse: bytes | None = None
        self._websocket: bytes | None = None

    @property
    def sse(self) -> bytes:
        """All of it as it goes to the sockets of SSE streams, built when first asked for."""
        if self._sse is None:
            self._sse = chunk(b"".join([entry.sse for entry in self.entries]))
        return self._sse

    @property
    def websocket(self) -> bytes:
        """All of it as it goes to the sockets of WebSockets, a message for each event."""
        if self._websocket is None:
            self._websocket = b"".join([websocket_text(entry.text) for entry in self.entries])
        return self._websocket


def _go_together(one: LogEntry, other: LogEntry) -> bool:
    return one.audiences == other.audiences and not (one.internal or other.internal)


def runs_of(entries: Iterable[LogEntry]) -> Iterator[Run]:
    """The events in runs, in their order. An internal row stands alone."""
    together: list[LogEntry] = []
    size = 0
    for entry in entries:
        grown = size + len(entry.text)
        if together and (grown > RUN_BYTES or not _go_together(together[0], entry)):
            yield Run(together)
            together, grown = [], len(entry.text)
        together.append(entry)
        size = grown
    if together:
        yield Run(together)
