"""What clients may say over a WebSocket beside what is about the stream: words of the apps."""

from collections.abc import Callable
from typing import Any

import msgspec

from realtime.listeners import Listener


class NotAllowed(Exception):
    """The listener may not say this; answered with the error `forbidden`."""


# Gets who says it and the message; may use the database; raises NotAllowed.
Handler = Callable[[Listener, Any], None]

_handlers: dict[type[msgspec.Struct], Handler] = {}


def register_client_message(fields: type[msgspec.Struct], handle: Handler) -> None:
    """Declare a message; called in an app's ready(). Those without a login cannot send it.

    fields: a struct whose tag is the message's type. ValueError for a type that is taken.
    """
    if tag_of(fields) in {tag_of(known) for known in _handlers}:
        raise ValueError(f"The client message {tag_of(fields)} is registered already.")
    _handlers[fields] = handle


def client_messages() -> dict[type[msgspec.Struct], Handler]:
    """All registered messages, and who handles them."""
    return dict(_handlers)


def tag_of(fields: type[msgspec.Struct]) -> str:
    """The type of a message on the wire. ValueError for a struct without a tag."""
    tag = fields.__struct_config__.tag
    if not isinstance(tag, str):
        raise ValueError(f"{fields.__name__} has no tag.")
    return tag
