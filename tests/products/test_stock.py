"""Stock: changed by sellers, taken by orders, given back."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from products.errors import InsufficientStock, ProductUnavailable, Shortage
from products.models import MAX_STOCK, Product
from products.services import give_back_stock, take_stock
from tests.conftest import ClientFor
from tests.products.things import announced, announced_types, make_product, make_tour

pytestmark = pytest.mark.django_db


def stock_of(product: Product) -> int:
    """What the database has."""
    return Product.objects.get(pk=product.pk).stock


@pytest.fixture
def client(client_for: ClientFor, seller: User) -> APIClient:
    """The seller's client."""
    return client_for(seller)


def post(client: APIClient, product: Product, body: Any) -> Any:
    """Ask for another stock."""
    return client.post(f"/api/products/{product.pk}/stock", body, format="json")


# --- By the seller --------------------------------------------------------------------------


def test_it_adds_and_takes_out(client: APIClient, seller: User) -> None:
    product = make_product(seller)

    assert post(client, product, {"change": 5}).json()["stock"] == 15
    answer = post(client, product, {"change": -12})

    assert answer.status_code == 200
    body = answer.json()
    assert (body["stock"], body["stockVersion"], body["version"]) == (3, 3, 1)
    data = {
        "productId": product.pk,
        "title": "Teapot",
        "kind": "goods",
        "stock": 3,
        "stockVersion": 3,
        "level": "low",
        "lowStockThreshold": 5,
        "maxGroupSize": None,
    }
    board = ["availability", f"product.{product.pk}", f"user.{seller.pk}", "staff"]
    assert announced()[1:] == [
        ("availability-updated", board, data),
        ("availability-low", [*board, "all"], data),
    ]


def test_it_says_nothing_of_no_change(client: APIClient, seller: User) -> None:
    product = make_product(seller)
    assert post(client, product, {"change": 0}).status_code == 200
    assert post(client, product, {"set": 10, "stockVersion": 1}).json()["stockVersion"] == 1
    assert announced_types() == []


def test_it_never_goes_below_zero(client: APIClient, seller: User) -> None:
    product = make_product(seller)

    answer = post(client, product, {"change": -11})

    assert answer.status_code == 409
    assert answer.json()["errors"] == [
        {
            "code": "insufficient_stock",
            "detail": "There is not enough in stock.",
            "attr": None,
            "productId": product.pk,
            "available": 10,
        }
    ]
    assert stock_of(product) == 10
    assert announced_types() == []


def test_it_sets_what_was_counted(client: APIClient, seller: User) -> None:
    product = make_product(seller)

    assert post(client, product, {"set": 0, "stockVersion": 1}).json()["level"] == "out"
    stale = post(client, product, {"set": 10, "stockVersion": 1})
    assert (stale.status_code, stale.json()["errors"][0]["code"]) == (409, "stale_version")
    assert stale.json()["errors"][0]["stockVersion"] == 2
    assert post(client, product, {"change": 1, "stockVersion": 1}).status_code == 409
    assert stock_of(product) == 0


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        ({}, "non_field_errors", "invalid"),
        ({"change": 1, "set": 1, "stockVersion": 1}, "non_field_errors", "invalid"),
        ({"set": 1}, "stockVersion", "required"),
        ({"set": -1, "stockVersion": 1}, "set", "min_value"),
        ({"change": "many"}, "change", "invalid"),
        ({"change": None}, "change", "null"),
        ({"change": 2**31}, "change", "max_value"),
        ({"change": MAX_STOCK}, "stock", "max_value"),
        ({"change": 1, "price": 1}, "price", "unknown_field"),
        ([], None, "parse_error"),
    ],
)
def test_it_refuses_a_body_that_does_not_hold(
    client: APIClient, seller: User, body: Any, attr: str, code: str
) -> None:
    product = make_product(seller)
    answer = post(client, product, body)
    assert answer.status_code == 400
    if body:
        assert [(error["attr"], error["code"]) for error in answer.json()["errors"]] == [
            (attr, code)
        ]
    assert stock_of(product) == 10


def test_it_fits_a_tour(client: APIClient, seller: User) -> None:
    tour = make_tour(seller)
    assert post(client, tour, {"change": 2}).status_code == 200
    assert post(client, tour, {"change": 1}).status_code == 400
    assert stock_of(tour) == 12


# --- By orders ------------------------------------------------------------------------------


def test_it_is_taken_of_all_or_of_none(seller: User, buyer: User) -> None:
    plenty, scarce, rare = (make_product(seller, stock=stock) for stock in (10, 2, 0))

    with pytest.raises(InsufficientStock) as refused:
        take_stock(quantities={rare.pk: 1, plenty.pk: 10, scarce.pk: 3}, buyer_id=buyer.pk)

    assert refused.value.shortages == (
        Shortage(rare.pk, asked=1, available=0),
        Shortage(scarce.pk, asked=3, available=2),
    )
    assert announced_types() == []

    taken = take_stock(quantities={plenty.pk: 10, scarce.pk: 1}, buyer_id=buyer.pk)
    assert {pk: product.stock for pk, product in taken.items()} == {plenty.pk: 0, scarce.pk: 1}
    assert (stock_of(plenty), stock_of(scarce)) == (0, 1)
    assert announced_types() == [
        "availability-updated",
        "availability-low",
        "availability-updated",
    ]


def test_it_is_taken_only_of_what_this_buyer_can_buy(
    seller: User, other_seller: User, buyer: User
) -> None:
    on_sale = make_product(other_seller)
    off_sale = make_product(other_seller, is_active=False)
    own = make_product(seller)
    gone_by = make_tour(other_seller, starts_at=timezone.now() - timedelta(seconds=1))
    to_come = make_tour(other_seller, starts_at=timezone.now() + timedelta(hours=1))
    products = [on_sale, off_sale, own, gone_by, to_come]
    quantities = {product.pk: 1 for product in products} | {to_come.pk + 1: 1}

    with pytest.raises(ProductUnavailable) as refused:
        take_stock(quantities=quantities, buyer_id=seller.pk)

    assert refused.value.product_ids == (off_sale.pk, own.pk, gone_by.pk, to_come.pk + 1)
    assert [stock_of(product) for product in products] == [10] * 5
    assert stock_of(take_stock(quantities={own.pk: 1}, buyer_id=buyer.pk)[own.pk]) == 9


def test_it_comes_back(seller: User, buyer: User) -> None:
    product, other = make_product(seller), make_product(seller, is_active=False)
    take_stock(quantities={product.pk: 10}, buyer_id=buyer.pk)

    give_back_stock(quantities={product.pk: 10, other.pk: 1})

    assert (stock_of(product), stock_of(other)) == (10, 11)


def test_it_comes_back_to_a_tour_within_its_group(seller: User, buyer: User) -> None:
    tour = make_tour(seller, stock=12)
    take_stock(quantities={tour.pk: 4}, buyer_id=buyer.pk)
    tour = Product.objects.get(pk=tour.pk)
    tour.max_group_size = 10
    tour.save()

    give_back_stock(quantities={tour.pk: 4})

    assert stock_of(tour) == 10
