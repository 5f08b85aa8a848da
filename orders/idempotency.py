"""One answer to one request, however often it is sent: the header Idempotency-Key.

A key is claimed in a transaction of its own, so that others see that the request is running. What
the request changes and the answer to it are then committed together, if the claim still holds:

- a process that dies before that commit has changed nothing, and its claim runs out;
- one that dies after it leaves the answer, which the next request with the key gets;
- one that is only slow, and whose claim another took over, finds so and changes nothing.
"""

import hashlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request

from marketplace.accounts.models import User
from orders.errors import IdempotencyInFlight, IdempotencyMismatch, InvalidIdempotencyKey
from orders.models import IdempotencyKey

HEADER = "Idempotency-Key"
LIFETIME = timedelta(hours=24)
# A key whose process died is free after this; a placement takes far less.
CLAIM_LIFETIME = timedelta(seconds=30)

_KEY = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered with: a status of 2xx and JSON."""

    status: int
    body: bytes
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to answer the request with a key, as long as nobody took it over."""

    row_id: int
    token: uuid.UUID


def read_key(request: Request) -> str | None:
    """The request's key; None without one. Raises InvalidIdempotencyKey."""
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidIdempotencyKey
    return key


def fingerprint(request: Request) -> str:
    """What is asked, as a hash: the same JSON written in another way is the same."""
    body = msgspec.json.encode(request.data, order="sorted")
    asked = b"\n".join([f"{request.method} {request.path}".encode(), body])
    return hashlib.sha256(asked).hexdigest()


def answer_once(*, user: User, key: str, fingerprint: str, perform: Callable[[], Answer]) -> Answer:
    """The answer that was given to this key, or else that of perform, which is kept for 24 hours.

    perform runs in a transaction, and what it raises leaves the key free.
    Raises IdempotencyMismatch, IdempotencyInFlight.
    """
    claimed = _claim(user=user, key=key, fingerprint=fingerprint)
    if isinstance(claimed, Answer):
        return claimed
    try:
        with transaction.atomic():
            answer = perform()
            _keep(claimed, answer)
    except BaseException:
        _free(claimed)
        raise
    return answer


def _claim(*, user: User, key: str, fingerprint: str) -> Claim | Answer:
    """A claim of the key, or the answer that it has."""
    too_old = timezone.now() - LIFETIME
    IdempotencyKey.objects.filter(user=user, created_at__lte=too_old).delete()
    with transaction.atomic():
        now = timezone.now()
        new = IdempotencyKey(
            user=user,
            key=key,
            fingerprint=fingerprint,
            claim=uuid.uuid4(),
            claimed_until=now + CLAIM_LIFETIME,
            created_at=now,
        )
        IdempotencyKey.objects.bulk_create([new], ignore_conflicts=True)
        row = IdempotencyKey.objects.select_for_update().filter(user=user, key=key).first()
        if row is None:  # it was there, and whoever had it failed and freed it in between
            raise IdempotencyInFlight
        if row.claim == new.claim:
            return Claim(row_id=row.pk, token=new.claim)
        if row.status is None and row.claimed_until <= now:
            return _take_over(row, new)
        if row.fingerprint != fingerprint:
            raise IdempotencyMismatch
        if row.status is None:
            raise IdempotencyInFlight
        return Answer(status=row.status, body=row.body.encode(), replayed=True)


def _take_over(row: IdempotencyKey, new: IdempotencyKey) -> Claim:
    """Claim the key of a request whose process died."""
    new.pk = row.pk
    new.save(force_update=True)
    return Claim(row_id=row.pk, token=new.claim)


def _keep(claim: Claim, answer: Answer) -> None:
    """Store the answer with what it tells of; raises IdempotencyInFlight for a lost claim."""
    rows = IdempotencyKey.objects.filter(pk=claim.row_id, claim=claim.token, status=None)
    if not rows.update(status=answer.status, body=answer.body.decode()):
        raise IdempotencyInFlight


def _free(claim: Claim) -> None:
    # Not one that has an answer: the commit may have been heard of as an error.
    IdempotencyKey.objects.filter(pk=claim.row_id, claim=claim.token, status=None).delete()
