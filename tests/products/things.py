"""Products for the tests, and what was announced of them."""

import json
from decimal import Decimal
from io import BytesIO
from typing import Any

from PIL import Image

from marketplace.accounts.models import User
from products.models import Product
from realtime.models import OutboxEvent

BODY: dict[str, Any] = {
    "title": "Teapot",
    "price": "12.50",
    "currency": "EUR",
    "kind": "goods",
    "stock": 10,
}


def make_product(seller: User, **fields: Any) -> Product:
    """A teapot, ten in stock; `fields` say otherwise. What its creation announced is dropped."""
    values = {**BODY, "price": Decimal("12.50"), **fields}
    product = Product.objects.create(seller=seller, **values)
    OutboxEvent.objects.all().delete()
    return product


def make_tour(seller: User, **fields: Any) -> Product:
    """A tour for twelve, ten seats free."""
    return make_product(seller, **{"kind": "tour", "max_group_size": 12, **fields})


def announced() -> list[tuple[str, list[str], dict[str, Any]]]:
    """What stands in the outbox, in order: type, audiences and data.

    Without what single people are told of it: tests/notifications/ looks at that.
    """
    return [
        (row.type, row.audiences.split(), json.loads(row.payload)["data"])
        for row in OutboxEvent.objects.exclude(type="notification").order_by("id")
    ]


def announced_types() -> list[str]:
    """The types of what stands in the outbox, in order."""
    return [type_name for type_name, _audiences, _data in announced()]


def forget_announcements() -> None:
    """Empty the outbox."""
    OutboxEvent.objects.all().delete()


def picture(
    picture_format: str = "PNG", *, size: tuple[int, int] = (8, 6), **options: Any
) -> bytes:
    """A red picture as a file's bytes; `options` go to Pillow's save()."""
    file = BytesIO()
    Image.new("RGB", size, "red").save(file, format=picture_format, **options)
    return file.getvalue()
