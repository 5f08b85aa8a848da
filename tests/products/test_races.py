"""Many who change one stock at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from marketplace.accounts.models import User
from products.errors import InsufficientStock, StaleVersion
from products.models import Product
from products.services import (
    ProductFields,
    change_stock,
    create_product,
    give_back_stock,
    set_stock,
    take_stock,
)
from tests.products.things import announced, make_product
from tests.support.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8


def at_once(work: Callable[[int], object]) -> list[object]:
    """Do the work in all threads at the same moment; returns what each returned or refused."""
    barrier = Barrier(THREADS)

    def run(number: int) -> object:
        try:
            barrier.wait()
            return work(number)
        except (InsufficientStock, StaleVersion, ValidationError) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def stocks_announced() -> list[tuple[int, int]]:
    """Stock and stockVersion of each availability-updated, in order."""
    return [
        (data["stock"], data["stockVersion"])
        for type_name, _audiences, data in announced()
        if type_name == "availability-updated"
    ]


def test_it_loses_no_change(seller: User) -> None:
    product = make_product(seller, stock=0)

    at_once(lambda _: [change_stock(product_id=product.pk, by=seller, change=1) for _ in range(5)])

    row = Product.objects.get(pk=product.pk)
    assert (row.stock, row.stock_version) == (40, 41)
    assert stocks_announced() == [(stock, stock + 1) for stock in range(1, 41)]


def test_it_sells_no_piece_twice(seller: User) -> None:
    product = make_product(seller, stock=5)
    buyers = [make_user(f"buyer-{number}") for number in range(THREADS)]

    outcomes = at_once(
        lambda number: take_stock(quantities={product.pk: 1}, buyer_id=buyers[number].pk)
    )

    assert sum(isinstance(outcome, InsufficientStock) for outcome in outcomes) == THREADS - 5
    assert Product.objects.get(pk=product.pk).stock == 0
    assert stocks_announced() == [(4, 2), (3, 3), (2, 4), (1, 5), (0, 6)]


def test_it_lets_one_of_many_counts_through(seller: User) -> None:
    product = make_product(seller)

    outcomes = at_once(
        lambda number: set_stock(
            product_id=product.pk, by=seller, stock=50 + number, stock_version=1
        )
    )

    assert sum(isinstance(outcome, StaleVersion) for outcome in outcomes) == THREADS - 1
    assert Product.objects.get(pk=product.pk).stock_version == 2


def test_it_keeps_a_price_and_sales_apart(seller: User, buyer: User) -> None:
    product = make_product(seller, stock=100)

    def work(number: int) -> None:
        for price in range(1, 6):
            if number % 2:
                take_stock(quantities={product.pk: 1}, buyer_id=buyer.pk)
            else:
                old = Product.objects.get(pk=product.pk)
                old.price = number * 10 + price
                old.save()

    assert at_once(work) == [None] * THREADS
    row = Product.objects.get(pk=product.pk)
    assert (row.stock, row.stock_version, row.version) == (80, 21, 21)


def test_it_gives_an_external_id_to_one_of_many(seller: User) -> None:
    fields: ProductFields = {
        "title": "Cup",
        "price": Decimal(1),
        "currency": "EUR",
        "kind": "goods",
        "stock": 1,
        "external_id": "7",
    }

    outcomes = at_once(lambda _: create_product(seller=seller, fields=fields))

    refusals = [outcome for outcome in outcomes if isinstance(outcome, ValidationError)]
    assert len(refusals) == THREADS - 1
    assert {error.code for refusal in refusals for error in refusal.error_dict["external_id"]} == {
        "unique"
    }
    assert Product.objects.count() == 1


def test_it_does_not_deadlock_over_the_same_products(seller: User, buyer: User) -> None:
    ids = [make_product(seller, stock=1000).pk for _ in range(4)]

    def work(number: int) -> None:
        mine = ids[number % 4 :] + ids[: number % 4]
        for _ in range(3):
            quantities = dict.fromkeys(mine if number % 2 else reversed(mine), 1)
            with transaction.atomic():
                take_stock(quantities=quantities, buyer_id=buyer.pk)
                give_back_stock(quantities=quantities)

    assert at_once(work) == [None] * THREADS
    assert set(Product.objects.values_list("stock", flat=True)) == {1000}
