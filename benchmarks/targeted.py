"""Events that are each for one user: 2,000 a second, with 10,000 clients, a user each.

They are published twenty in a transaction, a hundred transactions a second.
"""

import sys
from collections.abc import Sequence

from benchmarks.cores import OTHERS, allow_files, on_core
from benchmarks.product import databases
from benchmarks.report import Table
from benchmarks.subjects import Subject, single_processes

CLIENTS = (10_000,)
EVENTS_PER_SECOND = 2_000
IN_A_TRANSACTION = 20
SECONDS = 10


def run(*, clients: Sequence[int] = CLIENTS) -> Table:
    """One row for each transport and number of clients."""
    allow_files(max(clients))
    table = Table(
        f"Targeted: {EVENTS_PER_SECOND} events/s for {SECONDS} s, each for one of the clients;"
        f" {IN_A_TRANSACTION} in a transaction"
    )
    with on_core(OTHERS), databases() as postgres:
        for count in clients:
            for subject in single_processes(postgres):
                _measure(subject, count, table)
    return table


def _measure(subject: Subject, clients: int, table: Table) -> None:
    name = f"{subject.protocol}, {clients} clients"
    print(name, file=sys.stderr, flush=True)
    stage = f"open,rate={EVENTS_PER_SECOND},batch={IN_A_TRANSACTION},seconds={SECONDS}"
    with subject.running(clients) as target:
        audiences = [(f"user.{pk}", str(number)) for number, pk in enumerate(target.users)]
        report = target.load(clients=clients, stages=[stage], audiences=audiences)
    if faults := report.faults():
        table.failures.append(f"{name}: {faults} {report.sample}")
    found = report.stage("open")
    table.rows.append(
        {
            "protocol": subject.protocol,
            "clients": clients,
            "published": found.published,
            "delivered": found.deliveries,
            "missing": report.missing,
            "deliveries/s": round(found.deliveries_per_second),
            "p50 ms": found.latency_ms.p50,
            "p99 ms": found.latency_ms.p99,
            "CPU % of a core": 100 * found.server_cpu_seconds / found.seconds,
            "CPU µs each": found.server_cpu_seconds * 1e6 / found.published,
            "generator busy": found.generator_busy,
        }
    )
