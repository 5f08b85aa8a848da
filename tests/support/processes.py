"""Processes that a test run starts, and ends whatever happens to it."""

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ATTEMPTS = 5


class DidNotStart(Exception):
    """A process ended, or was not ready in time; the message holds what it had printed."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on now; another may still be faster."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lasting_port() -> int:
    """A TCP port of 127.0.0.1 for a server that ends and comes back: below those that the kernel
    gives to connections, or one of them might have it meanwhile."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(15_000, 30_000)))
            return int(probe.getsockname()[1])


def dying_with_parent(command: Sequence[str | Path]) -> list[str | Path]:
    """Make the command one that the kernel kills when its parent is gone, where it knows how.

    A run that is killed itself cannot end what it started.
    """
    return [*(["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []), *command]


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command that writes to the log file, as another user where one is named."""
    with log.open("ab") as output:
        return subprocess.Popen(
            dying_with_parent(command),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )


def wait_for_text(text: str, *, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the process has printed the text; raise DidNotStart if it ends or takes 30 s."""
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        if text.encode() in log.read_bytes():
            return
        time.sleep(0.02)
    how = "is not ready" if process.poll() is None else f"ended with {process.returncode}"
    end(process)
    raise DidNotStart(f"{process.args!r} {how}:\n{log.read_text(errors='replace')}")


def end(process: subprocess.Popen[bytes], *, how: signal.Signals = signal.SIGTERM) -> int:
    """End the process, by force after 10 s, and return its exit code."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@contextmanager
def listening(
    command_for: Callable[[int], Sequence[str | Path]],
    *,
    ready: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
    how: signal.Signals = signal.SIGTERM,
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run a server on a free port of 127.0.0.1 while the block lasts.

    `command_for(port)` is its command, `ready` what it prints once it listens: a look at the
    port alone could find another run's server there. Another port is tried where one was taken.
    """
    for attempt in range(1, ATTEMPTS + 1):
        port = free_port()
        process = start(command_for(port), log=log, environment=environment, user=user)
        try:
            try:
                wait_for_text(ready, process=process, log=log)
            except DidNotStart as failure:
                if attempt == ATTEMPTS or "Address already in use" not in str(failure):
                    raise
                continue
            yield port, process
            return
        finally:
            end(process, how=how)
