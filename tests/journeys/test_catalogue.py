"""The catalogue in a browser: what changes comes by itself, and nothing is asked for again."""

import re
from decimal import Decimal
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from marketplace.accounts.models import User
from products import services
from products.catalogue import PAGE_SIZE
from tests.journeys.conftest import (
    assert_state_law,
    log_in,
    open_live,
    requests_of,
    restarted,
    wait_until_live,
)
from tests.journeys.listening import wait_until
from tests.journeys.steps import card, change, change_stock, offer, titles
from tests.products.things import make_product, make_tour
from tests.support.servers import Marketplace


def test_it_shows_a_new_product_to_a_visitor(page: Page, seller: User) -> None:
    make_product(seller, title="Teapot")
    open_live(page, "/")
    offer(seller, "Brass lamp", category="Lighting")

    expect(card(page, "Brass lamp")).to_be_visible()
    expect(titles(page)).to_have_text(["Brass lamp", "Teapot"])
    assert_state_law(page)


def test_it_shows_the_first_product_of_all(page: Page, seller: User) -> None:
    open_live(page, "/")
    expect(page.get_by_text("Nothing is on sale here yet")).to_be_visible()
    offer(seller, "Brass lamp", kind="tour", max_group_size=12)

    expect(card(page, "Brass lamp")).to_be_visible()
    expect(page.get_by_text("Nothing is on sale here yet")).to_be_hidden()
    assert_state_law(page)


def test_it_patches_price_and_stock_without_asking(page: Page, seller: User) -> None:
    product = make_product(seller, title="Teapot", image_url="/static/icon.svg")
    open_live(page, "/")
    with requests_of(page) as urls:
        change(product, price=Decimal("9.90"), title="Small teapot")
        change_stock(product, -7)
        expect(card(page, "Small teapot")).to_contain_text("€9.90")
        expect(card(page, "Small teapot")).to_contain_text("Almost gone")
        expect(card(page, "Small teapot")).to_contain_text("3 left")

    assert urls == []
    assert_state_law(page)


def test_it_patches_a_login_as_well(page: Page, seller: User, buyer: User) -> None:
    product = make_product(seller, title="Teapot")
    log_in(page, buyer)
    wait_until_live(page)
    change_stock(product, -10)
    change(product, price=Decimal(20))

    expect(card(page, "Teapot")).to_contain_text("Sold out")
    expect(card(page, "Teapot")).to_contain_text("€20.00")
    assert_state_law(page)


def test_it_takes_away_what_goes_off_sale_and_brings_it_back(page: Page, seller: User) -> None:
    teapot = make_product(seller, title="Teapot")
    jug, _bowl = make_product(seller, title="Jug"), make_product(seller, title="Bowl")
    open_live(page, "/")
    change(jug, is_active=False)
    expect(card(page, "Jug")).to_have_count(0)
    services.delete_product(product_id=teapot.pk, by=seller)
    expect(card(page, "Teapot")).to_have_count(0)
    change(jug, is_active=True)
    expect(card(page, "Jug")).to_be_visible()

    expect(titles(page)).to_have_text(["Bowl", "Jug"])
    assert_state_law(page)


def test_it_never_shows_what_is_not_on_sale(page: Page, seller: User) -> None:
    hidden = make_product(seller, title="Hidden", is_active=False)
    open_live(page, "/")
    change(hidden, price=Decimal(1))
    offer(seller, "Prepared", is_active=False)
    offer(seller, "Seen")

    expect(card(page, "Seen")).to_be_visible()
    expect(titles(page)).to_have_text(["Seen"])


def test_it_shows_its_seller_the_same_catalogue(page: Page, seller: User) -> None:
    product = make_product(seller, title="Teapot")
    log_in(page, seller)
    wait_until_live(page)
    change(product, is_active=False)
    offer(seller, "Prepared", is_active=False)
    offer(seller, "Seen")

    expect(card(page, "Seen")).to_be_visible()
    expect(titles(page)).to_have_text(["Seen"])
    assert_state_law(page)


def test_it_tells_two_browsers_alike(browser: Browser, page: Page, seller: User) -> None:
    product = make_product(seller, title="Teapot")
    open_live(page, "/")
    other = browser.new_context()
    second = other.new_page()
    open_live(second, page.url)
    change_stock(product, -4)

    for each in (page, second):
        expect(card(each, "Teapot")).to_contain_text("6 left")
        assert_state_law(each)
    other.close()


def test_it_misses_nothing_while_the_server_was_away(
    page: Page, seller: User, live_server_process: Marketplace, tmp_path: Path
) -> None:
    product = make_product(seller, title="Teapot")
    open_live(page, "/")
    live_server_process.stop()
    change(product, price=Decimal(99))
    change_stock(product, -9)
    offer(seller, "Brass lamp")
    with restarted(live_server_process, tmp_path):
        expect(card(page, "Teapot")).to_contain_text("€99.00", timeout=30_000)
        expect(card(page, "Teapot")).to_contain_text("1 left")
        expect(card(page, "Brass lamp")).to_be_visible()
        assert_state_law(page)


