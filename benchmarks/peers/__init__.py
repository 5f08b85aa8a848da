"""The servers that the product is compared with: each may be subscribed to, and published to by a
POST whose lines go to all subscribers.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.compiled import compiled
from benchmarks.load import Protocol
from benchmarks.targets import Target, family
from tests.support.machine import ROOT
from tests.support.processes import listening

HERE = Path(__file__).parent
LIMIT = HERE / "limit.c"

# What it is started with: its port, and a folder of its own.
Command = Callable[[int, Path], Sequence[str | Path]]


@dataclass(frozen=True)
class Peer:
    """One server that is not ours."""

    name: str
    protocol: Protocol
    command: Command
    ready: str  # what it prints when it listens
    path: str = "/"
    needs: str = ""  # the program that has to be installed: a name in installing.py
    uses_redis: bool = False
    takes_bursts: bool = True
    most_clients: int | None = None  # more would take too long
    slow: bool = False  # so much that a rate that is equal for all would only fill its backlog
    environment: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def running(self, redis_url: str) -> Iterator[Target]:
        """Run it while the block lasts."""
        environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **self.environment}
        if self.uses_redis:
            environment["REDIS_URL"] = redis_url
        with tempfile.TemporaryDirectory(prefix="peer-") as name:
            folder = Path(name)
            with listening(
                lambda port: self.command(port, folder),
                ready=self.ready,
                log=folder / "log",
                environment=environment,
            ) as (port, process):
                yield Target(self.protocol, [port], family(process.pid), path=self.path)


def _limit(port: int, _: Path) -> Sequence[str | Path]:
    return [compiled("limit", [LIMIT]), str(port)]


def _bare_uvloop(port: int, _: Path) -> Sequence[str | Path]:
    return [sys.executable, HERE / "bare_uvloop.py", str(port)]


def _nchan(port: int, folder: Path) -> Sequence[str | Path]:
    configuration = folder / "nginx.conf"
    configuration.write_text((HERE / "nchan.conf").read_text().replace("$PORT", str(port)))
    return ["/usr/sbin/nginx", "-p", folder, "-c", configuration, "-e", "stderr"]


def _node_ws(way: str) -> Command:
    return lambda port, _: ["node", HERE / "node_ws.js", str(port), way]


def _uvicorn(port: int, _: Path) -> Sequence[str | Path]:
    options = ["--port", str(port), "--no-access-log", "--backlog", "4096"]
    return [sys.executable, "-m", "uvicorn", *options, f"{__name__}.channels_group:application"]


def _daphne(port: int, _: Path) -> Sequence[str | Path]:
    options = ["-b", "127.0.0.1", "-p", str(port), "-v", "1", "--access-log", os.devnull]
    return [sys.executable, "-m", "daphne", *options, f"{__name__}.channels_group:application"]


UVICORN = "Uvicorn running on"
DAPHNE = "Listening on TCP address"
NGINX = "OS: Linux"  # what it says behind opening its socket

# Ten thousand take minutes: the layer in memory looks at every channel at every call, and a single
# event takes seconds. One form of plain Channels serves them all the same, as the reference.
PLAIN_MOST = 1000

PEERS = (
    Peer("C and epoll", "sse", _limit, "Listening"),
    Peer("C and epoll", "websocket", _limit, "Listening"),
    Peer("bare uvloop", "sse", _bare_uvloop, "Listening"),
    Peer("bare uvloop", "websocket", _bare_uvloop, "Listening"),
    # It makes one message of the lines of a request.
    Peer("nchan", "sse", _nchan, NGINX, path="/sse", needs="nchan", takes_bursts=False),
    Peer("nchan", "websocket", _nchan, NGINX, path="/websocket", needs="nchan", takes_bursts=False),
    Peer("Node ws", "websocket", _node_ws("send"), "Listening", needs="ws"),
    Peer("Node ws, frame built once", "websocket", _node_ws("frame"), "Listening", needs="ws"),
    Peer("Channels, Redis, uvicorn", "websocket", _uvicorn, UVICORN, uses_redis=True, slow=True),
    Peer(
        "Channels, Redis, daphne",
        "websocket",
        _daphne,
        DAPHNE,
        uses_redis=True,
        most_clients=PLAIN_MOST,
        slow=True,
    ),
    Peer(
        "Channels, in memory, uvicorn",
        "websocket",
        _uvicorn,
        UVICORN,
        most_clients=PLAIN_MOST,
        slow=True,
    ),
    Peer(
        "Channels, in memory, daphne",
        "websocket",
        _daphne,
        DAPHNE,
        most_clients=PLAIN_MOST,
        slow=True,
    ),
)
