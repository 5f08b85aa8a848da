"""What axe finds on the public pages."""

import pytest
from playwright.sync_api import Page

from marketplace.accounts.models import User
from products.models import Product
from tests.journeys.accessibility import assert_accessible
from tests.journeys.conftest import log_in, open_live
from tests.products.things import make_product, make_tour

LISTS = ["/", "/?kind=tour&search=walk", "/?search=nothing", "/availability/"]


@pytest.fixture
def products(seller: User) -> list[Product]:
    """One product of every level, and a tour."""
    goods = [
        make_product(seller, title=f"Bowl {stock}", stock=stock, category="Kitchen")
        for stock in (0, 3, 8, 60)
    ]
    return [*goods, make_tour(seller, title="Walk", description="Along the river.")]


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize(
    "path", ["/", "/?kind=tour&search=walk", "/?search=nothing", "/availability/"]
)
def test_it_finds_nothing_wrong_with_lists(page: Page, path: str) -> None:
    open_live(page, path)
    assert_accessible(page)


def test_it_finds_nothing_wrong_with_a_product(page: Page, products: list[Product]) -> None:
    open_live(page, f"/products/{products[-1].pk}")
    assert_accessible(page)


def test_it_finds_nothing_wrong_with_editing(
    page: Page, products: list[Product], seller: User
) -> None:
    log_in(page, seller)
    open_live(page, f"/products/{products[1].pk}")
    for button in ("Change the price", "Change the stock", "Change the description"):
        page.get_by_role("button", name=button).click()
    assert_accessible(page)


@pytest.mark.usefixtures("products")
def test_it_finds_nothing_wrong_with_the_basket(page: Page, buyer: User) -> None:
    log_in(page, buyer)
    for title in ("Bowl 3", "Walk"):
        page.get_by_role("button", name=f"Add to basket: {title}", exact=True).click()
    page.get_by_role("banner").get_by_role("button", name="Basket").click()
    assert_accessible(page)
