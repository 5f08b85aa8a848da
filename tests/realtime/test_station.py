"""What one event loop runs, and a start that fails."""

import asyncio
import threading

import pytest
from django.db import DatabaseError

from realtime import station as stations
from realtime.database import DatabaseThreads
from realtime.limits import StreamCounts
from realtime.models import ProcessLease


def own_tasks() -> set[str]:
    names = {task.get_name() for task in asyncio.all_tasks()}
    streams = {"stream-clock", "stream-books", "stream-presence"}
    return names & {"hub", *streams, "relay-send", "relay-receive"}


def own_threads() -> list[str]:
    own = ("streams", "hub", "books", "presence", "sequencer")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(own)]


async def test_it_leaves_nothing_of_a_start_that_failed(
    threads: DatabaseThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: StreamCounts, **_: object) -> None:
        raise DatabaseError("no lease today")

    with monkeypatch.context() as broken:
        broken.setattr(StreamCounts, "renew_lease", fail)
        for _ in range(3):
            with pytest.raises(DatabaseError):
                await stations.station()
    assert own_tasks() == set()
    assert own_threads() == []
    assert stations.running_station() is None
    # The next request is served.
    started = await stations.station()
    assert stations.running_station() is started
    await stations.stop_station()


async def test_it_starts_once_for_all_who_ask_even_if_the_first_goes(
    threads: DatabaseThreads,
) -> None:
    first, second = asyncio.create_task(stations.station()), asyncio.create_task(stations.station())
    await asyncio.sleep(0)
    first.cancel()
    started = await second
    assert stations.running_stations() == [started]
    await stations.stop_station()
    assert own_tasks() == set()
    assert not await threads.run(ProcessLease.objects.exists)
