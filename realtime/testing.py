"""Tools for tests of what travels by the event path: a channel layer with faults, a witness that
knows what should have arrived, and the law that pages live by.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from django.utils.module_loading import import_string

from realtime.control import is_internal
from realtime.models import LogAudience, LogEvent

S = TypeVar("S")

# Frames about the connection itself: their ids move the cursor, and name no event.
_SIGNS = frozenset({"connected", "heartbeat", "ping", "reset"})


class FaultyChannelLayer:
    """A channel layer over another one, which treats messages to groups badly, by seed.

    drop, double, delay and reorder are the shares of messages (0 to 1) that are lost, sent twice,
    sent up to delay_seconds later, and sent after the next one. backend and config are those of the
    layer below, as in CHANNEL_LAYERS.
    """

    def __init__(
        self,
        *,
        backend: str,
        config: Mapping[str, Any],
        seed: int = 0,
        drop: float = 0.0,
        double: float = 0.0,
        delay: float = 0.0,
        reorder: float = 0.0,
        delay_seconds: float = 0.2,
    ) -> None:
        self._layer = import_string(backend)(**config)
        self._chance = random.Random(seed)  # noqa: S311 a test's
        self._drop = drop
        self._double = double
        self._delay = delay
        self._reorder = reorder
        self._delay_seconds = delay_seconds
        self._kept: list[tuple[str, dict[str, Any]]] = []
        self._late: set[asyncio.Task[None]] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layer, name)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Send, or do not, or do it otherwise."""
        kept, self._kept = self._kept, []
        for _ in range(self._copies()):
            fate = self._chance.random()
            if fate < self._delay:
                self._send_later(group, message)
            elif fate < self._delay + self._reorder:
                self._kept.append((group, message))
            else:
                await self._layer.group_send(group, message)
        for late in kept:
            await self._layer.group_send(*late)

    def _copies(self) -> int:
        fate = self._chance.random()
        if fate < self._drop:
            return 0
        return 2 if fate < self._drop + self._double else 1

    def _send_later(self, group: str, message: dict[str, Any]) -> None:
        async def send() -> None:
            await asyncio.sleep(self._chance.uniform(0, self._delay_seconds))
            # Whoever sends late hears of no error: the message is lost then.
            with contextlib.suppress(Exception):
                await self._layer.group_send(group, message)

        task = asyncio.create_task(send())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


class Witness:
    """Notes what one client hears, over all its streams, and compares it with the log.

    audiences: all that the client may hear; after: the position that its first stream began behind.
    """

    def __init__(self, *audiences: str, after: int = 0) -> None:
        self.audiences = audiences
        self.after = after
        self.cursor = after  # what the client comes back with
        self.heard: list[int] = []
        self.doubled: list[int] = []
        self.out_of_order: list[int] = []
        self._known: set[int] = set()

    def hear(self, event: Mapping[str, Any]) -> None:
        """Note a message as it stands on the wire; one without an id says nothing about order."""
        position = event.get("id")
        if position is None:
            return
        if event["type"] in _SIGNS:
            if position < self.cursor:
                self.out_of_order.append(position)
        elif position in self._known:
            self.doubled.append(position)
        else:
            if position <= self.cursor:
                self.out_of_order.append(position)
            self._known.add(position)
            self.heard.append(position)
        self.cursor = max(self.cursor, position)

    def expected(self, until: int) -> list[int]:
        """The positions up to until that the client may see, as the log has them."""
        rows = LogAudience.objects.filter(
            audience__in=self.audiences, position__gt=self.after, position__lte=until
        )
        positions = set(rows.values_list("position", flat=True))
        types = LogEvent.objects.filter(position__gt=self.after, position__lte=until)
        internal = {p for p, name in types.values_list("position", "type") if is_internal(name)}
        return sorted(positions - internal)

    def lost(self, until: int) -> list[int]:
        """The positions up to until that the client should have heard of, and did not."""
        return [position for position in self.expected(until) if position not in self._known]

    def foreign(self, until: int) -> list[int]:
        """The positions up to until that the client heard of, and may not see."""
        allowed = set(self.expected(until))
        return [p for p in self.heard if p <= until and p not in allowed]

    def assert_faultless(self, until: int) -> None:
        """Fail unless everything up to until came, once, in order, and nothing else did."""
        faults = {
            "lost": self.lost(until),
            "doubled": self.doubled,
            "out of order": self.out_of_order,
            "not theirs": self.foreign(until),
        }
        assert not any(faults.values()), {name: found[:10] for name, found in faults.items()}


def assert_state_law(
    state: S, events: Iterable[Mapping[str, Any]], *, apply: Callable[[S, Any], S], afresh: S
) -> None:
    """Fail unless a state, with the events since applied, is the state that is read afresh.

    apply(state, event) gives the state after the event, which is as it stands on the wire.
    """
    for event in events:
        state = apply(state, event)
    assert state == afresh, _difference(state, afresh)


def _difference(state: object, afresh: object) -> str:
    if not (isinstance(state, dict) and isinstance(afresh, dict)):
        return f"{state!r}, afresh {afresh!r}"
    keys = [key for key in {**state, **afresh} if state.get(key) != afresh.get(key)]
    return "; ".join(f"{key!r}: {state.get(key)!r}, afresh {afresh.get(key)!r}" for key in keys)
