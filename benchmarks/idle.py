"""What 10,000 clients cost that hear nothing but heartbeats for a minute."""

import sys

from benchmarks.cores import OTHERS, allow_files, on_core
from benchmarks.product import databases
from benchmarks.report import Table
from benchmarks.subjects import single_processes

CLIENTS = 10_000
SECONDS = 60


def run() -> Table:
    """One row for each transport."""
    allow_files(CLIENTS)
    table = Table(f"{CLIENTS} idle clients for {SECONDS} s")
    with on_core(OTHERS), databases() as postgres:
        for subject in single_processes(postgres):
            print(subject.protocol, file=sys.stderr, flush=True)
            with subject.running(CLIENTS) as target:
                stages = [f"listen,seconds={SECONDS}"]
                # What the opening has left over is done then.
                report = target.load(clients=CLIENTS, stages=stages, settle=3)
            if faults := report.faults():
                table.failures.append(f"{subject.protocol}: {faults} {report.sample}")
            stage = report.stage("listen")
            table.rows.append(
                {
                    "protocol": subject.protocol,
                    "clients": CLIENTS,
                    "CPU % of a core": 100 * stage.server_cpu_seconds / stage.seconds,
                    "heartbeats": stage.other_messages,
                    "MB in all": stage.server_rss_mb,
                }
            )
    return table
