"""Which events go out by the AMQP bridge, and as which messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import msgspec
from django.db import transaction
from django.db.models import Exists, OuterRef

from products.availability.bridge_messages import LOW, UPDATED
from products.availability.counts import count_message
from products.availability.models import ReceivedMessage
from products.events import AvailabilityLow, AvailabilityUpdated
from products.models import Product, ProductQuerySet
from realtime.api import LogCursor, LoggedEvent, iso_milliseconds

CURSOR_NAME = "amqp-bridge"
_NAMESPACE = UUID("5b1d2c1e-6a52-4d1f-9a43-1f6a0f3f7c11")
_encode = msgspec.json.Encoder().encode

# A change of stock: the product's id, and the stock_version that it made.
Change = tuple[int, int]


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message, and up to where the log is done with when it was sent (None: no further)."""

    event_id: str
    routing_key: str
    body: bytes
    position: int | None = None


def bridge_cursor() -> LogCursor:
    """The reader behind which everything was sent."""
    return LogCursor(CURSOR_NAME, AvailabilityUpdated, AvailabilityLow)


def messages_for(events: Sequence[LoggedEvent]) -> list[OutgoingMessage]:
    """What is told of these events: of tours that the other side knows, and not what it told."""
    names = _external_ids({event.data["productId"] for event in events})
    came_in = _came_in({_change_of(event) for event in events})
    return [
        _message_of(event, names[event.data["productId"]])
        for event in events
        if event.data["productId"] in names and _change_of(event) not in came_in
    ]


def present_seats() -> list[OutgoingMessage]:
    """The seats of all tours as they are now, where the other side did not tell them itself."""
    told = ReceivedMessage.objects.filter(
        product_id=OuterRef("pk"), stock_version=OuterRef("stock_version")
    )
    messages = []
    for tour in _known_tours().exclude(Exists(told)).order_by("pk"):
        moment = iso_milliseconds(tour.stock_as_of)
        name = f"{tour.pk} {tour.stock_version} {moment}"
        messages.append(_message(name, UPDATED, tour.external_id, tour.stock, moment))
    return messages


@transaction.atomic
def note_sent(cursor: LogCursor, message: OutgoingMessage) -> None:
    """Move the cursor over what the broker has confirmed, and count it. Raises CursorTaken."""
    cursor.move(cursor.position if message.position is None else message.position)
    count_message("sent")


def _message_of(event: LoggedEvent, external_id: str) -> OutgoingMessage:
    data = event.data
    further: dict[str, Any] = {}
    if event.type == AvailabilityLow.type_name:
        further = {
            "tourTitle": data["title"],
            "maxGroupSize": data["maxGroupSize"],
            "threshold": data["lowStockThreshold"],
        }
    key = LOW if further else UPDATED
    # The moment, too: two shops on one broker have the same positions.
    name = f"{event.position} {event.timestamp}"
    return _message(
        name,
        key,
        external_id,
        data["stock"],
        event.timestamp,
        further=further,
        position=event.position,
    )


def _message(
    name: str,
    key: str,
    external_id: str,
    seats: int,
    timestamp: str,
    *,
    further: Mapping[str, Any] | None = None,
    position: int | None = None,
) -> OutgoingMessage:
    # The same each time that it is made: what is sent again can be told from news.
    event_id = str(uuid5(_NAMESPACE, f"{name} {external_id}"))
    body = {
        "eventId": event_id,
        "eventType": key,
        "tourId": external_id,
        "availableSeats": seats,
        "timestamp": timestamp,
        **(further or {}),
    }
    return OutgoingMessage(event_id, key, _encode(body), position)


def _change_of(event: LoggedEvent) -> Change:
    return event.data["productId"], event.data["stockVersion"]


def _known_tours() -> ProductQuerySet:
    """The tours that the other side has a name for."""
    return Product.objects.filter(kind=Product.Kind.TOUR).exclude(external_id="")


def _external_ids(product_ids: set[int]) -> dict[int, str]:
    return dict(_known_tours().filter(pk__in=product_ids).values_list("pk", "external_id"))


def _came_in(changes: set[Change]) -> set[Change]:
    """Those of the changes that messages of the other side have made."""
    rows = ReceivedMessage.objects.filter(
        product_id__in={product_id for product_id, _version in changes},
        stock_version__in={version for _product_id, version in changes},
    )
    return changes.intersection(rows.values_list("product_id", "stock_version"))
