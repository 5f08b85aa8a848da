"""The availability board: live without a login, its cards keep their places."""

import re
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from signal import SIGINT

from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from marketplace.accounts.models import User
from marketplace.demo.loading import Demo, enrol, stock_shops
from tests.journeys.conftest import (
    assert_state_law,
    log_in,
    open_live,
    requests_of,
    wait_until_live,
)
from tests.journeys.steps import card, change, change_stock, offer
from tests.products.things import make_product, make_tour
from tests.support.processes import end, start
from tests.support.servers import Marketplace


def board_titles(page: Page) -> Locator:
    """The titles on the board, in order."""
    return page.locator("#board > :not([hidden]) .board-title")


def test_it_shows_tours_and_what_is_scarce(page: Page, seller: User) -> None:
    make_tour(seller, title="Walk", max_group_size=40, stock=30, low_stock_threshold=5)
    make_product(seller, title="Last bowl", stock=1)
    make_product(seller, title="Many cups", stock=100)
    make_tour(seller, title="Secret walk", is_active=False)
    open_live(page, "/availability/")

    expect(board_titles(page)).to_have_text(["Last bowl", "Walk"])
    expect(card(page, "Walk")).to_contain_text("30 of 40 places free")
    expect(card(page, "Walk")).to_contain_text("In stock")


def test_it_patches_cards_where_they_are(page: Page, seller: User) -> None:
    walk = make_tour(seller, title="Walk", max_group_size=40, stock=30)
    ride = make_tour(seller, title="Ride", stock=6)
    bowl = make_product(seller, title="Bowl", stock=3)
    open_live(page, "/availability/")
    with requests_of(page) as urls:
        change_stock(walk, -28)
        change_stock(ride, -6)
        change(bowl, title="Blue bowl")
        expect(card(page, "Walk")).to_contain_text("2 of 40")
        expect(card(page, "Walk")).to_contain_text("Almost gone")
        expect(card(page, "Ride")).to_contain_text("Sold out")
        expect(card(page, "Blue bowl")).to_be_visible()

    assert urls == []
    expect(board_titles(page)).to_have_text(["Blue bowl", "Ride", "Walk"])
    assert_state_law(page)


def test_it_says_when_a_stock_changed(page: Page, seller: User) -> None:
    walk = make_tour(seller, title="Walk")
    earlier = timezone.now() - timedelta(days=3)
    type(walk).objects.update(stock_changed_at=earlier)
    open_live(page, "/availability/")
    expect(card(page, "Walk")).to_contain_text(f"Changed {earlier.day} {earlier:%b %Y, %H:%M}")
    change_stock(walk, -1)

    just_now = re.compile(r"Changed \d\d:\d\d$", re.MULTILINE)
    expect(card(page, "Walk")).to_contain_text(just_now)
    assert_state_law(page)

    # The price's event has the new stock already; the stock's own alone says when it changed.
    type(walk).objects.update(stock_changed_at=earlier)
    page.reload()
    wait_until_live(page)
    walk.refresh_from_db()
    walk.price, walk.stock = Decimal(99), 3
    walk.save()
    expect(card(page, "Walk")).to_contain_text(just_now)
    assert_state_law(page)


def test_it_takes_in_what_becomes_scarce_and_lets_go_what_no_longer_is(
    page: Page, seller: User
) -> None:
    bowl = make_product(seller, title="Bowl", stock=100)
    jug = make_product(seller, title="Jug", stock=1)
    mug = make_product(seller, title="Mug", stock=30)
    open_live(page, "/availability/")
    change_stock(bowl, -97)
    expect(card(page, "Bowl").locator(".board-figure")).to_have_text("3")
    change_stock(jug, 200)
    expect(card(page, "Jug")).to_have_count(0)
    offer(seller, "Walk", kind="tour", max_group_size=12)
    expect(card(page, "Walk")).to_contain_text("10 of 12 places free")
    change(mug, low_stock_threshold=40)
    expect(card(page, "Mug")).to_be_visible()
    assert_state_law(page)

    change(bowl, is_active=False)
    expect(card(page, "Bowl")).to_have_count(0)
    assert_state_law(page)


def change_titles(page: Page) -> Locator:
    """The titles of the last changes, the newest first."""
    return page.locator("#changes > :not([data-withdrawn]) .board-change-title")


