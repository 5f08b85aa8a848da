"""What becomes of a message that comes in by the AMQP bridge."""

from datetime import timedelta
from typing import Literal

from django.db import transaction
from django.utils import timezone

from products.availability.bridge_messages import OWN_APP_ID, Refused, SeatsMessage, read_message
from products.availability.counts import count_message
from products.availability.models import ReceivedMessage
from products.models import Product
from products.services import TakenOver, take_over_stock

Outcome = TakenOver | Literal["own", "duplicate"]

# How far the other system's clock may be ahead of ours.
MOST_AHEAD = timedelta(seconds=60)
# A message that comes again after this time is stale: that of its first coming is known.
REMEMBERED = timedelta(days=30)


def take_in(body: bytes, *, routing_key: str, app_id: str | None) -> Outcome:
    """Apply a message and count it, in one transaction; what came of it.

    Raises Refused for one that is for the dead letters, after which nothing has changed. What was
    committed must not be taken in again, but may be: it is a duplicate then.
    """
    if app_id == OWN_APP_ID:
        count_message("own")
        return "own"
    message = read_message(body, routing_key=routing_key)
    if message.timestamp > timezone.now() + MOST_AHEAD:
        raise Refused("timestamp-in-future", f"{message.timestamp.isoformat()} is still to come.")
    return _apply(message)


@transaction.atomic
def count_refused() -> None:
    """Count a message that lies with the dead letters now."""
    count_message("rejected")


def forget_old() -> int:
    """Forget messages that came long ago; how many. For when all that they made was passed over."""
    old = ReceivedMessage.objects.filter(received_at__lt=timezone.now() - REMEMBERED)
    return old.delete()[0]


@transaction.atomic
def _apply(message: SeatsMessage) -> Outcome:
    # First of all: of two bridges that have the same message, one waits here for the other.
    receipt, is_new = ReceivedMessage.objects.get_or_create(event_id=message.event_id)
    if not is_new:
        count_message("duplicate")
        return "duplicate"
    tour = _lock_tour(message)
    outcome = take_over_stock(product=tour, stock=message.available_seats, as_of=message.timestamp)
    if outcome == "applied":
        receipt.product_id, receipt.stock_version = tour.pk, tour.stock_version
        receipt.save(update_fields=["product_id", "stock_version"])
    count_message(outcome)
    return outcome


def _lock_tour(message: SeatsMessage) -> Product:
    tours = Product.objects.locked().filter(kind=Product.Kind.TOUR)
    tour = tours.filter(external_id=message.tour_id).first()
    if tour is None:
        raise Refused("unknown-tour", f"No tour has the external id {message.tour_id!r}.")
    if not 0 <= message.available_seats <= tour.most_stock:
        raise Refused(
            "seats-out-of-range",
            f"{message.available_seats} seats: the tour has 0 to {tour.most_stock}.",
        )
    return tour
