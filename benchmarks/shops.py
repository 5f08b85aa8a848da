"""python -m benchmarks.shops COUNT: makes so many people, sellers and buyers in turn, with as much
to look at as a dashboard shows, and prints them as benchmarks.people does.

By the ORM's silent way: nobody is to hear of it.
"""

import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import django

from benchmarks.people import make_people

if TYPE_CHECKING:  # importable when Django is set up
    from products.models import Product

# What one page of a list holds.
PAGE = 20
PRICE = Decimal(10)


def make_shops(count: int) -> Iterator[tuple[int, str]]:
    """New people, each logged in: (id, access token). Each seller has a page of products, which the
    buyer behind them ordered one by one."""
    from marketplace.accounts.models import User

    people = list(make_people(count))
    pairs = [(people[at][0], people[at + 1][0]) for at in range(0, count - 1, 2)]
    sellers = [seller for seller, _ in pairs]
    User.objects.filter(pk__in=sellers).update(role=User.Role.SELLER)
    _make_orders(_make_products(sellers), dict(pairs))
    yield from people


def _make_products(sellers: Sequence[int]) -> "list[Product]":
    from products.models import Product

    return Product.objects.bulk_create(
        Product(
            seller_id=seller,
            title=f"Lamp {number}",
            description="A lamp as the others, but for its number.",
            category="Lamps",
            price=PRICE,
            currency="EUR",
            kind=Product.Kind.GOODS,
            stock=100,
        )
        for seller in sellers
        for number in range(PAGE)
    )


def _make_orders(products: "Sequence[Product]", buyers: dict[int, int]) -> None:
    from orders.models import Order, OrderLine, OrderStep

    address = {"name": "Ada", "line1": "1 Lane", "postalCode": "1", "city": "Bonn", "country": "DE"}
    orders = Order.objects.bulk_create(
        Order(
            buyer_id=buyers[product.seller_id],
            seller_id=product.seller_id,
            total=PRICE,
            currency="EUR",
            shipping_address=address,
        )
        for product in products
    )
    OrderLine.objects.bulk_create(
        OrderLine(order=order, product=product, title=product.title, quantity=1, unit_price=PRICE)
        for order, product in zip(orders, products, strict=True)
    )
    OrderStep.objects.bulk_create(
        OrderStep(order=order, to_status=order.status, by_id=order.buyer_id) for order in orders
    )


if __name__ == "__main__":
    django.setup()
    for pk, token in make_shops(int(sys.argv[1])):
        print(pk, token)
