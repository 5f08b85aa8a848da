"""What a writer commits: a change of its product's stock, again and again, told of or not."""

import os
import time
from collections.abc import Callable, Iterator
from decimal import Decimal

from django.db import transaction
from django.db.models.signals import post_save
from django.utils import timezone
from msgspec.structs import asdict

from benchmarks.writers import Order, Write
from marketplace.accounts.models import User
from products.events import AvailabilityUpdated, availability_data
from products.models import Product
from products.services import ProductFields, change_stock, create_product
from products.signals import product_saved
from realtime.api import publish

LAMP: ProductFields = {
    "title": "Lamp",
    "price": Decimal(10),
    "currency": "EUR",
    "kind": "goods",
    "stock": 10,
}


class Writer:
    """One seller with one product, which nobody else writes."""

    def __init__(self) -> None:
        name = f"writer-{os.getpid()}"
        self._seller = User.objects.create_user(username=name, role=User.Role.SELLER)
        self._product = create_product(seller=self._seller, fields=LAMP)
        self._writes: dict[Write, Callable[[bool], None]] = {
            "event": self._tell,
            "row": self._write_row,
            "service": self._call_service,
        }

    def obey(self, order: Order) -> int:
        """Write as it is ordered; how many commits that were."""
        # The product's own rule stands in a receiver.
        (post_save.connect if order.announced else post_save.disconnect)(
            product_saved, sender=Product
        )
        write = self._writes[order.write]
        time.sleep(max(0.0, order.at - time.time()))
        commits = 0
        for _ in _paced(order):
            write(order.announced)
            commits += 1
        return commits

    @transaction.atomic
    def _tell(self, announced: bool) -> None:
        """Nothing but an event."""
        if announced:
            _announce(self._product)

    @transaction.atomic
    def _write_row(self, announced: bool) -> None:
        """The least that a service does: lock a row, write it. By the ORM's silent way, so that the
        same is written whether it is told of or not."""
        product = Product.objects.select_for_update().get(pk=self._product.pk)
        product.stock += 1
        Product.objects.filter(pk=product.pk).update(
            stock=product.stock,
            stock_version=product.stock_version + 1,
            stock_changed_at=timezone.now(),
        )
        if announced:
            _announce(product)

    def _call_service(self, announced: bool) -> None:
        """What a request does, rules and receivers included."""
        change_stock(product_id=self._product.pk, by=self._seller, change=1)


def _announce(product: Product) -> None:
    publish(AvailabilityUpdated(**asdict(availability_data(product))).of(product))


def _paced(order: Order) -> Iterator[None]:
    number = 0
    while (now := time.time()) < order.at + order.seconds:
        if order.rate is not None:
            time.sleep(max(0.0, order.at + number / order.rate - now))
        number += 1
        yield
