"""The channel of one conversation: for its two alone, and each sees whether the other is there."""

from collections.abc import Iterable
from uuid import UUID

from realtime.api import ChannelKind, Fields, Listener, who_is_here
from securechat.models import Session


class ChatState(Fields, frozen=True, kw_only=True):
    """Who of the two has the conversation open now."""

    here: list[int]


def channel_of(session_id: UUID) -> str:
    """The conversation's channel."""
    return f"chat.{session_id}"


def may_listen(listener: Listener, session_id: str) -> bool:
    """Whether the listener is one of the two. Staff are nobody here."""
    if listener.user_id is None:
        return False
    return Session.objects.of(listener.user_id).filter(pk=session_id).exists()


def present_state(listener: Listener, session_id: str) -> ChatState | None:
    """Who is here; None when the listener is none of the two."""
    if not may_listen(listener, session_id):
        return None
    channel = channel_of(UUID(session_id))
    return ChatState(here=sorted(who_is_here([channel])[channel]))


def told_of_presence(session_id: str, user_id: int) -> Iterable[str]:
    """The other one, wherever they are: their list of conversations shows it."""
    session = Session.objects.of(user_id).filter(pk=session_id).first()
    return () if session is None else (f"user.{session.other_id(user_id)}",)


CHAT = ChannelKind(
    name="chat",
    id_form="uuid",
    public=False,
    may_listen=may_listen,
    state=present_state,
    presence=told_of_presence,
)
