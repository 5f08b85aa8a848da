"""The admin's lists say what has changed since they were shown."""

import re
from collections.abc import Callable
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client
from playwright.sync_api import Locator, Page, expect

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.services import place_orders, transition_order
from products.models import Product
from realtime.models import OutboxEvent
from tests.journeys.conftest import log_in, open_live
from tests.journeys.listening import open_streams
from tests.journeys.steps import change, change_stock, offer
from tests.orders.things import Status, make_order
from tests.support.people import ADDRESS, make_user
from tests.support.servers import Marketplace

PRODUCTS = "/admin/products/product/"
ORDERS = "/admin/orders/order/"
MAY = ("view_product", "change_product", "view_order", "change_order")


@pytest.fixture
def member(transactional_db: None) -> User:
    """Somebody of the staff who sees products and orders."""
    user = make_user("ida", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=MAY))
    return user


@pytest.fixture
def pot(transactional_db: None) -> Product:
    """A product of maja's."""
    return offer(make_user("maja", role="seller"), "Teapot")


@pytest.fixture
def open_list(page: Page, member: User, live_server_process: Marketplace) -> Callable[[str], Page]:
    """Open a list of the admin in which everything that was announced so far is shown."""
    client = Client()
    client.force_login(member)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server_process.url}]
    )

    def open_list(path: str) -> Page:
        wait_until_numbered(page)
        page.goto(path)
        return page

    return open_list


def wait_until_numbered(page: Page) -> None:
    """Until the server has found what this process announced."""
    for _ in range(300):
        if not OutboxEvent.objects.exists():
            return
        page.wait_for_timeout(50)
    raise AssertionError("Nobody numbers.")


def bar(page: Page) -> Locator:
    """What the list says of changes."""
    return page.locator("#changes")


def test_it_counts_each_product_once_however_often_it_changes(
    open_list: Callable[[str], Page], pot: Product
) -> None:
    page = open_list(PRODUCTS)
    expect(bar(page).get_by_role("button")).to_be_hidden()
    change(pot, title="Jug")
    change_stock(pot, -1)
    offer(pot.seller, "Bowl")

    # The bowl came last: the pot's two changes were heard before it.
    expect(bar(page).get_by_role("status")).to_have_text("2 changed.")
    Product.objects.get(pk=pot.pk).delete()
    offer(pot.seller, "Cup")
    expect(bar(page).get_by_role("status")).to_have_text("3 changed.")


def test_it_counts_orders_that_come_or_change_elsewhere(
    open_list: Callable[[str], Page], pot: Product
) -> None:
    anna = make_user("anna", shipping_address=ADDRESS)
    order = make_order(anna, pot)
    page = open_list(ORDERS)
    transition_order(order_id=order.pk, to=Status.CONFIRMED, by=pot.seller)
    expect(bar(page).get_by_role("status")).to_have_text("1 changed.")
    place_orders(buyer=anna, lines=[CartLine(product_id=pot.pk, quantity=1)])
    expect(bar(page).get_by_role("status")).to_have_text("2 changed.")


def test_it_hears_of_a_change_between_the_list_and_its_stream(
    open_list: Callable[[str], Page], pot: Product
) -> None:
    page = open_list("/admin/")
    page.route("**/api/events*", lambda route: route.abort())
    open_list(PRODUCTS)
    change(pot, title="Jug")
    page.unroute("**/api/events*")
    expect(bar(page).get_by_role("status")).to_have_text("1 changed.")


def test_it_loads_the_list_anew_and_is_quiet_again(
    open_list: Callable[[str], Page], pot: Product
) -> None:
    page = open_list(f"{PRODUCTS}?is_active__exact=1")
    change(pot, title="Jug")
    bar(page).get_by_role("button", name="Show").click()

    expect(page.get_by_role("link", name="Jug")).to_be_visible()
    expect(bar(page).get_by_role("status")).to_be_empty()
    expect(bar(page).get_by_role("button")).to_be_hidden()
    assert page.url.endswith("?is_active__exact=1")


def test_it_moves_nothing_when_it_appears(open_list: Callable[[str], Page], pot: Product) -> None:
    page = open_list(PRODUCTS)
    row = page.get_by_role("link", name="Teapot")
    before = row.bounding_box()
    change_stock(pot, 1)
    expect(bar(page).get_by_role("button")).to_be_visible()
    assert row.bounding_box() == before


def test_it_leaves_ticked_rows_alone_when_the_log_no_longer_reaches_back(
    open_list: Callable[[str], Page], pot: Product
) -> None:
    page = open_list("/admin/")
    # A position that the log has never had.
    page.add_init_script(
        """new MutationObserver(() => {
          document.querySelector('meta[name="event-position"]')?.setAttribute("content", "999999");
        }).observe(document, { childList: true, subtree: true });"""
    )
    open_list(PRODUCTS)
    tick = page.get_by_role("row", name="Teapot").get_by_role("checkbox")
    tick.check()
    status = bar(page).get_by_role("status")
    expect(status).to_have_text("This list is no longer up to date.")
    offer(pot.seller, "Bowl")
    wait_until_numbered(page)
    expect(status).to_have_text("This list is no longer up to date.")
    expect(tick).to_be_checked()


def test_it_shares_the_stream_of_the_other_tabs(
    open_list: Callable[[str], Page], pot: Product
) -> None:
    page = open_list("/admin/")
    streams = open_streams(page.context)
    open_list(PRODUCTS)
    change_stock(pot, 1)
    expect(bar(page).get_by_role("button")).to_be_visible()
    other = page.context.new_page()
    open_live(other, "/account/")
    change(pot, title="Jug")
    offer(pot.seller, "Bowl")
    expect(bar(page).get_by_role("status")).to_have_text("2 changed.")
    assert len(streams) == 1


def test_it_asks_for_no_stream_where_nothing_is_counted(
    open_list: Callable[[str], Page], pot: Product
) -> None:
    page = open_list("/admin/")
    expect(page.locator("meta[name=event-position]")).to_have_count(0)
    expect(bar(page)).to_have_count(0)


@pytest.mark.parametrize("path", ["/admin/", PRODUCTS, ORDERS])
def test_it_shows_nothing_to_a_person_who_is_no_staff(page: Page, pot: Product, path: str) -> None:
    log_in(page, make_user("anna"))
    page.goto(path)
    expect(page).to_have_url(re.compile("/login"))
    expect(bar(page)).to_have_count(0)
    expect(page.get_by_text("Teapot")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_it_can_be_read_and_pressed_on_any_screen(
    open_list: Callable[[str], Page],
    pot: Product,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    page = open_list("/admin/")
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    open_list(PRODUCTS)
    change_stock(pot, 1)
    button = bar(page).get_by_role("button", name="Show")
    expect(button).to_be_visible()
    violations = Axe().run(page, context="#changes").response["violations"]
    assert [violation["id"] for violation in violations] == []
    box = button.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= width
