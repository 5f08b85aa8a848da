"""What comes by the clock for open streams: heartbeats, the ends of logins and of stalled readers.

Nothing but time is waited for here: a client that hears nothing for 45 seconds goes.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime

from realtime.connection import Connection, Frame, Transport
from realtime.events import iso_milliseconds
from realtime.frames import numbered, ping_text, sse_frame
from realtime.hub import Hub
from realtime.messages import Heartbeat, TokenExpiring
from realtime.tallies import Tallies
from realtime.wheel import Wheel

logger = logging.getLogger(__name__)

# So long the socket of a reader who is behind may take nothing.
STALL_SECONDS = 15


class Clock:
    """Ticks each second for the connections of one hub."""

    def __init__(self, hub: Hub, wheel: Wheel, tallies: Tallies) -> None:
        self._hub = hub
        self._wheel = wheel
        self._tallies = tallies

    async def run(self) -> None:
        """Tick until the task is cancelled; no failure ends it."""
        tick = int(time.monotonic())
        while True:
            await asyncio.sleep(1 - time.monotonic() % 1)
            try:
                while tick < int(time.monotonic()):
                    tick += 1
                    self._beat(tick)
                self._look_at_logins()
                self._end_stalled()
            except Exception:
                self._tallies.clock_errors += 1
                logger.exception("The clock of the streams failed and goes on.")

    def _beat(self, tick: int) -> None:
        frames: dict[tuple[Transport, int], Frame] = {}
        for connection in self._wheel.beating(tick):
            if not connection.holds and not connection.behind:
                # Everything up to the hub's position is in the queue, so this one may stand at
                # its tail and move the cursor of a quiet client on.
                connection.sent = max(connection.sent, self._hub.last)
            key = (connection.transport, connection.sent)
            if key not in frames:
                frames[key] = _heartbeat(*key)
            connection.queue(frames[key])

    def _look_at_logins(self) -> None:
        for connection in self._wheel.due(time.time()):
            expires_at = connection.listener.expires_at
            if expires_at is None:
                continue
            if expires_at <= time.time():
                connection.end("expired")
                continue
            connection.warned = True
            moment = iso_milliseconds(datetime.fromtimestamp(expires_at, UTC))
            connection.say(TokenExpiring(expires_at=moment))
            self._wheel.watch(connection)

    def _end_stalled(self) -> None:
        since = asyncio.get_running_loop().time() - STALL_SECONDS
        for connection in tuple(self._hub.connections):
            if not connection.ended and _is_stalled(connection, since):
                self._tallies.too_slow += 1
                connection.end("too-slow")


def _is_stalled(connection: Connection, since: float) -> bool:
    started = connection.writing_since
    return connection.behind and started is not None and started < since


def _heartbeat(transport: Transport, position: int) -> Frame:
    now = datetime.now(UTC)
    if transport == "websocket":
        return ping_text(iso_milliseconds(now), position)
    return sse_frame(
        event=Heartbeat.type_name,
        data=numbered(Heartbeat().encode(now), position),
        position=position,
    )
