"""Everything dies, again and again, under load: what is lost, doubled or out of order.

Three server processes behind a Redis and a PostgreSQL of their own, four writers, 200 clients that
drop and come back at random, half of all doorbells dropped: tests/faults.
"""

import json
import subprocess
import sys

from benchmarks.report import Table
from tests.support.machine import ROOT
from tests.support.processes import dying_with_parent

ROUNDS = 2


def run() -> Table:
    """Run the full plan with other seeds; RuntimeError where anything was lost."""
    table = Table("20 kills of servers, 20 Redis restarts, 5 database restarts, under load")
    for seed in range(1, ROUNDS + 1):
        command = [sys.executable, "-m", "tests.faults", "--full", "--seed", str(seed)]
        round_ = subprocess.run(
            dying_with_parent(command), cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        summary = json.loads(round_.stdout)
        tallies = summary.pop("tallies")
        table.rows.append({"seed": seed, **summary, "gaps_healed": tallies["gaps_healed"]})
        if round_.returncode:
            print(table.text())
            raise RuntimeError("Something was lost, doubled or out of order.")
    return table
