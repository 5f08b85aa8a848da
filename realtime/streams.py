"""Opening, serving and ending streams: what both transports do, over one hub for each event loop.

Transports parse a request, call admit() and serve(), and write what they are given.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from realtime import log
from realtime.channels import Channel, UnknownChannel, parse_channel
from realtime.connection import Connection, Frame, Transport
from realtime.control import login_audience, user_audience
from realtime.database import DatabaseThreads
from realtime.events import Message, iso_milliseconds
from realtime.frames import numbered, ping_text, sse_frame
from realtime.hub import Hub
from realtime.limits import StreamCounts, TooManyStreams
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
RefusalCode = Literal["not-logged-in", "forbidden", "unknown-channel", "too-many", "restart"]

MAX_CHANNELS = 128
RETRY_MILLISECONDS = 3000
# Clients that were told to come back do so at different moments.
COME_BACK_MILLISECONDS = 500
JITTER_MILLISECONDS = 2000
# Between two `closing`, when there are few streams: a small server stops at once.
DRAIN_PAUSE_SECONDS = 0.005
# How often, in seconds, each process looks whether the log is longer than it need be.
RETENTION_TICKS = 60
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
        self._chores: set[asyncio.Task[None]] = set()
        self._clock: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the hub and the clock."""
        await self.hub.start()
        await self._pool.run(self.counts.renew_lease)
        self._clock = asyncio.create_task(self._run_clock(), name="stream-clock")

    async def stop(self) -> None:
        """Stop the clock and the hub; streams that are still open are ended."""
        for connection in tuple(self.hub.connections):
            self.end(connection, "restart")
        chores = [*self._chores, *([self._clock] if self._clock else [])]
        for chore in chores:
            chore.cancel()
        if chores:
            await asyncio.wait(chores)
        await self._pool.run(self.counts.end_lease)
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
        if self.draining:
            raise Refused("restart")
        listener, channels = await self._pool.run(_check_request, request)
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
        if cursor is None:
            survey = await self._listen_and_survey(connection)
            connection.sent = survey.head
            self._greet(connection)
        else:
            connection.sent = cursor
            self._greet(connection)
            survey = await self._replay(connection, write)
        self._go_live(connection, survey)
        self._wheel.add(connection)

    async def pump(self, connection: Connection, write: Write) -> None:
        """Write what happens, all that waits in one call, until the stream has ended."""
        connection.task = asyncio.current_task()
        while frames := await connection.take():
            await write(frames)

    async def _replay(self, connection: Connection, write: Write) -> _Survey:
        """Send what the client missed; afterwards the connection is registered and held."""
        audiences = self._audible(connection)
        while True:
            if self.hub.last >= connection.sent:
                # No await from here to _listen_and_survey's registration: no gap between the two.
                missed = self.hub.recent_for(audiences, connection.sent)
                if missed is not None and len(missed) <= log.REPLAY_PAGE:
                    self._replay_page(connection, missed, self.hub.last)
                    return await self._listen_and_survey(connection)
            await self._flush(connection, write)
            head, floor, page = await self._pool.run(_read_page, audiences, connection.sent)
            if not floor <= connection.sent <= head:
                self._reset(connection, head)
                return await self._listen_and_survey(connection)
            whole = len(page) < log.REPLAY_PAGE
            self._replay_page(connection, page, head if whole else page[-1].position)
            if whole or connection.ended:
                break
        # Few are missing now: register, then read up to a head that is newer than that.
        await self._flush(connection, write)
        survey = await self._listen_and_survey(connection)
        while connection.sent < survey.head and not connection.ended:
            page = await self._pool.run(
                log.read_for, audiences, after=connection.sent, until=survey.head
            )
            whole = len(page) < log.REPLAY_PAGE
            self._replay_page(connection, page, survey.head if whole else page[-1].position)
        return survey

    def _replay_page(
        self, connection: Connection, entries: Sequence[log.LogEntry], until: int
    ) -> None:
        for entry in entries:
            if not entry.internal:
                connection.queue(connection.frame_of(entry))
                connection.delivered += 1
        connection.sent = max(connection.sent, until)

    async def _flush(self, connection: Connection, write: Write) -> None:
        """Write what is queued and wait for the socket to take it: a replay's back-pressure."""
        if connection.waiting:
            await write(await connection.take())

    async def _listen_and_survey(self, connection: Connection) -> _Survey:
        """Register at the hub with events held back, then read the state of things."""
        connection.hold()
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
        if not await self._pool.run(channel.may_be_heard_by, connection.listener):
            raise Refused("forbidden")
        connection.channels[name] = channel
        connection.hold()
        self.hub.listen(connection, self._audible(connection))
        # The position comes before the state. What the connection was sent by replay may be ahead
        # of the hub, and events up to there are not delivered any more.
        position = max(self.hub.last, connection.sent)
        try:
            survey = await self._pool.run(_survey, connection.listener, (channel,))
            if name not in survey.states:
                self._drop_channel(connection, name)
                raise Refused("forbidden")
            state = survey.states[name]
            self._say(connection, Subscribed(channel=name, position=position, state=state))
        finally:
            connection.release()

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
        connection.listener = listener
        connection.warned = False
        self._wheel.watch(connection)
        self.hub.listen(connection, self._audible(connection))
        # It may have ended between the check and the registration.
        await self._recheck(connection)

    def _recheck_soon(self, connection: Connection) -> None:
        chore = asyncio.create_task(self._recheck(connection))
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    async def _recheck(self, connection: Connection) -> None:
        """Ask again who the listener is and what it may hear."""
        channels = tuple(connection.channels.values())
        try:
            survey = await self._pool.run(_survey, connection.listener, channels)
        except Exception:
            logger.exception("A login could not be checked again; its stream is ended.")
            self.end(connection, "restart")
            return
        if survey.listener is None:
            self.end(connection, "logged-out")
        elif any(channel.name not in survey.states for channel in channels):
            self.end(connection, "forbidden")
        else:
            connection.listener = survey.listener
            self.hub.listen(connection, self._audible(connection))

    def _audible(self, connection: Connection) -> frozenset[str]:
        """All that the hub delivers to the connection, internal rows of its login included."""
        listener = connection.listener
        names = {*listener.audiences, *connection.channels}
        if listener.login_id is not None:
            names.add(login_audience(listener.login_id))
        if listener.user_id is not None:
            names.add(user_audience(listener.user_id))
        return frozenset(names)

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

    def _reset(self, connection: Connection, head: int) -> None:
        reason: ResetReason = "cursor-unknown" if connection.sent > head else "cursor-too-old"
        connection.sent = head
        self._say(connection, Reset(reason=reason), head)

    def _reset_all(self) -> None:
        for connection in tuple(self.hub.connections):
            if connection.audiences and not connection.holds:
                self._reset(connection, max(connection.sent, self.hub.last))

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
        tick = 0
        while True:
            await asyncio.sleep(1)
            tick += 1
            try:
                self._beat(tick)
                self._look_at_logins()
                await self._pool.run(self.counts.renew_lease)
                if tick % RETENTION_TICKS == 0:
                    await self._pool.run(log.trim_by_settings)
            except Exception:
                logger.exception("The clock of the streams failed and goes on.")

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
    if len(channels) > MAX_CHANNELS or not all(c.may_be_heard_by(listener) for c in channels):
        raise Refused("forbidden")
    return listener, channels


def _read_page(audiences: frozenset[str], after: int) -> tuple[int, int, list[log.LogEntry]]:
    """(head, floor, page): the floor is read after the page, so that a trim between shows."""
    head, _ = log.read_head()
    page = log.read_for(audiences, after=after, until=head)
    return head, log.read_head()[1], page


def _survey(listener: Listener, channels: Sequence[Channel]) -> _Survey:
    head = log.head_position()
    now = authenticator().still_valid(listener)
    states = {}
    if now is not None:
        states = {c.name: c.state_for(now) for c in channels if c.may_be_heard_by(now)}
    return _Survey(head=head, listener=now, states=states)
