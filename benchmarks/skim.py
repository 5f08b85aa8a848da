"""What a process pays for an event that nobody there may see.

Two server processes behind Redis and PostgreSQL: one commits and numbers, the other has 1,000
clients, a user each, none of whom an event is for. Its processor's time, without what it takes
when nothing happens.
"""

import http.client
import json
import secrets
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cpu
from benchmarks.cores import MEASURED, OTHERS, allow_files, on_core
from benchmarks.load import Load, Report, load
from benchmarks.product import databases
from benchmarks.report import Row, Table
from benchmarks.site import OPEN_TO_LOAD, READY, STREAMS, people, serving
from tests.support.servers import Marketplace, redis

CLIENTS = 1_000
# Events a second, and how many of them one transaction commits.
PACES = ((500, 1), (500, 20), (1_000, 20), (2_000, 20))
SECONDS = 6.0
IDLE_SECONDS = 10.0
# Each event is for another user, so that no two are handed out together.
ABSENT = [f"user.{10**9 + number}" for number in range(1_000)]
PADDING = "x" * 100  # with which a frame has some 250 bytes
# So long it may take until all streams are open, or the last event has gone by.
PATIENCE_SECONDS = 15.0
# What is left of the opening is done then.
SETTLE_SECONDS = 3.0


def run() -> Table:
    """One row for each pace."""
    allow_files(CLIENTS)
    table = Table(f"Events that none of a process's {CLIENTS} clients may see")
    with _two_processes() as (speaker, skimmer), ThreadPoolExecutor(1) as threads:
        tokens = [token for _, token in people(skimmer, CLIENTS)]
        clients = threads.submit(_listen, skimmer, tokens)
        bench = Bench(speaker, skimmer, clients)
        bench.wait_for("realtime_open_streams", CLIENTS)
        time.sleep(SETTLE_SECONDS)
        idle = bench.idle_share()
        for events_per_second, batch in PACES:
            print(f"{events_per_second} events/s by {batch}", file=sys.stderr, flush=True)
            table.rows.append(bench.row(events_per_second, batch, idle))
        bench.wait_for("realtime_open_streams", CLIENTS)
        if faults := clients.result().faults():
            table.failures.append(f"The clients: {faults} {clients.result().sample}")
    return table


@contextmanager
def _two_processes() -> Iterator[tuple[Marketplace, Marketplace]]:
    """The one that commits and numbers, and the one that is measured, on a core of its own."""
    with (
        on_core(OTHERS),
        databases() as postgres,
        redis() as redis_url,
        tempfile.TemporaryDirectory() as folder,
    ):
        settings = {
            "SECRET_KEY": secrets.token_urlsafe(64),
            "REDIS_URL": redis_url,
            "METRICS_ADDRESSES": "127.0.0.1",
        }
        url = postgres.new()
        with (
            _serving(Path(folder) / "speaker", url, settings) as speaker,
            on_core(MEASURED),
            _serving(Path(folder) / "skimmer", url, settings) as skimmer,
            on_core(OTHERS),
        ):
            yield speaker, skimmer


@contextmanager
def _serving(folder: Path, database_url: str, settings: dict[str, str]) -> Iterator[Marketplace]:
    folder.mkdir()
    with serving(
        folder, database_url=database_url, settings=settings, program=OPEN_TO_LOAD
    ) as server:
        yield server


def _listen(server: Marketplace, tokens: list[str]) -> Report:
    """Be the clients, until a little after all is measured."""
    pauses = PATIENCE_SECONDS + SETTLE_SECONDS
    plan = Load(
        ports=[server.port],
        clients=len(tokens),
        path=STREAMS["sse"],
        publish=None,
        ready=READY,
        tokens=tokens,
        stages=[f"listen,seconds={IDLE_SECONDS + len(PACES) * (SECONDS + 1) + pauses}"],
    )
    return load(plan)


@dataclass
class Bench:
    """The two processes with their clients."""

    speaker: Marketplace
    skimmer: Marketplace
    clients: Future[Report]

    def idle_share(self) -> float:
        """The share of a core that the measured process takes when nothing happens."""
        before = cpu.seconds_of(self.skimmer.process.pid)
        time.sleep(IDLE_SECONDS)
        return (cpu.seconds_of(self.skimmer.process.pid) - before) / IDLE_SECONDS

    def row(self, events_per_second: int, batch: int, idle: float) -> Row:
        """Publish at that pace. Raises RuntimeError unless all of it has gone by, unseen."""
        then = self.metrics()
        before, began = cpu.seconds_of(self.skimmer.process.pid), time.monotonic()
        count = publish(self.speaker, events_per_second=events_per_second, batch=batch)
        published_in = time.monotonic() - began
        after = self._cpu_seconds_when_handed_out(then["realtime_events_handed_out_total"] + count)
        measured = time.monotonic() - began
        took = after - before - idle * measured
        now = self.metrics()
        if seen := now["realtime_events_delivered_total"] - then["realtime_events_delivered_total"]:
            raise RuntimeError(f"{seen:.0f} deliveries of what is for nobody here.")
        return {
            "clients": CLIENTS,
            "events/s": count / published_in,
            "in a transaction": batch,
            "events": count,
            "CPU µs an event": took / count * 1e6,
            "CPU % of a core": took / measured * 100,
            "idle CPU %": idle * 100,
            "read from the log": now["realtime_gaps_healed_total"]
            - then["realtime_gaps_healed_total"],
        }

    def _cpu_seconds_when_handed_out(self, count: float) -> float:
        """Those of the measured process when so many events had gone by, without what it takes to
        tell that: the answer costs it more than some hundred events."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        asking = 0.0
        while time.monotonic() < deadline:
            time.sleep(0.2)
            before = cpu.seconds_of(self.skimmer.process.pid)
            if self.metrics()["realtime_events_handed_out_total"] == count:
                return before - asking
            asking += cpu.seconds_of(self.skimmer.process.pid) - before
        raise RuntimeError(f"{count:.0f} events have not gone by.")

    def wait_for(self, figure: str, value: float) -> None:
        """Return when that figure of the measured process has come to the value."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (present := self.metrics()[figure]) != value:
            if time.monotonic() > deadline or self.clients.done():
                raise RuntimeError(f"{figure} is {present:.0f}, not {value:.0f}.")
            time.sleep(0.2)

    def metrics(self) -> dict[str, float]:
        """What the measured process tells of itself, each figure summed over its labels."""
        with urllib.request.urlopen(f"{self.skimmer.url}/metrics") as answer:  # noqa: S310 our own
            lines = answer.read().decode().splitlines()
        figures: dict[str, float] = {}
        for line in lines:
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                name = name.partition("{")[0]
                figures[name] = figures.get(name, 0.0) + float(value)
        return figures


def publish(server: Marketplace, *, events_per_second: int, batch: int) -> int:
    """Commit so many events a second for SECONDS, in transactions of batch; how many that were."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    began = time.monotonic()
    count = 0
    while (due := count / events_per_second) < SECONDS:
        time.sleep(max(0.0, began + due - time.monotonic()))
        lines = [
            json.dumps({"n": n, "t": time.time_ns(), "to": ABSENT[n % len(ABSENT)], "pad": PADDING})
            for n in range(count, count + batch)
        ]
        connection.request("POST", "/publish", "\n".join(lines))
        connection.getresponse().read()
        count += batch
    connection.close()
    return count
