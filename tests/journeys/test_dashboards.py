"""A seller and a buyer at their dashboards: each sees at once what the other does."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from marketplace.accounts.models import User
from orders.models import Order
from orders.services import transition_order
from products.models import Product
from tests.journeys.conftest import (
    assert_state_law,
    log_in,
    open_live,
    requests_of,
    restarted,
    wait_until_live,
)
from tests.journeys.dashboards import (
    Market,
    buy,
    data_asked_for,
    figure,
    lane,
    own_order,
    stock_row,
)
from tests.journeys.steps import card, change, change_stock, offer
from tests.products.things import make_product
from tests.support.servers import Marketplace

Status = Order.Status


@pytest.fixture
def teapot(seller: User) -> Product:
    """Something to buy."""
    return make_product(seller, title="Teapot", stock=20)


@pytest.fixture
def shop(
    browser: Browser, live_server_process: Marketplace, seller: User, teapot: Product
) -> Iterator[Page]:
    """The seller's dashboard in a browser of their own; its scripts make no mistake."""
    context = browser.new_context(base_url=live_server_process.url)
    page = context.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    log_in(page, seller)
    open_live(page, "/seller/")
    yield page
    context.close()
    assert mistakes == []


@pytest.fixture
def home(page: Page, buyer: User, teapot: Product) -> Iterator[Page]:
    """The buyer's dashboard; its scripts make no mistake."""
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    log_in(page, buyer)
    open_live(page, "/buyer/")
    yield page
    assert mistakes == []


def test_the_seller_sees_an_order_at_once(
    shop: Page, home: Page, buyer: User, teapot: Product
) -> None:
    home.get_by_role("button", name="Add to basket: Teapot").click()
    home.get_by_role("banner").get_by_role("button", name="Basket").click()
    home.get_by_role("button", name="Place the order").click()
    expect(lane(shop, "pending")).to_contain_text("buyer")
    order = Order.objects.get()

    expect(lane(shop, "pending")).to_contain_text("1 × Teapot")
    expect(figure(shop, "ordersToday")).to_have_text("1")
    expect(figure(shop, "revenueToday")).to_have_text("€12.50")
    expect(figure(shop, "open")).to_have_text("1")
    expect(shop.locator("#toasts")).to_contain_text(f"New order {order.pk} from buyer: €12.50")
    expect(stock_row(shop, "Teapot").get_by_label("Stock: Teapot")).to_have_value("19")
    expect(own_order(home, order)).to_contain_text("Pending")
    assert_state_law(shop)
    assert_state_law(home)


def test_the_buyer_sees_each_step_of_the_seller(
    shop: Page, home: Page, buyer: User, teapot: Product
) -> None:
    order = buy(buyer, teapot)
    expect(own_order(home, order).get_by_role("button", name="Cancel")).to_be_visible()
    shop.get_by_role("button", name=f"Confirm order {order.pk}").click()
    expect(own_order(home, order)).to_contain_text("Confirmed")
    expect(own_order(home, order).get_by_role("button", name="Cancel")).to_be_hidden()
    expect(lane(shop, "confirmed")).to_have_count(1)
    shop.get_by_role("button", name=f"Mark as shipped (order {order.pk})").click()
    home.get_by_role("button", name=f"Mark as delivered (order {order.pk})").click()

    expect(lane(shop, "delivered")).to_have_count(1)
    expect(own_order(home, order)).to_contain_text("Delivered")
    expect(figure(shop, "open")).to_have_text("0")
    expect(shop.locator("#toasts")).to_contain_text(f"Order {order.pk} has arrived")
    shop.mouse.move(2, 2)
    assert_state_law(shop)
    assert_state_law(home)


