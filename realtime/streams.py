"""All streams of one event loop: admitting, draining, forgetting them, and the books about them.

A transport parses a request, calls admit(), has replay() write what there is to send, and calls
leave() when it is over.
"""

import asyncio
import json
import logging
import random
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from realtime import ephemeral, log, roll_call
from realtime.channels import Channel
from realtime.clock import Clock
from realtime.connection import Connection
from realtime.control import ROLL_CALLED, STREAM_ENDED
from realtime.database import DatabaseThreads
from realtime.hearing import Hearing
from realtime.hub import Hub
from realtime.limits import StreamCounts, TooManyStreams, decrease, forget_dead_leases
from realtime.listeners import NOBODY, Credentials, Listener, NotLoggedIn, authenticator
from realtime.log import LogEntry
from realtime.notifications.retention import Retention
from realtime.presence import Register, places_of
from realtime.pulses import Pulses
from realtime.replay import Replay, Write
from realtime.rights import (
    Look,
    Part,
    Refused,
    StreamRequest,
    Wanted,
    admitted,
    channels_of,
    log_in,
    look,
    may_hear,
    read_parts,
)
from realtime.tallies import RecentWindow, Tallies
from realtime.together import Together
from realtime.wheel import Wheel

logger = logging.getLogger(__name__)

# Between two `closing`, when there are few streams: a small server stops at once.
DRAIN_PAUSE_SECONDS = 0.005
# How often each process looks whether the log is longer than it need be.
TIDY_SECONDS = 60


