"""Staff look up what somebody was told, and change nothing."""

from django.test import Client

from marketplace.accounts.models import User
from realtime.notifications.services import mark_read
from tests.notifications.things import tell
from tests.support.people import browser_of

LIST = "/admin/realtime/notification/"


def titles(client: Client, query: str = "") -> list[str]:
    """What the list shows."""
    return [row.title for row in client.get(LIST + query).context["cl"].queryset]


def test_it_finds_by_user_kind_and_whether_it_was_read(
    buyer: User, seller: User, staff: User
) -> None:
    read = tell(buyer, "Read")
    tell(buyer, "Unread", kind="secure-channel")
    tell(seller, "Another's")
    mark_read(user_id=buyer.pk, notification_id=read)
    client = browser_of(staff, "view_notification")
    assert titles(client) == ["Another's", "Unread", "Read"]
    # An index answers this, and none the times of everybody's.
    assert set(client.get(LIST).context["cl"].queryset.query.order_by) == {"-id"}
    assert titles(client, "?q=buyer") == ["Unread", "Read"]
    assert titles(client, "?kind=secure-channel") == ["Unread"]
    assert titles(client, "?read=yes") == ["Read"]
    assert titles(client, "?read=no&q=buyer") == ["Unread"]


def test_it_is_looked_at_only_and_by_those_who_may(buyer: User, staff: User) -> None:
    pk = tell(buyer)
    client = browser_of(staff)
    assert client.get(LIST).status_code == 403
    client = browser_of(
        staff, "view_notification", "add_notification", "change_notification", "delete_notification"
    )
    assert client.get(f"{LIST}{pk}/change/").status_code == 200
    assert client.post(f"{LIST}{pk}/change/", {"title": "Other"}).status_code == 403
    assert client.post(f"{LIST}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
