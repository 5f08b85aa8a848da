"""Replay then live: how a stream gets to where the hub is, when it opens and whenever it falls
behind.

A replay is written page by page, each when the socket took the one before. When little is missing,
the connection is registered at the hub, what comes is held back, and the log is read to a head that
is newer than that. So there is no gap between the two, and nothing comes twice.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from django.db import DatabaseError

from realtime import pages
from realtime.channels import Channel
from realtime.connection import Connection, Frame
from realtime.database import DatabaseThreads
from realtime.hub import Hub
from realtime.listeners import Listener
from realtime.log import LogEntry
from realtime.messages import Connected, Reset, ResetReason
from realtime.rights import (
    Look,
    Part,
    Survey,
    Wanted,
    audible_to,
    keep_rights,
    login_audience_of,
    may_hear,
    survey_from,
    welcome,
)
from realtime.tallies import Tallies
from realtime.together import Together
from realtime.wheel import HEARTBEAT_SECONDS, Wheel

logger = logging.getLogger(__name__)

Write = Callable[[Sequence[Frame]], Awaitable[None]]


class Replay:
    """Serves one connection, in the task that calls."""

    __slots__ = (
        "_connection", "_hub", "_looks", "_owed", "_parts", "_pool", "_tallies", "_wheel", "_write",
    )  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        write: Write,
        *,
        hub: Hub,
        pool: DatabaseThreads,
        looks: Together[Listener, Look],
        parts: Together[Wanted, Part],
        wheel: Wheel,
        tallies: Tallies,
    ) -> None:
        self._connection = connection
        self._write = write
        self._hub = hub
        self._pool = pool
        self._looks = looks
        self._parts = parts
        self._wheel = wheel
        self._tallies = tallies
        # Whose present states the client still waits for.
        self._owed: tuple[Channel, ...] = tuple(connection.channels.values())

    async def open(self, cursor: int | None) -> None:
        """Greet the client, send what it missed and the states of the channels it asked for.

        Afterwards the connection is live and pump() must be called at once.
        """
        connection = self._connection
        connection.task = asyncio.current_task()
        # Until it is live it hears of the end of its login alone; its heartbeats say how far the
        # replay has come.
        self._hub.listen(connection, login_audience_of(connection.listener))
        await self._get_level(partial(self._start, cursor))

    async def pump(self) -> None:
        """Write what happens, all that waits in one call, until the stream has ended. Who fell
        behind is brought level again from the log, at the pace of its reader."""
        connection = self._connection
        connection.task = asyncio.current_task()
        while True:
            frames = await connection.take()
            if frames:
                await self._send(frames)
                del frames  # or they would live until the next ones come
            elif connection.ended:
                return
            else:
                await self._go_on()

    async def _go_on(self) -> None:
        """Bring a connection level that fell behind: from memory, if it may, else from the log."""
        self._tallies.fell_behind += 1
        connection = self._connection
        if connection.holds or not self._hub.bring_level(connection):
            await self._get_level(self._catch_up)

    async def _get_level(self, catch_up: Callable[[], Awaitable[Survey | None]]) -> None:
        connection = self._connection
        async with connection.changing:
            connection.hold(connection.sent)
            try:
                found = await catch_up()
                if found is not None:
                    self._go_live(found)
            except DatabaseError as error:
                logger.error("A stream could not catch up: %s", error)
                connection.end("restart")
            finally:
                connection.release()

    async def _start(self, cursor: int | None) -> Survey | None:
        connection = self._connection
        if cursor is not None:
            connection.sent = cursor
            self._greet()
            return await self._catch_up()
        found = await self._join()
        connection.sent = found.head
        self._greet()
        return found

    async def _catch_up(self) -> Survey | None:
        """Send what the client missed; afterwards the connection is registered. None for one that
        has ended."""
        connection = self._connection
        while not connection.ended:
            if self._recent(connection.listener, self._hub.last) is not None:
                found = await self._join()
                if self._replay_recent(found):
                    return found
                connection.fall_behind(connection.sent)
            await self._flush()
            part = await self._read_on()
            if connection.sent == part.head:
                return await self._close_the_gap()
        return None

    async def _close_the_gap(self) -> Survey | None:
        """Few are missing now: register, then read up to a head that is newer than that, and not
        beyond: the states that were read with it may lack what came later."""
        connection = self._connection
        await self._flush()
        found = await self._join()
        while connection.sent < found.head and not connection.ended:
            part = await self._read_on(until=found.head)
            if part.lost:
                return await self._catch_up()
            await self._flush()
        return found

    async def _join(self) -> Survey:
        """Register at the hub, events still held back, then read the state of things."""
        connection = self._connection
        self._hub.listen(connection, audible_to(connection.listener, connection.channels))
        connection.behind = False
        looked = await self._looks.ask(connection.listener)
        channels = tuple(connection.channels.values())
        if not channels:
            return survey_from(looked, ())
        return await self._pool.run(survey_from, looked, channels, states_of=self._owed)

    # --- from the log and from memory -------------------------------------------------------

    async def _read_on(self, until: int | None = None) -> Part:
        """Queue one more page of the log, for the login as it is now, or a reset."""
        connection = self._connection
        channels = tuple(connection.channels.values())
        after = connection.sent
        part = await self._parts.ask(
            Wanted(connection.listener, frozenset(connection.channels), after, until)
        )
        if channels and part.listener is not None:
            # Asked after the page was read, as the login.
            allowed = await self._pool.run(may_hear, part.listener, channels)
            part = replace(part, allowed=allowed)
        if keep_rights(connection, part):
            if part.lost:
                self._reset("cursor-unknown" if after > part.head else "cursor-too-old", part.head)
            else:
                replayed = connection.replay(part.page.entries, part.page.until)
                self._tallies.replayed += replayed
        # Not before: nothing comes between the greeting and a reset.
        self._wheel.add(connection)
        return part

    def _recent(self, listener: Listener, until: int) -> list[LogEntry] | None:
        """What the client missed, if the hub has all of it in memory and it is little."""
        connection = self._connection
        if connection.sent > until:
            return None
        audible = audible_to(listener, connection.channels)
        missed = self._hub.recent_for(audible, connection.sent, until)
        # At most a page: it waits in the queue together with what comes until the stream is live,
        # and both count as what the reader has not taken.
        if missed is None or len(missed) > pages.REPLAY_PAGE:
            return None
        return missed if sum(len(entry.text) for entry in missed) <= pages.PAGE_BYTES else None

    def _replay_recent(self, found: Survey) -> bool:
        """Queue what the client missed from memory; whether that could be done. It goes as far as
        the states that were read; what came later was held back meanwhile, and follows."""
        if found.listener is None or not found.allowed:
            return True  # nothing is sent any more
        until = min(found.head, self._hub.last)
        missed = self._recent(found.listener, until)
        if missed is None:
            return False
        self._tallies.replayed += self._connection.replay(missed, until)
        return True

    async def _flush(self) -> None:
        """Write what is queued and wait for the socket to take it: a replay's back-pressure."""
        while self._connection.waiting:
            await self._send(await self._connection.take())

    async def _send(self, frames: Sequence[Frame]) -> None:
        connection = self._connection
        # What is queued from here on is not in these frames.
        timed = None
        if not connection.waiting:
            timed, connection.timed = connection.timed, None
        connection.writing_since = asyncio.get_running_loop().time()
        try:
            await self._write(frames)
        finally:
            connection.writing_since = None
        if timed is not None:
            self._tallies.latencies.observe(time.time() - timed)

    # --- what the client is told ------------------------------------------------------------

    def _greet(self) -> None:
        connection = self._connection
        own = connection.listener.audiences
        message = Connected(
            client_id=connection.client_id,
            message="Connected to the event stream.",
            channels=[*own, *(name for name in connection.channels if name not in own)],
            heartbeat=HEARTBEAT_SECONDS,
        )
        connection.say(message, connection.sent)

    def _reset(self, reason: ResetReason, head: int) -> None:
        self._connection.sent = head
        self._connection.say(Reset(reason=reason), head)

    def _go_live(self, found: Survey) -> None:
        connection = self._connection
        if not keep_rights(connection, found):
            return
        self._hub.listen_anew(connection, audible_to(connection.listener, connection.channels))
        for name in found.states:
            welcome(connection, name, found, position=connection.sent)
        self._owed = ()
        self._wheel.add(connection)
