"""What the processor did, for whom, as the kernel tells it."""

import os
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(pid: int) -> float:
    """The processor's time that the process has had, all its threads together.

    By its clock (clock_getcpuclockid(3) makes the id so): /proc tells hundredths of a second.
    """
    return time.clock_gettime(~pid << 3 | 2)


def seconds_of_descendants() -> float:
    """The same of all that this process started, directly or not, and that still run: servers,
    databases, clients."""
    parents: dict[int, int] = {}
    seconds: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = _stat(path)
        except OSError:
            continue  # it has ended
        pid = int(path.parent.name)
        parents[pid] = int(fields[1])
        seconds[pid] = (int(fields[11]) + int(fields[12])) / _TICKS
    return sum(seconds[pid] for pid in parents if _descends(pid, parents))


def _descends(pid: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == os.getpid():
            return True
    return False


def _stat(path: Path) -> list[str]:
    """The fields of proc(5) from `state` on: what is before may hold blanks."""
    return path.read_text().rpartition(")")[2].split()
