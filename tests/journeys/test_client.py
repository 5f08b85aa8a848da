"""The browser's end of the event stream: one stream for all tabs, and no event lost or doubled."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

from playwright.sync_api import BrowserContext, Page, expect

from marketplace.accounts.models import Login, User
from tests.journeys.listening import (
    LISTEN,
    STREAM,
    create_product,
    open_streams,
    titles_heard,
    wait_to_hear,
    wait_until,
)
from tests.support.people import make_user
from tests.support.processes import end, start, wait_for_text
from tests.support.servers import Marketplace


def test_it_hears_what_happens_and_says_that_it_is_live(
    new_tab: Callable[[], Page], maja: User
) -> None:
    page = new_tab()
    create_product(maja, "Bowl")

    wait_to_hear(page, "Bowl")
    expect(page.locator("#connection")).to_have_text("Live")


def test_it_hears_what_happened_between_the_page_and_its_stream(
    new_tab: Callable[[], Page], context: BrowserContext, maja: User
) -> None:
    new_tab().close()
    context.route(STREAM, lambda route: route.abort())
    page = context.new_page()
    page.goto("/account/")
    page.evaluate(LISTEN)
    create_product(maja, "Bowl")
    context.unroute(STREAM)

    wait_to_hear(page, "Bowl")
    assert titles_heard(page) == ["Bowl"]


def test_it_shares_one_stream_between_tabs(
    new_tab: Callable[[], Page], context: BrowserContext, maja: User
) -> None:
    requests = open_streams(context)
    tabs = [new_tab(), new_tab(), new_tab()]
    create_product(maja, "Bowl")

    for tab in tabs:
        wait_to_hear(tab, "Bowl")
    assert len(requests) == 1


def test_it_takes_over_when_the_tab_with_the_stream_is_closed(
    new_tab: Callable[[], Page], context: BrowserContext, maja: User
) -> None:
    first, second = new_tab(), new_tab()
    first.close()
    create_product(maja, "Bowl")

    wait_to_hear(second, "Bowl")
    create_product(maja, "Jug")
    wait_to_hear(second, "Jug")
    assert titles_heard(second) == ["Bowl", "Jug"]


def test_it_takes_over_from_a_tab_that_no_longer_speaks(
    new_tab: Callable[[], Page], maja: User
) -> None:
    frozen, other = new_tab(), new_tab()
    frozen.evaluate("BroadcastChannel.prototype.postMessage = () => {}")
    create_product(maja, "Bowl")
    wait_to_hear(frozen, "Bowl")
    # What a browser does when the tab is looked at again.
    other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    wait_to_hear(other, "Bowl")
    assert titles_heard(other) == ["Bowl"]


def test_it_serves_a_tab_that_slept_from_memory(
    new_tab: Callable[[], Page], context: BrowserContext, maja: User
) -> None:
    holder, sleeper = new_tab(), new_tab()
    sleeper.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    create_product(maja, "Bowl")
    wait_to_hear(holder, "Bowl")
    requests = open_streams(context)
    sleeper.evaluate(
        "window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    )

    wait_to_hear(sleeper, "Bowl")
    assert titles_heard(sleeper) == ["Bowl"]
    assert not requests


def test_it_comes_back_after_the_network_was_gone(
    new_tab: Callable[[], Page], context: BrowserContext, maja: User
) -> None:
    page = new_tab()
    context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("Offline · as of")
    create_product(maja, "Bowl")
    context.set_offline(False)

    wait_to_hear(page, "Bowl")
    expect(page.locator("#connection")).to_have_text("Live")
    assert titles_heard(page) == ["Bowl"]


def test_it_hears_a_channel_from_where_its_page_is(
    new_tab: Callable[[], Page], maja: User, context: BrowserContext
) -> None:
    other = make_user("nora", role="seller")
    product = create_product(other, "Bowl")
    first = new_tab()
    second = new_tab()
    product.stock = 4
    product.save()
    second.evaluate("(name) => client.subscribe(name)", f"product.{product.pk}")

    wait_until(second, "heard.some((event) => event.type === 'availability-updated')")
    wait_until(second, "heard.some((event) => event.type === 'subscribed')")
    assert not first.evaluate("heard.some((event) => event.type === 'subscribed')")


def test_it_goes_on_without_a_channel_that_is_refused(
    new_tab: Callable[[], Page], maja: User
) -> None:
    product = create_product(make_user("nora", role="seller"), "Jug")
    page = new_tab()
    page.evaluate("void client.subscribe('order.999')")
    page.evaluate("(name) => client.subscribe(name)", f"product.{product.pk}")

    wait_until(page, "heard.some((event) => event.type === 'subscribed')")
    refused = "heard.filter((e) => e.type === 'refused').map((e) => e.data.channel)"
    assert page.evaluate(refused) == ["order.999"]
    create_product(maja, "Bowl")
    wait_to_hear(page, "Bowl")


def test_it_leaves_for_the_login_when_the_login_ends_elsewhere(
    new_tab: Callable[[], Page], maja: User
) -> None:
    tabs = [new_tab(), new_tab()]
    Login.objects.filter(user=maja).end()

    for tab in tabs:
        tab.wait_for_url("**/login?next=%2Faccount%2F")


def test_it_goes_where_the_logout_goes(new_tab: Callable[[], Page]) -> None:
    page = new_tab()
    page.get_by_role("main").get_by_role("button", name="Log out").click()

    page.wait_for_url("**/")
    assert "login" not in page.url


def test_it_loads_the_page_anew_once_when_the_log_no_longer_reaches_back(
    new_tab: Callable[[], Page], context: BrowserContext, maja: User
) -> None:
    new_tab().close()
    # A position that the log has never had.
    context.add_init_script(
        """new MutationObserver(() => {
          document.querySelector('meta[name="event-position"]')?.setAttribute("content", "999999");
        }).observe(document, { childList: true, subtree: true });"""
    )
    page = context.new_page()
    loads: list[Page] = []
    page.on("load", lambda page: loads.append(page))
    page.goto("/account/")

    # Two whole loads come before it.
    notice = page.get_by_text("This page is no longer up to date.")
    expect(notice).to_be_visible(timeout=20_000)
    assert len(loads) == 2


def test_it_speaks_websocket_where_it_is_asked_to(new_tab: Callable[[], Page], maja: User) -> None:
    page = new_tab()
    page.evaluate("client.disconnect(); client.connect({ transport: 'websocket' })")
    wait_until(page, "client.isConnected()")
    create_product(maja, "Bowl")

    wait_to_hear(page, "Bowl")


def test_it_comes_back_to_a_server_that_was_restarted(
    live_server_process: Marketplace, new_tab: Callable[[], Page], maja: User, tmp_path: Path
) -> None:
    page = new_tab()
    live_server_process.stop()
    expect(page.locator("#connection")).to_have_text("Reconnecting…")
    create_product(maja, "Bowl")
    log = tmp_path / "restarted.log"
    command = cast(list[str], live_server_process.process.args)
    restarted = start(command, log=log, environment=live_server_process.environment)
    try:
        wait_for_text("Serving on http://", process=restarted, log=log)
        wait_to_hear(page, "Bowl")
        expect(page.locator("#connection")).to_have_text("Live")
        assert titles_heard(page) == ["Bowl"]
    finally:
        end(restarted)
