"""What the listeners of some channels are told every few seconds, while there are any.

Each process tells its own listeners: nothing is reckoned where nobody listens, and nothing has to
travel between processes.
"""

import asyncio
import logging
import time

from realtime.channels import ChannelKind, Pulse, channel_kinds
from realtime.database import DatabaseThreads
from realtime.ephemeral import ephemeral_of
from realtime.hub import Hub

logger = logging.getLogger(__name__)


class Pulses:
    """The pulses of one hub."""

    def __init__(self, hub: Hub, pool: DatabaseThreads) -> None:
        self._hub = hub
        self._pool = pool

    async def run(self) -> None:
        """Tell until the task is cancelled; no failure ends it."""
        tick = int(time.monotonic())
        while True:
            await asyncio.sleep(1 - time.monotonic() % 1)
            tick += 1
            for kind in channel_kinds().values():
                if kind.pulse is not None and tick % kind.pulse.seconds == 0:
                    await self._tell(kind, kind.pulse)

    async def _tell(self, kind: ChannelKind, pulse: Pulse) -> None:
        if not self._hub.is_heard(kind.name):
            return
        try:
            event = await self._pool.run(pulse.read)
            self._hub.tell(ephemeral_of(event, audiences=(kind.name,)))
        except Exception:
            logger.exception("The listeners of %s were told nothing; it goes on.", kind.name)
