"""The bell on every page, and the page of one's notifications."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marketplace.accounts.models import User
from realtime.notifications.services import mark_all_read, mark_read
from tests.notifications.things import tell
from tests.support.people import browser_of

PAGE = "/notifications/"


def bell(client: Client, path: str = "/account/") -> dict[str, str]:
    """The attributes of the bell, and the words in it."""
    text = client.get(path).content.decode()
    (tag,) = re.findall(r'<a [^>]*id="bell"[^>]*>', text)
    (words,) = re.findall(r'id="bell-words">([^<]*)<', text)
    return {**dict(re.findall(r'data-(\w+)="([^"]*)"', tag)), "words": words}


def shown(client: Client, query: str = "") -> list[int]:
    """The ids that the page lists."""
    return [row.notification_id for row in client.get(PAGE + query).context["notifications"]]


def test_it_counts_what_is_unread(buyer: User, other_buyer: User) -> None:
    client = browser_of(buyer)
    assert bell(client) == {"unread": "0", "counted": "", "words": "Notifications"}
    first, second = tell(buyer), tell(buyer)
    tell(other_buyer)
    assert bell(client) == {
        "unread": "2", "counted": f"{second} {first}", "words": "Notifications, 2 unread",
    }  # fmt: skip


def test_it_counts_no_further_than_it_shows(buyer: User) -> None:
    here = [tell(buyer, url="/account/"), tell(buyer, url="/account/#logins")]
    tell(buyer, url="/account/more")
    for _ in range(100):
        tell(buyer)
    ringing = bell(browser_of(buyer))
    assert ringing["words"] == "Notifications, 99+ unread"
    # Of what leads here all is known: the page reads it.
    assert ringing["here"] == " ".join(map(str, here))
    assert ringing["unread"] == "100"


def test_it_says_what_leads_to_the_page(buyer: User) -> None:
    here, there = tell(buyer, url="/account/#logins"), tell(buyer, url="/account/more")
    assert bell(browser_of(buyer))["here"] == str(here)
    assert str(there) in bell(browser_of(buyer), PAGE)["counted"]


def test_it_rings_for_nobody_who_is_not_logged_in(client: Client, db: None) -> None:
    assert b'id="bell"' not in client.get("/").content
    assert client.get(PAGE).status_code == 302


def test_it_costs_one_query_that_an_index_answers(buyer: User) -> None:
    for number in range(30):
        tell(buyer, f"Fact {number}")
    client = browser_of(buyer)
    with CaptureQueriesContext(connection) as queries:
        client.get("/account/")
    (query,) = [each["sql"] for each in queries if "realtime_notification" in each["sql"]]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{query}")
        plan = str(cursor.fetchall())
    assert "notification_unread" in plan
    assert "sort" not in plan.lower().replace("temp b-tree for order by", "sort")


def test_it_lists_ones_own_newest_first_page_by_page(buyer: User, other_buyer: User) -> None:
    ids = [tell(buyer) for _ in range(25)][::-1]
    tell(other_buyer)
    client = browser_of(buyer)
    assert shown(client) == ids[:20]
    assert shown(client, "?page=2") == ids[20:]
    mark_read(user_id=buyer.pk, notification_id=ids[0])
    assert shown(client, "?unread=true") == ids[1:21]
    # What an address means may have moved meanwhile: it leads to the nearest page that is there.
    for query in ("?page=3", "?page=99", "?page=0"):
        assert shown(client, query) == ids[20:]
    assert shown(client, "?page=x") == ids[:20]
    mark_all_read(user_id=buyer.pk)
    assert shown(client, "?unread=true&page=2") == []


@pytest.mark.parametrize(
    ("who", "kinds"),
    [
        ("buyer", {"order-status", "secure-channel"}),
        ("seller", {"order-status", "secure-channel", "new-order", "stock-low"}),
    ],
)
def test_it_offers_the_kinds_that_concern_one(
    request: pytest.FixtureRequest, who: str, kinds: set[str]
) -> None:
    page: Any = browser_of(request.getfixturevalue(who)).get(PAGE)
    offered = {kind.name for kind, _is_on in page.context["preferences"]}
    assert offered >= kinds
    assert ("new-order" in offered) == (who == "seller")
