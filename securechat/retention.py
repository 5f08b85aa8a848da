"""How long the server keeps ciphertext: what was delivered goes after a while."""

from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from securechat.models import Attachment, Message, Session

ROWS_AT_ONCE = 1_000

# The other side's browsers have it.
DELIVERED = Q(sender=F("session__buyer"), seq__lte=F("session__seller_has")) | Q(
    sender=F("session__seller"), seq__lte=F("session__buyer_has")
)


def forget_delivered(session: Session | None = None) -> int:
    """Delete what the other side has had for CHAT_RETENTION, of one session or of all.

    Nobody hears of it: browsers keep their own copies. Of one session at most ROWS_AT_ONCE
    messages go. Returns how many messages went.
    """
    before = timezone.now() - settings.CHAT_RETENTION
    messages = Message.objects.filter(DELIVERED, sent_at__lt=before)
    # Which message names a file is encrypted: it stays while one of its sender's is on the way.
    on_the_way = Message.objects.filter(
        ~DELIVERED, session=OuterRef("session"), sender=OuterRef("sender")
    )
    files = Attachment.objects.filter(~Exists(on_the_way), created_at__lt=before)
    if session is not None:
        messages, files = messages.filter(session=session), files.filter(session=session)
    deleted = 0
    while gone := _delete_some(messages):
        deleted += gone
        if session is not None:
            break
    while _delete_some(files):
        pass
    return deleted


def _delete_some(rows: QuerySet[Any]) -> int:
    """Delete at most ROWS_AT_ONCE of them; return how many."""
    chosen = list(rows.order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE])
    return rows.model.objects.filter(pk__in=chosen).delete()[0] if chosen else 0
