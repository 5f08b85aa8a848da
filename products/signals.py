"""Receivers: a saved or deleted product becomes the events that tell of it."""

from products.events import announcements
from products.models import Product
from realtime.api import publish


def product_saved(*, instance: Product, raw: bool, **_: object) -> None:
    """A product's row was written; raw ones (fixtures) are not announced."""
    if raw:
        return
    for event in announcements(before=instance.before, after=instance.after):
        publish(event)


def product_deleted(*, instance: Product, **_: object) -> None:
    """A product's row was deleted."""
    for event in announcements(before=instance.before, after=None):
        publish(event)
