"""What axe finds on the public pages, in both schemes and at both ends of the widths."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from marketplace.accounts.models import User
from products.models import Product
from tests.journeys.conftest import log_in, open_live
from tests.products.things import make_product, make_tour

LISTS = ["/", "/?kind=tour&search=walk", "/?search=nothing", "/availability/"]
WIDTHS = {"phone": (390, 844), "desktop": (1440, 900)}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest, page: Page) -> str:
    """The colours that the reader's system asks for."""
    scheme: Any = request.param
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    return str(scheme)


@pytest.fixture(params=list(WIDTHS))
def width(request: pytest.FixtureRequest, page: Page) -> str:
    """The size of the window."""
    across, down = WIDTHS[request.param]
    page.set_viewport_size({"width": across, "height": down})
    return str(request.param)


@pytest.fixture
def products(seller: User) -> list[Product]:
    """One product of every level, and a tour."""
    goods = [
        make_product(seller, title=f"Bowl {stock}", stock=stock, category="Kitchen")
        for stock in (0, 3, 8, 60)
    ]
    return [*goods, make_tour(seller, title="Walk", description="Along the river.")]


def assert_accessible(page: Page) -> None:
    """Nothing that axe knows of is wrong, and nothing is wider than the window."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.usefixtures("scheme", "width", "products")
@pytest.mark.parametrize(
    "path", ["/", "/?kind=tour&search=walk", "/?search=nothing", "/availability/"]
)
def test_it_finds_nothing_wrong_with_lists(page: Page, path: str) -> None:
    open_live(page, path)
    assert_accessible(page)


@pytest.mark.usefixtures("scheme", "width")
def test_it_finds_nothing_wrong_with_a_product(page: Page, products: list[Product]) -> None:
    open_live(page, f"/products/{products[-1].pk}")
    assert_accessible(page)


@pytest.mark.usefixtures("scheme", "width")
def test_it_finds_nothing_wrong_with_editing(
    page: Page, products: list[Product], seller: User
) -> None:
    log_in(page, seller)
    open_live(page, f"/products/{products[1].pk}")
    for button in ("Change the price", "Change the stock", "Change the description"):
        page.get_by_role("button", name=button).click()
    assert_accessible(page)


@pytest.mark.usefixtures("scheme", "width", "products")
def test_it_finds_nothing_wrong_with_the_basket(page: Page, buyer: User) -> None:
    log_in(page, buyer)
    for title in ("Bowl 3", "Walk"):
        page.get_by_role("button", name=f"Add to basket: {title}", exact=True).click()
    page.get_by_role("banner").get_by_role("button", name="Basket").click()
    assert_accessible(page)
