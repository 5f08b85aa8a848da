"""What the two of a conversation can do. Every change is announced in its own transaction."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from products.models import Product
from realtime.api import iso_milliseconds, publish, publish_ephemeral
from securechat.envelopes import BadEnvelope, check_envelope
from securechat.errors import (
    Blocked,
    BuyerRequired,
    InvalidEnvelope,
    InvalidKey,
    KeyConflict,
    MessageConflict,
    PartnerNotFound,
    SessionClosed,
    SessionNotActive,
    SessionNotFound,
    StaleEpoch,
)
from securechat.events import ChatTyping, DhMessagesDeleted, audiences_of
from securechat.introductions import have_dealt
from securechat.keys import BadBundle, check_bundle
from securechat.models import Message, Session, key_of, public_host
from securechat.notices import tell_of_channel
from securechat.retention import forget_delivered
from securechat.selectors import is_blocked

Status = Session.Status

# How long somebody is taken to be typing who said so once; browsers say it more often.
TYPING_FOR = timedelta(seconds=6)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was asked for, loaded whole, and whether it is new."""

    session: Session
    is_new: bool


@transaction.atomic
def open_session(*, product_id: int, by: User, buyer_id: int | None = None) -> Opened:
    """The one session of this product, buyer and seller, made if there is none.

    buyer_id: with whom a seller wants to talk. A closed session begins a new epoch.
    Raises PartnerNotFound, BuyerRequired, Blocked.
    """
    buyer, product = _parties(product_id=product_id, by=by, buyer_id=buyer_id)
    if is_blocked(buyer.pk, product.seller_id):
        raise Blocked
    # Whoever comes second at the same moment fails at the unique index and finds the first's.
    session, is_new = Session.objects.get_or_create(
        product=product, buyer=buyer, seller_id=product.seller_id
    )
    session = Session.objects.locked().get(pk=session.pk)
    is_reopened = session.status == Status.CLOSED
    if is_reopened:
        _begin_epoch(session)
    session = Session.objects.whole().get(pk=session.pk)
    if is_new or is_reopened:
        tell_of_channel(session, by=by)
    return Opened(session, is_new)


@transaction.atomic
def submit_key(*, session_id: UUID, by: User, public_key: str, epoch: int) -> Session:
    """Take this side's bundle for the epoch; the second one makes the session active.

    Two keys at the same moment end in exactly one activation: the row is locked first.
    Raises SessionNotFound, SessionClosed, StaleEpoch, InvalidKey, KeyConflict, Blocked.
    """
    session = _locked(session_id, by)
    role = session.role_of(by.pk)
    _require_open(session)
    if epoch != session.epoch:
        raise StaleEpoch(epoch=session.epoch)
    present = key_of(session, role)
    if present and present != public_key:
        raise KeyConflict
    if not present:
        _require_unblocked(session)
        try:
            check_bundle(public_key, role=role)
        except BadBundle as error:
            raise InvalidKey(str(error)) from error
        if role == "buyer":
            session.buyer_key = public_key
        else:
            session.seller_key = public_key
        if session.buyer_key and session.seller_key:
            session.status = Status.ACTIVE
        session.save()
    return Session.objects.whole().get(pk=session.pk)


