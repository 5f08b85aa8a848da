"""Receivers: what was written of a conversation becomes the events that tell of it."""

import msgspec

from realtime.api import publish
from securechat.events import ChatMessage, audiences_of, message_data, session_announcements
from securechat.models import Message, Session


def session_saved(*, instance: Session, raw: bool, **_: object) -> None:
    """A session was opened, keyed, closed: both users hear of each of these."""
    if raw:
        return
    for event in session_announcements(instance):
        publish(event, audiences=audiences_of(instance))


def message_saved(*, instance: Message, raw: bool, **_: object) -> None:
    """A message was written, the last row of its sending."""
    if raw:
        return
    event = ChatMessage(**msgspec.structs.asdict(message_data(instance)))
    publish(event, audiences=audiences_of(instance.session))
