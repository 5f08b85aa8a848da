"""A RabbitMQ for all tests of a file, the other system behind it, and the bridge between."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from products.availability.running import run_bridge
from realtime import log
from realtime.sequencer import Sequencer
from realtime.tallies import Tallies
from tests.availability.other import BridgeProcess, Other, other_system
from tests.conftest import database_url
from tests.support.servers import RabbitMQ, rabbitmq

StartBridge = Callable[[], BridgeProcess]


@pytest.fixture(scope="module")
def broker() -> Iterator[RabbitMQ]:
    """A RabbitMQ server of this file's own."""
    with rabbitmq() as server:
        yield server


@pytest.fixture
def other(broker: RabbitMQ) -> Iterator[Other]:
    """Another system at the broker, which is empty."""
    with other_system(broker.url) as system:
        yield system


@pytest.fixture
def numbering(transactional_db: None) -> Iterator[None]:
    """Events get their positions, as a server process does it."""
    with numbering_events():
        yield


@contextmanager
def numbering_events() -> Iterator[None]:
    """Number events while the block lasts."""
    log.ensure_head()
    sequencer = Sequencer(
        deliver=lambda _: None,
        heard=lambda _: None,
        at_rest=threading.Event(),
        others=False,
        tallies=Tallies(),
    )
    sequencer.start()
    try:
        yield
    finally:
        sequencer.stop()


@pytest.fixture
def bridge(broker: RabbitMQ, other: Other, numbering: None) -> Iterator[None]:
    """The bridge, in threads of this process."""
    stop = threading.Event()
    thread = threading.Thread(target=run_bridge, args=(broker.url, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def start_bridge(
    broker: RabbitMQ, other: Other, numbering: None, tmp_path: Path
) -> Iterator[StartBridge]:
    """Start bridges, each in a process of its own."""
    with ExitStack() as running:

        def start() -> BridgeProcess:
            process = BridgeProcess(tmp_path, amqp_url=broker.url, database_url=database_url())
            running.callback(process.kill)
            return process

        yield start
