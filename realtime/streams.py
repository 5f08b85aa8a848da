"""Opening, serving and ending streams: what both transports do, over one hub for each event loop.

Transports parse a request, call admit() and serve(), and write what they are given.
"""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from django.conf import settings
from django.db import DatabaseError

from realtime import log
from realtime.channels import Channel, UnknownChannel, parse_channel
from realtime.connection import Connection, Frame, Transport
from realtime.control import login_audience, user_audience
from realtime.database import DatabaseThreads
from realtime.events import Message, iso_milliseconds
from realtime.frames import numbered, ping_text, sse_frame
from realtime.hub import Hub
from realtime.limits import StreamCounts, TooManyStreams, decrease, forget_dead_leases
from realtime.listeners import Credentials, Listener, NotLoggedIn, authenticator
from realtime.messages import (
    Closing,
    ClosingReason,
    Connected,
    Heartbeat,
    Reset,
    ResetReason,
    Subscribed,
    TokenExpiring,
)
from realtime.wheel import HEARTBEAT_SECONDS, Wheel

logger = logging.getLogger(__name__)

Write = Callable[[Sequence[Frame]], Awaitable[None]]
RefusalCode = Literal[
    "not-logged-in", "forbidden", "unknown-channel", "too-many", "restart", "unavailable"
]

MAX_CHANNELS = 128
RETRY_MILLISECONDS = 3000
# Clients that were told to come back do so at different moments.
COME_BACK_MILLISECONDS = 500
JITTER_MILLISECONDS = 2000
# Between two `closing`, when there are few streams: a small server stops at once.
DRAIN_PAUSE_SECONDS = 0.005
# How often each process looks whether the log is longer than it need be.
TIDY_SECONDS = 60
# So long a slow reader's socket may take to end cleanly; then its task is cancelled.
ABORT_SECONDS = 1.0


def jittered(milliseconds: int) -> int:
    """A pause of at least so long, another one for each client."""
    return milliseconds + random.randint(0, JITTER_MILLISECONDS)  # noqa: S311 no secret


