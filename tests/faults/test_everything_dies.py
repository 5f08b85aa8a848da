"""The short run of `script/bench faults`: whatever dies, everything arrives once and in order."""

import json
import subprocess
import sys

import pytest

from tests.support.machine import ROOT
from tests.support.processes import dying_with_parent

# It has a PostgreSQL of its own; once in a run of all tests is enough.
pytestmark = pytest.mark.postgresql


def test_it_loses_and_doubles_nothing_whatever_dies() -> None:
    command = dying_with_parent([sys.executable, "-m", "tests.faults"])
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    print(run.stdout, run.stderr[-5000:])
    assert run.returncode == 0
    summary = json.loads(run.stdout)
    # It would be no wonder if nothing had happened.
    assert summary["kills"] == 4
    assert summary["redis_restarts"] == 4
    assert summary["database_restarts"] == 2
    assert summary["events"] > 100
    assert summary["reconnects"] > summary["clients"]
    assert summary["deliveries"] > summary["events"] * 10
    assert summary["tallies"]["gaps_healed"] > 0
