"""The product understands those who measure it, and they understand it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from benchmarks import polling, skim
from benchmarks.load import Load, Protocol, Report, load
from benchmarks.people import make_people
from benchmarks.shops import PAGE, make_shops
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


def test_it_answers_dashboards_that_poll(server: servers.Marketplace) -> None:
    shops = list(make_shops(2))
    lists = polling.dashboards(server, shops)
    asyncio.run(polling.poll_once(lists, 0.1))
    assert [len(each.answers) for each in lists] == [2, 1]
    assert [each.connections for each in lists] == [1, 1]
    seller, buyer = lists
    # A page of products is not much more than one of orders; nothing of it is a refusal.
    assert buyer.bytes > PAGE * 100
    assert seller.bytes > buyer.bytes
    (stranger,) = polling.dashboards(server, [(shops[0][0], "nobody's")])
    with pytest.raises(ExceptionGroup) as refused:
        asyncio.run(polling.poll_once([stranger], 0.1))
    assert refused.group_contains(polling.Refused)


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
