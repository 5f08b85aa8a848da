"""What an event is: a typed, frozen declaration that documents itself.

An app declares its events as subclasses of Event. The class name gives the wire name
(OrderCreated is "order-created"), the fields are the event's data, the docstring says when it is
sent and when not, and audiences() says who gets it.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec

# An audience is a channel name: a kind, or a kind and an id behind a dot (Channels group names
# allow no colon). Audiences are stored separated by blanks, so the pattern allows none.
AUDIENCE_PATTERN = re.compile(r"[a-z][a-z-]{0,31}(\.[A-Za-z0-9-]{1,64})?")
MAX_EVENT_BYTES = 128 * 1024
_ROOM_FOR_ID = 32

_encoder = msgspec.json.Encoder()


def channel_names(audiences: Iterable[str]) -> list[str]:
    """Each audience once, in the order given; ValueError for one that is no channel name."""
    names = list(dict.fromkeys(audiences))
    for name in names:
        if not AUDIENCE_PATTERN.fullmatch(name):
            raise ValueError(f"{name!r} is no channel name.")
    return names


def iso_milliseconds(moment: datetime) -> str:
    """The wire form of an aware datetime: ISO 8601 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


class Fields(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A JSON object on the wire: fields in snake_case here, in camelCase there.

    The base of every message and of every object inside one; REST answers are built from the same
    structs, so that an event and a REST answer cannot differ.
    """


class Message(Fields, frozen=True, kw_only=True):
    """Anything that the server sends over a stream: a type, a time, and its fields as data."""

    type_name: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.type_name = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def encode(self, timestamp: datetime) -> str:
        """The message's JSON without an id (see frames.numbered)."""
        return _encoder.encode(
            {"type": self.type_name, "timestamp": iso_milliseconds(timestamp), "data": self}
        ).decode()


class Event(Message, frozen=True, kw_only=True):
    """A fact that was committed. Subclasses declare its data as fields and who gets it."""

    declared: ClassVar[dict[str, type["Event"]]] = {}
    # Told to those who listen now and never stored: it may come without an id.
    is_ephemeral: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        Event.declared[cls.type_name] = cls

    def audiences(self) -> Iterable[str]:
        """The channels whose listeners get this event. The declaration owns it: too wide leaks.

        Where the data does not tell, whoever publishes the event names them.
        """
        raise NotImplementedError

    def encode(self, timestamp: datetime) -> str:
        """As for any message; ValueError for an event of more than 128 KiB (contract §6)."""
        text = super().encode(timestamp)
        if len(text.encode()) > MAX_EVENT_BYTES - _ROOM_FOR_ID:
            raise ValueError(f"{self.type_name} is larger than {MAX_EVENT_BYTES} bytes.")
        return text
