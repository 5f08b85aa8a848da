"""One stream for all tabs, whatever becomes of the tab that holds it."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Error, Page, expect

from marketplace.accounts.models import User
from realtime import log
from realtime.models import LogHead, OutboxEvent
from tests.journeys.conftest import assert_state_law, open_live
from tests.journeys.listening import (
    create_product,
    open_streams,
    titles_heard,
    wait_to_hear,
    wait_until,
)

NewTab = Callable[[], Page]


@contextmanager
def frozen(*pages: Page) -> Iterator[None]:
    """Stop tabs in the middle of what they do, as a browser does that saves power, or a laptop that
    sleeps. (The browser's own way to freeze a page has no effect on one that is visible.)"""
    sessions = [page.context.new_cdp_session(page) for page in pages]
    for session in sessions:
        session.send("Debugger.enable")
        session.send("Debugger.pause")  # at the next statement, whichever it is
    yield
    for session in sessions:
        session.send("Debugger.disable")  # goes on, if it ever came to a statement


def look_at(page: Page) -> None:
    """What a browser tells a tab that is looked at again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_it_takes_over_from_a_tab_that_crashed(new_tab: NewTab, maja: User) -> None:
    first, second, third = new_tab(), new_tab(), new_tab()
    create_product(maja, "Bowl")
    wait_to_hear(third, "Bowl")
    with pytest.raises(Error, match="crash"):
        first.goto("chrome://crash")
    for title in ("Jug", "Cup"):
        create_product(maja, title)
        for tab in (second, third):
            wait_to_hear(tab, title)
    for tab in (second, third):
        assert titles_heard(tab) == ["Bowl", "Jug", "Cup"]


def test_it_takes_over_from_a_frozen_tab_which_finds_its_way_back(
    new_tab: NewTab, context: BrowserContext, maja: User
) -> None:
    holder, other = new_tab(), new_tab()
    create_product(maja, "Bowl")
    wait_to_hear(holder, "Bowl")
    requests = open_streams(context)
    with frozen(holder):
        create_product(maja, "Jug")
        look_at(other)
        wait_to_hear(other, "Jug")
        create_product(maja, "Cup")
        wait_to_hear(other, "Cup")
    look_at(holder)
    wait_to_hear(holder, "Cup")
    create_product(maja, "Pan")
    for tab in (holder, other):
        wait_to_hear(tab, "Pan")
        assert titles_heard(tab) == ["Bowl", "Jug", "Cup", "Pan"]
    assert 1 <= len(requests) <= 2  # the other one's, and none besides but at the way back


def test_it_hears_what_happened_while_the_laptop_slept(new_tab: NewTab, maja: User) -> None:
    tabs = [new_tab(), new_tab()]
    titles = [f"Bowl {number}" for number in range(30)]
    with frozen(*tabs):
        for title in titles:
            create_product(maja, title)
        while OutboxEvent.objects.exists():
            time.sleep(0.05)
    for tab in tabs:
        look_at(tab)
    for tab in tabs:
        wait_to_hear(tab, titles[-1])
        assert titles_heard(tab) == titles


def test_it_is_up_to_date_when_the_log_was_trimmed_meanwhile(
    page: Page, context: BrowserContext, maja: User
) -> None:
    create_product(maja, "Bowl")
    open_live(page, "/")
    context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("Offline")
    for title in ("Jug", "Cup"):
        create_product(maja, title)
    while OutboxEvent.objects.exists():
        page.wait_for_timeout(50)
    log.trim(before=timezone.now(), keep=0)
    assert LogHead.objects.get().floor == LogHead.objects.get().position
    context.set_offline(False)
    for title in ("Bowl", "Jug", "Cup"):
        expect(page.get_by_role("main")).to_contain_text(title)
    assert_state_law(page)


def test_it_loses_nothing_while_tabs_come_and_go(
    new_tab: NewTab, context: BrowserContext, maja: User
) -> None:
    chance = random.Random(5)
    requests = open_streams(context)
    tabs: list[tuple[Page, int]] = []  # with the number of the first product that it must hear of
    for number in range(25):
        if len(tabs) < 2 or (len(tabs) < 5 and chance.random() < 0.3):
            tabs.append((new_tab(), number))
        elif chance.random() < 0.3:
            # The one that holds the stream, often.
            tabs.pop(chance.choice([0, -1]))[0].close()
        create_product(maja, f"Bowl {number}")
    create_product(maja, "The last")
    for tab, first in tabs:
        wait_to_hear(tab, "The last")
        heard = [title for title in titles_heard(tab) if title != "The last"]
        # It may have heard of those before it was opened, too: its page's position is older.
        expected = [f"Bowl {number}" for number in range(first, 25)]
        assert heard[-len(expected) :] == expected if expected else heard == []
        assert len(heard) == len(set(heard))
    opened = len(requests)
    wait_until(tabs[0][0], "client.isConnected()")
    assert opened < 40
