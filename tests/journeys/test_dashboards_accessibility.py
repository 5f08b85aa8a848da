"""What axe finds on the working pages."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from marketplace.accounts.models import User
from orders.models import Order
from tests.journeys.accessibility import assert_accessible
from tests.journeys.conftest import log_in, open_live
from tests.journeys.dashboards import lane, stock_row
from tests.journeys.steps import change_stock
from tests.orders.things import make_order
from tests.products.things import make_product, make_tour

Status = Order.Status


@pytest.fixture
def orders(seller: User, buyer: User) -> list[Order]:
    """One order of each status, and products of every level."""
    for stock in (0, 3, 8):
        make_product(seller, title=f"Bowl {stock}", stock=stock, is_active=stock != 3)
    long_word = "Donaudampfschifffahrtsgesellschaft" * 3
    product = make_product(seller, title=f"Teapot, {long_word}", stock=100, price="98765.43")
    make_tour(seller, title="Walk", starts_at=timezone.now() + timedelta(days=2))
    orders = [make_order(buyer, product, quantity=7, status=status) for status in Status]
    orders[0].note = f"Ring twice. {long_word}"
    orders[0].save()
    return orders


@pytest.mark.usefixtures("orders")
def test_it_finds_nothing_wrong_with_a_shop(page: Page, seller: User) -> None:
    log_in(page, seller)
    open_live(page, "/seller/")
    assert_accessible(page)
    open_live(page, "/seller/?status=delivered")
    assert_accessible(page)


@pytest.mark.usefixtures("orders")
def test_it_finds_nothing_wrong_with_what_opens_in_a_shop(page: Page, seller: User) -> None:
    bowl = seller.products.get(title="Bowl 8")
    log_in(page, seller)
    open_live(page, "/seller/")
    stock_row(page, "Bowl 8").get_by_label("Price: Bowl 8").fill("3")
    stock_row(page, "Bowl 8").get_by_label("Stock: Bowl 8").fill("3")
    change_stock(bowl, 2)
    expect(stock_row(page, "Bowl 8").get_by_role("alert")).to_be_visible()
    assert_accessible(page)
    lane(page, "pending").first.get_by_role("button", name="Cancel").click()
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New product").click()
    page.get_by_text("Tour", exact=True).click()
    assert_accessible(page)


@pytest.mark.usefixtures("orders")
def test_it_finds_nothing_wrong_with_a_buyers_page(page: Page, buyer: User) -> None:
    log_in(page, buyer)
    open_live(page, "/buyer/")
    assert_accessible(page)
    open_live(page, "/seller/")
    assert_accessible(page)


def test_it_finds_nothing_wrong_with_an_order(page: Page, buyer: User, orders: list[Order]) -> None:
    log_in(page, buyer)
    for order in (orders[0], orders[-1]):
        open_live(page, f"/orders/{order.pk}")
        assert_accessible(page)
