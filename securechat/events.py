"""What is announced of secure conversations: the data and the events. Ciphertext only."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, cast

from realtime.api import Event, Fields, iso_milliseconds
from securechat.keys import ROLES, Role
from securechat.models import Message, Session, key_of

# Session.Status on the wire, from which the schemas are made.
StatusName = Literal["waiting", "active", "closed"]


class Keys(Fields, frozen=True, kw_only=True):
    """The key bundles of the present epoch, base64url; null while one is missing."""

    buyer: str | None
    seller: str | None


class SessionData(Fields, frozen=True, kw_only=True):
    """A session, as REST answers show it.

    blocked: one of the two has blocked the other; blockedByMe: the one who asks has.
    """

    session_id: str
    context: str
    product_id: int
    product_title: str
    buyer_id: int
    buyer_name: str
    seller_id: int
    seller_name: str
    status: StatusName
    epoch: int
    keys: Keys
    last_seq: int
    last_message_at: str | None
    blocked: bool
    blocked_by_me: bool
    version: int
    created_at: str


class MessageData(Fields, frozen=True, kw_only=True):
    """A message, as REST answers and its event show it. envelope: ciphertext, base64url."""

    session_id: str
    seq: int
    sender_id: int
    epoch: int
    client_message_id: str
    envelope: str
    sent_at: str


def keys_of(session: Session) -> Keys:
    """The session's bundles."""
    return Keys(buyer=session.buyer_key or None, seller=session.seller_key or None)


def session_data(session: Session, *, blocked: bool, blocked_by_me: bool) -> SessionData:
    """The session in its one form for the wire. Load it with whole()."""
    last = session.last_message_at
    return SessionData(
        session_id=str(session.session_id),
        context=session.context,
        product_id=session.product_id,
        product_title=session.product.title,
        buyer_id=session.buyer_id,
        buyer_name=session.buyer.get_username(),
        seller_id=session.seller_id,
        seller_name=session.seller.get_username(),
        status=cast(StatusName, str(session.status)),
        epoch=session.epoch,
        keys=keys_of(session),
        last_seq=session.last_seq,
        last_message_at=None if last is None else iso_milliseconds(last),
        blocked=blocked,
        blocked_by_me=blocked_by_me,
        version=session.version,
        created_at=iso_milliseconds(session.created_at),
    )


def message_data(message: Message) -> MessageData:
    """The message in its one form for the wire."""
    return MessageData(
        session_id=str(message.session_id),
        seq=message.seq,
        sender_id=message.sender_id,
        epoch=message.epoch,
        client_message_id=str(message.client_message_id),
        envelope=message.envelope,
        sent_at=iso_milliseconds(message.sent_at),
    )


class SessionFact(Fields, frozen=True, kw_only=True):
    """What the events about a session itself say, and who gets them: both users."""

    session_id: str
    buyer_id: int
    seller_id: int
    product_id: int
    epoch: int
    version: int

    def audiences(self) -> Iterable[str]:
        return f"user.{self.buyer_id}", f"user.{self.seller_id}"


class DhSessionCreated(SessionFact, Event, frozen=True, kw_only=True):
    """A secure channel was opened for the first time. It waits for both keys."""


class DhSessionRekeyed(SessionFact, Event, frozen=True, kw_only=True):
    """A new epoch has begun and waits for both keys: one of the two asked for new keys, or opened
    the closed channel again."""


class DhSessionClosed(SessionFact, Event, frozen=True, kw_only=True):
    """One of the two closed the channel. Its messages stay, for the time that all stay."""


class DhKeySubmitted(Event, frozen=True, kw_only=True):
    """One of the two submitted a key for this epoch. Not sent when the same key came again.

    For both users.
    """

    session_id: str
    role: Role
    epoch: int
    version: int


class DhSessionActive(Event, frozen=True, kw_only=True):
    """The second key of the epoch came: both bundles are here, nothing need be fetched.

    For both users, in the transaction that stored the key.
    """

    session_id: str
    epoch: int
    version: int
    keys: Keys


class ChatMessage(Event, frozen=True, kw_only=True):
    """A message was sent: ciphertext, which none but the two can read.

    For both users. Not sent again when the sender repeats it.
    """

    session_id: str
    seq: int
    sender_id: int
    epoch: int
    client_message_id: str
    envelope: str
    sent_at: str


class DhMessagesDeleted(Event, frozen=True, kw_only=True):
    """One of the two deleted all messages up to this one, for both.

    For both users. Not sent for messages that go because they are old.
    """

    session_id: str
    up_to_seq: int


class ChatTyping(Event, frozen=True, kw_only=True):
    """The other one types, until that time unless it is said again.

    For the other user alone.
    """

    is_ephemeral = True

    session_id: str
    user_id: int
    until: str


SessionEvent = (
    DhSessionCreated | DhSessionRekeyed | DhSessionClosed | DhKeySubmitted | DhSessionActive
)


def audiences_of(session: Session) -> tuple[str, str]:
    """The channels of both users."""
    return f"user.{session.buyer_id}", f"user.{session.seller_id}"


def session_announcements(session: Session) -> Iterator[SessionEvent]:
    """The facts that a save of the session made, from the row before and the row now."""
    before = session.before
    if before is None:
        yield DhSessionCreated(**_fact(session))
    elif session.epoch != before.epoch:
        yield DhSessionRekeyed(**_fact(session))
    if session.status == Session.Status.CLOSED and (before is None or before.status != "closed"):
        yield DhSessionClosed(**_fact(session))
    same_epoch = before is not None and before.epoch == session.epoch
    for role in ROLES:
        old = key_of(before, role) if before is not None and same_epoch else ""
        if key_of(session, role) not in {"", old}:
            yield DhKeySubmitted(
                session_id=str(session.pk), role=role, epoch=session.epoch, version=session.version
            )
    was_active = before is not None and same_epoch and before.status == Session.Status.ACTIVE
    if session.status == Session.Status.ACTIVE and not was_active:
        yield DhSessionActive(
            session_id=str(session.pk),
            epoch=session.epoch,
            version=session.version,
            keys=keys_of(session),
        )


def _fact(session: Session) -> dict[str, Any]:
    return {
        "session_id": str(session.pk),
        "buyer_id": session.buyer_id,
        "seller_id": session.seller_id,
        "product_id": session.product_id,
        "epoch": session.epoch,
        "version": session.version,
    }
