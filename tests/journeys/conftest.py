"""What the journeys have beside the other fixtures: a real browser in front of a real server."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from difflib import unified_diff
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from marketplace.accounts.models import User
from products.models import Product
from securechat.models import Session
from tests.journeys.chat import Talker, browser_for, expect_secured
from tests.journeys.listening import LISTEN, wait_until
from tests.orders.things import make_order
from tests.products.things import make_product
from tests.support.machine import chromium
from tests.support.people import PASSWORD, make_user
from tests.support.processes import end, start, wait_for_text
from tests.support.servers import Marketplace

OUTLINE = (Path(__file__).parent / "outline.js").read_text()

# Playwright's driver keeps an event loop running in this thread. Nothing else runs in it, so the
# tests may use the database between two steps of the browser.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# A machine that is busy with other things takes its time.
PATIENCE_MILLISECONDS = 15_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)

QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--no-sandbox",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the machine's Chromium; Playwright's own cannot be downloaded everywhere."""
    return {**browser_type_launch_args, "executable_path": chromium(), "args": QUIET}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Say that there is none for all tests, in place of the plugin's own fixture.

    That one has a form which pytest warns of, and a warning is an error here.
    """


@pytest.fixture
def browser_context_args(
    browser_context_args: dict[str, Any], live_server_process: Marketplace
) -> dict[str, Any]:
    """Let page.goto("/login") mean this test's own server."""
    return {**browser_context_args, "base_url": live_server_process.url}


def log_in(page: Page, user: User) -> None:
    """Log in as people do; afterwards the page shows the catalogue."""
    page.goto("/login?next=/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")


def open_live(page: Page, path: str) -> None:
    """Go to a page, and wait until its events come."""
    page.goto(path)
    wait_until_live(page)


def wait_until_live(page: Page) -> None:
    """Until the header says that events come."""
    expect(page.locator("#connection")).to_have_text("Live")


def outline(page: Page) -> str:
    """What the page's main part shows, in lines that can be compared (see outline.js)."""
    return cast(str, page.evaluate(OUTLINE))


def assert_state_law(page: Page) -> None:
    """The page that patched itself is the page loaded afresh.

    Call it when the last change has arrived. Whatever is rightly different (the time that has
    passed, tints, the order of a list that keeps still) is left out of the comparison.
    """
    live = outline(page)
    page.reload()
    wait_until_live(page)
    differences = unified_diff(live.split("\n"), outline(page).split("\n"), "live", "afresh")
    assert not (text := "\n".join(differences)), text


@contextmanager
def requests_of(page: Page) -> Iterator[list[str]]:
    """The URLs that the page asks for while the block lasts, those of streams aside."""
    urls: list[str] = []

    def note(request: Any) -> None:
        if "/api/events" not in request.url:
            urls.append(request.url)

    page.on("request", note)
    yield urls
    page.remove_listener("request", note)


@contextmanager
def restarted(server: Marketplace, folder: Path) -> Iterator[None]:
    """Start a server that was stopped again, at its old address, while the block lasts."""
    log = folder / "restarted.log"
    command = cast(list[str], server.process.args)
    process = start(command, log=log, environment=server.environment)
    try:
        wait_for_text("Serving on http://", process=process, log=log)
        yield
    finally:
        end(process)


@pytest.fixture
def maja(transactional_db: None) -> User:
    """A seller: she hears of her own products."""
    return make_user("maja", role="seller")


@pytest.fixture
def new_tab(
    context: BrowserContext, client: Client, maja: User, live_server_process: Marketplace
) -> Callable[[], Page]:
    """Open a tab in which maja is logged in and which notes what it hears."""
    client.force_login(maja)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": session,
                "url": live_server_process.url,
            }
        ]
    )

    def open_tab() -> Page:
        page = context.new_page()
        page.goto("/account/")
        page.evaluate(LISTEN)
        wait_until(page, "client.isConnected()")
        return page

    return open_tab


@pytest.fixture
def talker(browser: Browser, live_server_process: Marketplace) -> Iterator[Talker]:
    """Give a page to a user, in a browser of their own, which is closed with the test.

    One that was left would go on looking for its server through all tests that follow.
    """
    with ExitStack() as contexts:

        def talk(user: User) -> Page:
            context = browser_for(browser, live_server_process, user)
            contexts.callback(context.close)
            return context.new_page()

        yield talk


@pytest.fixture
def pot(buyer: User, seller: User, transactional_db: None) -> Product:
    """A teapot that the buyer has ordered."""
    product = make_product(seller)
    make_order(buyer, product)
    return product


@pytest.fixture
def pair(talker: Talker, buyer: User, seller: User, pot: Product) -> tuple[Page, Page]:
    """Buyer and seller in their secured conversation."""
    buyers, sellers = talker(buyer), talker(seller)
    buyers.goto(f"/products/{pot.pk}")
    buyers.get_by_role("button", name="Secure channel").click()
    buyers.wait_for_url("**/chat/*")
    sellers.goto(f"/chat/{Session.objects.get().pk}")
    expect_secured(buyers, sellers)
    return buyers, sellers