def test_a_cancellation_asks_once_and_tells_the_reason(
    shop: Page, home: Page, buyer: User, teapot: Product
) -> None:
    order = buy(buyer, teapot, 3)
    shop.get_by_role("button", name=f"Cancel (order {order.pk})").click()
    shop.get_by_role("button", name="Keep it").click()
    expect(lane(shop, "pending")).to_have_count(1)
    shop.get_by_role("button", name=f"Cancel (order {order.pk})").click()
    expect(shop.get_by_role("heading", name=f"Cancel order {order.pk}?")).to_be_visible()
    shop.get_by_label("Reason").fill("Broken in the storeroom.")
    shop.get_by_role("button", name="Cancel the order").click()

    expect(own_order(home, order)).to_contain_text("Cancelled")
    expect(lane(shop, "cancelled")).to_have_count(1)
    expect(stock_row(shop, "Teapot").get_by_label("Stock: Teapot")).to_have_value("20")
    expect(figure(shop, "revenueToday")).to_have_text("–")
    own_order(home, order).get_by_role("link", name=f"Order {order.pk}").click()
    expect(home.locator("#timeline")).to_contain_text("Broken in the storeroom.")
    shop.mouse.move(2, 2)
    assert_state_law(shop)


def test_the_buyers_card_shows_what_the_seller_edits(
    shop: Page, home: Page, teapot: Product
) -> None:
    row = stock_row(shop, "Teapot")
    stock, price = row.get_by_label("Stock: Teapot"), row.get_by_label("Price: Teapot")
    stock.fill("3")
    stock.press("Enter")
    expect(card(home, "Teapot")).to_contain_text("3 left")
    expect(figure(shop, "low")).to_have_text("1")
    price.fill("9.5")
    row.get_by_role("button", name="Save").click()
    expect(card(home, "Teapot")).to_contain_text("€9.50")
    expect(price).to_have_value("9.50")

    row.get_by_role("button", name="Take off sale").click()
    expect(card(home, "Teapot")).to_have_count(0)
    expect(row).to_contain_text("Off sale")
    expect(figure(shop, "low")).to_have_text("0")
    row.get_by_role("button", name="Put on sale").click()
    expect(card(home, "Teapot")).to_be_visible()
    shop.mouse.move(2, 2)
    shop.keyboard.press("Tab")
    assert_state_law(shop)
    assert_state_law(home)


def test_presses_of_plus_and_minus_go_together(shop: Page, teapot: Product) -> None:
    row = stock_row(shop, "Teapot")
    with requests_of(shop) as urls:
        for _ in range(4):
            row.get_by_role("button", name="Add one").click()
        row.get_by_role("button", name="Take one out").click()
        expect(row.get_by_label("Stock: Teapot")).to_have_value("23")
        expect(row.get_by_label("Stock: Teapot")).to_have_js_property("defaultValue", "23")

    assert len(urls) == 1
    assert Product.objects.get().stock == 23


def test_it_tells_why_less_cannot_be(shop: Page, teapot: Product) -> None:
    row = stock_row(shop, "Teapot")
    # No event comes through, so that the page does not know.
    shop.context.set_offline(True)
    change_stock(teapot, -20)
    for _ in range(2):
        row.get_by_role("button", name="Take one out").click()
    shop.context.set_offline(False)
    expect(row).to_contain_text("There is not enough in stock.")
    expect(row.get_by_label("Stock: Teapot")).to_have_value("0")


def test_it_offers_the_present_value_where_somebody_was_faster(shop: Page, teapot: Product) -> None:
    row = stock_row(shop, "Teapot")
    stock = row.get_by_label("Stock: Teapot")
    stock.fill("12")
    change_stock(teapot, -3)
    expect(row.get_by_role("alert")).to_contain_text("Now it is 17.")
    expect(stock).to_have_value("12")
    expect(row.get_by_role("button", name="Save")).to_be_hidden()
    row.get_by_role("button", name="Take 17").click()
    expect(stock).to_have_value("17")
    assert Product.objects.get().stock == 17

    stock.fill("12")
    change_stock(teapot, 1)
    row.get_by_role("button", name="Set it to 12").click()
    expect(row.get_by_role("alert")).to_be_hidden()
    expect(stock).to_have_js_property("defaultValue", "12")
    assert Product.objects.get().stock == 12


