"""One clock for all connections: heartbeats and expiries, without a timer for each."""

import math

from realtime.connection import Connection

HEARTBEAT_SECONDS = 20
WARNING_SECONDS = 60


class Wheel:
    """Connections by the second of the next thing that is due for them.

    Times are seconds since the epoch. A connection stands in one heartbeat slot, and, where its
    login ends by itself, under the second at which it must be looked at.
    """

    def __init__(self) -> None:
        self._slots: list[set[Connection]] = [set() for _ in range(HEARTBEAT_SECONDS)]
        self._next_slot = 0
        self._due: dict[int, set[Connection]] = {}

    def add(self, connection: Connection) -> None:
        """Put the connection into a slot, each in turn, so that heartbeats are spread; harmless for
        one that is in."""
        if connection in self._slots[connection.beat]:
            return
        connection.beat = self._next_slot
        self._next_slot = (self._next_slot + 1) % HEARTBEAT_SECONDS
        self._slots[connection.beat].add(connection)
        self.watch(connection)

    def remove(self, connection: Connection) -> None:
        """Take the connection out; harmless for one that is not in."""
        self._slots[connection.beat].discard(connection)
        self._unwatch(connection)

    def watch(self, connection: Connection) -> None:
        """Look at the connection when its login is about to end, or again when it ends."""
        self._unwatch(connection)
        expires_at = connection.listener.expires_at
        if expires_at is not None:
            due = expires_at if connection.warned else expires_at - WARNING_SECONDS
            # Not before it is due: a session ends within a second, not at its beginning.
            connection.due = math.ceil(due)
            self._due.setdefault(connection.due, set()).add(connection)

    def _unwatch(self, connection: Connection) -> None:
        if connection.due is None:
            return
        watched = self._due.get(connection.due)
        if watched is not None:
            watched.discard(connection)
            if not watched:
                del self._due[connection.due]
        connection.due = None

    def beating(self, tick: int) -> tuple[Connection, ...]:
        """The connections whose heartbeat falls on this tick, one tick a second."""
        return tuple(self._slots[tick % HEARTBEAT_SECONDS])

    def due(self, now: float) -> list[Connection]:
        """The connections whose login must be looked at by now; they are watched no longer."""
        # After a sleep of the machine many seconds are due at once, so all keys are looked at:
        # there are as many as seconds with an expiry, not as connections.
        connections: list[Connection] = []
        for second in [key for key in self._due if key <= now]:
            connections += self._due.pop(second)
        for connection in connections:
            connection.due = None
        return connections