def test_it_tells_the_last_ten_changes(page: Page, seller: User) -> None:
    walk = make_tour(seller, title="Walk", max_group_size=40, stock=30)
    bowl = make_product(seller, title="Bowl", stock=30)
    open_live(page, "/availability/")
    expect(page.get_by_text("Nothing has changed yet")).to_be_visible()
    for _change in range(8):
        change_stock(walk, -1)
    change_stock(bowl, -26)
    change_stock(walk, -22)
    expect(change_titles(page)).to_have_text(["Walk", "Bowl", *["Walk"] * 8])
    newest = page.locator(".board-change").first
    expect(newest).to_contain_text("Sold out")
    expect(newest).to_contain_text("0 places free")
    expect(page.locator(".board-change").nth(1)).to_contain_text("4 left", use_inner_text=True)
    assert_state_law(page)

    # What is off sale or gone is not shown, but counts; what comes back is shown again.
    change(bowl, is_active=False, title="Blue bowl")
    change_stock(walk, 9)
    expect(change_titles(page)).to_have_text(["Walk"] * 9)
    change(bowl, is_active=True)
    expect(change_titles(page)).to_have_text(["Walk", "Walk", "Bowl", *["Walk"] * 7])
    assert_state_law(page)
    change(bowl, is_active=False)
    expect(change_titles(page)).to_have_text(["Walk"] * 9)
    assert_state_law(page)
    assert "Bowl" not in page.content()
    walk.delete()
    expect(change_titles(page)).to_have_count(0)
    expect(page.get_by_text("Nothing has changed yet")).to_be_visible()
    assert_state_law(page)


def test_it_does_not_move_the_changes_under_a_hand(page: Page, seller: User) -> None:
    walk = make_tour(seller, title="Walk", max_group_size=40, stock=30)
    change_stock(walk, -1)
    open_live(page, "/availability/")
    change_titles(page).hover()
    for _change in range(12):
        change_stock(walk, -1)
    pill = page.get_by_role("button", name="10 changes")
    expect(pill).to_be_visible()
    expect(page.locator("#changes > :not([hidden])")).to_have_count(1)
    pill.click()
    expect(page.locator("#changes > :not([hidden])")).to_have_count(10)
    assert_state_law(page)


def test_it_shows_a_seller_what_it_shows_everybody(page: Page, seller: User) -> None:
    log_in(page, seller)
    walk = make_tour(seller, title="Walk")
    secret = make_tour(seller, title="Secret walk", is_active=False)
    withdrawn = make_tour(seller, title="Withdrawn walk")
    open_live(page, "/availability/")
    change(withdrawn, is_active=False)
    expect(card(page, "Withdrawn")).to_have_count(0)
    for tour in (secret, withdrawn, walk):
        change_stock(tour, -1)
    expect(change_titles(page)).to_have_text(["Walk"])
    expect(board_titles(page)).to_have_text(["Walk"])
    assert_state_law(page)


def test_it_says_what_it_is_for_when_nothing_is_scarce(page: Page, seller: User) -> None:
    bowl = make_product(seller, title="Bowl", stock=100, price=Decimal(3))
    open_live(page, "/availability/")
    expect(page.get_by_text("Nothing is scarce")).to_be_visible()
    change_stock(bowl, -95)
    expect(page.get_by_text("Nothing is scarce")).to_be_hidden()
    change_stock(bowl, 95)

    expect(page.get_by_text("Nothing is scarce")).to_be_visible()
    assert_state_law(page)


def test_it_turns_red_while_the_simulator_plays(
    page: Page, live_server_process: Marketplace, tmp_path: Path
) -> None:
    demo = Demo(timezone.now())
    enrol(demo)
    stock_shops(demo)
    open_live(page, "/availability/")
    tours = page.locator(".board-card", has_text=re.compile("Paris|London|Rome"))
    red = tours.locator(".level:is([data-level=low], [data-level=out])")
    expect(tours).to_have_count(3)
    expect(red).to_have_count(0)
    log = tmp_path / "simulator.log"
    command = [sys.executable, "manage.py", "simulate", "--availability", "--rate", "20"]
    simulator = start(command, log=log, environment=live_server_process.environment)
    try:
        expect(red.first).to_be_visible()
        expect(change_titles(page)).to_have_count(10)
    finally:
        code = end(simulator, how=SIGINT)
    assert code == 0, log.read_text()
    assert "Done: book" in log.read_text()
