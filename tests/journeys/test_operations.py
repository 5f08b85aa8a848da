"""The staff's page of live figures: its charts move, and its table with them."""

from playwright.sync_api import Page, expect

from marketplace.accounts.models import User
from tests.journeys.accessibility import assert_accessible
from tests.journeys.conftest import log_in, open_live
from tests.journeys.dashboards import buy
from tests.journeys.listening import wait_until
from tests.orders.things import date_ahead
from tests.products.things import make_product

# How many dots of each chart's canvas are painted.
PAINTED = """() => [...document.querySelectorAll("[data-chart] canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value, index) => sum + (index % 4 === 3 && value > 0 ? 1 : 0), 0);
})"""


def test_it_shows_figures_that_move(page: Page, staff: User, seller: User, buyer: User) -> None:
    teapot = make_product(seller, title="Teapot", price="12.50", currency="EUR", stock=10)
    log_in(page, staff)
    open_live(page, "/operations/")
    figures = page.locator("#figures tr")
    orders = figures.filter(has_text="Orders today").locator("td")
    expect(orders).to_have_text(["0", "0", "0"])
    expect(figures.filter(has_text="Revenue")).to_have_count(0)
    before = page.evaluate(PAINTED)
    assert len(before) == 5
    buy(buyer, teapot, quantity=2)
    date_ahead()
    expect(orders).to_have_text(["1", "0", "1"])
    revenue = figures.filter(has_text="Revenue today EUR").locator("td").first
    expect(revenue).to_have_text("€25.00")
    expect(page.locator(".chart-legend").last).to_have_text("Revenue today EUR")
    expect(figures.filter(has_text="Open streams").locator("td").first).to_have_text("1")
    # The lines grow with each figure that comes.
    wait_until(page, f"(before) => ({PAINTED})().every((now, line) => now > before[line])", before)
    page.locator("[data-chart]").first.hover()
    assert_accessible(page)
