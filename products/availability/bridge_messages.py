"""The messages of the AMQP bridge, as they stand on the wire: no I/O here.

Names of fields, keys and reasons are public (docs/amqp.md).
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

UPDATED = "tour.availability.updated"
LOW = "tour.availability.low"
QUEUE_NAME = "websocket_availability_queue"
OWN_APP_ID = "marketplace"

# A message has some 200 bytes; a larger body is not even parsed.
MOST_BYTES = 64 * 1024

Reason = Literal["malformed", "unknown-tour", "seats-out-of-range", "timestamp-in-future", "failed"]
# The database's text knows no NUL.
_NAME = r"^[^\x00]*\Z"


class Refused(Exception):
    """A message is not taken in: reason is for programs, the text for people."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class SeatsMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """So many seats of a tour were free at that moment. Further fields are ignored."""

    event_id: Annotated[str, Meta(min_length=1, max_length=200, pattern=_NAME)]
    event_type: Literal["tour.availability.updated", "tour.availability.low"]
    tour_id: Annotated[str, Meta(min_length=1, max_length=100, pattern=_NAME)]
    available_seats: int
    timestamp: Annotated[datetime, Meta(tz=True)]


class LowSeatsMessage(SeatsMessage, frozen=True, kw_only=True, rename="camel"):
    """Few seats are left. What it says beyond the seats is read, and not used."""

    tour_title: str
    max_group_size: int | None
    threshold: int


_any_message = msgspec.json.Decoder(SeatsMessage)
_low_message = msgspec.json.Decoder(LowSeatsMessage)


def read_message(body: bytes, *, routing_key: str) -> SeatsMessage:
    """The message, checked as far as it can be without the tour; raises Refused.

    routing_key: the one that it came by. The queue's own name stands for any: so a dead letter
    comes that somebody moved back.
    """
    if len(body) > MOST_BYTES:
        raise Refused("malformed", f"{len(body)} bytes: a message has {MOST_BYTES} at most.")
    try:
        message = _any_message.decode(body)
        if message.event_type == LOW:
            message = _low_message.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Refused("malformed", str(error)) from error
    if routing_key not in {message.event_type, QUEUE_NAME}:
        raise Refused("malformed", f"{message.event_type!r} came by the key {routing_key!r}.")
    return message
