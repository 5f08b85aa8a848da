"""The list of products: filters, order, pages, and what it costs."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from products.models import Product
from tests.conftest import ClientFor
from tests.products.things import make_product, make_tour

pytestmark = pytest.mark.django_db


def titles(query: str, client: APIClient | None = None) -> list[str]:
    """The titles that the list shows for this query, in order."""
    answer = (client or APIClient()).get(f"/api/products?{query}")
    assert answer.status_code == 200, answer.content
    return [product["title"] for product in answer.json()["results"]]


@pytest.fixture
def shelf(seller: User, other_seller: User) -> None:
    """Four products on sale, created a day after one another, and one that is not."""
    shelf: list[dict[str, Any]] = [
        {"title": "Teapot", "category": "kitchen", "price": Decimal(20), "stock": 3},
        {"title": "Red cup", "category": "kitchen", "price": Decimal(5), "stock": 0},
        {"title": "Lamp", "description": "Red, 100% brass", "price": Decimal("9.99"), "stock": 7},
    ]
    now = timezone.now()
    for day, fields in enumerate(shelf):
        make_product(seller, created_at=now + timedelta(days=day), **fields)
    make_tour(other_seller, title="Harbour", price=Decimal(30), stock=2,
              created_at=now + timedelta(days=3))  # fmt: skip
    make_product(seller, title="Secret", is_active=False, created_at=now + timedelta(days=4))


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Harbour", "Lamp", "Red cup", "Teapot"]),
        ("search=red", ["Lamp", "Red cup"]),
        ("search=red+kitchen", ["Red cup"]),
        ("search=%25+brass", ["Lamp"]),
        ("search=_", []),
        ("category=kitchen", ["Red cup", "Teapot"]),
        ("category=kitch", []),
        ("kind=tour", ["Harbour"]),
        ("minPrice=9.99&maxPrice=20", ["Lamp", "Teapot"]),
        ("inStock=true", ["Harbour", "Lamp", "Teapot"]),
        ("inStock=false", ["Red cup"]),
        ("seller=999999", []),
        ("search=&category=&minPrice=&ordering=", ["Harbour", "Lamp", "Red cup", "Teapot"]),
        ("search=+&category=+&kind=%09&seller=+", ["Harbour", "Lamp", "Red cup", "Teapot"]),
        ("inStock=+&maxPrice=+&ordering=+", ["Harbour", "Lamp", "Red cup", "Teapot"]),
        ("ordering=price", ["Red cup", "Lamp", "Teapot", "Harbour"]),
        ("ordering=-price", ["Harbour", "Teapot", "Lamp", "Red cup"]),
        ("ordering=title", ["Harbour", "Lamp", "Red cup", "Teapot"]),
        ("ordering=stock", ["Red cup", "Harbour", "Teapot", "Lamp"]),
        ("ordering=createdAt", ["Teapot", "Red cup", "Lamp", "Harbour"]),
        ("ordering=createdAt&pageSize=2&page=2", ["Lamp", "Harbour"]),
    ],
)
def test_it_shows_what_was_asked_for(query: str, expected: list[str]) -> None:
    assert titles(query) == expected


@pytest.mark.usefixtures("shelf")
def test_it_shows_one_seller(seller: User, client_for: ClientFor, staff: User) -> None:
    assert titles(f"seller={seller.pk}") == ["Lamp", "Red cup", "Teapot"]
    own = ["Secret", "Lamp", "Red cup", "Teapot"]
    assert titles(f"seller={seller.pk}", client_for(seller)) == own
    assert titles(f"seller={seller.pk}", client_for(staff)) == own


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("minPrice=cheap", "minPrice"),
        ("minPrice=-1", "minPrice"),
        ("maxPrice=NaN", "maxPrice"),
        ("maxPrice=1e400", "maxPrice"),
        ("seller=me", "seller"),
        ("seller=" + "9" * 30, "seller"),
        ("seller=" + "9" * 4301, "seller"),
        ("seller=1_0", "seller"),
        ("seller=%D9%A3", "seller"),
        ("minPrice=1_0", "minPrice"),
        ("kind=idea", "kind"),
        ("inStock=perhaps", "inStock"),
        ("ordering=sellerName", "ordering"),
        ("ordering=price,title", "ordering"),
        ("search=" + "x" * 101, "search"),
        ("category=" + "x" * 61, "category"),
        ("page=0", "page"),
        ("pageSize=101", "pageSize"),
    ],
)
def test_it_refuses_a_bad_parameter(query: str, name: str) -> None:
    answer = APIClient().get(f"/api/products?{query}")
    assert answer.status_code == 400
    assert [error["attr"] for error in answer.json()["errors"]] == [name]


def test_it_pages_in_an_order_that_does_not_overlap(seller: User) -> None:
    now = timezone.now()
    for _ in range(7):
        make_product(seller, created_at=now)
    seen = []
    for page in (1, 2, 3, 4):
        answer = APIClient().get(f"/api/products?ordering=price&pageSize=2&page={page}").json()
        seen += [product["id"] for product in answer["results"]]
    assert answer["count"] == 7
    assert sorted(seen) == seen == list(Product.objects.order_by("pk").values_list("pk", flat=True))


def test_it_costs_the_same_for_any_number(
    seller: User, other_seller: User, client_for: ClientFor
) -> None:
    def cost(client: APIClient) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/products?pageSize=100").status_code == 200
        return len(queries)

    clients = [APIClient(), client_for(seller)]
    make_product(seller)
    few = [cost(client) for client in clients]
    for _ in range(20):
        make_product(other_seller)
    assert [cost(client) for client in clients] == few
    # The log's position, the count, the page with its sellers.
    assert few[0] == 3
