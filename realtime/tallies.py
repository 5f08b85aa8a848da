"""What one process counts of its event path, for people who watch it."""

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

# The upper bounds of a histogram's buckets, in seconds; a last one takes what is longer.
LATENCY_BOUNDS = (
    0.001, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075,
    0.1, 0.15, 0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0,
)  # fmt: skip
# Over so many seconds is reckoned what happens "now".
RECENT_SECONDS = 10


class Latencies:
    """How long deliveries took from the announcement of their event to the socket."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCY_BOUNDS) + 1)  # by bucket
        self.total = 0.0  # seconds

    def observe(self, seconds: float) -> None:
        """Count one delivery. Clocks of two machines may differ: it took no less than nothing."""
        seconds = max(seconds, 0.0)
        self.counts[bisect_left(LATENCY_BOUNDS, seconds)] += 1
        self.total += seconds


def quantile(counts: Sequence[int], share: float) -> float | None:
    """The seconds within which this share (0 to 1) of the deliveries in the buckets was done.

    Taken as spread evenly within a bucket; of the last one its lower bound. None without any.
    """
    wanted = sum(counts) * share
    if not wanted:
        return None
    lower, seen = 0.0, 0
    for upper, count in zip(LATENCY_BOUNDS, counts, strict=False):
        if seen + count >= wanted:
            return lower + (upper - lower) * (wanted - seen) / count
        lower, seen = upper, seen + count
    return lower


@dataclass(slots=True)
class Tallies:
    """Counts since the process started. Written by one thread each, read by any."""

    numbered: int = 0  # events that this process's sequencer moved into the log
    handed_out: int = 0  # events that its hub handed out
    delivered: int = 0  # events put into streams that have ended since
    replayed: int = 0  # events that streams got from the log or memory when they came back
    gaps_healed: int = 0  # stretches that no doorbell brought, read from the log
    fell_behind: int = 0  # readers whose queue was full
    too_slow: int = 0  # readers that were ended because they took nothing
    rejoined: int = 0  # times that it joined the group of processes again
    sequencer_errors: int = 0
    hub_errors: int = 0
    clock_errors: int = 0
    relay_errors: int = 0
    latencies: Latencies = field(default_factory=Latencies)

    def as_dict(self) -> dict[str, int]:
        """The counts by name, without the latencies."""
        return {
            each.name: getattr(self, each.name) for each in fields(self) if each.name != "latencies"
        }


@dataclass(frozen=True, slots=True)
class Recent:
    """What one process counted over the last seconds."""

    seconds: float = 0.0
    numbered: int = 0
    latencies: tuple[int, ...] = (0,) * (len(LATENCY_BOUNDS) + 1)

    def as_json(self) -> dict[str, Any]:
        """What stands in the process's lease."""
        return asdict(self)


class RecentWindow:
    """Tells what is recent from counts that only grow; looked at about once a second."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int, tuple[int, ...]]] = deque(maxlen=RECENT_SECONDS + 1)

    def look(self, *, numbered: int, latencies: Sequence[int]) -> Recent:
        """What was counted since the oldest of the last looks."""
        now = time.monotonic()
        self._looks.append((now, numbered, tuple(latencies)))
        then, numbered_then, latencies_then = self._looks[0]
        return Recent(
            seconds=now - then,
            numbered=numbered - numbered_then,
            latencies=tuple(
                count - before for count, before in zip(latencies, latencies_then, strict=True)
            ),
        )
