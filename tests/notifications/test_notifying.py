"""Telling somebody something: in the transaction that makes it true, in their language."""

import pytest
from django.db import DatabaseError, transaction
from django.db.transaction import TransactionManagementError
from django.utils.translation import get_language

from marketplace.accounts.models import User
from realtime.api import notify
from realtime.notifications.models import MAX_TEXT, MAX_TITLE, Notification
from realtime.notifications.services import mark_all_read
from tests.conftest import ClientFor
from tests.notifications.things import API, events_of, forget_events, tell, told
from tests.orders.things import make_order
from tests.products.things import make_product
from tests.support.people import make_user


def test_it_stores_and_announces_the_same(buyer: User, client_for: ClientFor) -> None:
    tell(buyer, "Order 1 is on its way")
    (shown,) = client_for(buyer).get(API).json()["results"]
    assert shown.pop("readAt") is None
    assert events_of(buyer) == [("notification", shown)]
    assert {**shown, "createdAt": "", "notificationId": 0} == {
        "notificationId": 0,
        "kind": "order-status",
        "title": "Order 1 is on its way",
        "text": "And why.",
        "url": "/orders/1",
        "createdAt": "",
    }


def test_it_does_not_repeat_what_is_unread(buyer: User, other_buyer: User) -> None:
    tell(buyer, "So")
    fresh = [
        tell(buyer, "Otherwise"),
        tell(buyer, "So", url="/orders/2"),
        tell(buyer, "So", kind="secure-channel"),
        tell(other_buyer, "So"),
    ]
    forget_events()
    assert tell(buyer, "So") == tell(buyer, "So") == fresh[-1]
    assert events_of(buyer) == []
    mark_all_read(user_id=buyer.pk, url="/orders/1")
    assert tell(buyer, "So") > fresh[-1]


def test_it_does_not_repeat_what_was_cut(buyer: User) -> None:
    for _ in range(2):
        tell(buyer, "x" * 2_000)
    assert len(told(buyer)) == 1


def test_it_tells_nothing_that_was_rolled_back(buyer: User) -> None:
    def fail() -> None:
        with transaction.atomic():
            tell(buyer)
            raise DatabaseError

    with pytest.raises(DatabaseError):
        fail()
    assert told(buyer) == []
    assert events_of(buyer) == []


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_tell_what_may_not_become_true(buyer: User) -> None:
    with pytest.raises(TransactionManagementError):
        notify(user=buyer, kind="order-status", say=lambda: ("So", ""), url="/")
    assert told(buyer) == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "orders/1",
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/a\nb",
        "/x" * 300,
    ],
)
def test_it_leads_to_pages_of_this_site_alone(buyer: User, url: str) -> None:
    with pytest.raises(ValueError, match="no path of this site"):
        tell(buyer, url=url)
    assert told(buyer) == []


def test_it_refuses_a_kind_that_nobody_registered(buyer: User) -> None:
    with pytest.raises(ValueError, match="no kind of notification"):
        tell(buyer, kind="weather")


def test_it_cuts_what_is_too_long(buyer: User) -> None:
    with transaction.atomic():
        # Letters and their accents: as long as the column counts, not as readers do.
        notify(user=buyer, kind="order-status", say=lambda: ("e\u0301" * 300, "x" * 2_000), url="/")
    stored = Notification.objects.get()
    assert (len(stored.title), len(stored.text)) == (MAX_TITLE, MAX_TEXT)
    assert stored.title.endswith("…")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_it_speaks_the_language_of_whom_it_tells(db: None, language: str) -> None:
    reader = make_user("reader", language=language)
    heard = []

    def say() -> tuple[str, str]:
        heard.append(get_language())
        return "So", ""

    with transaction.atomic():
        notify(user=reader, kind="order-status", say=say, url="/")
    assert heard == [language]
    assert get_language() == "en"


def test_it_writes_amounts_as_whom_it_tells_reads_them(buyer: User) -> None:
    vendeur = make_user("vendeur", role="seller", language="fr")
    make_order(buyer, make_product(vendeur), quantity=2)
    ((_kind, title),) = told(vendeur)
    assert title.endswith("25,00\N{NO-BREAK SPACE}€")
