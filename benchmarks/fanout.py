"""Deliveries a second of one process, and how late they are at half of it and at one equal rate.

The product as a whole, with Server-Sent Events and WebSocket, and as four processes behind Redis;
with peers beside other servers, in rounds over all of them, so that a slow phase of the machine
hits all alike. What counts are ratios of one round.
"""

import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.cores import OTHERS, allow_files, on_core
from benchmarks.load import LoadFailed, Report, StageResult
from benchmarks.product import databases
from benchmarks.report import Row, Table, write
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
# Deliveries a second that all servers are asked for alike.
EQUAL = 50_000
FRAME_BYTES = 250
# By so many another frame may be longer or shorter: numbers that servers give to events grow.
FRAME_TOLERANCE = 3
# What a speed is divided by: the server of that name and the same protocol, or its only one.
PEERS = {
    "÷ C": "C and epoll",
    "÷ uvloop": "bare uvloop",
    "÷ nchan": "nchan",
    "÷ Node ws": "Node ws",
    "÷ Channels": "Channels, Redis, uvicorn",
}


@dataclass(frozen=True)
class Session:
    """What was found of one server with so many clients in one round."""

    subject: Subject
    clients: int
    figures: dict[str, float | None]
    faults: int

    def row(self) -> Row:
        """Of a table, with the columns that tell which it is."""
        names: Row = {"server": self.subject.name, "protocol": self.subject.protocol}
        return {**names, "clients": self.clients, "faults": self.faults, **self.figures}


def run(*, peers: bool = False, reps: int = 3, clients: Sequence[int] = CLIENTS) -> Table:
    """One row for each server and number of clients."""
    allow_files(max(clients))
    table = Table(
        f"Fan-out: frames of {FRAME_BYTES} bytes, window 8, bursts of 8 (window 32),"
        f" medians of {reps}"
    )
    sessions: list[Session] = []
    with on_core(OTHERS), databases() as postgres, redis() as redis_url:
        subjects = [*single_processes(postgres), *four_processes(postgres, redis_url)]
        subjects += available_peers(redis_url, table) if peers else []
        for number in range(reps):
            # Nobody is first in every round.
            shift = number * len(subjects) // reps
            order = [*subjects[shift:], *subjects[:shift]]
            for count in clients:
                found = list(_measured(order, count, table))
                add_ratios(found, PEERS if peers else {})
                sessions += found
                table.rounds += [{"round": number + 1, **session.row()} for session in found]
            table.rows = [
                together(same)
                for count in clients
                for subject in subjects
                if (same := [each for each in sessions if _is(each, subject, count)])
            ]
            write("fanout", table)  # an interrupted run keeps what it has
    return table


def _is(session: Session, subject: Subject, clients: int) -> bool:
    return session.subject is subject and session.clients == clients


def _measured(subjects: Sequence[Subject], clients: int, table: Table) -> Iterator[Session]:
    """A session of each that can be measured so; the table gets a word of those that fail."""
    for subject in subjects:
        if not subject.takes(clients):
            continue
        name = f"{subject.name}, {subject.protocol}, {clients} clients"
        try:
            session, report = _measure(subject, clients)
        except (DidNotStart, LoadFailed, subprocess.CalledProcessError) as failure:
            (table.failures if subject.ours else table.notes).append(f"{name}: {failure}")
            continue
        faults = report.faults()
        if faults and subject.ours:
            table.failures.append(f"{name}: {faults} {report.sample}")
        size = session.figures["frame bytes"]
        if size and abs(size - FRAME_BYTES) > FRAME_TOLERANCE:
            said = f"{name}: frames of {size:.0f} bytes"
            (table.failures if subject.ours else table.notes).append(said)
        speed = session.figures["deliveries/s"] or 0
        print(f"{name}: {speed:,.0f}/s {faults or ''}", file=sys.stderr, flush=True)
        yield session


def _measure(subject: Subject, clients: int) -> tuple[Session, Report]:
    """All stages on the same streams."""
    stages = {"closed": "closed,window=8,seconds=2", "half": "open,share=0.5,seconds=2.5"}
    if not subject.slow:
        stages["equal"] = f"open,rate={EQUAL / clients},seconds=2.5"
    if subject.takes_bursts:
        stages["bursts"] = "closed,window=32,batch=8,seconds=1.5"
    with subject.running(clients) as target:
        report = target.load(clients=clients, stages=list(stages.values()))
    # Fewer where nothing came any more.
    found = dict(zip(stages, report.stages[1:], strict=False))
    return Session(subject, clients, _figures(found), sum(report.faults().values())), report


def _figures(stages: dict[str, StageResult]) -> dict[str, float | None]:
    def of(stage: str, figure: Callable[[StageResult], float]) -> float | None:
        return figure(stages[stage]) if stage in stages else None

    speed = of("closed", lambda stage: round(stage.deliveries_per_second))
    in_bursts = of("bursts", lambda stage: round(stage.deliveries_per_second))
    return {
        "deliveries/s": speed,
        "half p50 ms": of("half", lambda stage: stage.latency_ms.p50),
        "half p99 ms": of("half", lambda stage: stage.latency_ms.p99),
        f"p50 ms at {EQUAL:,}/s": of("equal", lambda stage: stage.latency_ms.p50),
        f"p99 ms at {EQUAL:,}/s": of("equal", lambda stage: stage.latency_ms.p99),
        "bursts/s": in_bursts,
        "bursts ÷ single": _ratio(in_bursts, speed),
        "CPU µs each": of("closed", _cpu_microseconds),
        "generator busy": of("closed", lambda stage: stage.generator_busy),
        "frame bytes": of("closed", lambda stage: stage.frame_bytes),
    }


def _cpu_microseconds(stage: StageResult) -> float:
    return stage.server_cpu_seconds * 1e6 / stage.deliveries if stage.deliveries else 0.0


def add_ratios(sessions: Sequence[Session], references: dict[str, str]) -> None:
    """Divide the speeds of one round by those of these servers, found in the same round."""
    for session in sessions:
        subject, speed = session.subject, session.figures["deliveries/s"]
        one_process = _ratio(speed, _speed_of(PRODUCT, sessions, subject))
        session.figures["÷ one process"] = one_process if subject.ours else None
        for column, name in references.items():
            session.figures[column] = _ratio(speed, _speed_of(name, sessions, subject))


def _speed_of(name: str, sessions: Sequence[Session], subject: Subject) -> float | None:
    named = [session for session in sessions if session.subject.name == name]
    same = [session for session in named if session.subject.protocol == subject.protocol]
    return (same or named)[0].figures["deliveries/s"] if named else None


def together(rounds: Sequence[Session]) -> Row:
    """The row of one server: medians of its rounds, and all their faults."""
    row = rounds[0].row()
    row["faults"] = sum(session.faults for session in rounds)
    for column in rounds[0].figures:
        found = [session.figures[column] for session in rounds]
        known = [figure for figure in found if figure is not None]
        row[column] = statistics.median(known) if known else None
    return row


def _ratio(figure: float | None, other: float | None) -> float | None:
    return figure / other if figure is not None and other else None
