"""Against people who misuse a conversation: to block them, and to report them to the staff."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from marketplace.accounts.models import User
from realtime.api import iso_milliseconds
from securechat.errors import SessionNotFound, UnknownMessages
from securechat.models import Block, Message, Report, Session


def block_other(*, session_id: UUID, by: User) -> Session:
    """Block the other one of this session, here and in every other; returns it, loaded whole.

    Raises SessionNotFound.
    """
    session = _own(session_id, by)
    Block.objects.get_or_create(by=by, person_id=session.other_id(by.pk))
    return session


def unblock_other(*, session_id: UUID, by: User) -> Session:
    """Take one's own block back; returns the session, loaded whole. Raises SessionNotFound."""
    session = _own(session_id, by)
    Block.objects.filter(by=by, person=session.other_id(by.pk)).delete()
    return session


@transaction.atomic
def report_other(
    *, session_id: UUID, by: User, seqs: Sequence[int], plaintexts: Sequence[str], reason: str
) -> Report:
    """Tell the staff, and show them these messages and no others.

    plaintexts: one for each of seqs, as the reporter's browser shows it. Raises SessionNotFound,
    UnknownMessages.
    """
    session = _own(session_id, by)
    if len(set(seqs)) != len(seqs) or max(seqs, default=0) > session.last_seq:
        raise UnknownMessages
    messages = {message.seq: message for message in session.messages.filter(seq__in=seqs)}
    revealed = [
        _revealed(seq, text, messages.get(seq)) for seq, text in zip(seqs, plaintexts, strict=True)
    ]
    return Report.objects.create(session=session, by=by, reason=reason, revealed=revealed)


def _revealed(seq: int, text: str, message: Message | None) -> dict[str, Any]:
    """What staff see of one message. Of one that was deleted nothing else is known any more: who
    is reported may have done that."""
    return {
        "seq": seq,
        "senderId": None if message is None else message.sender_id,
        "sentAt": None if message is None else iso_milliseconds(message.sent_at),
        "text": text,
    }


def _own(session_id: UUID, by: User) -> Session:
    session = Session.objects.of(by.pk).whole().filter(pk=session_id).first()
    if session is None:
        raise SessionNotFound
    return session
