"""Addresses of the catalogue page that nobody's browser makes up."""

import pytest
from django.test import Client

from marketplace.accounts.models import User
from tests.products.things import make_product

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "query",
    [
        "page=%C2%B2",
        "page=%D9%A3",
        "page=1_0",
        "page=000001" + "9" * 20,
        "page=000001" + "9" * 4300,
        "seller=" + "9" * 19,
        "seller=" + "9" * 4301,
        "seller=%D9%A3",
        "seller=1_0",
        "minPrice=1_0",
    ],
)
def test_it_refuses_numbers_that_are_none(query: str, client: Client) -> None:
    answer = client.get(f"/?{query}")
    assert answer.status_code == 400
    assert answer.context["sheet"] is None


def test_it_reads_blanks_as_nothing(client: Client, seller: User) -> None:
    make_product(seller)
    answer = client.get("/?seller=+&category=+&kind=+&search=+&ordering=+&page=")
    assert answer.status_code == 200
    assert len(answer.context["sheet"].products) == 1
    assert (answer.context["narrowed"], answer.context["ordering"]) == (False, "-createdAt")


def test_it_names_nobody_for_a_seller_who_is_not_there(client: Client, seller: User) -> None:
    make_product(seller)
    answer = client.get("/?seller=999999999999999999")
    assert answer.status_code == 200
    assert answer.context["seller_name"] == ""
    assert answer.context["narrowed"]
