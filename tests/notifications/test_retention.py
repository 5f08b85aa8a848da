"""What goes, what stays, and that nobody's count changes without a word."""

from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from marketplace.accounts.models import User
from realtime.notifications import retention
from realtime.notifications.models import Notification
from realtime.notifications.retention import Retention
from realtime.notifications.services import mark_all_read, mark_read
from tests.notifications.things import events_of, forget_events, tell


def kept(user: User) -> list[str]:
    """The titles of what is kept, oldest first."""
    rows = Notification.objects.filter(user=user).order_by("pk")
    return list(rows.values_list("title", flat=True))


def test_it_forgets_what_was_read_long_ago(buyer: User) -> None:
    for days in (89, 91):
        tell(buyer, f"Read {days} days ago")
        mark_all_read(user_id=buyer.pk)
        read_at = timezone.now() - timedelta(days=days)
        Notification.objects.filter(title__contains=str(days)).update(read_at=read_at)
    tell(buyer, "Unread for a year")
    Notification.objects.filter(read_at=None).update(
        created_at=timezone.now() - timedelta(days=365)
    )
    Retention().tidy()
    assert kept(buyer) == ["Read 89 days ago", "Unread for a year"]


@override_settings(NOTIFICATIONS_PER_USER=3)
def test_it_keeps_the_newest_of_each(buyer: User, other_buyer: User) -> None:
    first = tell(buyer, "Fact 0")
    ids = [tell(buyer, f"Fact {number}") for number in range(1, 6)]
    tell(other_buyer, "Alone")
    mark_read(user_id=buyer.pk, notification_id=first)
    forget_events()
    Retention().tidy()
    assert kept(buyer) == ["Fact 3", "Fact 4", "Fact 5"]
    assert kept(other_buyer) == ["Alone"]
    # Those that nobody had read count as read before they go.
    assert events_of(buyer) == [("notification-read", {"notificationIds": ids[:2], "unread": 3})]

    forget_events()
    Retention().tidy()
    assert events_of(buyer) == []


@override_settings(NOTIFICATIONS_PER_USER=1)
def test_it_goes_on_with_the_next_users(
    buyer: User, other_buyer: User, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "USERS_A_PASS", 2)
    users = sorted([buyer, other_buyer, seller], key=lambda user: user.pk)
    for user in users:
        for _ in range(2):
            tell(user)
    tidying = Retention()
    tidying.tidy()
    assert [len(kept(user)) for user in users] == [1, 1, 2]
    tidying.tidy()
    assert [len(kept(user)) for user in users] == [1, 1, 1]
    tell(users[0])
    tidying.tidy()
    assert len(kept(users[0])) == 1
