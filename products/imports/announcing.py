"""What others hear of an import's changes, and how fast: viewers are not flooded."""

import time
from collections.abc import Iterable, Iterator

import msgspec
from django.db import transaction
from django.db.models import F

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
from products.imports.models import Import, UnannouncedLot
from products.models import Product
from realtime.api import publish, stream_figures

MAX_PRODUCTS = 50
MAX_FRAME_BYTES = 64 * 1024
_AROUND_BYTES = 512  # what a frame has beside its products

# A page takes so many frames a second and stays smooth: it draws what they bring four times a
# second, and shows few of the products.
FRAMES_PER_SECOND = 100
# All streams of the site get no more than this together, though a frame now and then in any case.
BYTES_PER_SECOND = 100_000_000
LEAST_FRAMES_PER_SECOND = 0.5
_LOOK_SECONDS = 1.0


def announce_change(before: Product, after: Product) -> None:
    """Publish what is told of a changed product at once: all that products-imported does not say.

    Call it in the transaction that writes the product, under its lock.
    """
    for event in announcements(before=before, after=after):
        told_in_lots = isinstance(event, (ProductCreated, ProductUpdated))
        if told_in_lots and not (after.is_active and isinstance(event, ProductUpdated)):
            continue
        # What is off sale is told of as ever: other systems hear of a tour's stock from the log.
        narrowed = told_in_lots or (after.is_active and isinstance(event, AvailabilityUpdated))
        publish(
            event,
            audiences=[f"product.{after.pk}"] if narrowed else None,
            at=after.stock_changed_at if isinstance(event, AvailabilityData) else None,
        )


@transaction.atomic
def announce_lot(lot_id: int) -> int:
    """Publish products-imported of a lot, and forget the lot; how many frames that made.

    The products are told of as they are now, which may be newer than what the import wrote. Those
    that were deleted meanwhile have been told of as deleted. A lot that is gone makes none.
    """
    lot = UnannouncedLot.objects.select_for_update().select_related("of").filter(pk=lot_id).first()
    if lot is None:
        return 0
    products = list(Product.objects.locked().filter(pk__in=lot.product_ids))
    circle = (f"user.{lot.of.seller_id}", "staff")
    frames = 0
    for audiences, is_active in ((("catalogue", *circle), True), (circle, False)):
        told = (product_data(product) for product in products if product.is_active == is_active)
        for some in _fitting(told):
            event = ProductsImported(task_id=str(lot.of_id), products=some)
            publish(event, audiences=audiences)
            frames += 1
    Import.objects.filter(pk=lot.of_id).update(announced=F("announced") + lot.size)
    lot.delete()
    return frames


def _fitting(products: Iterable[ProductData]) -> Iterator[list[ProductData]]:
    """The products in lots that one frame takes."""
    some: list[ProductData] = []
    size = _AROUND_BYTES
    for product in products:
        grows_by = len(msgspec.json.encode(product)) + 1
        if some and (len(some) == MAX_PRODUCTS or size + grows_by > MAX_FRAME_BYTES):
            yield some
            some, size = [], _AROUND_BYTES
        some.append(product)
        size += grows_by
    if some:
        yield some


class Pace:
    """When the next frame may go: the more streams there are, the fewer frames a second."""

    def __init__(self) -> None:
        self._due = 0.0
        self._looked_at = -_LOOK_SECONDS
        self._streams = 0

    def wait_seconds(self) -> float:
        """How long it is until then; 0 when it may go now."""
        return max(0.0, self._due - time.monotonic())

    def went(self, frames: int) -> None:
        """Reckon when the next one may go, after so many have. Uses the database."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at, self._streams = now, stream_figures().connections
        a_second = BYTES_PER_SECOND / (MAX_FRAME_BYTES / 2 * max(1, self._streams))
        a_second = min(FRAMES_PER_SECOND, max(LEAST_FRAMES_PER_SECOND, a_second))
        self._due = max(self._due, now) + frames / a_second


def next_lots(job: Import, limit: int) -> list[tuple[int, int]]:
    """The lots that come next: id, and number of products."""
    return list(job.unannounced.order_by("pk").values_list("pk", "size")[:limit])
