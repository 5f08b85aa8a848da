"""/metrics for Prometheus: what this process counts, and whatever else the apps have registered.

Each process tells of itself and is asked by itself: sums are Prometheus' work. An app adds figures
of its own with a collector at prometheus_client.REGISTRY.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from marketplace.rest.addresses import address_of, is_listed
from realtime.connection import Connection
from realtime.station import running_stations
from realtime.streams import Streams
from realtime.tallies import LATENCY_BOUNDS, Tallies

# What is told of the tallies: the name, and what it says.
_COUNTERS = {
    "numbered": ("events_published", "Events that this process numbered; all of them, if summed."),
    "handed_out": ("events_handed_out", "Events that this process handed out to its streams."),
    "replayed": ("events_replayed", "Events that streams got when they came back."),
    "gaps_healed": ("gaps_healed", "Stretches of the log that no doorbell brought."),
    "fell_behind": ("readers_fell_behind", "Readers whose queue was full: they read on."),
    "too_slow": ("slow_clients_dropped", "Clients that were dropped: they took nothing."),
    "rejoined": ("group_rejoins", "Times that it joined the group of processes again."),
}
_ERRORS = ("sequencer", "hub", "clock", "relay")


class StreamCollector(Collector):
    """The event path of this process."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are not checked before there is anything to count."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The figures at this moment."""
        # There is one, but for tests and before the first stream of a server without a lifespan.
        for station in running_stations()[:1]:
            # In the loop: a stream that ends meanwhile must not count twice, nor not at all.
            yield from station.ask(partial(_of_process, station.streams))


def _of_process(streams: Streams) -> list[Metric]:
    hub = streams.hub
    position = GaugeMetricFamily(
        "realtime_log_position", "Up to where the log was handed out.", hub.last
    )
    tallies = _of_tallies(streams.tallies, hub.connections)
    return [*_of_streams(hub.connections), *tallies, position]


def _of_streams(connections: Iterable[Connection]) -> Iterator[Metric]:
    by_transport = Counter({"sse": 0, "websocket": 0})
    frames = waiting_bytes = 0
    for connection in connections:
        by_transport[connection.transport] += 1
        frames += connection.waiting_frames
        waiting_bytes += connection.waiting_bytes
    streams = GaugeMetricFamily("realtime_open_streams", "Open streams.", labels=["transport"])
    for transport, count in by_transport.items():
        streams.add_metric([transport], count)
    yield streams
    yield GaugeMetricFamily("realtime_queue_frames", "Frames that wait for readers.", frames)
    yield GaugeMetricFamily("realtime_queue_bytes", "Bytes that wait for readers.", waiting_bytes)


def _of_tallies(tallies: Tallies, connections: Iterable[Connection]) -> Iterator[Metric]:
    counts = tallies.as_dict()
    for field, (name, text) in _COUNTERS.items():
        yield CounterMetricFamily(f"realtime_{name}", text, counts[field])
    delivered = tallies.delivered + sum(connection.delivered for connection in connections)
    yield CounterMetricFamily(
        "realtime_events_delivered", "Events put into streams, replayed ones included.", delivered
    )
    errors = CounterMetricFamily(
        "realtime_errors", "Failures after which the process went on.", labels=["part"]
    )
    for part in _ERRORS:
        errors.add_metric([part], counts[f"{part}_errors"])
    yield errors
    yield _latency(tallies)


def _latency(tallies: Tallies) -> Metric:
    buckets, seen = [], 0
    bounds = [*map(str, LATENCY_BOUNDS), "+Inf"]
    for bound, count in zip(bounds, tallies.latencies.counts, strict=True):
        seen += count
        buckets.append((bound, float(seen)))
    return HistogramMetricFamily(
        "realtime_delivery_latency_seconds",
        "From the announcement of an event to a socket; one delivery of each event is timed.",
        buckets=buckets,
        sum_value=tallies.latencies.total,
    )


REGISTRY.register(StreamCollector())


class MayReadMetrics(BasePermission):
    """Staff, and whoever asks from one of METRICS_ADDRESSES."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether this request may."""
        address = address_of(request._request)
        return request.user.is_staff or is_listed(address, settings.METRICS_ADDRESSES)


@extend_schema(exclude=True)
class MetricsView(APIView):
    """The figures in Prometheus' text format."""

    permission_classes = [MayReadMetrics]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Whatever is asked for: there is one format."""
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request) -> HttpResponse:
        """All of them."""
        return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
