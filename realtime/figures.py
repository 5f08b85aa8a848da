"""How the event path is doing, over all server processes: for people and for Prometheus."""

from collections import Counter
from dataclasses import dataclass

from realtime.limits import living_leases
from realtime.tallies import quantile


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """The present figures. What happens is reckoned over the last ten seconds.

    connections: open streams, with and without a login; deliveries: milliseconds from the
    announcement of an event to a socket, of a sample of them; None where nothing was delivered.
    """

    connected_users: int
    connections: int
    events_per_second: float
    delivery_p50_ms: float | None
    delivery_p99_ms: float | None


def stream_figures() -> StreamFigures:
    """What the living processes have told, a second ago at most. Uses the database."""
    users: set[str] = set()
    connections = 0
    rate = 0.0
    latencies: Counter[int] = Counter()
    for lease in living_leases():
        users |= lease.by_user.keys()
        connections += sum(lease.by_user.values()) + sum(lease.by_address.values())
        recent = lease.recent
        if recent.get("seconds"):
            rate += recent["numbered"] / recent["seconds"]
        latencies.update(dict(enumerate(recent.get("latencies", []))))
    counts = [latencies[bucket] for bucket in range(max(latencies, default=-1) + 1)]
    return StreamFigures(
        connected_users=len(users),
        connections=connections,
        events_per_second=round(rate, 1),
        delivery_p50_ms=_milliseconds(quantile(counts, 0.5)),
        delivery_p99_ms=_milliseconds(quantile(counts, 0.99)),
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
