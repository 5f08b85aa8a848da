"""What the fan-out makes of what its rounds found."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from benchmarks import fanout, report
from benchmarks.fanout import Session, add_ratios, together
from benchmarks.load import LoadFailed
from benchmarks.peers import PEERS
from benchmarks.report import Table
from benchmarks.subjects import PRODUCT, Subject
from benchmarks.targets import Target
from tests.support.processes import DidNotStart


def _subject(name: str, *, ours: bool = False) -> Subject:
    return Subject(name, "sse", _cannot_start, ours=ours)


@contextmanager
def _cannot_start(_clients: int) -> Iterator[Target]:
    raise DidNotStart("it is broken")
    yield


def _session(subject: Subject, speed: float, faults: int = 0) -> Session:
    return Session(subject, 100, {"deliveries/s": speed}, faults)


def test_it_takes_the_median_of_the_ratios_of_each_round() -> None:
    ours, theirs = _subject(PRODUCT, ours=True), _subject("C and epoll")
    rounds = [
        [_session(ours, 100), _session(theirs, 50)],
        [_session(ours, 10, faults=1), _session(theirs, 10)],  # the machine was slow
        [_session(ours, 90, faults=2), _session(theirs, 30)],
    ]
    for found in rounds:
        add_ratios(found, {"÷ C": "C and epoll"})
    row = together([found[0] for found in rounds])
    assert row["deliveries/s"] == 90
    assert row["÷ C"] == 2.0  # not 90 ÷ 30
    assert row["÷ one process"] == 1.0
    assert row["faults"] == 3


def test_it_goes_on_when_the_own_server_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And writes after each round what it has, each time with another server first."""
    order: list[str] = []

    def measure(subject: Subject, clients: int) -> object:
        order.append(subject.name)
        if subject.ours:
            with subject.running(clients):
                pass
        raise LoadFailed("no time")

    written: list[list[str]] = []

    def write(scenario: str, table: Table) -> Path:
        path = report.write(scenario, table)
        written.append(json.loads(path.read_text())["failures"])
        return path

    ours = [_subject("first", ours=True), _subject("second", ours=True)]
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(fanout, "write", write)
    monkeypatch.setattr(fanout, "_measure", measure)
    monkeypatch.setattr(fanout, "databases", nullcontext)
    monkeypatch.setattr(fanout, "redis", nullcontext)
    monkeypatch.setattr(fanout, "single_processes", lambda _: ours)
    monkeypatch.setattr(fanout, "four_processes", lambda *_: [])
    table = fanout.run(reps=2, clients=[100])
    assert order == ["first", "second", "second", "first"]
    assert [len(failures) for failures in written] == [2, 4]
    assert table.failures[0] == "first, sse, 100 clients: it is broken"
    assert len(list(tmp_path.iterdir())) == 1


def test_it_asks_no_plain_channels_for_what_they_cannot_do() -> None:
    assert {peer.name for peer in PEERS if peer.slow} == {
        peer.name for peer in PEERS if peer.name.startswith("Channels")
    }
