"""Who works on an import: one worker at a time, and never one that went silent."""

import logging
import threading
from datetime import timedelta
from typing import Self
from uuid import UUID, uuid4

from django.db import Error as AnyDatabaseError
from django.db import connection, transaction
from django.db.models import BooleanField, DurationField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Now

from marketplace.accounts.models import User
from products.imports.models import Import

logger = logging.getLogger(__name__)

HELD_FOR = timedelta(seconds=5)
RENEWED_EACH_SECONDS = 1.0

_held_until = Now() + Value(HELD_FOR, DurationField())
# The database's clock decides: those of the workers differ.
_FREE = Q(held_until=None) | Q(held_until__lt=Now())


class Lost(Exception):
    """Another worker has taken the import over."""


class Cancelled(Exception):
    """The import's owner wants no more of it."""


class Stopped(Exception):
    """This worker's process ends; another goes on."""


def waiting_imports() -> list[UUID]:
    """The imports that somebody could work on now, the oldest first: one of each seller at most."""
    is_free = ExpressionWrapper(_FREE, BooleanField())
    unfinished = Import.objects.unfinished().order_by("created_at", "id").annotate(is_free=is_free)
    sellers: set[int] = set()
    waiting: list[UUID] = []
    for pk, seller_id, may_be_taken in unfinished.values_list("pk", "seller_id", "is_free"):
        if seller_id not in sellers and may_be_taken:
            waiting.append(pk)
        sellers.add(seller_id)
    return waiting


class Hold:
    """The right to work on one import, renewed by a thread of its own while it lasts.

        with Hold.take(task_id, stop=stop) as hold: …

    job: the import's row; the thread saves its current and total with each renewal, so that a page
    that is opened meanwhile shows them.
    """

    def __init__(self, job: Import, holder: UUID, stop: threading.Event) -> None:
        self.job = job
        self.holder = holder
        self._stop = stop
        self._over = threading.Event()
        self._is_lost = False
        self._is_cancelled = job.cancel_requested
        self._thread = threading.Thread(target=self._renew, name="import-hold", daemon=True)

    @classmethod
    def take(cls, task_id: UUID, *, stop: threading.Event) -> Self | None:
        """Take it, if it is its turn and nobody has it; else None.

        stop: set when this process ends.
        """
        holder = uuid4()
        with transaction.atomic():
            job = Import.objects.filter(pk=task_id).first()
            # Two imports of one seller would else be taken at the same moment.
            if job is None or not _lock_user(job.seller_id) or not _is_next(job):
                return None
            taken = Import.objects.unfinished().filter(_FREE, pk=task_id)
            if not taken.update(
                holder=holder,
                held_until=_held_until,
                status=Import.Status.RUNNING,
                attempts=F("attempts") + 1,
            ):
                return None
            return cls(Import.objects.select_related("seller").get(pk=task_id), holder, stop)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let go of it, so that another may take it at once; a stop is no failed attempt."""
        self._over.set()
        self._thread.join()
        tried = F("attempts") - 1 if kind is Stopped else F("attempts")
        self._own().filter(attempts__gt=0).update(attempts=tried)
        self._own().update(holder=None, held_until=None)

    def wait(self, seconds: float) -> None:
        """Wait so long, or until this process ends."""
        self._stop.wait(seconds)

    def check(self, *, may_be_cancelled: bool = True) -> None:
        """Raises Lost, Stopped or Cancelled where there is no going on."""
        if self._is_lost:
            raise Lost
        if self._stop.is_set():
            raise Stopped
        if self._is_cancelled and may_be_cancelled:
            raise Cancelled

    def lock(self) -> None:
        """Lock the import's row until the transaction ends; raises Lost if it is another's.

        Whatever is written of an import is written behind this: a worker that was frozen, and goes
        on when another has long taken over, stops before it has locked a product. save(), with
        which each of these transactions ends, would refuse as well.
        """
        if self._own().select_for_update(no_key=True).values_list("pk").first() is None:
            raise Lost

    def save(self, *fields: str) -> None:
        """Write these fields of the row; raises Lost if the import is another's."""
        if not self._own().update(**{name: getattr(self.job, name) for name in fields}):
            raise Lost

    def _own(self) -> "QuerySet[Import]":
        return Import.objects.filter(pk=self.job.pk, holder=self.holder)

    def _renew(self) -> None:
        try:
            while not self._over.wait(RENEWED_EACH_SECONDS):
                try:
                    self.renew()
                except AnyDatabaseError as error:
                    logger.warning("The hold on an import was not renewed: %s", error)
                    connection.close()
        finally:
            connection.close()

    def renew(self) -> None:
        """Keep it for another while, save how far the work is, and see what became of it."""
        self._is_lost = not self._own().update(
            held_until=_held_until, current=self.job.current, total=self.job.total
        )
        flag = self._own().values_list("cancel_requested", flat=True).first()
        self._is_cancelled = bool(flag)


def _lock_user(user_id: int) -> bool:
    row = User.objects.select_for_update(no_key=True).filter(pk=user_id)
    return row.values_list("pk").first() is not None


def _is_next(job: Import) -> bool:
    """Whether none of the seller's other imports is older, or in somebody's hands."""
    others = Import.objects.unfinished().filter(seller_id=job.seller_id).exclude(pk=job.pk)
    older = Q(created_at__lt=job.created_at) | Q(created_at=job.created_at, pk__lt=job.pk)
    return not others.filter(older | Q(held_until__gte=Now())).exists()
