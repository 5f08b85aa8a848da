"""Who takes part: the product in its forms, and the peers that can be had here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

from benchmarks.cores import MEASURED, OTHERS, on_core
from benchmarks.load import Protocol
from benchmarks.peers import PEERS, Peer
from benchmarks.peers.installing import NotInstalled, provide
from benchmarks.product import Databases, product
from benchmarks.report import Table
from benchmarks.targets import Target

PROTOCOLS: tuple[Protocol, ...] = ("sse", "websocket")
PRODUCT = "the product"
FOUR_PROCESSES = "the product, four processes"


@dataclass(frozen=True)
class Subject:
    """A server that is measured."""

    name: str
    protocol: Protocol
    running: Callable[[int], AbstractContextManager[Target]]  # for so many clients
    ours: bool = True
    takes_bursts: bool = True
    most_clients: int | None = None
    slow: bool = False

    def takes(self, clients: int) -> bool:
        """Whether it can be asked to serve so many."""
        return self.most_clients is None or clients <= self.most_clients


def single_processes(postgres: Databases) -> list[Subject]:
    """The product as one process, without Redis."""
    return [
        Subject(PRODUCT, protocol, partial(product, postgres, protocol)) for protocol in PROTOCOLS
    ]


def four_processes(postgres: Databases, redis_url: str) -> list[Subject]:
    """The product as four processes behind a Redis, all of them on the measured core."""
    return [
        Subject(
            FOUR_PROCESSES,
            protocol,
            partial(product, postgres, protocol, processes=4, redis_url=redis_url),
        )
        for protocol in PROTOCOLS
    ]


def available_peers(redis_url: str, table: Table) -> list[Subject]:
    """The peers, installed; the table gets a note of each that cannot be had."""
    return [
        Subject(
            peer.name,
            peer.protocol,
            partial(_on_its_core, peer, redis_url),
            ours=False,
            takes_bursts=peer.takes_bursts,
            most_clients=peer.most_clients,
            slow=peer.slow,
        )
        for peer in PEERS
        if _is_here(peer, table)
    ]


def _is_here(peer: Peer, table: Table) -> bool:
    try:
        if peer.needs:
            provide(peer.needs)
    except NotInstalled as reason:
        table.notes.append(f"{peer.name} ({peer.protocol}) is left out: {reason}.")
        return False
    if peer.most_clients:
        most = f"is left out beyond {peer.most_clients} clients: they take minutes"
        table.notes.append(f"{peer.name} ({peer.protocol}) {most}.")
    return True


@contextmanager
def _on_its_core(peer: Peer, redis_url: str, _clients: int) -> Iterator[Target]:
    with on_core(MEASURED), peer.running(redis_url) as target, on_core(OTHERS):
        yield target
