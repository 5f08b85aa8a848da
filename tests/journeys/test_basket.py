"""The basket: on this device, as live as the pages around it, and ordered once."""

from decimal import Decimal

from playwright.sync_api import Locator, Page, Route, expect

from marketplace.accounts.models import User
from orders.models import Order
from products.models import Product
from tests.journeys.conftest import log_in, open_live, requests_of, wait_until_live
from tests.journeys.steps import card, change, change_stock
from tests.products.things import make_product, make_tour
from tests.support.people import ADDRESS

ORDER = "Place the order"


def put_in(page: Page, *products: Product) -> None:
    """Put one piece of each into the basket, from the catalogue."""
    for product in products:
        page.get_by_role("button", name=f"Add to basket: {product.title}", exact=True).click()


def open_basket(page: Page) -> Locator:
    """Open the drawer."""
    page.get_by_role("banner").get_by_role("button", name="Basket").click()
    return page.get_by_role("dialog", name="Basket")


def line(page: Page, product: Product) -> Locator:
    """The line of a product in the drawer."""
    return page.locator(".basket-line", has_text=product.title)


def shop(page: Page, user: User) -> None:
    """Log in and look at the catalogue."""
    log_in(page, user)
    wait_until_live(page)


def test_it_orders_of_several_sellers_at_once(
    page: Page, buyer: User, seller: User, other_seller: User
) -> None:
    bowl = make_product(seller, title="Bowl", price=Decimal(10))
    jug = make_product(other_seller, title="Jug", price=Decimal("7.50"))
    shop(page, buyer)
    put_in(page, bowl, jug)
    basket = open_basket(page)
    expect(basket.get_by_role("heading", name="seller", exact=True)).to_be_visible()
    expect(basket.get_by_role("heading", name="other-seller")).to_be_visible()
    line(page, bowl).get_by_role("spinbutton").fill("3")
    line(page, bowl).get_by_role("spinbutton").press("Tab")
    expect(page.locator("#basket-total")).to_have_text("€37.50")
    expect(basket.get_by_label("City")).to_have_value("Berlin")
    basket.get_by_label("Note to the sellers").fill("Ring twice.")
    basket.get_by_role("button", name=ORDER).click()

    expect(page.get_by_text("2 orders are placed, one for each seller.")).to_be_visible()
    expect(basket).to_be_hidden()
    of_seller, of_other = Order.objects.order_by("seller_id")
    assert (of_seller.total, of_other.total) == (Decimal(30), Decimal("7.50"))
    assert of_seller.shipping_address == ADDRESS
    assert of_seller.note == "Ring twice."
    expect(open_basket(page)).to_contain_text("Your basket is empty")


def test_it_leads_to_the_order(page: Page, buyer: User, seller: User) -> None:
    bowl = make_product(seller, title="Bowl")
    shop(page, buyer)
    page.goto(f"/products/{bowl.pk}")
    page.get_by_label("Pieces").fill("2")
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("button", name="Show the basket").click()
    page.get_by_role("button", name=ORDER).click()
    page.get_by_role("link", name="Show the order").click()

    order = Order.objects.get()
    page.wait_for_url(f"**/orders/{order.pk}")
    assert order.lines.get().quantity == 2


def test_it_says_that_payment_is_between_buyer_and_seller(
    page: Page, buyer: User, seller: User
) -> None:
    bowl = make_product(seller, title="Bowl")
    shop(page, buyer)
    put_in(page, bowl)

    expect(open_basket(page)).to_contain_text("Payment is between you and each seller")


def test_it_shows_new_prices_and_stock_in_it(page: Page, buyer: User, seller: User) -> None:
    bowl, jug = make_product(seller, title="Bowl"), make_product(seller, title="Jug")
    cup = make_product(seller, title="Cup")
    shop(page, buyer)
    put_in(page, bowl, bowl, jug, cup)
    open_basket(page)
    with requests_of(page) as urls:
        change(bowl, price=Decimal(15))
        change_stock(bowl, -9)
        change_stock(jug, -10)
        change(cup, is_active=False)
        expect(line(page, bowl)).to_contain_text("€12.50 €15.00")
        expect(line(page, bowl)).to_contain_text("Only 1 is left.")
        expect(line(page, jug)).to_contain_text("Sold out: it is not ordered.")
        expect(line(page, cup)).to_contain_text("No longer on sale: it is not ordered.")
    assert urls == []
    line(page, bowl).get_by_role("button", name="Take 1").click()
    expect(page.locator("#basket-total")).to_have_text("€15.00")
    page.get_by_role("button", name=ORDER).click()
    expect(page.get_by_text("The order is placed.")).to_be_visible()

    assert Order.objects.get().total == Decimal(15)
    open_basket(page)
    expect(line(page, jug)).to_be_visible()
    expect(line(page, bowl)).to_have_count(0)


def test_it_shows_refusals_at_their_lines(page: Page, buyer: User, seller: User) -> None:
    bowl, jug = make_product(seller, title="Bowl"), make_product(seller, title="Jug")
    shop(page, buyer)
    put_in(page, bowl, jug)
    basket = open_basket(page)
    page.evaluate("import('/static/realtime/client.js').then((client) => client.disconnect())")
    change_stock(bowl, -10)
    change(jug, price=Decimal(20))
    basket.get_by_role("button", name=ORDER).click()

    expect(basket.get_by_role("alert")).to_contain_text("Nothing was ordered")
    expect(line(page, bowl)).to_contain_text("Sold out: it is not ordered.")
    expect(line(page, jug)).to_contain_text("The price has changed.")
    expect(line(page, jug)).to_contain_text("€20.00")
    assert not Order.objects.exists()
    basket.get_by_role("button", name=ORDER).click()
    expect(page.get_by_text("The order is placed.")).to_be_visible()
    assert Order.objects.get().total == Decimal(20)


