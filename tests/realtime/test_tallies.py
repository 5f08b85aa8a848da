"""What is reckoned from counts: how long most deliveries took, and what was recent."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.connection import Connection
from realtime.hub import Hub
from realtime.listeners import NOBODY
from realtime.runs import Run
from realtime.tallies import LATENCY_BOUNDS, Latencies, RecentWindow, Tallies, quantile
from tests.realtime.things import entry


@given(
    st.lists(st.floats(min_value=0, max_value=9), min_size=1, max_size=200),
    st.floats(min_value=0.01, max_value=1),
)
def test_it_places_a_quantile_in_the_bucket_of_the_true_one(
    seconds: list[float], share: float
) -> None:
    latencies = Latencies()
    for each in seconds:
        latencies.observe(each)
    found = quantile(latencies.counts, share)
    assert found is not None
    # The least value that this share of them does not exceed.
    true = next(
        value
        for number, value in enumerate(sorted(seconds), start=1)
        if number >= share * len(seconds) - 1e-9
    )
    bounds = [0.0, *LATENCY_BOUNDS]
    upper = next(bound for bound in bounds[1:] if true <= bound)
    assert bounds[bounds.index(upper) - 1] <= found <= upper


def test_it_knows_no_quantile_of_nothing_and_the_least_of_what_took_longest() -> None:
    latencies = Latencies()
    assert quantile(latencies.counts, 0.5) is None
    latencies.observe(1000)
    latencies.observe(-1)  # the clocks of two machines differ
    assert quantile(latencies.counts, 0.99) == LATENCY_BOUNDS[-1]
    assert latencies.total == 1000


def test_it_tells_what_came_since_the_oldest_look(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 103.0, *range(104, 120)])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    window, latencies = RecentWindow(), Latencies()
    assert window.look(numbered=5, latencies=latencies.counts).numbered == 0
    latencies.observe(0.0015)
    recent = window.look(numbered=12, latencies=latencies.counts)
    assert (recent.seconds, recent.numbered, sum(recent.latencies)) == (3.0, 7, 1)
    for _ in range(104, 120):
        recent = window.look(numbered=12, latencies=latencies.counts)
    assert (recent.seconds, recent.numbered, sum(recent.latencies)) == (10.0, 0, 0)


def listening(hub: Hub) -> Connection:
    connection = Connection(listener=NOBODY, transport="sse", address="", opened_at=0)
    hub.add(connection)
    hub.listen(connection, ["all"])
    connection.behind = False
    return connection


def test_it_times_one_delivery_of_each_event_and_none_that_is_held_back() -> None:
    hub = Hub(control=lambda row, concerned: None, tallies=Tallies())
    connections = [listening(hub) for _ in range(3)]
    event = entry(1)
    hub._deliver(Run([event]))
    timed = [connection.timed for connection in connections if connection.timed is not None]
    assert timed == [event.published_at.timestamp()]
    for connection in connections:
        connection.timed = None
        connection.hold(1)
    hub._deliver(Run([entry(2)]))
    assert [connection.timed for connection in connections] == [None] * 3
