"""How much one user may write."""

import logging
import math
import time
from typing import TYPE_CHECKING, ClassVar

from django.core.cache import cache
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:  # the framework's views import this module through the settings
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

# So long nobody asks a cache that did not answer: a frozen one would delay each write.
CACHE_PAUSE_SECONDS = 5.0


def _cache_errors() -> tuple[type[Exception], ...]:
    """What a cache raises that does not answer; asked when something was raised."""
    # Not loaded before: it takes 10 MB and a tenth of the time in which a server starts.
    from redis.exceptions import RedisError

    return RedisError, OSError


class WriteThrottle(SimpleRateThrottle):
    """At most so many writes of one user in a window that begins with the first (setting
    WRITES_PER_USER). Over it: 429 `throttled`, with the rest of the window as Retry-After.

    The count is atomic in the cache, where the framework's own would lose parallel requests.
    Without an answer of the cache nobody is refused: a shop goes on selling.
    """

    scope = "writes"
    paused_until: ClassVar[float] = 0.0

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if request.method in SAFE_METHODS or request.user.pk is None:
            return True
        limit, seconds = self.parse_rate(self.get_rate())
        if limit is None or seconds is None or time.monotonic() < WriteThrottle.paused_until:
            return True
        try:
            return self._count(f"writes:{request.user.pk}", seconds) <= limit
        except _cache_errors():
            logger.warning("The cache does not answer: writes are not counted for a while.")
            WriteThrottle.paused_until = time.monotonic() + CACHE_PAUSE_SECONDS
            return True

    def _count(self, key: str, seconds: int) -> int:
        """Count one more write and say how many there are in this window."""
        now = time.time()
        started: float = cache.get_or_set(key, now, seconds) or now
        self.remaining = started + seconds - now
        counter = f"{key}:{started}"
        cache.add(counter, 0, seconds * 2)
        try:
            return cache.incr(counter)
        except ValueError:  # the cache has dropped it already, for want of room
            return 1

    def wait(self) -> int:
        """Whole seconds until the window ends."""
        return max(1, math.ceil(self.remaining))