def test_it_waits_behind_a_pill_while_the_list_is_read(page: Page, seller: User) -> None:
    for number in range(PAGE_SIZE):
        make_product(seller, title=f"Cup {number}")
    open_live(page, "/")
    page.mouse.wheel(0, 600)
    # The browser scrolls when it comes to it.
    wait_until(page, "document.querySelector('#products').getBoundingClientRect().top < 0")
    offer(seller, "Brass lamp")
    pill = page.get_by_role("button", name="1 new product")
    expect(pill).to_be_visible()
    expect(card(page, "Brass lamp")).to_be_hidden()
    with requests_of(page) as urls:
        pill.click()
        expect(card(page, "Brass lamp")).to_be_visible()

    assert urls == []
    expect(page.get_by_role("link", name="Next page")).to_be_visible()
    assert_state_law(page)


def test_it_keeps_a_page_to_its_size(page: Page, seller: User) -> None:
    for number in range(PAGE_SIZE):
        make_product(seller, title=f"Cup {number}")
    open_live(page, "/")
    expect(page.get_by_role("link", name="Next page")).to_be_hidden()
    offer(seller, "Brass lamp")

    expect(card(page, "Brass lamp")).to_be_visible()
    expect(page.get_by_role("link", name="Next page")).to_be_visible()
    expect(titles(page)).to_have_count(PAGE_SIZE)
    assert_state_law(page)


def test_it_offers_to_fill_the_place_of_what_is_gone(page: Page, seller: User) -> None:
    products = [make_product(seller, title=f"Cup {number}") for number in range(PAGE_SIZE + 1)]
    open_live(page, "/")
    change(products[-1], is_active=False)

    page.get_by_role("button", name="1 change, show").click()
    expect(card(page, "Cup 0")).to_be_visible()
    expect(titles(page)).to_have_count(PAGE_SIZE)


def test_it_keeps_filters_in_the_address(page: Page, seller: User) -> None:
    make_product(seller, title="Teapot", category="Kitchen", price=Decimal(20))
    make_product(seller, title="Pan", category="Kitchen", price=Decimal(50))
    make_product(seller, title="Old pan", category="Kitchen", stock=0)
    make_tour(seller, title="Walk", category="Tours")
    open_live(page, "/")
    filters = page.get_by_role("navigation", name="Filters")
    filters.get_by_role("link", name="Kitchen").click()
    filters.get_by_role("link", name="In stock").click()
    page.get_by_text("Price", exact=True).click()
    page.get_by_label("To", exact=True).fill("30")
    page.get_by_role("button", name="Show these prices").click()

    expect(titles(page)).to_have_text(["Teapot"])
    for kept in ("category=Kitchen", "inStock=true", "maxPrice=30"):
        expect(page).to_have_url(re.compile(kept))
    page.locator("summary", has_text="Newest first").click()
    page.get_by_role("link", name="Lowest price first").click()
    filters.get_by_role("link", name="Show everything").click()
    expect(titles(page)).to_have_count(4)


def test_it_only_patches_a_list_that_is_filtered(page: Page, seller: User) -> None:
    teapot = make_product(seller, title="Teapot", category="Kitchen")
    pan = make_product(seller, title="Pan", category="Kitchen")
    open_live(page, "/?category=Kitchen&inStock=true")
    change(teapot, price=Decimal(15))
    expect(card(page, "Teapot")).to_contain_text("€15.00")
    change_stock(pan, -10)
    expect(card(page, "Pan")).to_have_count(0)
    assert_state_law(page)

    offer(seller, "Lamp", category="Lighting")
    offer(seller, "Bowl", category="Kitchen")
    offer(seller, "Jug", category="Kitchen")
    offered = page.get_by_role("button", name="2 changes, show")
    expect(offered).to_be_visible()
    expect(titles(page)).to_have_text(["Teapot"])
    offered.click()
    expect(card(page, "Jug")).to_be_visible()
    expect(titles(page)).to_have_text(["Jug", "Bowl", "Teapot"])


def test_it_only_patches_what_was_searched_for(page: Page, seller: User) -> None:
    make_product(seller, title="Teapot", description="For four cups")
    make_product(seller, title="Pan")
    open_live(page, "/")
    page.keyboard.press("/")
    page.keyboard.type("CUPS")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Found for “CUPS”")).to_be_visible()
    wait_until_live(page)
    expect(titles(page)).to_have_text(["Teapot"])

    offer(seller, "Bowl")
    offer(seller, "Saucer", description="To put cups on")
    expect(page.get_by_role("button", name="1 change, show")).to_be_visible()
    expect(titles(page)).to_have_text(["Teapot"])


def test_it_says_when_an_address_is_not_understood(page: Page, seller: User) -> None:
    make_product(seller, title="Teapot")
    answer = page.goto("/?ordering=beauty")
    assert answer is not None
    assert answer.status == 400
    page.get_by_role("alert").get_by_role("link", name="Show everything").click()

    expect(card(page, "Teapot")).to_be_visible()


def test_it_turns_pages(page: Page, seller: User) -> None:
    for number in range(PAGE_SIZE + 2):
        make_product(seller, title=f"Cup {number}")
    open_live(page, "/")
    page.get_by_role("link", name="Next page").click()
    wait_until_live(page)
    expect(titles(page)).to_have_text(["Cup 1", "Cup 0"])
    offer(seller, "Brass lamp")

    page.get_by_role("button", name="1 change, show").click()
    expect(card(page, "Cup 2")).to_be_visible()
    page.get_by_role("link", name="Previous page").click()
    expect(card(page, "Brass lamp")).to_be_visible()
