"""What is announced of notifications, and how REST shows them."""

from typing import Any, Literal

from realtime.events import Event, Fields, iso_milliseconds
from realtime.notifications import models


class Told(Fields, frozen=True, kw_only=True):
    """What one person was told, in their language; url is a path of this site."""

    notification_id: int
    kind: str
    title: str
    text: str
    url: str
    created_at: str


class NotificationData(Told, frozen=True, kw_only=True):
    """A notification, as REST shows it: what its event said, and when it was read."""

    read_at: str | None


def notification_data(notification: models.Notification) -> NotificationData:
    """The notification in its form for the wire."""
    read_at = notification.read_at
    return NotificationData(
        **told(notification), read_at=None if read_at is None else iso_milliseconds(read_at)
    )


def told(notification: models.Notification) -> dict[str, Any]:
    """The fields of Told."""
    return {
        "notification_id": notification.pk,
        "kind": notification.kind,
        "title": notification.title,
        "text": notification.text,
        "url": notification.url,
        "created_at": iso_milliseconds(notification.created_at),
    }


class Notification(Told, Event, frozen=True, kw_only=True):
    """Somebody is told something, which is unread from now on. Goes to that user alone.

    Not sent for a kind that they switched off, nor while one of the same kind, title and url is
    unread. Of what they did themselves an app tells nothing, but that a product runs low, whoever
    took the last ones.
    """


class NotificationRead(Event, frozen=True, kw_only=True):
    """Notifications were read; unread is how many are left. Goes to that user alone.

    Not sent for what was read before. unread is exact: it counts every notification whose event
    stands before this one in the log, and none that comes after it.
    """

    notification_ids: list[int] | Literal["all"]
    unread: int
