"""The channel of one conversation: for its two alone, and each sees whether the other is there."""

from collections.abc import Collection
from uuid import UUID

from realtime.api import ChannelKind, Listener, Visit
from securechat.models import Session


def channel_of(session_id: UUID) -> str:
    """The conversation's channel."""
    return f"chat.{session_id}"


def may_listen(listener: Listener, session_id: str) -> bool:
    """Whether the listener is one of the two. Staff are nobody here."""
    if listener.user_id is None:
        return False
    return Session.objects.of(listener.user_id).filter(pk=session_id).exists()


def told_of_presence(visits: Collection[Visit]) -> dict[Visit, Collection[str]]:
    """The other one, wherever they are: their list of conversations shows it."""
    sessions = Session.objects.filter(pk__in={session_id for session_id, _ in visits})
    others = {
        (str(session.pk), user_id): (f"user.{session.other_id(user_id)}",)
        for session in sessions.only("buyer_id", "seller_id")
        for user_id in (session.buyer_id, session.seller_id)
    }
    return {visit: others[visit] for visit in visits if visit in others}


CHAT = ChannelKind(
    name="chat",
    id_form="uuid",
    public=False,
    may_listen=may_listen,
    state=lambda _listener, _id: None,
    presence=told_of_presence,
)
