"""Deliveries a second of one process, and how late they are at half of it.

The product as a whole, with Server-Sent Events and WebSocket, and as four processes behind Redis;
with peers beside other servers, in rounds over all of them, so that a slow phase of the machine
hits all alike. What counts are ratios of one run.
"""

import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.cores import OTHERS, allow_files, on_core
from benchmarks.load import LoadFailed, Report, StageResult
from benchmarks.product import databases
from benchmarks.report import Row, Table
from benchmarks.subjects import (
    PRODUCT,
    Subject,
    available_peers,
    four_processes,
    single_processes,
)
from tests.support.processes import DidNotStart
from tests.support.servers import redis

CLIENTS = (100, 1_000, 10_000)
# The generator shares its core with PostgreSQL and Redis: it may not spin, whatever it measures.
STEADY = ("closed,window=8,seconds=2", "open,share=0.5,seconds=2.5")
BURSTS = "closed,window=32,batch=8,seconds=1.5"
CLOSED, HALF, IN_BURSTS = 1, 2, 3  # the numbers of these stages, behind the warm-up
# What a speed is divided by: the server of that name and the same protocol, or its only one.
REFERENCES = {
    "÷ C": "C and epoll",
    "÷ uvloop": "bare uvloop",
    "÷ nchan": "nchan",
    "÷ Node ws": "Node ws",
    "÷ Channels": "Channels, Redis, uvicorn",
}


@dataclass
class Found:
    """What was found of one server with so many clients, round by round."""

    subject: Subject
    reports: list[Report] = field(default_factory=list)

    def median(self, stage: int, figure: Callable[[StageResult], float]) -> float | None:
        """Of a figure of that stage, over the rounds."""
        rounds = [report.stages[stage] for report in self.reports if len(report.stages) > stage]
        return statistics.median(map(figure, rounds)) if rounds else None

    @property
    def speed(self) -> float | None:
        """Deliveries a second of the closed loop."""
        return self.median(CLOSED, lambda stage: stage.deliveries_per_second)

    @property
    def faults(self) -> int:
        """Of all rounds."""
        return sum(sum(report.faults().values()) for report in self.reports)


def run(*, peers: bool = False, reps: int = 3, clients: Sequence[int] = CLIENTS) -> Table:
    """One row for each server and number of clients."""
    allow_files(max(clients))
    table = Table(
        f"Fan-out: frames of 250 bytes, window 8, bursts of 8 (window 32), medians of {reps}"
    )
    found: dict[int, dict[Subject, Found]] = {count: {} for count in clients}
    with on_core(OTHERS), databases() as postgres, redis() as redis_url:
        subjects = [*single_processes(postgres), *four_processes(postgres, redis_url)]
        subjects += available_peers(redis_url, table) if peers else []
        for _ in range(reps):
            for count, so_far in found.items():
                for subject in subjects:
                    if subject.takes(count):
                        _measure(so_far.setdefault(subject, Found(subject)), count, table)
    for count, all_found in found.items():
        table.rows += _rows(list(all_found.values()), count, peers=peers)
    return table


def _measure(found: Found, clients: int, table: Table) -> None:
    """One session: all stages on the same streams."""
    subject = found.subject
    name = f"{subject.name}, {subject.protocol}, {clients} clients"
    try:
        with subject.running(clients) as target:
            stages = [*STEADY, BURSTS] if subject.takes_bursts else STEADY
            report = target.load(clients=clients, stages=stages)
    except (DidNotStart, LoadFailed) as failure:
        if subject.ours:
            raise
        table.notes.append(f"{name}: {failure}")
        return
    found.reports.append(report)
    faults = report.faults()
    if faults and subject.ours:
        table.failures.append(f"{name}: {faults} {report.sample}")
    print(f"{name}: {found.speed or 0:,.0f}/s {faults or ''}", file=sys.stderr, flush=True)


def _rows(all_found: Sequence[Found], clients: int, *, peers: bool) -> Iterator[Row]:
    for found in all_found:
        speed = found.speed
        bursts = found.median(IN_BURSTS, lambda stage: stage.deliveries_per_second)
        row: Row = {
            "server": found.subject.name,
            "protocol": found.subject.protocol,
            "clients": clients,
            "deliveries/s": _whole(speed),
            "half p50 ms": found.median(HALF, lambda stage: stage.latency_ms.p50),
            "half p99 ms": found.median(HALF, lambda stage: stage.latency_ms.p99),
            "bursts/s": _whole(bursts),
            "bursts ÷ single": _ratio(bursts, speed),
            "CPU µs each": found.median(CLOSED, _cpu_microseconds),
            "generator busy": found.median(CLOSED, lambda stage: stage.generator_busy),
            "faults": found.faults,
            "÷ one process": None,
        }
        if found.subject.ours:
            row["÷ one process"] = _ratio(speed, _speed_of(PRODUCT, all_found, found.subject))
        for column, name in REFERENCES.items() if peers else ():
            row[column] = _ratio(speed, _speed_of(name, all_found, found.subject))
        yield row


def _cpu_microseconds(stage: StageResult) -> float:
    return stage.server_cpu_seconds * 1e6 / stage.deliveries if stage.deliveries else 0.0


def _speed_of(name: str, all_found: Sequence[Found], subject: Subject) -> float | None:
    named = [found for found in all_found if found.subject.name == name]
    same = [found for found in named if found.subject.protocol == subject.protocol]
    return (same or named)[0].speed if named else None


def _whole(figure: float | None) -> int | None:
    return None if figure is None else round(figure)


def _ratio(figure: float | None, other: float | None) -> float | None:
    return figure / other if figure is not None and other else None
