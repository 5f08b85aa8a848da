"""Writing a lot of rows: products, what is told of them, and how far the import is, together."""

from collections.abc import Collection, Sequence

from django.db import IntegrityError, transaction

from marketplace.accounts.models import User
from products.errors import SellersOnly
from products.images import discard_replaced
from products.imports.announcing import MAX_PRODUCTS, announce_products, told_at_once
from products.imports.checking import CheckedRow, Complaint
from products.imports.holding import Hold
from products.imports.inserting import insert_products
from products.imports.matching import Match, match_rows
from products.imports.models import Import, RowError, UnannouncedLot
from products.models import Product
from products.services import require_seller
from realtime.api import publish_all

# In one transaction: more would keep those waiting who order one of the products meanwhile.
ROWS_AT_ONCE = 250
# Bad rows beyond are counted, and not told one by one.
MAX_REPORTED = 20_000
# Somebody may write a product of the same externalId between the look and the write.
_TRIES = 5

_COUNTED = (
    "created",
    "updated",
    "failed",
    "announced",
    "written_rows",
    "written_bytes",
    "attempts",
)
_WRITTEN = [
    field.name
    for field in Product._meta.concrete_fields
    if field.name not in {"id", "seller", "external_id", "created_at"}
]


def write_rows(rows: Sequence[CheckedRow], *, hold: Hold, up_to: int, tell: bool) -> int:
    """Write these rows, and that the import has come so far, in one transaction.

    up_to: the byte behind the last of them in the file of checked rows. tell: whether the
    catalogue's viewers are told at once; if not, it is owed. Returns how many frames that made.
    Raises Lost, SellersOnly when the owner may offer products no more.
    """
    for _try in range(_TRIES - 1):
        try:
            return _write_once(rows, hold=hold, up_to=up_to, tell=tell)
        except IntegrityError:
            continue  # the next look sees the rival
    return _write_once(rows, hold=hold, up_to=up_to, tell=tell)


@transaction.atomic
def _write_once(rows: Sequence[CheckedRow], *, hold: Hold, up_to: int, tell: bool) -> int:
    hold.lock()
    job = hold.job
    _require_seller_now(job.seller)
    matched = match_rows(rows, seller=job.seller, lock=True)
    created, changed = _products_of(matched.matches, seller=job.seller)
    insert_products(created)  # silent: what is told of them is told in lots
    _update(changed)
    products = [*created, *(after for _before, after in changed)]
    frames = announce_products(products, job=job) if tell else _owe_announcement(products, job=job)
    keep_complaints(job, matched.complaints)
    job.announced += len(products) if tell else 0
    job.created += len(created)
    job.updated += len(matched.matches) - len(created)
    job.failed += len(rows) - len(matched.matches)
    job.written_rows, job.written_bytes, job.attempts = job.written_rows + len(rows), up_to, 0
    hold.save(*_COUNTED)
    return frames


def _require_seller_now(user: User) -> None:
    """Raises SellersOnly: since the file was handed in, they may have been shut out."""
    user.refresh_from_db(fields=["role", "is_active"])
    require_seller(user)
    if not user.is_active:
        raise SellersOnly


def keep_complaints(job: Import, complaints: Collection[Complaint]) -> None:
    """Write down what is wrong with rows, unless so many are bad that nobody reads on."""
    if job.failed > MAX_REPORTED:
        return
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
    discard_replaced((before.image_url, after.image_url) for before, after in changes)


def _owe_announcement(products: list[Product], *, job: Import) -> int:
    """Write down what is to be told of later; no frame for now."""
    ids = [product.pk for product in products]
    lots = [ids[start : start + MAX_PRODUCTS] for start in range(0, len(ids), MAX_PRODUCTS)]
    UnannouncedLot.objects.bulk_create(
        UnannouncedLot(of=job, product_ids=lot, size=len(lot)) for lot in lots
    )
    return 0
