"""What one server process runs for the event path: sequencer, hub, streams and relay together.

There is one station for each running event loop. The ASGI lifespan starts it; on a server without
a lifespan (daphne) the first request does.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from django.conf import settings

from realtime.database import DatabaseThreads
from realtime.ephemeral import Ephemeral, Finder, register_outlet, unregister_outlet
from realtime.log import LogEntry
from realtime.relay import Relay
from realtime.sequencer import Sequencer
from realtime.streams import Streams

# Logins, permissions and replays of all streams share these threads.
POOL_SIZE = 4
ANSWER_SECONDS = 5.0

T = TypeVar("T")


class Station:
    """The event path of one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pool = DatabaseThreads(size=POOL_SIZE, name="streams")
        self.streams = Streams(self._pool)
        tallies = self.streams.tallies
        self._sequencer = Sequencer(
            deliver=self._numbered,
            heard=self._looked,
            at_rest=self.streams.hub.at_rest,
            others=bool(settings.REDIS_URL),
            tallies=tallies,
        )
        self._finder = Finder()
        self._relay = (
            Relay(
                feed=self.streams.hub.feed,
                heard=self.streams.hub.heard,
                tell=self.streams.hub.tell,
                wake=self._sequencer.wake,
                tallies=tallies,
            )
            if settings.REDIS_URL
            else None
        )

    async def start(self) -> None:
        """Start everything; the hub first, so that nothing is numbered past it."""
        await self.streams.start()
        if self._relay is not None:
            self._relay.start()
        self._sequencer.start()
        register_outlet(self._told)

    def ask(self, question: Callable[[], T]) -> T:
        """The answer as the loop gives it, between two of its steps; for another thread.

        Raises TimeoutError where the loop is busy for seconds.
        """

        async def answer() -> T:
            return question()

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(ANSWER_SECONDS)

    async def stop(self) -> None:
        """Stop everything that was started; open streams are ended."""
        unregister_outlet(self._told)
        await self._loop.run_in_executor(None, self._sequencer.stop)
        if self._relay is not None:
            await self._relay.stop()
        await self.streams.stop()
        await self._pool.close()

    # These are called in the sequencer's thread, _told in whichever publishes.

    def _numbered(self, entries: list[LogEntry]) -> None:
        self._loop.call_soon_threadsafe(self._hand_over, entries)

    def _looked(self, position: int) -> None:
        self._loop.call_soon_threadsafe(self._compare, position)
        if self._relay is None:
            for ephemeral in self._finder.find():
                self._loop.call_soon_threadsafe(self.streams.hub.tell, ephemeral)

    def _told(self, ephemeral: Ephemeral) -> None:
        self._loop.call_soon_threadsafe(self._hand_over_moment, ephemeral)

    # And these in the loop.

    def _hand_over_moment(self, ephemeral: Ephemeral) -> None:
        self.streams.hub.tell(ephemeral)
        if self._relay is not None:
            self._relay.pass_on_moment(ephemeral)

    def _hand_over(self, entries: list[LogEntry]) -> None:
        self.streams.hub.feed(entries)
        if self._relay is not None:
            self._relay.pass_on(entries)

    def _compare(self, position: int) -> None:
        is_news = self.streams.hub.heard(position)
        if is_news and self._relay is not None:
            self._relay.missed_news()


_stations: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Station]] = WeakKeyDictionary()


async def station() -> Station:
    """The running event loop's station, started if need be."""
    running = running_station()
    if running is not None:
        return running
    loop = asyncio.get_running_loop()
    starting = _stations.get(loop)
    if starting is None:
        # A task of its own: the request that asked first may be cancelled, others wait for it too.
        starting = _stations[loop] = loop.create_task(_start(), name="station-start")
    return await asyncio.shield(starting)


async def _start() -> Station:
    new = Station()
    try:
        await new.start()
    except BaseException:
        # The next request tries again, with a station of its own.
        del _stations[asyncio.get_running_loop()]
        await new.stop()
        raise
    return new


def running_station() -> Station | None:
    """The running event loop's station, None where it was not started (yet)."""
    starting = _stations.get(asyncio.get_running_loop())
    if starting is None or not starting.done() or starting.exception() is not None:
        return None
    return starting.result()


def running_stations() -> list[Station]:
    """All of this process: one, except in tests. Callable from any thread."""
    return [
        starting.result()
        for starting in list(_stations.values())
        if starting.done() and not starting.cancelled() and starting.exception() is None
    ]


async def stop_station() -> None:
    """Stop the running event loop's station, if it has one."""
    starting = _stations.pop(asyncio.get_running_loop(), None)
    if starting is not None:
        await (await starting).stop()