class Refused(Exception):
    """A stream, or a channel of one, is not to be had: the code says why."""

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code)
        self.code: RefusalCode = code


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What a client asks for when it opens a stream. cursor: the last position that it has seen."""

    credentials: Credentials
    transport: Transport
    address: str
    cursor: int | None = None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Survey:
    """The state of things for one connection, read after it was registered at the hub."""

    head: int
    listener: Listener | None  # as it is now; None when its login ended
    states: dict[str, Any]  # of the channels that may (still) be heard, by name


@dataclass(frozen=True, slots=True)
class _Part:
    """One page of a replay, and the log and the login as they were then."""

    listener: Listener | None
    head: int
    lost: bool  # the log does not hold what follows the cursor (any more)
    page: log.Page


class Streams:
    """All streams of one event loop."""

    def __init__(self, pool: DatabaseThreads) -> None:
        self.hub = Hub(
            too_slow=lambda connection: self.end(connection, "too-slow"),
            login_ended=lambda connection: self.end(connection, "logged-out"),
            user_changed=self._recheck_soon,
            lost_stretch=self._reset_all,
        )
        self.counts = StreamCounts()
        self.draining = False
        self._pool = pool
        self._wheel = Wheel()
        self._checking: Counter[str] = Counter()  # anonymous requests in hand, by address
        self._books = DatabaseThreads(size=1, name="books")
        self._chores: set[asyncio.Task[None]] = set()
        self._clocks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the hub and the clock."""
        await self.hub.start()
        await self._books.run(self.counts.renew_lease)
        self._clocks = [
            asyncio.create_task(self._run_clock(), name="stream-clock"),
            asyncio.create_task(self._keep_books(), name="stream-books"),
        ]

    async def stop(self) -> None:
        """Stop the clock and the hub; streams that are still open are ended."""
        for connection in tuple(self.hub.connections):
            self.end(connection, "restart")
        tasks = [*self._chores, *self._clocks]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        try:
            await self._books.run(self.counts.end_lease)
        except DatabaseError as error:
            logger.warning("The lease could not be given back, it dies by itself: %s", error)
        await self._books.close()
        await self.hub.stop()

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
            self.end(connection, "restart")

    # --- opening ----------------------------------------------------------------------------

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
            return await self._pool.run(_check_request, request)
        except DatabaseError as error:
            logger.error("A stream was refused: %s", error)
            raise Refused("unavailable") from error
        finally:
            if not request.credentials.given:
                decrease(self._checking, address)

    def leave(self, connection: Connection) -> None:
        """Forget a connection that admit() made; idempotent."""
        if connection not in self.hub.connections:
            return
        connection.end(None)
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

    # --- catching up ------------------------------------------------------------------------

    async def catch_up(self, connection: Connection, cursor: int | None, write: Write) -> None:
        """Greet the client, send what it missed and the states of the channels it asked for.

        Afterwards the connection is live and pump() must be called at once. A replay is written
        page by page, each when the socket took the one before.
        """
        connection.task = asyncio.current_task()
        # Until it is live it hears of the end of its login alone; its heartbeats say how far the
        # replay has come.
        connection.hold()
        self.hub.listen(connection, _login_audience_of(connection.listener))
        try:
            async with connection.changing:
                await self._catch_up(connection, cursor, write)
        except DatabaseError as error:
            logger.error("A stream could not catch up: %s", error)
            self.end(connection, "restart")

    async def _catch_up(self, connection: Connection, cursor: int | None, write: Write) -> None:
        if cursor is None:
            survey = await self._listen_and_survey(connection)
            connection.sent = survey.head
            self._greet(connection)
        else:
            connection.sent = cursor
            self._greet(connection)
            survey = await self._replay(connection, write)
        self._go_live(connection, survey)

    async def pump(self, connection: Connection, write: Write) -> None:
        """Write what happens, all that waits in one call, until the stream has ended."""
        connection.task = asyncio.current_task()
        while frames := await connection.take():
            await write(frames)

    async def _replay(self, connection: Connection, write: Write) -> _Survey:
        """Send what the client missed; afterwards the connection is registered and held."""
        while not connection.ended:
            if self._replay_from_memory(connection):
                return await self._listen_and_survey(connection)
            await self._flush(connection, write)
            part = await self._read_on(connection)
            if connection.sent == part.head:
                break
        # Few are missing now: register, then read up to a head that is newer than that, and not
        # beyond: the states that were read with it may lack what came later.
        await self._flush(connection, write)
        survey = await self._listen_and_survey(connection)
        while connection.sent < survey.head and not connection.ended:
            part = await self._read_on(connection, until=survey.head)
            if part.lost:
                return await self._listen_and_survey(connection)
            await self._flush(connection, write)
        return survey

    async def _read_on(self, connection: Connection, until: int | None = None) -> _Part:
        """Queue one more page of the log, for the login as it is now, or a reset."""
        channels = tuple(connection.channels)
        after = connection.sent
        part = await self._pool.run(_read_part, connection.listener, channels, after, until)
        if part.listener is None:
            self.end(connection, "logged-out")
        elif part.lost:
            reason: ResetReason = "cursor-unknown" if after > part.head else "cursor-too-old"
            self._reset(connection, reason, part.head)
        else:
            connection.listener = part.listener
            self._replay_page(connection, part.page)
        # Not before: nothing comes between the greeting and a reset.
        self._wheel.add(connection)
        return part

    def _replay_from_memory(self, connection: Connection) -> bool:
        """Queue what the client missed if the hub has it and it is little; whether that was so.

        Whoever does not await until the connection is registered leaves no gap between the two.
        """
        if self.hub.last < connection.sent:
            return False
        missed = self.hub.recent_for(self._audible(connection), connection.sent)
        # At most a page: it waits in the queue together with what comes until the stream is live,
        # and both count as what the reader has not taken.
        if missed is None or len(missed) > log.REPLAY_PAGE:
            return False
        if sum(len(entry.text) for entry in missed) > log.PAGE_BYTES:
            return False
        self._replay_page(connection, log.Page(missed, self.hub.last))
        return True

    def _replay_page(self, connection: Connection, page: log.Page) -> None:
        for entry in page.entries:
            if not entry.internal:
                connection.queue(connection.frame_of(entry))
                connection.delivered += 1
        connection.sent = max(connection.sent, page.until)

    async def _flush(self, connection: Connection, write: Write) -> None:
        """Write what is queued and wait for the socket to take it: a replay's back-pressure."""
        if connection.waiting:
            await write(await connection.take())

    async def _listen_and_survey(self, connection: Connection) -> _Survey:
        """Register at the hub, events still held back, then read the state of things."""
        self.hub.listen(connection, self._audible(connection))
        return await self._pool.run(
            _survey, connection.listener, tuple(connection.channels.values())
        )

    def _go_live(self, connection: Connection, survey: _Survey) -> None:
        if survey.listener is None:
            self.end(connection, "logged-out")
            return
        if len(survey.states) < len(connection.channels):
            self.end(connection, "forbidden")
            return
        connection.listener = survey.listener
        self.hub.listen(connection, self._audible(connection))
        for name, state in survey.states.items():
            self._say(connection, Subscribed(channel=name, position=connection.sent, state=state))
        self._wheel.add(connection)
        connection.release()

    # --- channels and logins of an open stream ----------------------------------------------

    async def subscribe(self, connection: Connection, name: str) -> None:
        """Have the connection hear one more channel; raises Refused.

        Events are held back meanwhile, so that those of the channel follow its present state and
        positions never go down.
        """
        try:
            channel = parse_channel(name)
        except UnknownChannel as error:
            raise Refused("unknown-channel") from error
        if name not in connection.channels and len(connection.channels) >= MAX_CHANNELS:
            raise Refused("forbidden")
        async with connection.changing:
            if not await self._pool.run(channel.may_be_heard_by, connection.listener):
                raise Refused("forbidden")
            self._hold(connection)
            try:
                await self._add_channel(connection, channel)
            finally:
                connection.release()

    async def _add_channel(self, connection: Connection, channel: Channel) -> None:
        connection.channels[channel.name] = channel
        self.hub.listen(connection, self._audible(connection))
        # The position comes before the state. What the connection was sent by replay may be ahead
        # of the hub, and events up to there are not delivered any more.
        position = max(self.hub.last, connection.sent)
        survey = await self._pool.run(_survey, connection.listener, (channel,))
        if channel.name not in survey.states:
            self._drop_channel(connection, channel.name)
            raise Refused("forbidden")
        state = survey.states[channel.name]
        self._say(connection, Subscribed(channel=channel.name, position=position, state=state))

    def unsubscribe(self, connection: Connection, name: str) -> None:
        """Have the connection no longer hear a channel that it asked for; raises Refused."""
        try:
            parse_channel(name)
        except UnknownChannel as error:
            raise Refused("unknown-channel") from error
        self._drop_channel(connection, name)

    def _drop_channel(self, connection: Connection, name: str) -> None:
        connection.channels.pop(name, None)
        self.hub.listen(connection, self._audible(connection))

    async def authenticate(self, connection: Connection, token: str) -> None:
        """Renew the login of an open stream; raises Refused for a bad one or another user's."""
        try:
            listener = await self._pool.run(
                authenticator().log_in, Credentials(authorization=f"Bearer {token}")
            )
        except NotLoggedIn as error:
            raise Refused("not-logged-in") from error
        if listener.user_id != connection.listener.user_id:
            raise Refused("forbidden")
        async with connection.changing:
            connection.listener = listener
            connection.warned = False
            self._wheel.watch(connection)
            self.hub.listen(connection, self._audible(connection))
        # It may have ended between the check and the registration.
        self._hold(connection)
        await self._recheck(connection)

    def _recheck_soon(self, connection: Connection) -> None:
        self._hold(connection)
        self._start_chore(self._recheck(connection))

    def _start_chore(self, work: Coroutine[Any, Any, None]) -> None:
        chore = asyncio.create_task(work)
        self._chores.add(chore)  # or it could be collected while it runs
        chore.add_done_callback(self._chores.discard)

    def _hold(self, connection: Connection) -> None:
        """Keep events back from the hub's position on."""
        if not connection.holds:
            # All up to here was handed out by what the listener might hear then.
            connection.sent = max(connection.sent, self.hub.last)
        connection.hold()

    async def _recheck(self, connection: Connection) -> None:
        """Ask again who the listener is and what it may hear; events are held back meanwhile."""
        try:
            async with connection.changing:
                channels = tuple(connection.channels.values())
                # Not in the pool: nobody may put off the end of a login by opening streams.
                survey = await self._books.run(_survey, connection.listener, channels)
                self._apply(connection, survey)
        except Exception:
            logger.exception("A login could not be checked again; its stream is ended.")
            self.end(connection, "restart")
        finally:
            connection.release()

    def _apply(self, connection: Connection, survey: _Survey) -> None:
        if connection.ended:
            return  # it may be gone: nothing may listen for it again
        if survey.listener is None:
            self.end(connection, "logged-out")
            return
        if len(survey.states) < len(connection.channels):
            self.end(connection, "forbidden")
            return
        connection.listener = survey.listener
        self.hub.listen(connection, self._audible(connection))
        # What was held back went by what the listener might hear before.
        since = self.hub.recent_for(connection.audiences, min(connection.sent, self.hub.last))
        if since is None:
            self.end(connection, "restart")  # it comes back with its cursor
        else:
            connection.hold_only(since)

    def _audible(self, connection: Connection) -> frozenset[str]:
        """All that the hub delivers to the connection, internal rows of its login included."""
        return _audible_to(connection.listener, connection.channels)

    # --- what the connection is told --------------------------------------------------------

    def end(self, connection: Connection, reason: ClosingReason) -> None:
        """Send `closing` as the last frame; the transport then ends the stream."""
        if connection.ended:
            return
        comes_back = reason in {"restart", "expired", "too-slow"}
        retry_after = jittered(COME_BACK_MILLISECONDS) if comes_back else None
        message = Closing(reason=reason, retry_after=retry_after)
        connection.end(reason, self._frame(connection.transport, message))
        if connection.task is not None:
            # A socket that takes nothing would keep the task in its write for ever.
            task = connection.task
            loop = asyncio.get_running_loop()
            loop.call_later(ABORT_SECONDS, lambda: task.done() or task.cancel())

    def _greet(self, connection: Connection) -> None:
        own = connection.listener.audiences
        message = Connected(
            client_id=connection.client_id,
            message="Connected to the event stream.",
            channels=[*own, *(name for name in connection.channels if name not in own)],
            heartbeat=HEARTBEAT_SECONDS,
        )
        self._say(connection, message, connection.sent)

    def _reset(self, connection: Connection, reason: ResetReason, head: int) -> None:
        connection.sent = head
        self._say(connection, Reset(reason=reason), head)

    def _reset_all(self) -> None:
        for connection in tuple(self.hub.connections):
            if connection.holds:
                self.end(connection, "restart")  # it comes back with its cursor
            elif connection.audiences:
                head = max(connection.sent, self.hub.last)
                self._reset(connection, "cursor-too-old", head)

    def _say(self, connection: Connection, message: Message, position: int | None = None) -> None:
        connection.queue(self._frame(connection.transport, message, position))

    @staticmethod
    def _frame(transport: Transport, message: Message, position: int | None = None) -> Frame:
        text = message.encode(datetime.now(UTC))
        if position is not None:
            text = numbered(text, position)
        if transport == "websocket":
            return text
        return sse_frame(event=message.type_name, data=text, position=position)

    # --- the clock --------------------------------------------------------------------------

    async def _run_clock(self) -> None:
        # Nothing but time is waited for here: a client that hears nothing for 45 s goes.
        tick = int(time.monotonic())
        while True:
            await asyncio.sleep(1 - time.monotonic() % 1)
            try:
                while tick < int(time.monotonic()):
                    tick += 1
                    self._beat(tick)
                self._look_at_logins()
            except Exception:
                logger.exception("The clock of the streams failed and goes on.")

    async def _keep_books(self) -> None:
        """Renew this process's lease each second, and now and then put the tables in order."""
        seconds = 0
        while True:
            await asyncio.sleep(1)
            seconds += 1
            try:
                await self._books.run(self.counts.renew_lease)
            except Exception:
                logger.exception("The lease could not be renewed; the next second tries again.")
            if seconds % TIDY_SECONDS == 0:
                self._start_chore(self._tidy())

    async def _tidy(self) -> None:
        try:
            await self._pool.run(forget_dead_leases)
            await self._pool.run(log.trim_by_settings)
        except Exception:
            logger.exception("The tables could not be put in order; the next minute tries again.")

    def _beat(self, tick: int) -> None:
        frames: dict[tuple[Transport, int], Frame] = {}
        for connection in self._wheel.beating(tick):
            if not connection.holds:
                # Everything up to the hub's position is in the queue, so this one may stand at
                # its tail and move the cursor of a quiet client on.
                connection.sent = max(connection.sent, self.hub.last)
            key = (connection.transport, connection.sent)
            if key not in frames:
                frames[key] = _heartbeat(*key)
            if not connection.ended and not connection.queue(frames[key]):
                self.end(connection, "too-slow")

    def _look_at_logins(self) -> None:
        for connection in self._wheel.due(time.time()):
            expires_at = connection.listener.expires_at
            if expires_at is None:
                continue
            if expires_at <= time.time():
                self.end(connection, "expired")
                continue
            connection.warned = True
            moment = iso_milliseconds(datetime.fromtimestamp(expires_at, UTC))
            self._say(connection, TokenExpiring(expires_at=moment))
            self._wheel.watch(connection)


