"""The product understands those who measure it, and they understand it."""

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from benchmarks import skim
from benchmarks.load import Load, Protocol, Report, load
from benchmarks.people import make_people
from benchmarks.site import OPEN_TO_LOAD, READY, STREAMS
from tests.conftest import database_url
from tests.support import servers


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[servers.Marketplace]:
    """The product with its door for the load generator."""
    with servers.marketplace(
        tmp_path,
        database_url=database_url(),
        settings={"METRICS_ADDRESSES": "127.0.0.1"},
        program=OPEN_TO_LOAD,
    ) as running:
        yield running


def test_it_hears_everything_from_the_product(server: servers.Marketplace) -> None:
    people = list(make_people(3))
    tokens = [token for _, token in people]
    audiences = [("all", "*"), *((f"user.{pk}", str(at)) for at, (pk, _) in enumerate(people))]
    storm = "storm,rate=100,seconds=1,after=0.2,drop=4,away=30"
    for protocol in ("sse", "websocket"):
        bursts = "closed,window=16,batch=8,seconds=0.2"
        report = _load(server, protocol, tokens, ("closed,window=8,seconds=0.2", bursts, storm))
        assert report.faults() == {}
        assert report.deliveries == 6 * report.published
        assert abs(report.stages[1].frame_bytes - 250) < 3
        told = report.stages[3].storm
        assert told is not None
        assert told.back
        assert told.not_caught_up == 0
        assert told.caught_up_ms.count == 4

        targeted = _load(server, protocol, tokens, ("open,rate=100,seconds=0.4",), audiences)
        assert targeted.faults() == {}
        assert targeted.deliveries == 6 * 10 + 2 * 30


def test_it_sees_events_go_by_that_nobody_hears(
    server: servers.Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skim, "SECONDS", 0.2)
    bench = skim.Bench(server, server, Future())
    row = bench.row(200, 20, idle=0.0)
    assert row["events"] == 40
    assert bench.metrics()["realtime_events_handed_out_total"] == 40
    assert bench.metrics()["realtime_open_streams"] == 0


def _load(
    server: servers.Marketplace,
    protocol: Protocol,
    tokens: list[str],
    stages: tuple[str, ...],
    audiences: list[tuple[str, str]] | None = None,
) -> Report:
    plan = Load(
        ports=[server.port],
        clients=6,
        protocol=protocol,
        path=STREAMS[protocol],
        ready=READY,
        tokens=tokens,
        audiences=audiences or [],
        stages=stages,
        warm_up=0 if audiences else 8,
        settle=0.1,
    )
    return load(plan)
