"""How many streams are open for each user, and for each address without a login."""

from collections import Counter

from django.conf import settings

from realtime.connection import Connection


class TooManyStreams(Exception):
    """The user, or the address of an anonymous client, has as many streams as it may have."""


class StreamCounts:
    """Counts by user and by anonymous address."""

    def __init__(self) -> None:
        self.by_user: Counter[int] = Counter()
        self.by_address: Counter[str] = Counter()

    def enter(self, connection: Connection) -> None:
        """Count one more; raises TooManyStreams and counts nothing when that is too many."""
        user_id = connection.listener.user_id
        if user_id is not None:
            if self.by_user[user_id] >= settings.STREAMS_PER_USER:
                raise TooManyStreams
            self.by_user[user_id] += 1
        else:
            if self.by_address[connection.address] >= settings.STREAMS_PER_ADDRESS:
                raise TooManyStreams
            self.by_address[connection.address] += 1

    def leave(self, connection: Connection) -> None:
        """Count one less. Counters at zero are dropped, so that nothing grows."""
        user_id = connection.listener.user_id
        if user_id is not None:
            self.by_user[user_id] -= 1
            if not self.by_user[user_id]:
                del self.by_user[user_id]
        else:
            self.by_address[connection.address] -= 1
            if not self.by_address[connection.address]:
                del self.by_address[connection.address]
