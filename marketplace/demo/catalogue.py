"""What the demo's shops offer: catalogue.json, read and checked."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
from django.templatetags.static import static

from products.services import ProductFields


class Offer(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One product of the demo; a tour where it has seats.

    slug: names its picture; in_days: when a tour starts, counted from the day of loading.
    """

    shop: str
    category: str
    slug: str
    title: str
    price: Decimal
    currency: str
    stock: int
    description: str
    low_at: int = 5
    seats: int | None = None
    in_days: int = 0
    external_id: str = ""

    def fields(self, *, now: datetime) -> ProductFields:
        """The offer as its seller would enter it."""
        fields = ProductFields(
            title=self.title,
            description=self.description,
            category=self.category,
            price=self.price,
            currency=self.currency,
            kind="goods" if self.seats is None else "tour",
            stock=self.stock,
            low_stock_threshold=self.low_at,
            external_id=self.external_id or self.slug,
            image_url=static(f"products/demo/{self.slug}.svg"),
        )
        if self.seats is not None:
            morning = now.replace(hour=9, minute=0, second=0, microsecond=0)
            fields["starts_at"] = morning + timedelta(days=self.in_days)
            fields["max_group_size"] = self.seats
        return fields


def offers() -> list[Offer]:
    """All of them, shop by shop."""
    text = Path(__file__).with_name("catalogue.json").read_bytes()
    return msgspec.json.decode(text, type=list[Offer])
