"""The page of one product: live for everybody, and changed in place by its seller."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import FilePayload, Page, expect

from marketplace.accounts.models import User
from products import services
from products.models import Product
from tests.journeys.conftest import assert_state_law, log_in, open_live, requests_of
from tests.journeys.steps import change, change_stock
from tests.products.things import make_product, make_tour, picture

ADD = "Add to basket"


def address(product: Product) -> str:
    """Where the product's page is."""
    return f"/products/{product.pk}"


def open_as(page: Page, user: User, product: Product) -> None:
    """Open the product's page as somebody."""
    log_in(page, user)
    open_live(page, address(product))


def choose_picture(page: Page, content: bytes) -> None:
    """Choose a file with this content in the product's form."""
    file: FilePayload = {"name": "red.png", "mimeType": "image/png", "buffer": content}
    page.get_by_label("Choose another picture").set_input_files(file)


def test_it_patches_everything_that_it_shows(page: Page, seller: User) -> None:
    product = make_product(seller, title="Teapot")
    open_live(page, address(product))
    with requests_of(page) as urls:
        change(product, title="Jug", price=Decimal(20), description="Two\nlines", category="Table")
        change_stock(product, -8)
        for text in ("Jug", "€20.00", "Two", "Table", "Almost gone", "2 left"):
            expect(page.locator("#product")).to_contain_text(text)

    assert urls == []
    assert_state_law(page)


def test_it_cannot_be_ordered_when_it_is_sold_out(page: Page, seller: User) -> None:
    product = make_product(seller)
    open_live(page, address(product))
    change_stock(product, -10)
    expect(page.get_by_role("button", name=ADD)).to_be_disabled()
    assert_state_law(page)
    change_stock(product, 3)
    expect(page.get_by_role("button", name=ADD)).to_be_enabled()
    assert_state_law(page)


def test_it_says_when_it_goes_off_sale_and_when_it_is_back(page: Page, seller: User) -> None:
    product = make_product(seller)
    open_live(page, address(product))
    change(product, is_active=False)
    expect(page.get_by_text("This product is no longer on sale.")).to_be_visible()
    expect(page.get_by_role("button", name=ADD)).to_be_hidden()
    change(product, is_active=True, price=Decimal(7))
    expect(page.get_by_text("This product is no longer on sale.")).to_be_hidden()
    expect(page.locator("#product")).to_contain_text("€7.00")
    assert_state_law(page)
    services.delete_product(product_id=product.pk, by=seller)
    expect(page.get_by_text("This product is no longer on sale.")).to_be_visible()


def test_it_is_not_there_for_strangers_when_it_is_off_sale(
    page: Page, seller: User, other_seller: User
) -> None:
    product = make_product(seller, is_active=False)
    log_in(page, other_seller)
    answer = page.goto(address(product))

    assert answer is not None
    assert answer.status == 404


def test_it_can_be_booked_until_it_begins(page: Page, seller: User) -> None:
    soon = timezone.now() + timedelta(seconds=10)
    tour = make_tour(seller, starts_at=soon)
    open_live(page, address(tour))
    expect(page.get_by_role("button", name=ADD)).to_be_enabled()
    expect(page.get_by_role("button", name=ADD)).to_be_disabled()
    expect(page.get_by_text("This tour has begun")).to_be_visible()
    assert_state_law(page)


@pytest.mark.parametrize("role", ["seller", "other_seller"])
def test_it_offers_sellers_no_basket(
    page: Page, role: str, seller: User, other_seller: User
) -> None:
    product = make_product(seller)
    open_as(page, {"seller": seller, "other_seller": other_seller}[role], product)

    expect(page.get_by_role("button", name=ADD)).to_have_count(0)
    expect(page.get_by_role("button", name="Basket")).to_have_count(0)
    changing = page.get_by_role("button", name="Change the price")
    expect(changing).to_have_count(1 if role == "seller" else 0)


