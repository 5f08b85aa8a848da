"""The channel of one conversation: for its two alone, and each sees whether the other is there."""

from collections.abc import Iterable
from uuid import UUID

from realtime.api import ChannelKind, Listener
from securechat.models import Session


def channel_of(session_id: UUID) -> str:
    """The conversation's channel."""
    return f"chat.{session_id}"


def may_listen(listener: Listener, session_id: str) -> bool:
    """Whether the listener is one of the two. Staff are nobody here."""
    if listener.user_id is None:
        return False
    return Session.objects.of(listener.user_id).filter(pk=session_id).exists()


def told_of_presence(session_id: str, user_id: int) -> Iterable[str]:
    """The other one, wherever they are: their list of conversations shows it."""
    session = Session.objects.of(user_id).filter(pk=session_id).first()
    return () if session is None else (f"user.{session.other_id(user_id)}",)


CHAT = ChannelKind(
    name="chat",
    id_form="uuid",
    public=False,
    may_listen=may_listen,
    state=lambda _listener, _id: None,
    presence=told_of_presence,
)
