"""Messages for the tests of the bridge, and the other system that it talks with."""

import json
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from products.availability.bridge_messages import LOW, UPDATED
from products.availability.models import MessageCount
from realtime.api import iso_milliseconds


def updated(tour: str = "T-1", seats: int = 7, *, at: datetime | None = None) -> dict[str, Any]:
    """The other system tells the seats of a tour: of this moment, which is a little ahead of any
    that our own changes have had."""
    moment = timezone.now() + timedelta(seconds=1) if at is None else at
    return {
        "eventId": f"event-{secrets.token_hex(8)}",
        "eventType": UPDATED,
        "tourId": tour,
        "availableSeats": seats,
        "timestamp": iso_milliseconds(moment),
    }


def low(tour: str = "T-1", seats: int = 2, *, at: datetime | None = None) -> dict[str, Any]:
    """The other system tells that few seats are left."""
    return {
        **updated(tour, seats, at=at),
        "eventType": LOW,
        "tourTitle": "Fjord walk",
        "maxGroupSize": 12,
        "threshold": 5,
    }


def encoded(message: dict[str, Any]) -> bytes:
    """The message as it travels."""
    return json.dumps(message).encode()


def counts() -> dict[str, int]:
    """What the bridge has counted."""
    return dict(MessageCount.objects.values_list("name", "number"))


def ids(messages: Iterable[dict[str, Any]]) -> list[str]:
    """The eventIds, in order."""
    return [message["eventId"] for message in messages]
