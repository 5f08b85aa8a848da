"""Which core does what: what is measured has one of its own.

Two servers share neither a core nor a moment; the load generator, PostgreSQL and Redis have the
other core, and are the same for all.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

MEASURED, OTHERS = 0, 1
# Files that a process needs beside its clients.
FILES_BESIDE = 300


class TooSmall(Exception):
    """This machine cannot show it."""


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Have all that is started in the block run on that core, and this process meanwhile."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {core})
    except OSError as error:
        raise TooSmall(f"There is no core {core} for it.") from error
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_files(clients: int) -> None:
    """Let this process and all that it starts open a file for each client. Raises TooSmall."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < clients + FILES_BESIDE:
        raise TooSmall(
            f"{clients} clients need {clients + FILES_BESIDE} open files; the hard limit is {most}."
            " Raise it (ulimit -Hn)."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
