"""Two people in two browsers, and what journeys ask of their conversation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import transaction
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from marketplace.accounts.models import User
from realtime.api import publish
from securechat.events import ChatMessage, audiences_of
from securechat.models import Session
from tests.support.servers import Marketplace

SECURED = "Secured since"
# The texts of the messages, without their times and marks.
TEXTS = "[...document.querySelectorAll('.message-text')].map((node) => node.textContent)"

Talker = Callable[[User], Page]


def browser_for(browser: Browser, server: Marketplace, user: User) -> BrowserContext:
    """A browser of its own in which the user is logged in."""
    client = Client()
    client.force_login(user)
    context = browser.new_context(base_url=server.url)
    context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "url": server.url,
            }
        ]
    )
    return context


def expect_secured(*pages: Page) -> None:
    """Until each says that it is secured."""
    for page in pages:
        expect(page.locator("#status-text")).to_contain_text(SECURED)


def write(page: Page, text: str) -> None:
    """Write a message and send it as people do."""
    page.locator("#text").fill(text)
    page.locator("#text").press("Enter")


def texts(page: Page) -> list[str]:
    """The messages that the page shows, in order."""
    shown: list[str] = page.evaluate(TEXTS)
    return shown


def expect_texts(page: Page, *wanted: str) -> None:
    """Until the page shows these messages and no others, in this order."""
    expect(page.locator(".message-text")).to_have_text(list(wanted))


def said(page: Page, kind: str) -> None:
    """Until the page itself says this in the conversation."""
    expect(page.locator(f'.said[data-kind="{kind}"]').last).to_be_visible()


def safety_number(page: Page) -> list[str]:
    """The twelve groups of digits behind the lock."""
    page.locator("#lock").click()
    expect(page.locator("#safety-digits li").last).to_be_visible()
    return page.locator("#safety-digits").inner_text().split()


@transaction.atomic
def forge_message(session: Session, **fields: Any) -> None:
    """Announce a message that is nowhere, with the next number, as a dishonest server may."""
    # Locked: receipts of the browsers take numbers meanwhile.
    session = Session.objects.locked().get(pk=session.pk)
    seq = session.last_seq + 1
    Session.objects.filter(pk=session.pk).update(last_seq=seq)
    said = {"seq": seq, "sent_at": "2026-01-01T00:00:00.000Z", **fields}
    publish(ChatMessage(session_id=str(session.pk), **said), audiences=audiences_of(session))


@contextmanager
def all_requests(page: Page) -> Iterator[list[tuple[str, str]]]:
    """The method and path of every request to the API while the block lasts, streams aside."""
    asked: list[tuple[str, str]] = []

    def note(request: object) -> None:
        method, url = request.method, request.url  # type: ignore[attr-defined] # Playwright's
        path = url.partition("/api/")[2].partition("?")[0]
        if path and path != "events":
            asked.append((method, path))

    page.on("request", note)
    yield asked
    page.remove_listener("request", note)
