"""Waking the sequencers after a commit. A lost ring costs at most a second, never an event.

Where this process has a sequencer, it alone is woken: it numbers for everybody. Elsewhere (a
worker, a shell) the ring goes through Redis to the server processes, if there is a Redis.
"""

import asyncio
import logging
import threading
import time
from typing import Any, Protocol

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import BaseChannelLayer, channel_layers
from django.conf import settings

logger = logging.getLogger(__name__)

EVENTS_GROUP = "events"
# The types of messages to the group: look into the outbox, and a moment (realtime.ephemeral).
WAKE = "log.wake"
MOMENT = "log.moment"
MAX_MOMENTS = 256
RING_TIMEOUT_SECONDS = 0.2
_STEP_ASIDE_SECONDS = 0.02
# A frozen Redis takes long for each message: once it works again, none may wait as long as that.
_LONGEST_PAUSE_SECONDS = 0.02


def new_channel_layer() -> BaseChannelLayer:
    """A channel layer as CHANNEL_LAYERS describes it, with connections of its own."""
    layer: BaseChannelLayer = channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)
    return layer


class Sleeper(Protocol):
    """What can be woken: a sequencer."""

    def wake(self) -> None: ...

    def let_pass(self, seconds: float) -> None: ...


_sleepers: list[Sleeper] = []


def register(sleeper: Sleeper) -> None:
    """Have it woken by this process's commits from now on."""
    _sleepers.append(sleeper)


def unregister(sleeper: Sleeper) -> None:
    """Wake it no longer."""
    if sleeper in _sleepers:
        _sleepers.remove(sleeper)


def ring() -> None:
    """Tell a sequencer that the outbox has rows. Never fails; called after the commit."""
    for sleeper in _sleepers:
        sleeper.wake()
        # On SQLite writers that follow one another at full speed would starve the sequencer.
        sleeper.let_pass(_STEP_ASIDE_SECONDS)
    if not _sleepers and settings.REDIS_URL:
        _messenger.ring()


def pass_on(slot: str, moment: list[str]) -> None:
    """Send what is true for a moment through Redis, in place of what waits of the same slot."""
    _messenger.pass_on(slot, moment)


class _Messenger:
    """A daemon thread that sends through the channel layer, so that no commit waits for Redis."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._wakes = False
        self._moments: dict[str, list[str]] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._fails = False

    def ring(self) -> None:
        """Hand the ring over; rings that come while one is on its way are one."""
        with self._lock:
            self._wakes = True
            self._start()

    def pass_on(self, slot: str, moment: list[str]) -> None:
        """Hand a moment over, in place of an older one; the oldest of too many is dropped."""
        with self._lock:
            self._moments.pop(slot, None)
            self._moments[slot] = moment
            if len(self._moments) > MAX_MOMENTS:
                del self._moments[next(iter(self._moments))]
            self._start()

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
            self._thread.start()
        self._rung.set()

    def _run(self) -> None:
        layer = new_channel_layer()
        with asyncio.Runner() as runner:
            while True:
                # Waited for here, not in an executor, whose threads Python joins when it exits.
                self._rung.wait()
                self._rung.clear()
                began = time.monotonic()
                for message in self._take():
                    runner.run(self._send(layer, message))
                # On a busy machine, where a ring takes long, the next one is for several commits.
                time.sleep(min(time.monotonic() - began, _LONGEST_PAUSE_SECONDS))

    def _take(self) -> list[dict[str, Any]]:
        with self._lock:
            messages: list[dict[str, Any]] = [{"type": WAKE}] if self._wakes else []
            messages += [{"type": MOMENT, "event": moment} for moment in self._moments.values()]
            self._wakes = False
            self._moments = {}
        return messages

    async def _send(self, layer: BaseChannelLayer, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(RING_TIMEOUT_SECONDS):
                await layer.group_send(EVENTS_GROUP, message)
        except Exception as error:  # noqa: BLE001 the servers' own look finds the row
            # Once for each outage: a busy worker rings hundreds of times a second.
            if not self._fails:
                logger.warning("Ringing through Redis fails: %r", error)
            self._fails = True
        else:
            if self._fails:
                logger.info("Ringing through Redis works again.")
            self._fails = False


_messenger = _Messenger()
