"""Writing a lot of rows: products, what is told of them, and how far the import is, together."""

from collections.abc import Collection, Sequence

from django.db import IntegrityError, transaction

from products.images import discard_replaced
from products.imports.announcing import MAX_PRODUCTS, announce_change
from products.imports.checking import CheckedRow, Complaint
from products.imports.holding import Hold
from products.imports.matching import Change, match_rows
from products.imports.models import Import, RowError, UnannouncedLot
from products.models import Product
from products.services import require_seller

# In one transaction: more would keep those waiting who order one of the products meanwhile.
ROWS_AT_ONCE = 250
# Somebody may write a product of the same externalId between the look and the write.
_TRIES = 5

_WRITTEN = [
    field.name
    for field in Product._meta.concrete_fields
    if field.name not in {"id", "seller", "external_id", "created_at"}
]


def write_rows(rows: Sequence[CheckedRow], *, hold: Hold, up_to: int) -> None:
    """Write these rows, and that the import has come so far, in one transaction.

    up_to: the byte behind the last of them in the file of checked rows.
    Raises Lost, SellersOnly when the owner may offer products no more.
    """
    for attempt in range(_TRIES):
        try:
            _write_once(rows, hold=hold, up_to=up_to)
        except IntegrityError:
            if attempt == _TRIES - 1:
                raise
        else:
            return


@transaction.atomic
def _write_once(rows: Sequence[CheckedRow], *, hold: Hold, up_to: int) -> None:
    hold.lock()
    job = hold.job
    job.seller.refresh_from_db(fields=["role"])
    require_seller(job.seller)
    matched = match_rows(rows, seller=job.seller, lock=True)
    created = [change.after for change in matched.changes if change.before is None]
    changed = [change for change in matched.changes if change.before and change.is_change]
    _create(created)
    _update(changed)
    _owe_announcement(job, [*created, *(change.after for change in changed)])
    keep_complaints(job, matched.complaints)
    bad = len({complaint.row for complaint in matched.complaints})
    _count(job, created=len(created), updated=len(rows) - len(created) - bad, failed=bad)
    job.written_rows, job.written_bytes, job.attempts = job.written_rows + len(rows), up_to, 0
    hold.save("created", "updated", "failed", "written_rows", "written_bytes", "attempts")


def keep_complaints(job: Import, complaints: Collection[Complaint]) -> None:
    """Write down what is wrong with rows."""
    RowError.objects.bulk_create(
        RowError(of=job, row=each.row, field=each.field, message=each.message)
        for each in complaints
    )


def _create(products: list[Product]) -> None:
    for product in products:
        product.prepare_insert()
    Product.objects.bulk_create(products)  # silent: what is told of them is told in lots


def _update(changes: list[Change]) -> None:
    """Write whole rows, which are locked: one statement for all, whatever changed in each."""
    Product.objects.bulk_create(
        [change.after for change in changes],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_WRITTEN,
    )
    for change in changes:
        if change.before is not None:
            announce_change(change.before, change.after)
            discard_replaced(change.before.image_url, by=change.after.image_url)


def _owe_announcement(job: Import, products: list[Product]) -> None:
    ids = [product.pk for product in products]
    lots = [ids[start : start + MAX_PRODUCTS] for start in range(0, len(ids), MAX_PRODUCTS)]
    UnannouncedLot.objects.bulk_create(
        UnannouncedLot(of=job, product_ids=lot, size=len(lot)) for lot in lots
    )


def _count(job: Import, *, created: int, updated: int, failed: int) -> None:
    job.created += created
    job.updated += updated
    job.failed += failed
