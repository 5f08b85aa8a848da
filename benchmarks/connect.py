"""Seconds until 10,000 clients have a stream each, every one with its own login."""

import statistics
import sys

from benchmarks.cores import OTHERS, allow_files, on_core
from benchmarks.load import Report
from benchmarks.product import databases
from benchmarks.report import Table
from benchmarks.subjects import single_processes

CLIENTS = 10_000


def run(*, reps: int = 3) -> Table:
    """One row for each transport."""
    allow_files(CLIENTS)
    table = Table(f"{CLIENTS} clients connect, each with its login: medians of {reps}")
    with on_core(OTHERS), databases() as postgres:
        subjects = single_processes(postgres)
        reports: dict[str, list[Report]] = {subject.protocol: [] for subject in subjects}
        for _ in range(reps):
            for subject in subjects:
                with subject.running(CLIENTS) as target:
                    report = target.load(clients=CLIENTS, stages=["listen,seconds=0.5"])
                reports[subject.protocol].append(report)
                said = f"{subject.protocol}: {report.opening_seconds:.1f} s"
                print(said, file=sys.stderr, flush=True)
                if faults := report.faults():
                    table.failures.append(f"{subject.protocol}: {faults} {report.sample}")
    for protocol, found in reports.items():
        seconds = statistics.median(report.opening_seconds for report in found)
        table.rows.append(
            {
                "protocol": protocol,
                "clients": CLIENTS,
                "seconds": seconds,
                "clients/s": round(CLIENTS / seconds),
                "server CPU s": statistics.median(
                    report.opening_server_cpu_seconds for report in found
                ),
                "one: p50 ms": statistics.median(report.opening_ms.p50 for report in found),
                "one: p99 ms": statistics.median(report.opening_ms.p99 for report in found),
            }
        )
    return table
