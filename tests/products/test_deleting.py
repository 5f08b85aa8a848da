"""What becomes of a product that is deleted, with orders and without."""

import pytest
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.services import place_orders
from products.models import Product
from tests.conftest import ClientFor
from tests.products.things import announced, announced_types, forget_announcements, make_product

pytestmark = pytest.mark.django_db


def make_ordered_product(seller: User, buyer: User) -> Product:
    """A product that stands in an order."""
    product = make_product(seller)
    place_orders(buyer=buyer, lines=[CartLine(product_id=product.pk, quantity=1)])
    forget_announcements()
    return Product.objects.get(pk=product.pk)


def test_it_deletes_what_nobody_ordered(seller: User) -> None:
    product = make_product(seller)
    pk = product.pk

    assert product.delete() == (1, {"products.Product": 1})

    assert not Product.objects.filter(pk=pk).exists()
    assert announced() == [
        ("product-deleted", ["catalogue", "all", f"product.{pk}"], {"productId": pk})
    ]


def test_it_takes_off_sale_what_has_orders(seller: User, buyer: User) -> None:
    product = make_ordered_product(seller, buyer)

    assert product.delete() == (0, {})
    assert product.delete() == (0, {})

    row = Product.objects.get(pk=product.pk)
    assert (row.is_active, row.version, product.is_active) == (False, 2, False)
    assert announced_types() == ["product-deleted", "product-updated"]


def test_it_writes_nothing_else_when_it_goes_off_sale(seller: User, buyer: User) -> None:
    product = make_ordered_product(seller, buyer)

    product.title, product.stock = "Kettle", 99
    product.delete()

    row = Product.objects.get(pk=product.pk)
    assert (row.title, row.stock, row.is_active) == ("Teapot", 9, False)


def test_it_answers_the_same_over_rest(seller: User, buyer: User, client_for: ClientFor) -> None:
    ordered, free = make_ordered_product(seller, buyer), make_product(seller)
    client = client_for(seller)

    for product in (ordered, free):
        assert client.delete(f"/api/products/{product.pk}").status_code == 204

    assert APIClient().get("/api/products").json()["count"] == 0
    assert client.get(f"/api/products/{ordered.pk}").json()["isActive"] is False
    assert client.get(f"/api/products/{free.pk}").status_code == 404


def test_it_treats_each_of_several_in_its_own_way(seller: User, buyer: User) -> None:
    ordered, free = make_ordered_product(seller, buyer), make_product(seller)
    ids = {ordered.pk, free.pk}

    assert Product.objects.filter(pk__in=ids).delete() == (1, {"products.Product": 1})

    assert list(Product.objects.filter(pk__in=ids).values_list("pk", "is_active")) == [
        (ordered.pk, False)
    ]
    assert sorted(announced_types()) == ["product-deleted", "product-deleted", "product-updated"]


def test_it_keeps_a_seller_who_has_products(seller: User) -> None:
    make_product(seller)
    with pytest.raises(Exception, match="protected"):
        seller.delete()
