"""What an event costs the one who writes: commits a second with an event each, against the same
writes without, by one writer and by eight; and how late its frame comes at 500 a second.

Writers are processes beside the server, as workers are; one server numbers and ten clients listen.
"""

import statistics
import tempfile
from pathlib import Path

from benchmarks import cpu
from benchmarks.listeners import Listeners, listening
from benchmarks.product import durable_postgres
from benchmarks.report import Row, Table, percentile
from benchmarks.site import seller_token, site
from benchmarks.writers import Write, Writers, writing
from tests.support.servers import redis

CLIENTS = 10
WRITERS = (1, 8)
WRITES: tuple[Write, ...] = ("event", "row", "service")
SECONDS = 3.0
ROUNDS = 3
CALM_RATE = 500


def run() -> Table:
    """Measure on PostgreSQL and on SQLite."""
    table = Table(f"Publishing: {CLIENTS} clients, {ROUNDS} rounds of {SECONDS:.0f} s, medians")
    with tempfile.TemporaryDirectory() as folder, durable_postgres() as url:
        table.rows += _measure("PostgreSQL", url, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.sqlite3"
        table.rows += _measure("SQLite", url, Path(folder))
    return table


def _measure(name: str, database_url: str, folder: Path) -> list[Row]:
    with (
        redis() as redis_url,
        site(folder, database_url=database_url, REDIS_URL=redis_url) as server,
        listening(
            port=server.port, token=seller_token(server), clients=CLIENTS, channels="availability"
        ) as clients,
        writing(server, writers=max(WRITERS)) as writers,
    ):
        bench = Bench(writers, clients)
        bench.warm_up()
        return [
            {"database": name, "writers": number, "write": write, **bench.row(write, number)}
            for number in WRITERS
            for write in WRITES
        ]


class Bench:
    """One database with its writers and clients."""

    def __init__(self, writers: Writers, clients: Listeners) -> None:
        self._writers = writers
        self._clients = clients

    def warm_up(self) -> None:
        """Have every process do once what it will do."""
        commits = self._writers.write("row", writers=max(WRITERS), seconds=1)
        self._clients.hear(commits * CLIENTS)

    def row(self, write: Write, writers: int) -> Row:
        """One row of the table. Silent and announced in turn: the machine has slow phases."""
        silent, announced = [], []
        for _ in range(ROUNDS):
            if write != "event":
                silent.append(self._rate(write, writers, announced=False))
            announced.append(self._rate(write, writers, announced=True))
        commits = self._writers.write(write, writers=writers, seconds=SECONDS, rate=CALM_RATE)
        calm = self._clients.hear(commits * CLIENTS)
        without = _medians(silent) if silent else (0.0, 0.0)
        rate, cost = _medians(announced)
        return {
            "without/s": without[0] or None,
            "with event/s": rate,
            "share": rate / without[0] if silent else None,
            "CPU µs without": without[1] or None,
            "CPU µs with": cost,
            "calm/s": commits / SECONDS,
            "median ms": percentile(calm.latencies, 0.5) * 1000,
            "p99 ms": percentile(calm.latencies, 0.99) * 1000,
        }

    def _rate(self, write: Write, writers: int, *, announced: bool) -> tuple[float, float]:
        """Commits a second, and what one costs all processes together in µs of CPU."""
        before = cpu.seconds_of_descendants()
        commits = self._writers.write(write, writers=writers, seconds=SECONDS, announced=announced)
        if announced:
            self._clients.hear(commits * CLIENTS)
        cost = (cpu.seconds_of_descendants() - before) / commits
        return commits / SECONDS, cost * 1_000_000


def _medians(runs: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs)
