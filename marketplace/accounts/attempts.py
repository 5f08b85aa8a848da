"""How often somebody may be wrong about a password.

Counted in the database, not in the cache: the guard holds over all processes, and does not open
when a cache is away or short of room.
"""

import hashlib
import math
from datetime import timedelta

from django.utils import timezone

from marketplace.accounts.errors import TooManyFailures
from marketplace.accounts.models import LoginFailure

FAILURES = 10
WINDOW = timedelta(minutes=10)


def begin_attempt(*, username: str, address: str) -> LoginFailure:
    """Count an attempt as failed until it is forgiven; raises TooManyFailures, with the seconds.

    It is counted before the password is looked at: a hundred attempts at once would otherwise all
    find that nothing has failed yet. The same for usernames that nobody has.
    """
    now = timezone.now()
    fingerprint = hashlib.sha256(f"{username.upper()}\0{address}".encode()).hexdigest()
    LoginFailure.objects.filter(failed_at__lte=now - WINDOW).delete()
    attempt = LoginFailure.objects.create(fingerprint=fingerprint, failed_at=now)
    earlier = LoginFailure.objects.filter(fingerprint=fingerprint, pk__lt=attempt.pk)
    last_ones = list(earlier.order_by("-pk").values_list("failed_at", flat=True)[:FAILURES])
    if len(last_ones) == FAILURES:
        # An attempt that was not looked at is none: waiting must come to an end.
        attempt.delete()
        wait = last_ones[-1] + WINDOW - now
        raise TooManyFailures(retry_after=max(1, math.ceil(wait.total_seconds())))
    return attempt


def forgive(attempt: LoginFailure) -> None:
    """The password was right: this attempt and the failures before it are forgotten."""
    LoginFailure.objects.filter(fingerprint=attempt.fingerprint, pk__lte=attempt.pk).delete()
