"""What others hear of an import's changes, and how fast: viewers are not flooded."""

import time
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from django.db import transaction

from marketplace.accounts.models import User
from products.events import (
    AvailabilityData,
    AvailabilityUpdated,
    ProductCreated,
    ProductData,
    ProductUpdated,
    announcements,
    product_data,
)
from products.imports.events import ProductsImported
from products.imports.holding import Hold
from products.imports.models import Import, UnannouncedLot
from products.models import Product
from realtime.api import Announcement, iso_milliseconds, publish_all, stream_figures

MAX_PRODUCTS = 50
# In one transaction, which costs as much as the products of one.
LOTS_AT_ONCE = 5
MAX_FRAME_BYTES = 64 * 1024
_AROUND_BYTES = 512  # what a frame has beside its products

# A page takes so many frames a second and stays smooth: it draws what they bring four times a
# second, and shows few of the products.
FRAMES_PER_SECOND = 100
# All streams together get no more than this of one import, but for a frame now and then.
BYTES_PER_SECOND = 100_000_000
LEAST_FRAMES_PER_SECOND = 0.5
_LOOK_SECONDS = 1.0


def told_at_once(before: Product, after: Product) -> Iterator[Announcement]:
    """What is told of a changed product at once: all that products-imported does not say.

    Publish it in the transaction that writes the product, under its lock.
    """
    for event in announcements(before=before, after=after):
        # Its seller is told at once that what is product-deleted for others is still there.
        waits = not (before.is_active or after.is_active) and isinstance(event, ProductUpdated)
        if waits or isinstance(event, ProductCreated):
            continue
        # What is off sale is told of as ever: other systems hear of a tour's stock from the log.
        narrowed = after.is_active and isinstance(event, (ProductUpdated, AvailabilityUpdated))
        yield Announcement(
            event,
            audiences=[f"product.{after.pk}"] if narrowed else None,
            at=after.stock_changed_at if isinstance(event, AvailabilityData) else None,
        )


def next_lots(job: Import) -> list[UnannouncedLot]:
    """What comes next of that which the catalogue's viewers have not heard of."""
    return list(job.unannounced.order_by("pk")[:LOTS_AT_ONCE])


@transaction.atomic
def announce_lots(lots: Sequence[UnannouncedLot], *, hold: Hold) -> int:
    """Publish products-imported of these lots, and forget them; how many frames that made.

    The products are told of as they are now, which may be newer than what the import wrote. Those
    that were deleted meanwhile have been told of as deleted. Raises Lost.
    """
    hold.lock()
    products = _locked_products(lots, seller=hold.job.seller)
    frames = announce_products(products, job=hold.job)
    hold.job.announced += sum(lot.size for lot in lots)
    hold.job.attempts = 0
    hold.save("announced", "attempts")
    hold.job.unannounced.filter(pk__in=[lot.pk for lot in lots]).delete()
    return frames


def announce_products(products: Sequence[Product], *, job: Import) -> int:
    """Publish products-imported of products that are locked; how many frames that made.

    Those on sale are for everybody, the others for their seller and staff.
    """
    circle = (f"user.{job.seller_id}", "staff")
    frames = [
        Announcement(_told_in_one(some, job=job), audiences)
        for audiences, is_active in ((("catalogue", *circle), True), (circle, False))
        for some in _fitting(each for each in products if each.is_active == is_active)
    ]
    publish_all(frames)
    return len(frames)


def _told_in_one(products: Sequence[tuple[ProductData, str]], *, job: Import) -> ProductsImported:
    return ProductsImported(
        task_id=str(job.pk),
        products=[data for data, _changed_at in products],
        stock_changed_at=[changed_at for _data, changed_at in products],
    )


def _locked_products(lots: Sequence[UnannouncedLot], *, seller: User) -> list[Product]:
    """The products of the lots, as far as they are there, locked in key order."""
    ids = [pk for lot in lots for pk in lot.product_ids]
    rows = Product.objects.select_for_update(no_key=True).filter(pk__in=ids)
    products = list(rows.order_by("pk"))
    for product in products:
        product.seller = seller  # a join would make an object for each of them
    return products


def _fitting(products: Iterable[Product]) -> Iterator[list[tuple[ProductData, str]]]:
    """The products, each with when its stock changed last, in lots that one frame takes."""
    some: list[tuple[ProductData, str]] = []
    size = _AROUND_BYTES
    for product in products:
        told = product_data(product), iso_milliseconds(product.stock_changed_at)
        grows_by = len(msgspec.json.encode(told))
        if some and (len(some) == MAX_PRODUCTS or size + grows_by > MAX_FRAME_BYTES):
            yield some
            some, size = [], _AROUND_BYTES
        some.append(told)
        size += grows_by
    if some:
        yield some


class Pace:
    """When the next frame may go: the more streams there are, the fewer frames a second."""

    def __init__(self) -> None:
        self._due = self._asked_at = 0.0
        self._looked_at = -_LOOK_SECONDS
        self._streams = 0

    def wait_seconds(self) -> float:
        """How long it is until then; 0 when it may go now."""
        self._asked_at = time.monotonic()
        return max(0.0, self._due - self._asked_at)

    def went(self, frames: int) -> None:
        """Reckon when the next one may go, after so many have. May use the database."""
        if not frames:
            return
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at, self._streams = now, stream_figures().connections
        a_second = BYTES_PER_SECOND / (MAX_FRAME_BYTES / 2 * max(1, self._streams))
        a_second = min(FRAMES_PER_SECOND, max(LEAST_FRAMES_PER_SECOND, a_second))
        # What it took to write what they tell of counts as well.
        self._due = max(self._due, self._asked_at) + frames / a_second
