"""Receivers: a saved or deleted product becomes the events that tell of it."""

from products.events import AvailabilityData, AvailabilityLow, announcements
from products.images import discard_replaced
from products.models import Product
from products.notices import tell_of_low_stock
from realtime.api import publish


def product_saved(*, instance: Product, raw: bool, **_: object) -> None:
    """A product's row was written; raw ones (fixtures) are not announced."""
    if raw:
        return
    for event in announcements(before=instance.before, after=instance.after):
        # A change of the stock has a moment of its own, later than that of the change before.
        of_stock = isinstance(event, AvailabilityData)
        publish(event, at=instance.stock_changed_at if of_stock else None)
        # No service knows that a threshold was crossed: it is seen under the save's lock, whoever
        # saves. The seller is told exactly when everybody is.
        if isinstance(event, AvailabilityLow) and instance.after is not None:
            tell_of_low_stock(instance.after)


def product_deleted(*, instance: Product, **_: object) -> None:
    """A product's row was deleted."""
    for event in announcements(before=instance.before, after=None):
        publish(event)


def picture_left(*, instance: Product, **_: object) -> None:
    """A product's row was written or deleted: its old picture may be nobody's now."""
    if instance.before is not None:
        kept = "" if instance.after is None else instance.after.image_url
        discard_replaced([(instance.before.image_url, kept)])
