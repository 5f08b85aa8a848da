"""How often somebody may be wrong about a password, and how many accounts they may make.

Counted in the database, not in the cache: the guard holds over all processes, and does not open
when a cache is away or short of room.
"""

import hashlib
import ipaddress
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from marketplace.accounts.errors import TooManyAttempts
from marketplace.accounts.models import LoginFailure


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many in any span of this length; the name keeps its counts from others'."""

    name: str
    most: int
    span: timedelta


FAILURES = Limit("failures", most=10, span=timedelta(minutes=10))
# One address may stand for a whole office, so it may do more than try one password on everybody.
FAILURES_BY_ADDRESS = Limit("failures by address", most=100, span=timedelta(minutes=10))
REGISTRATIONS = Limit("registrations", most=30, span=timedelta(hours=1))
LONGEST_SPAN = max(limit.span for limit in (FAILURES, FAILURES_BY_ADDRESS, REGISTRATIONS))


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that counts as failed until it is forgiven."""

    by_username: LoginFailure
    by_address: LoginFailure


def begin_attempt(*, username: str, address: str) -> Attempt:
    """Count an attempt as failed until it is forgiven; raises TooManyAttempts, with the seconds.

    It is counted before the password is looked at: a hundred attempts at once would otherwise all
    find that nothing has failed yet. The same for usernames that nobody has.
    """
    network = network_of(address)
    by_username, by_address = _count(
        (FAILURES, f"{username.upper()}\0{network}"), (FAILURES_BY_ADDRESS, network)
    )
    return Attempt(by_username, by_address)


def forgive(attempt: Attempt) -> None:
    """The password was right: this attempt and the user's failures before it are forgotten.

    Other failures of the address stay: whoever has one account may not guess at others by it.
    """
    row = attempt.by_username
    LoginFailure.objects.filter(fingerprint=row.fingerprint, pk__lte=row.pk).delete()
    attempt.by_address.delete()


def count_registration(*, address: str) -> None:
    """Count an account that is about to be made; raises TooManyAttempts, with the seconds."""
    _count((REGISTRATIONS, network_of(address)))


def network_of(address: str) -> str:
    """What one customer of a provider has: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.IPv6Address(int(parsed) >> 64 << 64))


def _count(*counters: tuple[Limit, str]) -> list[LoginFailure]:
    """Count one more of each; none of them where one is at its limit.

    Those who count the same come one after another: PostgreSQL shows what two write at the same
    moment to neither, and a guesser's burst would pass the limit by its width.
    """
    now = timezone.now()
    LoginFailure.objects.filter(failed_at__lte=now - LONGEST_SPAN).delete()
    fingerprints = {_fingerprint(limit, who): limit for limit, who in counters}
    with transaction.atomic():
        _hold(fingerprints)
        wait = max(_wait(limit, fingerprint, now) for fingerprint, limit in fingerprints.items())
        if wait:
            # It is not counted, as nobody looks at it: waiting must come to an end.
            raise TooManyAttempts(retry_after=wait)
        return LoginFailure.objects.bulk_create(
            LoginFailure(fingerprint=fingerprint, failed_at=now) for fingerprint in fingerprints
        )


def _hold(fingerprints: Iterable[str]) -> None:
    """Keep others from counting these until the transaction ends. SQLite has one writer anyway."""
    if connection.vendor != "postgresql":
        return
    # In one order everywhere, so that no two wait for one another.
    keys = sorted(int(fingerprint[:15], 16) for fingerprint in fingerprints)
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def _fingerprint(limit: Limit, who: str) -> str:
    return hashlib.sha256(f"{limit.name}\0{who}".encode()).hexdigest()


def _wait(limit: Limit, fingerprint: str, now: datetime) -> int:
    """Whole seconds until there is room for one more; 0 where there is."""
    since = now - limit.span
    counted = LoginFailure.objects.filter(fingerprint=fingerprint, failed_at__gt=since)
    last_ones = list(counted.order_by("-pk").values_list("failed_at", flat=True)[: limit.most])
    if len(last_ones) < limit.most:
        return 0
    return max(1, math.ceil((last_ones[-1] - since).total_seconds()))
