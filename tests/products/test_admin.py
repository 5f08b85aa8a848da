"""Products in the admin."""

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.services import place_orders
from products.models import Product
from tests.products.things import announced_types, forget_announcements, make_product, make_tour
from tests.support.people import make_user

pytestmark = pytest.mark.django_db

LIST = "/admin/products/product/"


@pytest.fixture
def admin() -> Client:
    """A superuser's browser."""
    client = Client()
    client.force_login(make_user("admin", is_staff=True, is_superuser=True))
    return client


def page_of(product: Product) -> str:
    """The address of the product's form."""
    return f"{LIST}{product.pk}/change/"


def opened(client: Client, url: str) -> dict[str, str]:
    """The values of the form as a browser would send them back."""
    page = client.get(url)
    assert page.status_code == 200
    form = page.context["adminform"].form
    values = {}
    for name in form.fields:
        field = form[name]
        value = field.value()
        values[name] = "" if value is None else str(value)
    for name, value in re.findall(r'name="(initial-[^"]+)" value="([^"]*)"', page.content.decode()):
        values[name] = unescape(value)
    values["is_active"] = "on"
    return values


def sent(client: Client, url: str, values: dict[str, str]) -> Any:
    """Send the form."""
    return client.post(url, values)


def errors(answer: Any) -> list[str]:
    """What the form says after a refusal."""
    assert answer.status_code == 200
    return [error for fault in answer.context["errors"] for error in fault]


def sell_one(product: Product) -> None:
    """What a buyer does meanwhile."""
    row = Product.objects.get(pk=product.pk)
    row.stock -= 1
    row.save()


def order_one(product: Product, buyer: User) -> None:
    """Have the product stand in an order."""
    place_orders(buyer=buyer, lines=[CartLine(product_id=product.pk, quantity=1)])
    forget_announcements()


def test_it_saves_and_announces_what_was_changed(admin: Client, seller: User) -> None:
    product = make_product(seller)
    values = opened(admin, page_of(product))

    answer = sent(admin, page_of(product), {**values, "title": "Kettle", "stock": "4"})

    assert answer.status_code == 302
    row = Product.objects.get(pk=product.pk)
    assert (row.title, row.stock, row.version, row.stock_version) == ("Kettle", 4, 2, 2)
    assert announced_types() == ["product-updated", "availability-updated", "availability-low"]


def test_it_says_nothing_when_nothing_was_changed(admin: Client, seller: User) -> None:
    product = make_tour(seller)
    assert sent(admin, page_of(product), opened(admin, page_of(product))).status_code == 302
    assert announced_types() == []


def test_it_refuses_a_form_that_was_opened_before_a_change(admin: Client, seller: User) -> None:
    product = make_product(seller)
    values = opened(admin, page_of(product))
    product.description = "Blue"
    product.save()

    answer = sent(admin, page_of(product), {**values, "title": "Kettle"})

    assert "Somebody changed this product after you opened it" in errors(answer)[0]
    assert Product.objects.get(pk=product.pk).title == "Teapot"
    # Sending the refused form again does not help.
    assert sent(admin, page_of(product), {**values, "title": "Kettle"}).status_code == 200


def test_it_refuses_a_stock_that_was_set_before_a_sale(admin: Client, seller: User) -> None:
    product = make_product(seller)
    values = opened(admin, page_of(product))
    sell_one(product)

    answer = sent(admin, page_of(product), {**values, "stock": "20"})

    assert errors(answer) == ["The stock changed after you opened this product: now it is 9."]
    assert Product.objects.get(pk=product.pk).stock == 9


def test_it_gives_no_sold_piece_back_with_a_title(admin: Client, seller: User) -> None:
    product = make_product(seller)
    values = opened(admin, page_of(product))
    sell_one(product)

    assert sent(admin, page_of(product), {**values, "title": "Kettle"}).status_code == 302

    row = Product.objects.get(pk=product.pk)
    assert (row.title, row.stock, row.stock_version) == ("Kettle", 9, 2)


@pytest.mark.parametrize("name", ["based_on_version", "based_on_stock_version", "initial-stock"])
def test_it_refuses_a_form_that_does_not_say_what_it_is_based_on(
    admin: Client, seller: User, name: str
) -> None:
    product = make_product(seller)
    values = opened(admin, page_of(product))
    sell_one(product)
    del values[name]
    assert errors(sent(admin, page_of(product), {**values, "title": "Kettle"}))
    assert Product.objects.get(pk=product.pk).stock == 9


