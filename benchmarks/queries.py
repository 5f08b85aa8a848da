"""How many queries servers send to their PostgreSQL, as its pg_stat_statements counts them."""

import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

# What PostgreSQL must be started with. BEGIN, COMMIT and the like are no queries.
SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track_utility": "off",
}
EVERY_SECONDS = 0.1
# Not those that write an event or number it, which goes on whoever listens; not this one.
_CALLS = """
    SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
    WHERE query NOT LIKE '%realtime_outboxevent%' AND query NOT LIKE '%FOR UPDATE%'
        AND dbid <> (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Queries:
    """How many there had been, at one moment after the other."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._counts: list[int] = []

    def look(self, administration: psycopg.Connection) -> None:
        """Note how many there are now."""
        row = administration.execute(_CALLS).fetchone()
        assert row is not None
        self.note(time.monotonic(), row[0])

    def note(self, moment: float, count: int) -> None:
        """There had been so many then."""
        self._times.append(moment)
        self._counts.append(count)

    def between(self, start: float, end: float) -> int:
        """How many there were from one moment to another, both as time.monotonic() tells them:
        from the last look before the first of them to the first look after the other."""
        first = max(bisect_right(self._times, start) - 1, 0)
        last = min(bisect_left(self._times, end), len(self._times) - 1)
        return self._counts[last] - self._counts[first]


@contextmanager
def counting(url: str) -> Iterator[Queries]:
    """Count those that are sent to the other databases of that server."""
    queries = Queries()
    over = threading.Event()

    with psycopg.connect(url, autocommit=True) as administration:
        administration.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

        def count() -> None:
            while not over.wait(EVERY_SECONDS):
                queries.look(administration)

        queries.look(administration)
        counter = threading.Thread(target=count)
        counter.start()
        try:
            yield queries
        finally:
            over.set()
            counter.join()
            queries.look(administration)
