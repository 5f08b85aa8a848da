"""The log in the admin: read there, found by its indexes, and never changed."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.accounts.models import User
from realtime import log
from realtime.admin.log import REACH
from realtime.control import recheck_user
from realtime.models import LogAudience, LogEvent, OutboxEvent
from tests.realtime.things import publish_thing
from tests.support.people import browser_of, make_user

LOG = "/admin/realtime/logevent/"
OUTBOX = "/admin/realtime/outboxevent/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def head() -> None:
    """The head row, which emptying the tables after other tests takes away."""
    log.ensure_head()


@pytest.fixture
def admin(staff: User) -> Client:
    """The admin of somebody who may look at the log and the outbox."""
    return browser_of(staff, "view_logevent", "view_outboxevent")


def write_log(*audiences: str) -> None:
    """Log an event for each of these audiences, at the positions 1, 2, 3 …"""
    for number, to in enumerate(audiences, 1):
        publish_thing(number, to=to)
    log.number_committed()


def shown(admin: Client, query: str = "") -> list[int]:
    """The positions that the list shows, from the top."""
    answer = admin.get(f"{LOG}?{query}")
    assert answer.status_code == 200, answer.headers
    return [event.position for event in answer.context["cl"].result_list]


# --- Who may look ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", [LOG, f"{LOG}1/change/", OUTBOX])
def test_it_is_shown_to_those_alone_who_may_look(
    admin: Client, buyer: User, other_buyer: User, path: str
) -> None:
    write_log("all")
    assert admin.get(path).status_code == 200
    other_buyer.is_staff = True
    other_buyer.save()
    assert browser_of(other_buyer, "view_order").get(path).status_code == 403
    outsider = Client()
    outsider.force_login(buyer)
    answer = outsider.get(path)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (
        302,
        "/admin/login/",
    )


def test_it_changes_nothing_for_anybody() -> None:
    root = browser_of(make_user("root", is_staff=True, is_superuser=True))
    write_log("all")
    publish_thing(2)
    waiting = OutboxEvent.objects.get()
    for page in (f"{LOG}1/", f"{OUTBOX}{waiting.pk}/"):
        assert b'name="_save"' not in root.get(f"{page}change/").content
        assert root.post(f"{page}change/", {"type": "forged"}).status_code == 403
        assert root.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    for path in (LOG, OUTBOX):
        assert root.get(f"{path}add/").status_code == 403
        assert b"delete_selected" not in root.get(path).content
    assert list(LogEvent.objects.values_list("type", flat=True)) == ["thing-happened"]
    assert OutboxEvent.objects.get() == waiting


# --- What it shows --------------------------------------------------------------------------


def test_it_shows_the_newest_first_and_an_event_whole(admin: Client) -> None:
    write_log("all", "user.7 staff")
    assert shown(admin) == [2, 1]
    page = admin.get(f"{LOG}2/change/").content.decode()
    assert "user.7 staff" in page
    assert "&quot;number&quot;: 2,\n" in page


def test_it_marks_what_is_for_servers_only(admin: Client, buyer: User) -> None:
    write_log("all")
    with transaction.atomic():
        recheck_user(buyer.pk)
    assert b'_user-changed <span class="internal">internal</span>' in admin.get(OUTBOX).content
    log.number_committed()
    assert b'_user-changed <span class="internal">internal</span>' in admin.get(LOG).content
    assert b"thing-happened <span" not in admin.get(LOG).content


def test_it_shows_what_waits_in_its_order(admin: Client) -> None:
    publish_thing(1)
    publish_thing(2)
    rows = admin.get(OUTBOX).context["cl"].result_list
    assert [row.pk for row in rows] == sorted(row.pk for row in rows)
    assert "number&quot;: 1" in admin.get(f"{OUTBOX}{rows[0].pk}/change/").content.decode()


# --- What it finds --------------------------------------------------------------------------


def test_it_finds_a_channel_exactly_and_a_position(admin: Client) -> None:
    write_log("user.7 staff", "user.77", "staff", "user.7")
    assert shown(admin, "q=user.7") == [4, 1]
    assert shown(admin, "q=user") == []
    assert shown(admin, "q=staff") == [3, 1]
    assert shown(admin, "q=2") == [2]


@pytest.mark.parametrize("term", ["user.7 staff", "%25", "User.7", "9" * 18, "9" * 5000, "x" * 200])
def test_it_finds_nothing_for_what_is_neither(admin: Client, term: str) -> None:
    write_log("user.7 staff")
    assert shown(admin, f"q={term}") == []


def test_it_finds_types(admin: Client, buyer: User) -> None:
    write_log("all")
    with transaction.atomic():
        recheck_user(buyer.pk)
    log.number_committed()
    assert shown(admin, "type=_user-changed") == [2]
    assert shown(admin, "type=order-created") == []
    offered = admin.get(LOG).content.decode()
    assert "?type=order-created" in offered
    assert "?type=_login-ended" in offered


def test_it_finds_the_time_from_one_moment_to_before_the_other(admin: Client) -> None:
    write_log("all", "all", "user.7")
    noon = timezone.now().replace(microsecond=0)
    for position in (1, 2, 3):
        LogEvent.objects.filter(position=position).update(
            published_at=noon + timedelta(minutes=position)
        )
    at = [f"{noon + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%S}" for minute in range(4)]
    assert shown(admin, f"since={at[2]}") == [3, 2]
    assert shown(admin, f"until={at[2]}") == [1]
    assert shown(admin, f"since={at[1]}&until={at[3]}") == [2, 1]
    assert shown(admin, f"since={at[2]}&until=&q=all") == [2]
    assert f'value="{at[1]}"' in admin.get(f"{LOG}?since={at[1]}").content.decode()


def test_it_says_so_when_a_time_is_none(admin: Client) -> None:
    write_log("all")
    answer = admin.get(f"{LOG}?since=yesterday")
    assert b"Enter a valid date/time." in answer.content
    assert shown(admin, "since=yesterday") == []


# --- A log of a million ---------------------------------------------------------------------


@pytest.fixture
def long_log() -> None:
    """A log that is somewhat longer than the list reaches."""
    now = timezone.now()
    LogEvent.objects.bulk_create(
        LogEvent(
            position=position,
            type="order-created",
            audiences="staff",
            payload="{}",
            published_at=now,
        )
        for position in range(1, REACH + 51)
    )
    LogAudience.objects.bulk_create(
        LogAudience(audience="staff", position=position) for position in range(1, REACH + 51)
    )


@pytest.mark.parametrize(
    "query", ["", "p=2", "q=staff", "type=order-created", "since=2026-01-01T00:00"]
)
def test_it_reads_no_more_rows_than_it_may_show(admin: Client, long_log: None, query: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert len(shown(admin, query)) == 100
    read = [q["sql"] for q in queries if 'FROM "realtime_logevent"' in q["sql"]]
    assert len(read) == 2  # how many there are, and one page of them
    for sql in read:
        assert " LIMIT " in sql, sql
        assert "payload" not in sql, sql
        assert " LIKE " not in sql.upper(), sql


def test_it_says_where_the_list_ends(admin: Client, long_log: None) -> None:
    end = "The list ends here."
    assert end in admin.get(LOG).content.decode()
    assert shown(admin, f"p={REACH // 100}")[-1] == 51
    assert end not in admin.get(f"{LOG}?q=nobody").content.decode()
    assert shown(admin, "q=7") == [7]
