"""KB a connection: by how much a server grows with so many clients that have heard some events.

It had a few clients before: what a first one costs is not counted.
"""

import sys
from collections.abc import Sequence

from benchmarks.cores import OTHERS, allow_files, on_core
from benchmarks.load import LoadFailed
from benchmarks.product import databases
from benchmarks.report import Row, Table
from benchmarks.subjects import Subject, available_peers, single_processes
from tests.support.processes import DidNotStart
from tests.support.servers import redis

CLIENTS = (1_000, 10_000)
EARLIER_CLIENTS = 50
EVENTS = "open,rate=10,seconds=2"


def run(*, peers: bool = False, clients: Sequence[int] = CLIENTS) -> Table:
    """One row for each server and number of clients, each in a process of its own."""
    allow_files(max(clients))
    table = Table("Memory a connection: resident (and proportional) KB, after 28 events")
    with on_core(OTHERS), databases() as postgres, redis() as redis_url:
        subjects = single_processes(postgres)
        subjects += available_peers(redis_url, table) if peers else []
        for count in clients:
            for subject in subjects:
                if subject.takes(count):
                    _measure(subject, count, table)
    return table


def _measure(subject: Subject, clients: int, table: Table) -> None:
    name = f"{subject.name}, {subject.protocol}, {clients} clients"
    print(name, file=sys.stderr, flush=True)
    try:
        with subject.running(clients) as target:
            target.load(clients=EARLIER_CLIENTS, stages=[EVENTS])
            report = target.load(clients=clients, stages=[EVENTS])
    except (DidNotStart, LoadFailed) as failure:
        (table.failures if subject.ours else table.notes).append(f"{name}: {failure}")
        return
    faults = report.faults()
    if faults and subject.ours:
        table.failures.append(f"{name}: {faults} {report.sample}")
    after = report.stages[-1]
    row: Row = {
        "server": subject.name,
        "protocol": subject.protocol,
        "clients": clients,
        "KB connected": (report.rss_connected_mb - report.rss_before_mb) * 1024 / clients,
        "KB": (after.server_rss_mb - report.rss_before_mb) * 1024 / clients,
        "KB proportional": (after.server_pss_mb - report.pss_before_mb) * 1024 / clients,
        "MB in all": after.server_rss_mb,
        "faults": sum(faults.values()),
    }
    table.rows.append(row)