def test_it_adds_a_product_of_a_seller(admin: Client, seller: User, buyer: User) -> None:
    values = {
        **opened(admin, f"{LIST}add/"),
        "seller": str(seller.pk),
        "title": "Cup",
        "price": "3.50",
        "currency": "EUR",
        "kind": "goods",
        "stock": "4",
    }
    assert errors(sent(admin, f"{LIST}add/", {**values, "seller": str(buyer.pk)})) == [
        "This user is no seller."
    ]
    assert errors(sent(admin, f"{LIST}add/", {**values, "currency": "EURO"}))

    assert sent(admin, f"{LIST}add/", values).status_code == 302
    assert Product.objects.get().seller == seller
    assert announced_types() == ["product-created"]


def test_it_shows_what_does_not_go_together(admin: Client, seller: User) -> None:
    make_product(seller, external_id="7")
    tour = make_tour(seller)
    values = opened(admin, page_of(tour))

    answer = sent(admin, page_of(tour), {**values, "stock": "13", "external_id": "7"})

    assert errors(answer) == ["There can be 12 at most.", "Another product has this external id."]


def test_it_keeps_the_seller(admin: Client, seller: User, other_seller: User) -> None:
    product = make_product(seller)
    values = opened(admin, page_of(product))
    assert "seller" not in values
    sent(admin, page_of(product), {**values, "seller": str(other_seller.pk)})
    assert Product.objects.get(pk=product.pk).seller == seller


def test_it_deletes_one(admin: Client, seller: User) -> None:
    product = make_product(seller)
    answer = admin.post(f"{LIST}{product.pk}/delete/", {"post": "yes"}, follow=True)
    assert "was deleted successfully" in answer.content.decode()
    assert not Product.objects.exists()
    assert announced_types() == ["product-deleted"]


def test_it_takes_one_with_orders_off_sale(admin: Client, seller: User, buyer: User) -> None:
    product = make_product(seller)
    order_one(product, buyer)
    url = f"{LIST}{product.pk}/delete/"
    assert "it goes off sale" in admin.get(url).content.decode()

    answer = admin.post(url, {"post": "yes"}, follow=True).content.decode()

    assert (
        "1 product has orders, conversations or suggestions: it is not deleted, but off sale."
        in answer
    )
    assert "deleted successfully" not in answer
    assert not Product.objects.get(pk=product.pk).is_active
    assert announced_types() == ["product-deleted", "product-updated"]


def test_it_deletes_several(admin: Client, seller: User, buyer: User) -> None:
    ordered, free = make_product(seller), make_product(seller)
    order_one(ordered, buyer)
    chosen = {"action": "delete_selected", "_selected_action": [ordered.pk, free.pk]}
    assert "it goes off sale" in admin.post(LIST, chosen).content.decode()

    answer = admin.post(LIST, {**chosen, "post": "yes"}, follow=True).content.decode()

    assert (
        "1 product has orders, conversations or suggestions: it is not deleted, but off sale."
        in answer
    )
    assert list(Product.objects.values_list("pk", "is_active")) == [(ordered.pk, False)]


@pytest.mark.parametrize(
    ("action", "expected"),
    [("take_off_sale", ["product-deleted", "product-updated"]), ("put_on_sale", [])],
)
def test_it_changes_what_is_on_sale(
    admin: Client, seller: User, action: str, expected: list[str]
) -> None:
    product = make_product(seller)
    admin.post(f"{LIST}?q=tea", {"action": action, "_selected_action": [product.pk]})
    assert announced_types() == expected


def test_it_lists_each_with_its_price(admin: Client, seller: User) -> None:
    make_product(seller, price=Decimal("640.00"))
    page = admin.get(LIST).content.decode()
    assert "640.00 EUR" in page
    assert "Marketplace administration" in page
    assert re.search(r'<link rel="icon" href="[^"]*icon[^"]*\.svg"', page)


def test_it_lists_any_number_for_the_same(admin: Client, seller: User) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(f"{LIST}?q=tea").status_code == 200
        return len(queries)

    make_product(seller)
    few = cost()
    for number in range(20):
        make_product(make_user(f"seller-{number}", role="seller"))
    assert cost() == few


@pytest.mark.parametrize("who", ["buyer", "seller"])
def test_it_is_closed_to_others(who: str, request: pytest.FixtureRequest) -> None:
    client = Client()
    client.force_login(request.getfixturevalue(who))
    assert client.get(LIST).status_code == 302


def test_it_is_closed_to_staff_without_the_right(seller: User, staff: User) -> None:
    product = make_product(seller)
    client = Client()
    client.force_login(staff)
    assert client.get(LIST).status_code == 403
    assert client.post(page_of(product), {"title": "Kettle"}).status_code == 403
