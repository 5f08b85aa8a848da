"""Writing a lot of rows: products, what is told of them, and how far the import is, together."""

from collections.abc import Collection, Sequence

from django.db import IntegrityError, transaction

from marketplace.accounts.models import User
from products.images import discard_replaced
from products.imports.announcing import MAX_PRODUCTS, told_at_once
from products.imports.checking import CheckedRow, Complaint
from products.imports.holding import Hold
from products.imports.matching import Match, match_rows
from products.imports.models import Import, RowError, UnannouncedLot
from products.models import Product
from products.services import require_seller
from realtime.api import publish_all

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
    created, changed = _products_of(matched.matches, seller=job.seller)
    Product.objects.bulk_create(created)  # silent: what is told of them is told in lots
    _update(changed)
    _owe_announcement(job, [*created, *(after for _before, after in changed)])
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


def _products_of(
    matches: Sequence[Match], *, seller: User
) -> tuple[list[Product], list[tuple[Product, Product]]]:
    """New products, and those that change: as they are, and as they will be."""
    created: list[Product] = []
    changed: list[tuple[Product, Product]] = []
    for match in matches:
        values, before = match.row.values(), match.before
        if before is None:
            product = Product(seller=seller, **values)
            product.begin()
            created.append(product)
        elif news := {name: to for name, to in values.items() if to != getattr(before, name)}:
            changed.append((before, before.changed(news)))
    return created, changed


def _update(changes: list[tuple[Product, Product]]) -> None:
    """Write whole rows, which are locked: one statement for all, whatever changed in each."""
    Product.objects.bulk_create(
        [after for _before, after in changes],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_WRITTEN,
    )
    publish_all([told for change in changes for told in told_at_once(*change)])
    for before, after in changes:
        discard_replaced(before.image_url, by=after.image_url)


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
