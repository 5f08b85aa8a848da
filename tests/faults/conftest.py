"""Servers on the test's own database, as for the tests of streams, and a Redis that is killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.services import Service, redis_in
from tests.streams.conftest import *  # noqa: F403


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Service]:
    """A Redis server that may be killed, frozen and started again."""
    service, _ = redis_in(tmp_path)
    service.start()
    yield service
    if service.runs:
        service.kill()
