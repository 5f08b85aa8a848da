"""What people are told: the bell, toasts and the page of notifications, in all tabs at once."""

import pytest
from playwright.sync_api import Locator, Page, expect

from marketplace.accounts.models import User
from orders.services import transition_order
from products.models import Product
from realtime.notifications.services import mark_all_read
from tests.journeys.accessibility import assert_accessible
from tests.journeys.conftest import assert_state_law, log_in, open_live, wait_until_live
from tests.journeys.dashboards import Status, buy
from tests.journeys.steps import change_stock
from tests.notifications.things import tell
from tests.products.things import make_product

PAGE = "/notifications/"


def expect_unread(page: Page, count: int) -> None:
    """Until the bell says so, to the eye and to the ear."""
    words = f"Notifications, {count} unread" if count else "Notifications"
    expect(page.get_by_role("banner").get_by_role("link", name=words, exact=True)).to_be_visible()
    expect(page.locator("#bell-count")).to_have_text(str(count))
    expect(page.locator("#bell-news")).to_have_text(words)


def titles(page: Page, *, unread: bool = False) -> Locator:
    """The titles that the page lists, but for one that leaves."""
    state = "[data-unread]" if unread else ""
    return page.locator(f"#notifications > li{state}:not([data-gone]) .told-link")


@pytest.fixture
def teapot(seller: User) -> Product:
    """Something to buy."""
    return make_product(seller, title="Teapot", stock=20)


def test_what_is_read_in_one_tab_is_read_in_the_other(page: Page, buyer: User) -> None:
    log_in(page, buyer)
    open_live(page, PAGE)
    expect(page.get_by_text("Nothing yet")).to_be_visible()
    for number in range(3):
        tell(buyer, f"Fact {number}")
    expect(titles(page)).to_have_text(["Fact 2", "Fact 1", "Fact 0"])
    other = page.context.new_page()
    open_live(other, f"{PAGE}?unread=true")
    expect_unread(page, 3)

    page.get_by_role("button", name="Mark as read: Fact 1").click()
    page.mouse.move(2, 2)
    for each in (page, other):
        expect(titles(each, unread=True)).to_have_text(["Fact 2", "Fact 0"])
        expect_unread(each, 2)
    expect(titles(page)).to_have_count(3)
    expect(titles(other)).to_have_count(2)

    other.get_by_role("button", name="Mark all as read").click()
    for each in (page, other):
        expect(titles(each, unread=True)).to_have_count(0)
        expect_unread(each, 0)
        expect(each.get_by_role("button", name="Mark all as read")).to_be_hidden()
    expect(other.get_by_text("Everything is read")).to_be_visible()

    tell(buyer, "Fact 3")
    expect(titles(page)).to_have_text(["Fact 3", "Fact 2", "Fact 1", "Fact 0"])
    expect(titles(other)).to_have_text(["Fact 3"])
    for each in (page, other):
        assert_state_law(each)


def test_it_offers_what_else_is_unread(page: Page, buyer: User) -> None:
    log_in(page, buyer)
    for number in range(22):
        tell(buyer, f"Fact {number}", url="/orders/1" if number else "/orders/0")
    behind, older = page.context.new_page(), page.context.new_page()
    open_live(page, f"{PAGE}?unread=true")
    open_live(behind, f"{PAGE}?unread=true&page=2")
    open_live(older, f"{PAGE}?page=2")
    expect(titles(behind)).to_have_text(["Fact 1", "Fact 0"])

    page.get_by_role("button", name="Mark as read: Fact 21").click()
    page.mouse.move(2, 2)
    expect(titles(page)).to_have_count(19)
    page.get_by_role("button", name="1 more, show").click()
    expect(titles(page)).to_have_count(20)
    behind.get_by_role("button", name="1 change, show").click()
    expect(titles(behind)).to_have_text(["Fact 0"])

    wait_until_live(page)
    tell(buyer, "Fact 22")
    expect(titles(page).first).to_have_text("Fact 22")
    expect(titles(page)).to_have_count(20)
    older.get_by_role("button", name="1 change, show").click()
    expect(titles(older)).to_have_text(["Fact 2", "Fact 1", "Fact 0"])

    assert mark_all_read(user_id=buyer.pk, url="/orders/1") == 1
    more = page.get_by_role("button", name="1 more, show")
    expect(more).to_be_visible()
    expect(titles(page)).to_have_count(0)
    for hidden in (page.get_by_text("Everything is read"), page.get_by_role("link", name="Older")):
        expect(hidden).to_be_hidden()
    assert_accessible(page)
    more.click()
    # The second page is no more: it leads to the one that is left.
    behind.get_by_role("button", name="changes, show").click()
    for each in (page, behind):
        expect(titles(each)).to_have_text(["Fact 0"])
        wait_until_live(each)
        assert_state_law(each)

    page.get_by_role("button", name="Mark all as read").click()
    for each in (page, behind):
        expect(each.get_by_text("Everything is read")).to_be_visible()
        expect(each.get_by_role("navigation", name="Pages of notifications")).to_be_hidden()
        expect(each.locator("#changes")).to_be_hidden()


def test_a_new_order_rings_the_sellers_bell(
    page: Page, buyer: User, seller: User, teapot: Product
) -> None:
    log_in(page, seller)
    open_live(page, "/availability/")
    other = page.context.new_page()
    open_live(other, PAGE)
    order = buy(buyer, teapot)
    toast = page.locator(".toast", has_text=f"New order {order.pk} from buyer: €12.50")
    expect(toast).to_have_count(1)
    for each in (page, other):
        expect_unread(each, 1)

    toast.get_by_role("link", name="Show").click()
    page.wait_for_url(f"**/orders/{order.pk}")
    # Whoever looks at the order has read of it.
    for each in (page, other):
        expect_unread(each, 0)
    expect(titles(other, unread=True)).to_have_count(0)

    transition_order(order_id=order.pk, to=Status.CANCELLED, by=buyer, reason="Too late.")
    shown = page.locator(".toast", has_text=f"Order {order.pk} is cancelled")
    expect(shown).to_be_visible()
    expect(shown.get_by_role("link")).to_have_count(0)
    expect(titles(other).first).to_have_text(f"Order {order.pk} is cancelled")
    for each in (page, other):
        expect_unread(each, 0)
    assert_state_law(other)


def test_what_is_switched_off_is_silent(
    page: Page, buyer: User, seller: User, teapot: Product
) -> None:
    log_in(page, seller)
    open_live(page, PAGE)
    page.get_by_role("button", name="What you are told").click()
    page.get_by_label("New orders").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="What you are told").click()
    expect(page.get_by_label("New orders")).not_to_be_checked()
    expect(page.get_by_label("Products that run low")).to_be_checked()
    assert_accessible(page)
    page.keyboard.press("Escape")

    buy(buyer, teapot)
    change_stock(Product.objects.get(), -15)
    expect(titles(page)).to_have_text(["Almost gone: Teapot"])
    expect_unread(page, 1)
    assert_accessible(page)
