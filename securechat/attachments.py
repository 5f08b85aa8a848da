"""Files, which browsers encrypt before they leave them."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from securechat.errors import (
    AttachmentEmpty,
    AttachmentNotFound,
    AttachmentTooLarge,
    Blocked,
    SessionClosed,
    SessionNotActive,
    SessionNotFound,
    TooManyAttachments,
)
from securechat.models import Attachment, Session
from securechat.selectors import is_blocked

MAX_BYTES = 6 * 1024 * 1024
MOST_A_DAY = 20
DAY = timedelta(days=1)


@transaction.atomic
def store_attachment(*, session_id: UUID, by: User, content: bytes) -> Attachment:
    """Keep a ciphertext. Raises SessionNotFound, SessionClosed, SessionNotActive, Blocked,
    AttachmentEmpty, AttachmentTooLarge, TooManyAttachments."""
    session = Session.objects.of(by.pk).locked().filter(pk=session_id).first()
    if session is None:
        raise SessionNotFound
    if session.status == Session.Status.CLOSED:
        raise SessionClosed
    if session.status != Session.Status.ACTIVE:
        raise SessionNotActive
    if is_blocked(session.buyer_id, session.seller_id):
        raise Blocked
    if not content:
        raise AttachmentEmpty
    if len(content) > MAX_BYTES:
        raise AttachmentTooLarge
    _refuse_too_many(session)
    return Attachment.objects.create(session=session, sender=by, content=content, size=len(content))


def find_attachment(*, session_id: UUID, attachment_id: UUID, by: User) -> bytes:
    """The ciphertext. Raises AttachmentNotFound for anybody but the two."""
    sessions = Session.objects.of(by.pk).filter(pk=session_id)
    attachment = Attachment.objects.filter(pk=attachment_id, session__in=sessions).first()
    if attachment is None:
        raise AttachmentNotFound
    return bytes(attachment.content)


def _refuse_too_many(session: Session) -> None:
    since = timezone.now() - DAY
    today = session.attachments.filter(created_at__gt=since).order_by("created_at")
    if today.count() >= MOST_A_DAY:
        oldest = today.values_list("created_at", flat=True)[0]
        raise TooManyAttachments(retry_after=max(1, int((oldest - since).total_seconds())))
