"""Notifications for the tests, and what was told to whom."""

import json
from itertools import count
from typing import Any

from django.db import transaction

from marketplace.accounts.models import User
from realtime.api import notify
from realtime.models import OutboxEvent
from realtime.notifications.models import Notification

API = "/api/notifications"

_facts = count(1)


def tell(user: User, title: str = "", *, url: str = "/orders/1", kind: str = "order-status") -> int:
    """Tell somebody something, without a title something new; returns the notification's id.

    The announcement stays.
    """
    title = title or f"Fact number {next(_facts)}"
    with transaction.atomic():
        notify(user=user, kind=kind, say=lambda: (title, "And why."), url=url)
    return Notification.objects.latest("pk").pk


def told(user: User) -> list[tuple[str, str]]:
    """What somebody was told, oldest first: kind and title."""
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("kind", "title"))


def events_of(user: User, *types: str) -> list[tuple[str, dict[str, Any]]]:
    """What stands in the outbox for that user alone, in order: type and data."""
    rows = OutboxEvent.objects.filter(
        type__in=types or ("notification", "notification-read"), audiences=f"user.{user.pk}"
    )
    return [(row.type, json.loads(row.payload)["data"]) for row in rows.order_by("id")]


def forget_events() -> None:
    """Empty the outbox."""
    OutboxEvent.objects.all().delete()
