"""The servers that the product is compared with deliver, too."""

import pytest

from benchmarks.peers import PEERS, Peer
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


def test_it_says_what_a_peer_needs_that_cannot_be_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installing = "benchmarks.peers.installing"
    monkeypatch.setattr(f"{installing}.NCHAN", ROOT / "nowhere")
    monkeypatch.setattr(f"{installing}.may_install", lambda: False)
    with pytest.raises(NotInstalled, match="nginx-light"):
        provide("nchan")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotInstalled, match="npm"):
        provide("ws")