class Streams:
    """The streams over one hub. hearing: what they may hear while they are open."""

    def __init__(self, pool: DatabaseThreads) -> None:
        self.tallies = Tallies()
        self._recent = RecentWindow()
        self.hub = Hub(control=self._control, tallies=self.tallies)
        self.counts = StreamCounts()
        self._presence = Register(self.counts.process)
        self.draining = False
        self._pool = pool
        self._logins: Together[Credentials, Listener | NotLoggedIn] = Together(
            pool, lambda many: authenticator().log_in(many)
        )
        self._looks: Together[Listener, Look] = Together(pool, look)
        self._parts: Together[Wanted, Part] = Together(pool, read_parts)
        self._wheel = Wheel()
        self._clock = Clock(self.hub, self._wheel, self.tallies)
        self._pulses = Pulses(self.hub, pool)
        self._checking: Counter[str] = Counter()  # anonymous requests in hand, by address
        self._books = DatabaseThreads(size=1, name="books")
        # Its own, since processes wait for each other there: no lease and no right may.
        self._presence_thread = DatabaseThreads(size=1, name="presence")
        self._notifications = Retention()
        self._chores: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.hearing = Hearing(
            self.hub,
            pool=pool,
            books=self._books,
            wheel=self._wheel,
            start_chore=self._start_chore,
        )

    async def start(self) -> None:
        """Start the hub and the clock."""
        await self.hub.start()
        await self._renew_lease()
        self._tasks = [
            asyncio.create_task(self._clock.run(), name="stream-clock"),
            asyncio.create_task(self._keep_books(), name="stream-books"),
            asyncio.create_task(self._keep_presence(), name="stream-presence"),
            asyncio.create_task(self._pulses.run(), name="stream-pulses"),
        ]

    async def stop(self) -> None:
        """Stop the clock and the hub; streams that are still open are ended."""
        for connection in tuple(self.hub.connections):
            connection.end("restart")
        tasks = [*self._chores, *self._tasks]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._give_back()
        await self._presence_thread.close()
        await self._books.close()
        await self.hub.stop()

    async def _give_back(self) -> None:
        try:
            await self._presence_thread.run(self._presence.leave)
        except DatabaseError as error:
            logger.warning("Who was here was not taken back, it ends with the lease: %s", error)
        try:
            await self._books.run(self.counts.end_lease)
        except DatabaseError as error:
            logger.warning("The lease could not be given back, it dies by itself: %s", error)

    async def drain(self, seconds: float) -> None:
        """Refuse new streams and end the open ones, spread evenly over at most that time."""
        self.draining = True
        connections = list(self.hub.connections)
        random.shuffle(connections)
        pause = min(seconds / max(len(connections), 1), DRAIN_PAUSE_SECONDS)
        began = time.monotonic()
        for number, connection in enumerate(connections):
            ahead = number * pause - (time.monotonic() - began)
            if ahead > 0.005:
                await asyncio.sleep(ahead)
            connection.end("restart")

    # --- one stream -------------------------------------------------------------------------

    async def admit(self, request: StreamRequest) -> Connection:
        """A connection for the request, counted and not listening yet; raises Refused.

        Whoever gets one must call leave() when the stream is over.
        """
        self._refuse_while_draining()
        listener, channels = await self._check(request)
        # Asked again when nothing is waited for any more: drain() ends what it sees.
        self._refuse_while_draining()
        connection = Connection(
            listener=listener,
            transport=request.transport,
            address=request.address,
            opened_at=time.time(),
        )
        connection.channels = {channel.name: channel for channel in channels}
        try:
            self.counts.enter(connection)
        except TooManyStreams as error:
            raise Refused("too-many") from error
        self.hub.add(connection)
        logger.info(
            "Stream opened: user %s, %s, cursor %s, %d open.",
            listener.user_id,
            request.transport,
            request.cursor,
            len(self.hub.connections),
        )
        return connection

    def _refuse_while_draining(self) -> None:
        if self.draining:
            raise Refused("restart")

    async def _check(self, request: StreamRequest) -> tuple[Listener, list[Channel]]:
        address = request.address
        if not request.credentials.given:
            # Counted before there is any work: nobody may fill the pool without a login.
            open_already = self._checking[address] + self.counts.by_address[address]
            if open_already >= settings.STREAMS_PER_ADDRESS:
                raise Refused("too-many")
            self._checking[address] += 1
        try:
            return await self._look_up(request)
        except DatabaseError as error:
            logger.error("A stream was refused: %s", error)
            raise Refused("unavailable") from error
        finally:
            if not request.credentials.given:
                decrease(self._checking, address)

    async def _look_up(self, request: StreamRequest) -> tuple[Listener, list[Channel]]:
        listener = NOBODY
        if request.credentials.given:
            listener = await self._log_in(request.credentials)
        channels = channels_of(request, listener)
        if channels and not await self._pool.run(may_hear, listener, channels):
            raise Refused("forbidden")
        return listener, channels

    async def _log_in(self, credentials: Credentials) -> Listener:
        if authenticator().only_reads(credentials):
            return admitted(await self._logins.ask(credentials))
        # What writes may wait for a lock, and cannot be asked again: for nobody but itself.
        return await self._pool.run(log_in, credentials)

    def replay(self, connection: Connection, write: Write) -> Replay:
        """What serves a connection that admit() made; write hands frames to its socket."""
        return Replay(
            connection,
            write,
            hub=self.hub,
            pool=self._pool,
            looks=self._looks,
            parts=self._parts,
            wheel=self._wheel,
            tallies=self.tallies,
        )

    def leave(self, connection: Connection) -> None:
        """Forget a connection that admit() made; idempotent."""
        if connection not in self.hub.connections:
            return
        connection.leave()
        self.tallies.delivered += connection.delivered
        self.hub.remove(connection)
        self._wheel.remove(connection)
        self.counts.leave(connection)
        logger.info(
            "Stream closed: user %s, %s, %s, %d events in %.1f s, %d open.",
            connection.listener.user_id,
            connection.transport,
            connection.closed_because or "left",
            connection.delivered,
            time.time() - connection.opened_at,
            len(self.hub.connections),
        )

    # --- what happens beside them -----------------------------------------------------------

    def _control(self, row: LogEntry, concerned: Sequence[Connection]) -> None:
        if row.type == ROLL_CALLED:
            self._start_chore(self._answer(row))
        elif row.type == STREAM_ENDED:
            self._end_one(json.loads(row.payload)["clientId"])
        else:
            for connection in concerned:
                self.hearing.apply_row(row.type, connection)

    async def _answer(self, row: LogEntry) -> None:
        try:
            answer = roll_call.report(
                process=self.counts.process,
                payload=row.payload,
                connections=tuple(self.hub.connections),
                last=self.hub.last,
            )
            await self._books.run(answer.save)
        except Exception:
            logger.exception("A roll call could not be answered.")

    def _end_one(self, client_id: str) -> None:
        for connection in tuple(self.hub.connections):
            if connection.client_id == client_id:
                connection.end("forbidden")

    def _start_chore(self, work: Coroutine[Any, Any, None]) -> None:
        chore = asyncio.create_task(work)
        self._chores.add(chore)  # or it could be collected while it runs
        chore.add_done_callback(self._chores.discard)

    async def _keep_books(self) -> None:
        """Renew this process's lease each second, and now and then put the tables in order."""
        seconds = 0
        while True:
            await asyncio.sleep(1)
            seconds += 1
            try:
                await self._renew_lease()
            except Exception:
                logger.exception("The lease could not be renewed; the next second tries again.")
            if seconds % TIDY_SECONDS == 0:
                self._start_chore(self._tidy())

    async def _renew_lease(self) -> None:
        tallies = self.tallies
        recent = self._recent.look(numbered=tallies.numbered, latencies=tallies.latencies.counts)
        await self._books.run(
            self.counts.renew_lease,
            position=self.hub.last,
            tallies=tallies.as_dict(),
            recent=recent.as_json(),
        )

    async def _keep_presence(self) -> None:
        """Write each second who is here, and tell of those who came or went."""
        while True:
            try:
                present = places_of(self.hub.connections)
                await self._presence_thread.run(self._presence.keep, present)
            except Exception:
                logger.exception("Who is here was not written; the next second tries again.")
            await asyncio.sleep(1)

    async def _tidy(self) -> None:
        try:
            await self._pool.run(forget_dead_leases)
            await self._pool.run(ephemeral.forget_old)
            await self._pool.run(roll_call.forget_reports)
            await self._pool.run(log.trim_by_settings)
            await self._pool.run(self._notifications.tidy)
        except Exception:
            logger.exception("The tables could not be put in order; the next minute tries again.")
