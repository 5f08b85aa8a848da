"""A seller imports a catalogue while others look at the shop: every page follows."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from marketplace.accounts.models import User
from products.catalogue import PAGE_SIZE
from products.models import Product
from tests.imports.things import csv_file
from tests.imports.things import imported as import_file
from tests.journeys.chat import Talker
from tests.journeys.conftest import assert_state_law, open_live, wait_until_live
from tests.journeys.dashboards import stock_row
from tests.journeys.listening import wait_until
from tests.journeys.steps import card, titles
from tests.products.things import make_product
from tests.suggestions.things import suggest
from tests.support.people import make_user
from tests.support.servers import Marketplace

HEADER = ["externalId", "title", "category", "price", "currency", "kind", "stock", "isActive",
          "maxGroupSize"]  # fmt: skip
KITCHEN = "/?category=Kitchen&inStock=true"


def line(key: str, **other: Any) -> list[Any]:
    """A row of HEADER: ten of a kitchen's thing on sale; other values by the names of columns."""
    values = {
        "externalId": key,
        "title": key.capitalize(),
        "category": "Kitchen",
        "price": "12.50",
        "currency": "EUR",
        "kind": "goods",
        "stock": 10,
        "isActive": "yes",
        "maxGroupSize": "",
    }
    return list((values | other).values())


def tour(key: str, stock: int) -> list[Any]:
    """A row of HEADER: a tour."""
    return line(key, category="Tours", kind="tour", stock=stock, maxGroupSize=80)


def new_rows(count: int) -> list[list[Any]]:
    """Rows of new lamps, every third of which is about to run out."""
    return [
        line(f"lamp {number}", category="Lighting", stock=50 if number % 3 else 2)
        for number in range(count)
    ]


def run(seller: User, *rows: list[Any]) -> None:
    """Import these rows."""
    assert import_file(seller, csv_file(rows, header=HEADER)).failed == 0


def stock_shelves(seller: User) -> dict[str, Product]:
    """What the seller has on sale before, but for the bowl and the whisk, by its externalId."""
    earlier = timezone.now() - timedelta(days=3)
    others: dict[str, dict[str, Any]] = {
        "jug": {},
        "bowl": {"is_active": False, "category": "Tableware"},
        "whisk": {"is_active": False},
        "pan": {},
        "kettle": {"stock": 4},
        "walk": {"kind": "tour", "stock": 30, "max_group_size": 80, "category": "Tours"},
        "ride": {"kind": "tour", "stock": 70, "max_group_size": 80, "category": "Tours"},
        "teapot": {},
    }
    shelf = {}
    for key, other in others.items():
        fields = {"external_id": key, "title": key.capitalize(), "category": "Kitchen", **other}
        shelf[key] = make_product(seller, **fields)
    Product.objects.update(stock_changed_at=earlier)
    return shelf


@pytest.fixture
def visitor(browser: Browser, live_server_process: Marketplace) -> Iterator[BrowserContext]:
    """The browser of somebody who has not logged in."""
    context = browser.new_context(base_url=live_server_process.url)
    yield context
    context.close()


def opened(page: Page, path: str) -> Page:
    """The page, which listens."""
    open_live(page, path)
    return page


def test_every_page_is_what_it_would_be_afresh(
    visitor: BrowserContext, talker: Talker, seller: User, buyer: User
) -> None:
    shelf = stock_shelves(seller)
    for key in ("teapot", "jug", "bowl"):
        suggest(seller, shelf[key], title=f"More of it: {key}")
    catalogue = opened(visitor.new_page(), "/")
    kitchen = opened(visitor.new_page(), KITCHEN)
    board = opened(visitor.new_page(), "/availability/")
    shop = opened(talker(seller), "/seller/")
    sellers_board = opened(shop.context.new_page(), "/availability/")
    home = opened(talker(buyer), "/buyer/")
    wishes = opened(home.context.new_page(), "/suggestions/")
    pages = (catalogue, kitchen, board, shop, sellers_board, home, wishes)

    run(
        seller,
        line("jug", isActive="no", stock=7),
        line("bowl", category="Tableware", stock=1),
        line("pan", category="Lighting", price="9.90"),
        line("kettle", stock=0),
        tour("walk", 4),
        line("whisk", isActive="no", price="1.00", stock=3),
        line("teapot", title="Small teapot", stock=3),
    )
    for page in (catalogue, kitchen, shop, home, wishes):
        expect(page.get_by_text("Small teapot").first).to_be_visible()
    for page in (board, sellers_board):
        expect(card(page, "Small teapot")).to_be_visible()
    expect(stock_row(shop, "Whisk").get_by_label("Price")).to_have_value("1.00")
    for page in pages:
        assert_state_law(page)

    # More than a page takes, and more than the board is chosen from.
    run(
        seller,
        *new_rows(260),
        line("jug"),
        line("kettle", stock=2),
        tour("night walk", 3),
        line("teapot", title="Small teapot", price="8.80", stock=1),
    )
    expect(titles(catalogue).first).to_have_text("Night walk")
    expect(card(kitchen, "Small teapot")).to_contain_text("€8.80")
    expect(card(home, "Night walk")).to_be_visible()
    expect(stock_row(shop, "Night walk")).to_be_visible()
    expect(wishes.locator("li.suggestion", has_text="of it: jug")).to_contain_text("Jug")
    for page in (board, sellers_board):
        expect(card(page, "Night walk")).to_be_visible()
        expect(card(page, "Ride")).to_have_count(0)
    kitchen.get_by_role("button", name="2 changes, show").click()
    wait_until_live(kitchen)
    expect(titles(kitchen)).to_have_text(["Small teapot", "Kettle", "Jug"])
    for page in pages:
        assert_state_law(page)


