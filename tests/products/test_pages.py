"""The public pages as the server renders them: who sees what, in how many queries."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from marketplace.accounts.models import User
from products.availability.board import read_board
from products.catalogue import MAX_CATEGORIES, PAGE_SIZE, largest_categories
from products.events import product_data
from products.models import Product
from products.selectors import SCARCEST, off_sale_to
from products.templatetags.products import wire_form
from tests.products.things import make_product, make_tour

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["nobody", "buyer", "seller", "other_seller", "staff"])
def test_it_shows_everybody_the_same_catalogue(
    who: str, client: Client, request: pytest.FixtureRequest, seller: User
) -> None:
    make_product(seller, title="On sale")
    make_product(seller, title="Prepared", is_active=False)
    if who != "nobody":
        client.force_login(request.getfixturevalue(who))
    sheet = client.get("/").context["sheet"]

    assert [product.title for product in sheet.products] == ["On sale"]


def test_it_asks_as_much_for_many_products_as_for_one(
    client: Client, seller: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(PAGE_SIZE):
        make_product(seller, title=f"Cup {number}", category="Kitchen")
    client.get("/")

    with django_assert_num_queries(2):  # the log's position and the products
        client.get("/")
    with django_assert_num_queries(3):  # the last changes, too: here there are none
        client.get("/availability/")


def test_it_says_where_its_events_begin(client: Client) -> None:
    assert b'<meta name="event-position" content="' in client.get("/").content


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "page=10001", "page=-1", "kind=x", "minPrice=x", "ordering=x", "seller=x"],
)
def test_it_refuses_an_address_that_it_does_not_understand(query: str, client: Client) -> None:
    answer = client.get(f"/?{query}")

    assert answer.status_code == 400
    assert answer.context["sheet"] is None


def test_it_pages_without_overlap(client: Client, seller: User) -> None:
    created = [make_product(seller, title=f"Cup {number}") for number in range(PAGE_SIZE + 1)]
    first = client.get("/").context["sheet"]
    second = client.get("/?page=2").context["sheet"]

    assert first.has_next
    assert not second.has_next
    assert [*first.products, *second.products] == created[::-1]


def test_it_names_the_seller_of_a_filter(client: Client, seller: User, other_seller: User) -> None:
    make_product(seller, title="Bowl")
    make_product(other_seller, title="Jug")
    answer = client.get(f"/?seller={other_seller.pk}")

    assert answer.context["seller_name"] == "other-seller"
    assert [product.title for product in answer.context["sheet"].products] == ["Jug"]


def test_it_offers_the_categories_with_most_on_sale(seller: User) -> None:
    for number in range(MAX_CATEGORIES + 3):
        make_product(seller, category=f"rare {number:02}")
    for _ in range(2):
        make_product(seller, category="Zebra")
    for _ in range(3):
        make_product(seller, category="Hidden", is_active=False)

    categories = largest_categories()
    assert len(categories) == MAX_CATEGORIES
    assert categories[-1] == "Zebra"
    assert categories == sorted(categories, key=str.casefold)
    assert "Hidden" not in categories


def test_it_writes_what_people_typed_as_text(client: Client, seller: User) -> None:
    evil = "</script><img src=x onerror=alert(1)>\"'"
    product = make_product(seller, title=evil, category=evil[:60], description=evil)
    for path in ("/", f"/products/{product.pk}", "/availability/", f"/?search={evil}"):
        assert b"<img src=x" not in client.get(path).content


@pytest.mark.parametrize(
    ("who", "status"),
    [("nobody", 404), ("buyer", 404), ("other_seller", 404), ("seller", 200), ("staff", 200)],
)
def test_it_shows_what_is_off_sale_to_its_seller_and_staff(
    who: str, status: int, client: Client, request: pytest.FixtureRequest, seller: User
) -> None:
    product = make_product(seller, is_active=False)
    if who != "nobody":
        client.force_login(request.getfixturevalue(who))

    assert client.get(f"/products/{product.pk}").status_code == status


@pytest.mark.parametrize("who", ["nobody", "buyer", "other_seller", "seller", "staff"])
def test_it_has_forms_for_those_who_may_change_it(
    who: str, client: Client, request: pytest.FixtureRequest, seller: User
) -> None:
    product = make_product(seller)
    if who != "nobody":
        client.force_login(request.getfixturevalue(who))
    content = client.get(f"/products/{product.pk}").content

    assert (b'id="edit-price"' in content) is (who in {"seller", "staff"})


@pytest.mark.parametrize(
    ("fields", "is_for_sale"),
    [
        ({}, True),
        ({"stock": 0}, False),
        ({"starts_at": timezone.now() - timedelta(minutes=1)}, False),
        ({"starts_at": timezone.now() + timedelta(days=1)}, True),
    ],
)
def test_it_offers_what_can_be_had(
    fields: dict[str, object], is_for_sale: bool, client: Client, seller: User
) -> None:
    tour = make_tour(seller, **fields)

    assert client.get(f"/products/{tour.pk}").context["is_for_sale"] is is_for_sale


@pytest.mark.parametrize("who", ["nobody", "buyer", "seller", "staff"])
def test_it_gives_a_basket_to_those_who_may_order(
    who: str, client: Client, request: pytest.FixtureRequest
) -> None:
    if who != "nobody":
        client.force_login(request.getfixturevalue(who))
    content = client.get("/").content

    assert (b'id="basket"' in content) is (who != "seller")
    assert (b'id="basket-form"' in content) is (who in {"buyer", "staff"})
    assert (b"Lindenweg 4" in content) is (who == "buyer")


def test_it_tells_scripts_what_events_tell_of_a_product(seller: User) -> None:
    product = make_product(seller, description="Long.", price=Decimal("9.90"))
    known = json.loads(wire_form(product))

    assert known["price"] == "9.90"
    assert known["sellerName"] == product_data(product).seller_name
    assert "description" not in known


def test_it_puts_tours_and_scarce_goods_on_the_board(seller: User) -> None:
    make_product(seller, title="Many", stock=11, low_stock_threshold=5)
    make_product(seller, title="Few", stock=10, low_stock_threshold=5)
    make_product(seller, title="None", stock=0)
    make_tour(seller, title="Walk", stock=12, low_stock_threshold=1)
    make_product(seller, title="Hidden", stock=1, is_active=False)
    board = read_board()

    assert [product.title for product in board.products] == ["None", "Few", "Walk"]
    assert [place["stock"] for place in board.stocks] == [0, 10, 11, 12]


def test_it_names_to_each_what_they_hear_of_off_sale(
    seller: User, other_seller: User, staff: User, buyer: User
) -> None:
    own = make_tour(seller, is_active=False)
    others = make_tour(other_seller, is_active=False)
    make_tour(seller)
    assert off_sale_to(seller) == [own.pk]
    assert off_sale_to(staff) == [own.pk, others.pk]
    assert off_sale_to(buyer) == off_sale_to(AnonymousUser()) == []


def test_it_bounds_the_board(seller: User) -> None:
    cup = {"seller": seller, "title": "Cup", "price": 1, "currency": "EUR", "kind": "goods"}
    Product.objects.bulk_create(
        Product(**cup, stock=number // 40) for number in range(SCARCEST + 40)
    )
    board = read_board()

    assert len(board.products) == SCARCEST
    assert len(board.stocks) == SCARCEST
    assert board.stocks[-1]["stock"] == 4