def test_it_orders_once_when_the_answer_is_lost(page: Page, buyer: User, seller: User) -> None:
    bowl = make_product(seller, title="Bowl")
    shop(page, buyer)
    put_in(page, bowl)
    basket = open_basket(page)

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/orders", lose_the_answer, times=1)
    basket.get_by_role("button", name=ORDER).click()
    expect(basket.get_by_role("alert")).to_contain_text("nothing is ordered twice")
    assert Order.objects.count() == 1
    basket.get_by_role("button", name=ORDER).click()
    expect(page.get_by_text("The order is placed.")).to_be_visible()

    assert Order.objects.count() == 1


def test_it_asks_for_an_address_where_goods_are_sent(page: Page, buyer: User, seller: User) -> None:
    buyer.shipping_address = None
    buyer.save()
    tour, bowl = make_tour(seller, title="Walk"), make_product(seller, title="Bowl")
    shop(page, buyer)
    put_in(page, tour)
    basket = open_basket(page)
    expect(basket.get_by_label("City")).to_be_hidden()
    basket.get_by_role("button", name="Close").click()
    put_in(page, bowl)
    open_basket(page)
    basket.get_by_role("button", name=ORDER).click()
    expect(basket.get_by_label("Name")).to_be_focused()
    assert not Order.objects.exists()

    for label, value in {
        "Name": "Anna",
        "Street and number": "Lindenweg 4",
        "Postal code": "10115",
        "City": "Berlin",
        "Country": "DE",
    }.items():
        basket.get_by_label(label, exact=True).fill(value)
    basket.get_by_role("button", name=ORDER).click()
    expect(page.get_by_text("The order is placed.")).to_be_visible()


def test_it_asks_nobody_to_log_in_and_keeps_what_they_chose(
    page: Page, buyer: User, seller: User
) -> None:
    bowl = make_product(seller, title="Bowl")
    open_live(page, "/")
    put_in(page, bowl)
    basket = open_basket(page)
    expect(basket.get_by_role("button", name=ORDER)).to_have_count(0)
    basket.get_by_role("link", name="Log in to order").click()
    page.get_by_label("Username").fill(buyer.username)
    page.get_by_label("Password").fill("correct-horse-7")
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    open_basket(page)

    expect(line(page, bowl)).to_be_visible()


def test_it_is_each_users_own(page: Page, buyer: User, other_buyer: User, seller: User) -> None:
    bowl = make_product(seller, title="Bowl")
    shop(page, buyer)
    put_in(page, bowl)
    expect(page.locator("#basket-count")).to_have_text("1")
    page.context.clear_cookies()
    shop(page, other_buyer)

    expect(page.locator("#basket-count")).to_be_hidden()


def test_it_is_the_same_in_two_tabs(page: Page, buyer: User, seller: User) -> None:
    bowl = make_product(seller, title="Bowl")
    shop(page, buyer)
    other = page.context.new_page()
    open_live(other, "/")
    put_in(page, bowl)

    expect(other.locator("#basket-count")).to_have_text("1")
    change(bowl, price=Decimal(2))
    open_basket(other)
    expect(line(other, bowl)).to_contain_text("€2.00")


def test_it_knows_of_later_visits_what_happened_meanwhile(
    page: Page, buyer: User, seller: User
) -> None:
    bowl, jug = make_product(seller, title="Bowl"), make_product(seller, title="Jug")
    shop(page, buyer)
    put_in(page, bowl, jug)
    page.goto("about:blank")
    change(bowl, price=Decimal(2))
    change(jug, is_active=False)
    page.goto("/")
    open_basket(page)
    expect(line(page, bowl)).to_contain_text("€2.00")
    expect(line(page, jug)).to_contain_text("No longer on sale")
    wait_until_live(page)
    change(jug, is_active=True)

    expect(line(page, jug)).not_to_contain_text("No longer on sale")


def test_it_takes_no_more_than_there_is(page: Page, buyer: User, seller: User) -> None:
    bowl = make_product(seller, title="Bowl", stock=1)
    shop(page, buyer)
    put_in(page, bowl)
    put_in(page, bowl)

    expect(page.get_by_text("1 is all there is.")).to_be_visible()
    expect(page.locator("#basket-count")).to_have_text("1")


def test_it_is_worked_by_keyboard(page: Page, buyer: User, seller: User) -> None:
    bowl = make_product(seller, title="Bowl")
    shop(page, buyer)
    put_in(page, bowl)
    opener = page.get_by_role("banner").get_by_role("button", name="Basket")
    opener.focus()
    page.keyboard.press("Enter")
    basket = page.get_by_role("dialog", name="Basket")
    expect(basket).to_be_visible()
    line(page, bowl).get_by_role("button", name="Take out").focus()
    page.keyboard.press("Enter")
    expect(basket).to_contain_text("Your basket is empty")
    expect(basket.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")

    expect(basket).to_be_hidden()
    expect(opener).to_be_focused()
    expect(card(page, "Bowl")).to_be_visible()