def test_it_asks_what_is_there_when_the_server_refuses(shop: Page, teapot: Product) -> None:
    shop.route("**/api/events*", lambda route: route.abort())
    shop.context.set_offline(True)
    shop.context.set_offline(False)
    row = stock_row(shop, "Teapot")
    change(teapot, price=Decimal(20))
    price = row.get_by_label("Price: Teapot")
    price.fill("15")
    price.press("Enter")
    expect(row.get_by_role("alert")).to_contain_text("Now it is €20.00.")
    row.get_by_role("button", name="Set it to €15.00").click()
    expect(price).to_have_js_property("defaultValue", "15.00")

    # Another field's change stands in nobody's way.
    change(Product.objects.get(), title="Old teapot")
    price.fill("16")
    price.press("Enter")
    expect(shop.get_by_label("Price: Old teapot")).to_have_js_property("defaultValue", "16.00")
    assert Product.objects.get().title == "Old teapot"


def test_it_offers_something_new(shop: Page, home: Page, teapot: Product) -> None:
    shop.get_by_role("button", name="New product").click()
    shop.get_by_text("Tour", exact=True).click()
    shop.get_by_label("Title").fill("City walk")
    shop.get_by_label("Price", exact=True).fill("30")
    shop.get_by_label("Free places").fill("12")
    shop.get_by_label("Places in all").fill("8")
    shop.get_by_label("Starts").fill("2031-05-01T09:30")
    shop.get_by_role("button", name="Offer it").click()
    expect(shop.get_by_text("There can be 8 at most.")).to_be_visible()
    shop.get_by_label("Free places").fill("8")
    shop.get_by_role("button", name="Offer it").click()

    expect(stock_row(shop, "City walk")).to_be_visible()
    expect(card(home, "City walk")).to_contain_text("1 May 2031, 09:30")
    expect(shop.locator("#toasts")).to_contain_text("On sale: City walk")
    assert Product.objects.get(title="City walk").max_group_size == 8
    assert_state_law(shop)
    assert_state_law(home)


def test_a_new_order_waits_while_the_pointer_is_in_the_lane(
    shop: Page, buyer: User, other_buyer: User, teapot: Product
) -> None:
    shop.emulate_media(reduced_motion="reduce")
    first = buy(buyer, teapot)
    expect(lane(shop, "pending")).to_have_count(1)
    shop.locator("[data-lane=pending] .lane-item-lines").hover()
    before = lane(shop, "pending").bounding_box()
    second = buy(other_buyer, teapot)
    pill = shop.get_by_role("button", name="1 new order")
    expect(pill).to_be_visible()
    expect(figure(shop, "pending")).to_have_text("2")
    assert lane(shop, "pending").last.bounding_box() == before
    pill.click()
    expect(lane(shop, "pending").first).to_contain_text(f"Order {second.pk}")
    expect(lane(shop, "pending").last).to_contain_text(f"Order {first.pk}")


def test_what_was_pressed_stays_until_the_pointer_leaves(
    shop: Page, buyer: User, teapot: Product
) -> None:
    shop.emulate_media(reduced_motion="reduce")
    lower, upper = buy(buyer, teapot), buy(buyer, teapot)
    expect(lane(shop, "pending")).to_have_count(2)
    button = shop.get_by_role("button", name=f"Confirm order {upper.pk}")
    button.hover()
    place = lane(shop, "pending").last.bounding_box()
    button.dblclick()
    leaving = shop.locator("[data-lane=pending] [data-gone]")
    expect(leaving).to_contain_text("Confirmed")
    expect(leaving.get_by_role("button")).to_have_count(0)
    assert lane(shop, "pending").last.bounding_box() == place
    shop.mouse.move(2, 2)
    expect(leaving).to_have_count(0)

    expect(lane(shop, "pending")).to_have_count(1)
    assert Order.objects.get(pk=lower.pk).status == Status.PENDING
    assert Order.objects.get(pk=upper.pk).status == Status.CONFIRMED


def test_the_keyboard_goes_on_from_where_it_was(shop: Page, buyer: User, teapot: Product) -> None:
    lower, upper = buy(buyer, teapot), buy(buyer, teapot)
    expect(lane(shop, "pending")).to_have_count(2)
    shop.get_by_role("link", name=f"Order {upper.pk}").focus()
    for key in ("Tab", "Enter"):
        shop.keyboard.press(key)
    expect(lane(shop, "confirmed")).to_have_count(1)
    gone = shop.locator("[data-lane=pending] [data-gone]")
    expect(gone.get_by_role("link")).to_be_focused()
    shop.keyboard.press("Tab")
    expect(lane(shop, "pending").get_by_role("link", name=f"Order {lower.pk}")).to_be_focused()
    expect(gone).to_have_count(1)
    stock_row(shop, "Teapot").get_by_label("Stock: Teapot").focus()
    expect(gone).to_have_count(0)