def test_it_lets_its_seller_change_price_stock_and_description(page: Page, seller: User) -> None:
    product = make_product(seller)
    open_as(page, seller, product)
    page.get_by_role("button", name="Change the price").click()
    page.get_by_label("Price in EUR").fill("9.5")
    page.get_by_role("button", name="Save the price").click()
    expect(page.locator("#product")).to_contain_text("€9.50")
    expect(page.get_by_role("button", name="Change the price")).to_be_focused()
    page.get_by_role("button", name="Change the stock").click()
    page.get_by_label("Pieces in stock").fill("3")
    page.keyboard.press("Enter")
    expect(page.locator("#product")).to_contain_text("Almost gone")
    page.get_by_role("button", name="Change the description").click()
    page.get_by_role("textbox", name="Description").fill("Holds four cups.")
    page.get_by_role("button", name="Save the description").click()
    expect(page.locator(".product-description")).to_have_text("Holds four cups.")
    # The event may come before the answer, with which the form closes.
    expect(page.get_by_role("button", name="Change the description")).to_be_focused()

    product.refresh_from_db()
    assert (product.price, product.stock) == (Decimal("9.50"), 3)
    assert product.description == "Holds four cups."
    assert_state_law(page)


def test_it_shows_a_change_that_came_in_between(page: Page, seller: User) -> None:
    product = make_product(seller)
    open_as(page, seller, product)
    page.get_by_role("button", name="Change the price").click()
    page.get_by_label("Price in EUR").fill("9.00")
    change(product, description="Another field is no conflict.")
    expect(page.locator("#product")).to_contain_text("Another field is no conflict.")
    expect(page.get_by_text("Somebody changed this meanwhile.")).to_be_hidden()
    change(product, price=Decimal(11))
    expect(page.get_by_text("Somebody changed this meanwhile. Now it is: 11.00")).to_be_visible()
    page.get_by_role("button", name="Take the present value").click()

    expect(page.get_by_label("Price in EUR")).to_have_value("11.00")
    expect(page.get_by_text("Somebody changed this meanwhile.")).to_be_hidden()


def test_it_writes_over_nothing_that_its_seller_has_not_seen(page: Page, seller: User) -> None:
    product = make_product(seller)
    open_as(page, seller, product)
    page.get_by_role("button", name="Change the stock").click()
    page.get_by_label("Pieces in stock").fill("30")
    page.evaluate("import('/static/realtime/client.js').then((client) => client.disconnect())")
    change_stock(product, -4)
    page.get_by_role("button", name="Save the stock").click()
    expect(page.get_by_text("Somebody changed this meanwhile. Now it is: 6")).to_be_visible()
    product.refresh_from_db()
    assert product.stock == 6
    expect(page.get_by_label("Pieces in stock")).to_have_value("30")

    page.get_by_role("button", name="Save the stock").click()
    expect(page.locator("#product")).to_contain_text("30 left")
    product.refresh_from_db()
    assert product.stock == 30


def test_it_shows_what_is_wrong_at_the_field(page: Page, seller: User) -> None:
    tour = make_tour(seller)
    open_as(page, seller, tour)
    page.get_by_role("button", name="Change the stock").click()
    places = page.get_by_label("Free places")
    places.evaluate("(field) => field.removeAttribute('max')")
    places.fill("13")
    page.get_by_role("button", name="Save the stock").click()

    expect(page.locator("#edit-stock")).to_contain_text("There can be 12 at most.")
    page.get_by_role("button", name="Leave as it was").click()
    expect(places).to_be_hidden()


def test_it_takes_another_picture(page: Page, seller: User) -> None:
    product = make_product(seller)
    open_as(page, seller, product)
    choose_picture(page, picture(size=(80, 60)))
    shown = page.locator("#product img")
    expect(shown).to_be_visible()

    product.refresh_from_db()
    assert shown.get_attribute("src") == product.image_url
    assert_state_law(page)


def test_it_refuses_what_is_no_picture(page: Page, seller: User) -> None:
    product = make_product(seller)
    open_as(page, seller, product)
    choose_picture(page, b"no picture")

    expect(page.locator("#edit-picture")).to_contain_text("JPEG, PNG or WebP picture")


def test_it_goes_off_sale_and_back_for_its_seller(page: Page, seller: User) -> None:
    product = make_product(seller)
    open_as(page, seller, product)
    page.get_by_role("button", name="Take off sale").click()
    expect(page.get_by_text("Off sale: only its seller and staff see this page.")).to_be_visible()
    assert_state_law(page)
    page.get_by_role("button", name="Put on sale").click()
    expect(page.get_by_role("button", name="Take off sale")).to_be_visible()
    assert_state_law(page)

    product.refresh_from_db()
    assert product.is_active