@transaction.atomic
def rekey_session(*, session_id: UUID, by: User, epoch: int) -> Session:
    """Begin the epoch after this one. One that has passed already is answered by what is now.

    Raises SessionNotFound, SessionClosed, StaleEpoch for an epoch that never was, Blocked.
    """
    session = _locked(session_id, by)
    _require_open(session)
    if epoch > session.epoch:
        raise StaleEpoch(epoch=session.epoch)
    if epoch == session.epoch:
        _require_unblocked(session)
        _begin_epoch(session)
    return Session.objects.whole().get(pk=session.pk)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was sent, and whether just now."""

    message: Message
    is_new: bool


@transaction.atomic
def send_message(
    *, session_id: UUID, by: User, client_message_id: UUID, epoch: int, envelope: str
) -> Sent:
    """Store a message and announce it; one that was sent before is found again.

    Raises SessionNotFound, MessageConflict, SessionClosed, StaleEpoch, SessionNotActive, Blocked,
    InvalidEnvelope.
    """
    session = _locked(session_id, by)
    sent = session.messages.filter(sender=by, client_message_id=client_message_id).first()
    if sent is not None:
        if (sent.epoch, sent.envelope) != (epoch, envelope):
            raise MessageConflict
        return Sent(sent, is_new=False)
    _require_open(session)
    _require_unblocked(session)
    if epoch != session.epoch:
        raise StaleEpoch(epoch=session.epoch)
    if session.status != Status.ACTIVE:
        raise SessionNotActive
    try:
        check_envelope(envelope, role=session.role_of(by.pk))
    except BadEnvelope as error:
        raise InvalidEnvelope(str(error)) from error
    message = Message(
        session=session,
        seq=session.last_seq + 1,
        sender=by,
        epoch=epoch,
        client_message_id=client_message_id,
        envelope=envelope,
    )
    # Silent: the message itself is announced.
    Session.objects.filter(pk=session.pk).update(
        last_seq=message.seq, last_message_at=message.sent_at
    )
    message.save()
    forget_delivered(session)
    return Sent(message, is_new=True)


@transaction.atomic
def close_session(*, session_id: UUID, by: User) -> Session:
    """Close the channel; what was written stays. A closed one stays closed.

    Raises SessionNotFound.
    """
    session = _locked(session_id, by)
    if session.status != Status.CLOSED:
        session.status = Status.CLOSED
        session.save()
    return Session.objects.whole().get(pk=session.pk)


@transaction.atomic
def delete_messages(*, session_id: UUID, by: User) -> None:
    """Delete every message and file of the conversation, for both. Raises SessionNotFound."""
    session = _locked(session_id, by)
    session.messages.all().delete()
    session.attachments.all().delete()
    # Told also where none is left here: browsers keep their copies longer.
    if session.last_seq:
        event = DhMessagesDeleted(session_id=str(session.pk), up_to_seq=session.last_seq)
        publish(event, audiences=audiences_of(session))


def note_received(*, session: Session, by: User, up_to: int) -> None:
    """Remember that this side's browsers have the messages up to this number."""
    side = "buyer_has" if session.role_of(by.pk) == "buyer" else "seller_has"
    up_to = min(up_to, session.last_seq)
    if up_to > getattr(session, side):
        rows = Session.objects.filter(pk=session.pk, **{f"{side}__lt": up_to})
        rows.update(**{side: up_to})  # silent: nobody is told


def tell_typing(*, session_id: UUID, by_id: int) -> None:
    """Let the other one see that this user types. Raises SessionNotFound, Blocked."""
    session = Session.objects.of(by_id).filter(pk=session_id).first()
    if session is None:
        raise SessionNotFound
    _require_unblocked(session)
    event = ChatTyping(
        session_id=str(session.pk),
        user_id=by_id,
        until=iso_milliseconds(timezone.now() + TYPING_FOR),
    )
    publish_ephemeral(event, audiences=[f"user.{session.other_id(by_id)}"], key=str(session.pk))


def _parties(*, product_id: int, by: User, buyer_id: int | None) -> tuple[User, Product]:
    """The buyer, and the product with its seller. Raises PartnerNotFound, BuyerRequired."""
    product = Product.objects.filter(pk=product_id).first()
    if product is None:
        raise PartnerNotFound
    if by.role == User.Role.SELLER:
        if product.seller_id != by.pk:
            raise PartnerNotFound
        if buyer_id is None:
            raise BuyerRequired
        buyer = User.objects.filter(pk=buyer_id, role=User.Role.BUYER, is_active=True).first()
        if buyer is None or not _may_address(product, buyer):
            raise PartnerNotFound
        return buyer, product
    if buyer_id not in {None, by.pk} or product.seller_id == by.pk:
        raise PartnerNotFound
    if not product.is_active and not _may_address(product, by):
        raise PartnerNotFound
    return by, product


def _may_address(product: Product, buyer: User) -> bool:
    """Whether the two know one another: by an order, or by a session on this product."""
    if Session.objects.filter(product=product, buyer=buyer).exists():
        return True
    return have_dealt(buyer_id=buyer.pk, seller_id=product.seller_id)


def _locked(session_id: UUID, by: User) -> Session:
    """The session, locked. Raises SessionNotFound for anybody but the two."""
    session = Session.objects.of(by.pk).locked().filter(pk=session_id).first()
    if session is None:
        raise SessionNotFound
    return session


def _require_open(session: Session) -> None:
    if session.status == Status.CLOSED:
        raise SessionClosed


def _require_unblocked(session: Session) -> None:
    if is_blocked(session.buyer_id, session.seller_id):
        raise Blocked


def _begin_epoch(session: Session) -> None:
    session.epoch += 1
    session.status = Status.WAITING
    session.buyer_key = session.seller_key = ""
    session.context = public_host()
    session.save()