def test_it_tells_where_somebody_was_faster(shop: Page, buyer: User, teapot: Product) -> None:
    order = buy(buyer, teapot)
    expect(lane(shop, "pending")).to_have_count(1)
    shop.route("**/api/events*", lambda route: route.abort())
    shop.context.set_offline(True)
    transition_order(order_id=order.pk, to=Status.CANCELLED, by=buyer)
    shop.context.set_offline(False)
    shop.get_by_role("button", name=f"Confirm order {order.pk}").click()

    expect(lane(shop, "cancelled")).to_have_count(1)
    expect(shop.locator("#toasts")).to_contain_text(f"Order {order.pk} was changed meanwhile.")


@pytest.mark.parametrize("seed", [1, 2])
def test_both_pages_are_what_they_would_be_afresh(
    shop: Page,
    home: Page,
    buyer: User,
    other_buyer: User,
    seller: User,
    other_seller: User,
    teapot: Product,
    seed: int,
) -> None:
    for number in range(5):
        make_product(seller, title=f"Bowl {number}", stock=number * 4)
        make_product(other_seller, title=f"Jug {number}", stock=9)
    for each in (shop, home):
        each.reload()
        wait_until_live(each)
    market = Market(buyers=[buyer, other_buyer], sellers=[seller, other_seller], seed=seed)
    with requests_of(shop) as by_shop, requests_of(home) as by_home:
        market.live(40)
        last = offer(seller, "The last of all")
        for each in (shop, home):
            expect(each.get_by_role("link", name=last.title)).to_be_visible()
        # A row that was deleted gets a moment in which to turn out to be off sale only.
        expect(shop.locator("#products [data-gone]")).to_have_count(0)
        shop.wait_for_timeout(500)

    assert data_asked_for(by_shop + by_home) == []
    assert_state_law(shop)
    assert_state_law(home)


def test_both_pages_miss_nothing_while_the_server_is_away(
    shop: Page,
    home: Page,
    buyer: User,
    teapot: Product,
    live_server_process: Marketplace,
    tmp_path: Path,
) -> None:
    waiting = buy(buyer, teapot)
    expect(lane(shop, "pending")).to_have_count(1)
    live_server_process.stop()
    transition_order(order_id=waiting.pk, to=Status.CONFIRMED, by=waiting.seller)
    order = buy(buyer, teapot, 2)
    change(Product.objects.get(), price=Decimal(99))
    with restarted(live_server_process, tmp_path):
        expect(lane(shop, "confirmed")).to_contain_text(f"Order {waiting.pk}", timeout=40_000)
        expect(lane(shop, "pending")).to_contain_text(f"Order {order.pk}")
        expect(own_order(home, order)).to_be_visible(timeout=40_000)
        expect(card(home, "Teapot")).to_contain_text("€99.00")
        for each in (shop, home):
            wait_until_live(each)
            assert_state_law(each)


