"""The figures of a real server: for Prometheus at /metrics, for the staff on a channel."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from marketplace.accounts.models import User
from tests.conftest import StartServer
from tests.streams.things import bearer, listen, next_events, offer, talk
from tests.support.servers import Marketplace

# What a Prometheus of today asks for.
ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


def scrape(server: Marketplace, user: User | None = None) -> httpx.Response:
    headers = {"Accept": ACCEPT, **(bearer(user) if user else {})}
    return httpx.get(f"{server.url}/metrics", headers=headers, timeout=30)


def samples(server: Marketplace, user: User) -> dict[str, float]:
    """The samples by name, with their labels where they have any."""
    answer = scrape(server, user)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_it_counts_what_the_server_does(
    server: Marketplace, seller: User, staff: User
) -> None:
    before = samples(server, staff)
    async with await listen(server, seller) as stream, await talk(server, seller):
        for _ in range(3):
            offer(seller)
        last = (await next_events(stream, 3))[-1]
        assert last.id is not None
        async with await listen(server, seller, lastEventId=last.id - 2) as late:
            await next_events(late, 2)
            now = samples(server, staff)
    grown = {name: value - before.get(name, 0) for name, value in now.items()}
    assert grown["realtime_open_streams sse"] == 2
    assert grown["realtime_open_streams websocket"] == 1
    assert grown["realtime_events_published_total"] == 3
    assert grown["realtime_events_handed_out_total"] == 3
    assert grown["realtime_events_delivered_total"] == 3 * 2 + 2
    assert grown["realtime_events_replayed_total"] == 2
    assert 1 <= grown["realtime_delivery_latency_seconds_count"] <= 3
    assert now["realtime_log_position"] == last.id
    for name in ("realtime_queue_frames", "realtime_queue_bytes", "realtime_gaps_healed_total",
                 "realtime_slow_clients_dropped_total", "realtime_errors_total hub",
                 "marketplace_connections", "process_resident_memory_bytes"):  # fmt: skip
        assert name in now


async def test_it_tells_the_staff_and_listed_addresses_alone(
    server: Marketplace, start_server: StartServer, buyer: User, seller: User
) -> None:
    assert scrape(server).status_code == 401
    assert scrape(server, buyer).status_code == 403
    assert scrape(server, seller).status_code == 403
    listed = start_server(METRICS_ADDRESSES="127.0.0.0/8")
    assert scrape(listed).status_code == 200
    # What the client itself says of its address is not believed.
    elsewhere = start_server(METRICS_ADDRESSES="10.0.0.0/8")
    lies = {"X-Forwarded-For": "10.0.0.1"}
    assert httpx.get(f"{elsewhere.url}/metrics", headers=lies, timeout=30).status_code == 401


@pytest.mark.parametrize("transport", ["sse", "websocket"])
async def test_it_tells_the_staff_the_figures_again_and_again(
    server: Marketplace, staff: User, transport: str
) -> None:
    members = {"activeOrders", "ordersToday", "revenueToday", "connectedUsers", "connections",
               "eventsPerSecond", "deliveryP50Ms", "deliveryP99Ms"}  # fmt: skip
    if transport == "sse":
        async with await listen(server, staff, channels="metrics") as stream:
            assert (await stream.until("subscribed")).body["data"]["state"].keys() == members
            frames = [await stream.until("metrics-updated") for _ in range(2)]
        assert {frame.id for frame in frames} == {None}
        told = [frame.body for frame in frames]
    else:
        async with await talk(server, staff, channels="metrics") as client:
            subscribed = await client.until("subscribed")
            assert subscribed["data"]["state"].keys() == members
            told = [await client.until("metrics-updated") for _ in range(2)]
    assert [figures["data"].keys() for figures in told] == [members] * 2
    assert told[1]["data"]["connections"] >= 1
    assert "id" not in told[0]
