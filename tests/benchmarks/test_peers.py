"""The servers that the product is compared with deliver, too."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.peers import PEERS, Peer, installing
from benchmarks.peers.installing import NotInstalled, provide
from tests.support.machine import ROOT

IN_PYTHON = [
    peer
    for peer in PEERS
    if peer.name in {"bare uvloop", "Channels, Redis, uvicorn", "Channels, in memory, daphne"}
]


@pytest.mark.parametrize("peer", IN_PYTHON, ids=lambda peer: f"{peer.name}, {peer.protocol}")
def test_it_delivers_everything_once_and_in_order(peer: Peer, redis_url: str) -> None:
    with peer.running(redis_url) as target:
        stages = ["open,rate=100,seconds=0.1", "closed,window=16,batch=8,seconds=0.1"]
        report = target.load(clients=5, stages=stages, settle=0.05)
    assert report.faults() == {}
    assert report.deliveries == 5 * report.published


def test_it_installs_the_locked_version_in_place_of_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[list[str]] = []
    noted = tmp_path / "node_modules" / ".package-lock.json"
    noted.parent.mkdir()
    noted.write_text(installing.LOCK.read_text())
    monkeypatch.setattr(installing, "HERE", tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: ran.append(command))
    provide("ws")
    assert not ran
    noted.write_text(noted.read_text().replace('"version": "8', '"version": "7'))
    provide("ws")
    assert [command[:2] for command in ran] == [["npm", "ci"]]


def test_it_says_what_a_peer_needs_that_cannot_be_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(installing, "NCHAN", ROOT / "nowhere")
    monkeypatch.setattr(installing, "may_install", lambda: False)
    with pytest.raises(NotInstalled, match="nginx-light"):
        provide("nchan")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotInstalled, match="npm"):
        provide("ws")