def test_new_products_wait_while_a_list_is_read(
    visitor: BrowserContext, talker: Talker, seller: User, buyer: User
) -> None:
    for number in range(60):
        make_product(seller, title=f"Cup {number}", category="Kitchen")
    catalogue = opened(visitor.new_page(), "/")
    lamps = opened(visitor.new_page(), "/?category=Lighting")
    shop = opened(talker(seller), "/seller/")
    home = opened(talker(buyer), "/buyer/")
    catalogue.mouse.wheel(0, 600)
    wait_until(catalogue, "document.querySelector('#products').getBoundingClientRect().top < 0")
    stock_row(shop, "Cup 59").hover()
    card(home, "Cup 59").hover()

    run(seller, *new_rows(150))
    run(seller, *new_rows(150), line("last lamp", category="Lighting"))
    for page, rows, shown, count in (
        (catalogue, "#products", 24, "24 new products"),
        (shop, "#stock", 50, "50 new products"),
        (home, "#new-products", 8, "32 new products"),
    ):
        expect(page.locator(f"{rows} > *", has_text="Last lamp")).to_have_count(1)
        pill = page.get_by_role("button", name=count)
        shown_rows = page.locator(f"{rows} > :not([hidden])")
        expect(pill).to_be_visible()
        expect(shown_rows).to_have_count(shown)
        expect(shown_rows.first).to_contain_text("Cup 59")
        page.mouse.move(0, 0)
        pill.click()
        expect(shown_rows.first).to_contain_text("Last lamp")
        assert_state_law(page)
    lamps.get_by_role("button", name=f"More than {PAGE_SIZE} changes, show").click()
    expect(titles(lamps).first).to_have_text("Last lamp")
    expect(titles(lamps)).to_have_count(PAGE_SIZE)


def test_the_lists_of_the_admin_and_a_products_page_hear_of_it(
    visitor: BrowserContext, talker: Talker, seller: User
) -> None:
    shelf = stock_shelves(seller)
    member = make_user("ida", is_staff=True)
    member.user_permissions.add(
        *Permission.objects.filter(codename__in=("view_product", "change_product"))
    )
    admin = talker(member)
    admin.goto("/admin/products/product/")
    jug = opened(visitor.new_page(), f"/products/{shelf['jug'].pk}")
    own_jug = opened(talker(seller), f"/products/{shelf['jug'].pk}")
    jug.get_by_role("button", name="Add to basket").click()
    basket = jug.locator(".basket-line")
    expect(basket).to_have_count(1)

    run(seller, *new_rows(60), line("jug", isActive="no"))
    expect(admin.locator("#changes").get_by_role("status")).to_have_text("61 changed.")
    expect(jug.locator("#gone")).to_be_visible()
    expect(basket).to_have_attribute("data-unavailable", "")
    expect(own_jug.locator("#off-sale")).to_be_visible()
    assert_state_law(own_jug)
    run(seller, line("jug", title="Blue jug", stock=2))
    expect(basket).to_contain_text("Blue jug")
    expect(basket).not_to_have_attribute("data-unavailable", "")
    for page in (jug, own_jug):
        expect(page.get_by_role("heading", name="Blue jug")).to_be_visible()
        expect(page.locator("#gone")).to_be_hidden()
        assert_state_law(page)