def _heartbeat(transport: Transport, position: int) -> Frame:
    now = datetime.now(UTC)
    if transport == "websocket":
        return ping_text(iso_milliseconds(now), position)
    return sse_frame(
        event=Heartbeat.type_name,
        data=numbered(Heartbeat().encode(now), position),
        position=position,
    )


def _check_request(request: StreamRequest) -> tuple[Listener, list[Channel]]:
    """Who asks, and for what; raises Refused."""
    if len(request.channels) > MAX_CHANNELS:
        raise Refused("forbidden")
    try:
        listener = authenticator().log_in(request.credentials)
    except NotLoggedIn as error:
        raise Refused("not-logged-in") from error
    try:
        channels = [parse_channel(name) for name in dict.fromkeys(request.channels)]
    except UnknownChannel as error:
        raise Refused("unknown-channel") from error
    if listener.user_id is None and not (channels and all(c.kind.public for c in channels)):
        raise Refused("not-logged-in")
    if not all(c.may_be_heard_by(listener) for c in channels):
        raise Refused("forbidden")
    return listener, channels


def _login_audience_of(listener: Listener) -> tuple[str, ...]:
    return () if listener.login_id is None else (login_audience(listener.login_id),)


def _audible_to(listener: Listener, channels: Iterable[str]) -> frozenset[str]:
    names = {*listener.audiences, *channels, *_login_audience_of(listener)}
    if listener.user_id is not None:
        names.add(user_audience(listener.user_id))
    return frozenset(names)


def _read_part(
    listener: Listener, channels: tuple[str, ...], after: int, until: int | None
) -> _Part:
    """The next part of a replay, for the listener as it is now. A long one may outlast a login."""
    now = authenticator().still_valid(listener)
    head, _ = log.read_head()
    audiences = _audible_to(now or listener, channels)
    page = log.read_page(audiences, after=after, until=head if until is None else until)
    # Read after the page, so that a trim between the two shows.
    floor = log.read_head()[1]
    return _Part(listener=now, head=head, lost=not floor <= after <= head, page=page)


def _survey(listener: Listener, channels: Sequence[Channel]) -> _Survey:
    head = log.head_position()
    now = authenticator().still_valid(listener)
    states = {}
    if now is not None:
        states = {c.name: c.state_for(now) for c in channels if c.may_be_heard_by(now)}
    return _Survey(head=head, listener=now, states=states)
