"""Writers in processes of their own, which begin and end together."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec

from tests.support.machine import ROOT
from tests.support.processes import dying_with_parent, end
from tests.support.servers import Marketplace

# So that the first has not begun when the last is told.
SOON_SECONDS = 0.2

# What is committed: nothing but an event, a row, or what a service of the product writes.
Write = Literal["event", "row", "service"]


class Order(msgspec.Struct, frozen=True):
    """What one writer is told: from when on and how long it writes, and whether each change is
    told of. rate: changes a second; None for as many as can be."""

    write: Write
    announced: bool
    at: float
    seconds: float
    rate: float | None = None


class Writers:
    """Processes of benchmarks.writer."""

    def __init__(self, processes: list[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    def write(
        self,
        write: Write,
        *,
        writers: int,
        seconds: float,
        announced: bool = True,
        rate: float | None = None,
    ) -> int:
        """Have so many of them write for so long; how many commits that were. rate: of all
        together, who write in turn then."""
        at = time.time() + SOON_SECONDS
        chosen = self._processes[:writers]
        for number, process in enumerate(chosen):
            order = Order(
                write=write,
                announced=announced,
                at=at if rate is None else at + number / rate,
                seconds=seconds,
                rate=None if rate is None else rate / writers,
            )
            assert process.stdin is not None
            process.stdin.write(msgspec.json.encode(order) + b"\n")
            process.stdin.flush()
        return sum(int(_answer_of(process)) for process in chosen)


def _answer_of(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


@contextmanager
def writing(server: Marketplace, *, writers: int) -> Iterator[Writers]:
    """So many writers on the server's database, ready to begin."""
    command = dying_with_parent([sys.executable, "-m", "benchmarks.writer"])
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(writers):
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**server.environment, "DJANGO_SETTINGS_MODULE": "marketplace.settings"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            processes.append(process)
        if any(_answer_of(process) != "ready" for process in processes):
            raise RuntimeError("A writer did not start.")
        yield Writers(processes)
    finally:
        for process in processes:
            end(process)
