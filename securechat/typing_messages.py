"""What a client says over its WebSocket while somebody types."""

from uuid import UUID

import msgspec

from marketplace.rest.errors import DomainError
from realtime.api import Listener, NotAllowed
from securechat.services import tell_typing


class Typing(msgspec.Struct, tag="typing", rename="camel", forbid_unknown_fields=True):
    """Somebody types in a conversation of theirs."""

    session_id: UUID


def say_typing(listener: Listener, message: Typing) -> None:
    """Let the other one of the conversation see it. Raises NotAllowed."""
    if listener.user_id is None:
        raise NotAllowed
    try:
        tell_typing(session_id=message.session_id, by_id=listener.user_id)
    except DomainError as error:
        raise NotAllowed from error