def test_the_order_page_follows_its_order(
    shop: Page, home: Page, buyer: User, teapot: Product
) -> None:
    order = buy(buyer, teapot, note="Ring twice.")
    for each in (shop, home):
        open_live(each, f"/orders/{order.pk}")
    expect(home.get_by_text("seller is looking at this order")).to_be_visible()
    expect(shop.get_by_text("buyer is looking at this order")).to_be_visible()
    steps = home.locator("#timeline > li:not([data-state=ahead])")
    expect(steps).to_have_count(1)
    expect(home.get_by_text("Until then you can cancel.")).to_be_visible()
    with requests_of(home) as urls:
        shop.get_by_role("button", name="Confirm order").click()
        expect(steps).to_have_count(2)
        expect(steps.last).to_contain_text(re.compile("Confirmed.*seller", re.DOTALL))
        expect(home.get_by_text("is getting it ready")).to_be_visible()
        shop.get_by_role("button", name="Mark as shipped").click()
        expect(home.get_by_role("button", name="Mark as delivered")).to_be_visible()
    assert data_asked_for(urls) == []
    assert_state_law(home)

    home.get_by_role("button", name="Mark as delivered").click()
    expect(shop.locator("#timeline > li[data-state=ahead]")).to_have_count(0)
    expect(shop.get_by_text("Nothing is left to do.")).to_be_visible()
    for each in (shop, home):
        assert_state_law(each)

    # A tab that joins the shared stream knows it, too; of oneself nothing is said.
    second = home.context.new_page()
    open_live(second, f"/orders/{order.pk}")
    expect(second.get_by_text("seller is looking at this order")).to_be_visible()
    expect(second.get_by_text("buyer is looking at this order")).to_have_count(0)
    # Cut off, neither claims what it cannot know; back again, both are told.
    tabs = (home, second)
    home.context.set_offline(True)
    for each in tabs:
        expect(each.get_by_text("seller is looking at this order")).to_be_hidden()
    home.context.set_offline(False)
    for each in tabs:
        expect(each.get_by_text("seller is looking at this order")).to_be_visible()
    shop.goto("/")
    for each in (home, second):
        expect(each.get_by_text("seller is looking at this order")).to_be_hidden()
    second.close()


def test_staff_take_either_sides_steps(
    page: Page, staff: User, buyer: User, teapot: Product
) -> None:
    order = buy(buyer, teapot)
    log_in(page, staff)
    open_live(page, f"/orders/{order.pk}")
    for button in ("Confirm order", "Mark as shipped", "Mark as delivered"):
        page.get_by_role("button", name=button).click()
    expect(page.get_by_text("Nothing is left to do.")).to_be_visible()
    expect(page.locator("#timeline > li").last).to_contain_text("Staff")
    assert_state_law(page)


def test_one_state_is_shown_alone_page_by_page(shop: Page, buyer: User, teapot: Product) -> None:
    order = buy(buyer, teapot)
    expect(lane(shop, "pending")).to_have_count(1)
    shop.get_by_role("link", name="Confirmed", exact=True).click()
    wait_until_live(shop)
    expect(shop.get_by_text("Nothing to send.")).to_be_visible()
    transition_order(order_id=order.pk, to=Status.CONFIRMED, by=order.seller)
    expect(lane(shop, "confirmed")).to_have_count(1)
    assert_state_law(shop)
    transition_order(order_id=order.pk, to=Status.SHIPPED, by=order.seller)
    expect(lane(shop, "confirmed")).to_have_count(0)
    expect(shop.get_by_text("Nothing to send.")).to_be_visible()
    assert_state_law(shop)


def test_the_buyer_starts_with_nothing(page: Page, buyer: User, seller: User) -> None:
    log_in(page, buyer)
    open_live(page, "/buyer/")
    expect(page.get_by_text("Nothing ordered yet")).to_be_visible()
    expect(page.get_by_text("New in the catalogue")).to_be_hidden()
    teapot = offer(seller, "Teapot")
    expect(card(page, "Teapot")).to_be_visible()
    order = buy(buyer, teapot)
    expect(own_order(page, order)).to_be_visible()
    expect(page.get_by_text("Nothing ordered yet")).to_be_hidden()
    assert_state_law(page)


def test_new_products_move_up_from_the_reserve(
    page: Page, buyer: User, seller: User, other_seller: User
) -> None:
    cups = [make_product(seller, title=f"Cup {number}") for number in range(20)]
    log_in(page, buyer)
    open_live(page, "/buyer/")
    titles = page.locator("#new-products .picture-card-link")
    expect(titles).to_have_text([f"Cup {number}" for number in range(19, 11, -1)])
    change(cups[11], is_active=False)
    change(cups[0], price=Decimal(1))
    change(cups[17], is_active=False)
    change(cups[15], is_active=False)
    expect(titles.last).to_have_text("Cup 9")
    change(cups[17], is_active=True)
    offer(other_seller, "Jug")
    expect(titles.first).to_have_text("Jug")
    expect(titles.nth(3)).to_have_text("Cup 17")
    assert_state_law(page)
