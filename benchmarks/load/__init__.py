"""The load generator, in C (main.c tells what it does), as a function: load(…) -> Report."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from benchmarks.compiled import compiled
from tests.support.processes import dying_with_parent

SOURCES = sorted(Path(__file__).parent.glob("*.c"))
# The longest that a run may take: 10,000 clients of a slow server, and every stage.
TIMEOUT = 600

Protocol = Literal["sse", "websocket"]


class Latencies(msgspec.Struct, frozen=True):
    """Of so many deliveries, in milliseconds."""

    count: int
    p50: float
    p99: float
    max: float


class Storm(msgspec.Struct, frozen=True):
    """What became of the clients that dropped, and what the others felt."""

    dropped: int
    back: bool  # they came back at all
    not_caught_up: int
    back_at: float  # when all of them came back, as time.monotonic() tells it
    caught_up_ms: Latencies  # from back_at on
    others_before_ms: Latencies
    others_meanwhile_ms: Latencies  # from then until the last one had caught up


class StageResult(msgspec.Struct, frozen=True):
    """One stage; its seconds end with the last delivery."""

    kind: str
    published: int
    publish_errors: int
    deliveries: int
    other_messages: int  # heartbeats and the like
    bytes: int
    frame_bytes: float  # of an event; 0 where none came
    stalls: int  # how often a closed loop went on though something did not come
    rate: float  # events a second that were asked for, of an open loop
    seconds: float
    deliveries_per_second: float
    server_cpu_seconds: float
    server_rss_mb: float
    server_pss_mb: float
    generator_busy: float  # share of one core
    latency_ms: Latencies
    storm: Storm | None = None


class Report(msgspec.Struct, frozen=True):
    """What one run found."""

    protocol: str
    clients: int
    connected: int
    listening: int  # at the end
    opening_seconds: float
    opening_server_cpu_seconds: float
    opening_ms: Latencies
    rss_before_mb: float
    rss_connected_mb: float
    pss_before_mb: float
    pss_connected_mb: float
    refused: dict[str, int]  # by status
    unreachable: int
    closed_early: int
    resets: int
    other_messages: int
    sample: str  # of the first refusal, or of what ended a stream
    published: int
    publish_errors: int
    publisher_lost: bool
    deliveries: int
    missing: int
    doubled: int
    reordered: int
    foreign: int  # events of others, or of nobody
    parse_errors: int
    stages: list[StageResult]

    def stage(self, kind: str) -> StageResult:
        """The first stage of that kind."""
        return next(stage for stage in self.stages if stage.kind == kind)

    def faults(self) -> dict[str, int]:
        """Everything by which a client did not get each of its events once and in order."""
        counts = {
            "not connected": self.clients - self.connected,
            "closed early": self.closed_early,
            "publish errors": self.publish_errors + self.publisher_lost,
            "stalls": sum(stage.stalls for stage in self.stages),
            "missing": self.missing,
            "doubled": self.doubled,
            "reordered": self.reordered,
            "foreign": self.foreign,
            "parse errors": self.parse_errors,
            "resets": self.resets,
        }
        return {name: count for name, count in counts.items() if count}


@dataclass(frozen=True)
class Load:
    """What is to be measured where; every field is an option of the program (options.c)."""

    ports: Sequence[int]
    clients: int
    stages: Sequence[str]  # "closed,window=8,seconds=2"
    protocol: Protocol = "sse"
    path: str = "/"
    publish: str | None = "/publish"
    ready: str | None = None
    tokens: Sequence[str] = ()
    # (audience, hearers): "*", "-", or the number of a token whose clients hear it.
    audiences: Sequence[tuple[str, str]] = ()
    pids: Sequence[int] = ()
    inflight: int = 128
    sources: int = 1
    warm_up: int = 8
    frame_bytes: int = 250
    settle: float = 0.3
    patience: float = 5.0


class LoadFailed(Exception):
    """The generator itself could not do its work."""


def load(plan: Load) -> Report:
    """Run it. Raises NoCompiler, LoadFailed; faults of the server stand in the report."""
    program = compiled("load", SOURCES)
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        command = dying_with_parent([program, *_arguments(plan, Path(folder))])
        try:
            outcome = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired as expired:
            raise LoadFailed(f"It was not done after {TIMEOUT} s.") from expired
    if outcome.returncode:
        raise LoadFailed(outcome.stderr)
    return msgspec.json.decode(outcome.stdout, type=Report)


def _arguments(plan: Load, folder: Path) -> list[str]:
    numbers = {
        "clients": plan.clients,
        "inflight": plan.inflight,
        "sources": plan.sources,
        "warm-up": plan.warm_up,
        "frame-bytes": plan.frame_bytes,
        "settle": plan.settle,
        "patience": plan.patience,
    }
    texts = {
        "port": ",".join(map(str, plan.ports)),
        "protocol": plan.protocol,
        "path": plan.path,
        "publish": plan.publish,
        "ready": plan.ready,
        "pids": ",".join(map(str, plan.pids)),
        "tokens": _file(folder / "tokens", plan.tokens),
        "audiences": _file(folder / "audiences", [" ".join(pair) for pair in plan.audiences]),
    }
    given = {**numbers, **{name: text for name, text in texts.items() if text}}
    options = [f"--{name}={value}" for name, value in given.items()]
    return [*options, *(f"--stage={stage}" for stage in plan.stages)]


def _file(path: Path, lines: Sequence[str]) -> str | None:
    if not lines:
        return None
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)
