"""Who gets to which page, and what the others are told."""

import pytest
from django.test import Client

from marketplace.accounts.models import User
from orders.models import Order
from tests.orders.things import make_order
from tests.products.things import make_product


def page_for(who: str, path: str, request: pytest.FixtureRequest) -> tuple[int, str]:
    """The status and text of a page as somebody gets it."""
    client = Client()
    client.force_login(request.getfixturevalue(who))
    answer = client.get(path)
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize("path", ["/seller/", "/buyer/", "/orders/1"])
def test_it_sends_somebody_without_a_login_to_the_login(
    client: Client, db: None, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"] == f"/login?next={path}"


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("seller", "/seller/", 200),
        ("buyer", "/buyer/", 200),
        ("staff", "/buyer/", 200),
        ("buyer", "/seller/", 403),
        ("staff", "/seller/", 403),
        ("seller", "/buyer/", 403),
    ],
)
def test_it_opens_each_dashboard_to_its_role(
    request: pytest.FixtureRequest, who: str, path: str, status: int
) -> None:
    assert page_for(who, path, request)[0] == status


@pytest.mark.parametrize(("who", "path"), [("buyer", "/seller/"), ("seller", "/buyer/")])
def test_it_tells_the_other_role_where_its_page_is(
    request: pytest.FixtureRequest, who: str, path: str
) -> None:
    _status, text = page_for(who, path, request)
    assert f'href="/{who}/"' in text


@pytest.mark.parametrize(
    ("who", "status", "viewer"),
    [
        ("buyer", 200, "buyer"),
        ("seller", 200, "seller"),
        ("staff", 200, "staff"),
        ("other_buyer", 404, None),
        ("other_seller", 404, None),
    ],
)
def test_it_shows_an_order_to_its_parties_and_staff_alone(
    request: pytest.FixtureRequest, buyer: User, seller: User, who: str, status: int, viewer: str
) -> None:
    order = make_order(buyer, make_product(seller, title="Teapot"))
    answer, text = page_for(who, f"/orders/{order.pk}", request)

    assert answer == status
    assert ("Teapot" in text) is (status == 200)
    assert f'data-viewer="{viewer}"' in text if viewer else "data-viewer" not in text


def test_it_knows_no_other_orders(request: pytest.FixtureRequest, buyer: User) -> None:
    assert page_for("buyer", "/orders/99999", request)[0] == 404


@pytest.mark.parametrize(("who", "path"), [("seller", "/seller/"), ("buyer", "/buyer/")])
def test_it_shows_nobody_what_others_gave_and_got(
    request: pytest.FixtureRequest, other_buyer: User, other_seller: User, who: str, path: str
) -> None:
    product = make_product(other_seller, title="Teapot", is_active=False)
    product.is_active = True
    product.save()
    make_order(other_buyer, product)
    product.is_active = False
    product.save()

    assert "Teapot" not in page_for(who, path, request)[1]


# Which steps the order page offers, by who looks at it and how the order stands.
OFFERED = {
    ("seller", "pending"): ["confirmed", "cancelled"],
    ("seller", "confirmed"): ["shipped", "cancelled"],
    ("seller", "shipped"): [],
    ("buyer", "pending"): ["cancelled"],
    ("buyer", "confirmed"): [],
    ("buyer", "shipped"): ["delivered"],
    ("buyer", "delivered"): [],
    ("staff", "pending"): ["confirmed", "cancelled"],
    ("staff", "shipped"): ["delivered"],
    ("staff", "cancelled"): [],
}


@pytest.mark.parametrize(("who", "status"), OFFERED)
def test_it_offers_the_steps_that_are_ones_own_to_take_now(
    request: pytest.FixtureRequest, buyer: User, seller: User, who: str, status: str
) -> None:
    order = make_order(buyer, make_product(seller), status=Order.Status(status))
    _status, text = page_for(who, f"/orders/{order.pk}", request)
    steps = ["confirmed", "shipped", "delivered", "cancelled"]
    offered = [step for step in steps if is_offered(text, step)]

    assert offered == OFFERED[who, status]


def is_offered(text: str, step: str) -> bool:
    """Whether the page's button for a step is there to be pressed."""
    button = text.partition(f'data-step="{step}"')[2].partition(">")[0]
    return "hidden" not in button.split()
