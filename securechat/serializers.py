"""What clients send of conversations, and what they are shown."""

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from marketplace.rest.numbers import WholeNumberField
from marketplace.rest.serializers import BoundedListField, InputSerializer, StructSerializer
from realtime.api import Fields, iso_milliseconds
from securechat.envelopes import MAX_ENVELOPE_BYTES
from securechat.events import MessageData, SessionData, message_data
from securechat.keys import BUNDLE_BYTES
from securechat.models import MAX_REASON, Attachment, Message, Report

MAX_REVEALED = 50
MAX_PLAINTEXT = 32_768
MAX_EPOCH = 2**31 - 1


def _base64_length(count: int) -> int:
    return -(-count * 4 // 3)


class SessionSerializer(StructSerializer):
    """A session; its instance is what selectors.shown_sessions() made of it."""

    struct = SessionData

    @staticmethod
    def build(session: SessionData) -> SessionData:
        """The session itself: whether it is blocked depends on who asks."""
        return session


class MessageSerializer(StructSerializer):
    """A message, as its event shows it."""

    struct = MessageData
    build = staticmethod(message_data)


class MessageSent(Fields, frozen=True, kw_only=True):
    """What became of a message."""

    seq: int
    sent_at: str


class MessageSentSerializer(StructSerializer):
    """The answer to a message."""

    struct = MessageSent

    @staticmethod
    def build(message: Message) -> MessageSent:
        """Its number and time."""
        return MessageSent(seq=message.seq, sent_at=iso_milliseconds(message.sent_at))


class AttachmentStored(Fields, frozen=True, kw_only=True):
    """Where a file is found again."""

    attachment_id: str


class AttachmentStoredSerializer(StructSerializer):
    """The answer to a file."""

    struct = AttachmentStored

    @staticmethod
    def build(attachment: Attachment) -> AttachmentStored:
        """The file's id."""
        return AttachmentStored(attachment_id=str(attachment.pk))


class ReportTaken(Fields, frozen=True, kw_only=True):
    """The staff have the report."""

    report_id: int


class ReportTakenSerializer(StructSerializer):
    """The answer to a report."""

    struct = ReportTaken

    @staticmethod
    def build(report: Report) -> ReportTaken:
        """The report's id."""
        return ReportTaken(report_id=report.pk)


class SessionInput(InputSerializer):
    """About which product; a seller says with which buyer."""

    representation = SessionData

    product_id = WholeNumberField()
    buyer_id = WholeNumberField(required=False, help_text="Needed from sellers.")


class EpochField(WholeNumberField):
    """The number of an epoch."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_EPOCH, **options)


class KeyInput(InputSerializer):
    """A bundle of public keys, for one epoch."""

    representation = SessionData

    public_key = serializers.CharField(
        max_length=2 * BUNDLE_BYTES, trim_whitespace=False, help_text="A bundle, base64url."
    )
    epoch = EpochField()


class EpochInput(InputSerializer):
    """The epoch that is to be followed by another."""

    representation = SessionData

    epoch = EpochField()


class MessageInput(InputSerializer):
    """A message. clientMessageId is the sender's own name for it: sent twice, it is stored once."""

    representation = MessageData

    client_message_id = serializers.UUIDField()
    epoch = EpochField()
    envelope = serializers.CharField(
        max_length=_base64_length(MAX_ENVELOPE_BYTES),
        trim_whitespace=False,
        help_text="Ciphertext, base64url.",
    )


class ReportInput(InputSerializer):
    """Which messages are shown to the staff, as the reporter's browser shows them, and why."""

    seqs = BoundedListField(child=WholeNumberField(min_value=1), max_length=MAX_REVEALED)
    plaintexts = BoundedListField(
        child=serializers.CharField(max_length=MAX_PLAINTEXT, allow_blank=True),
        max_length=MAX_REVEALED,
    )
    reason = serializers.CharField(max_length=MAX_REASON)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs["seqs"]) != len(attrs["plaintexts"]):
            raise serializers.ValidationError(
                {"plaintexts": _("There is one text for each of the messages.")}, "invalid"
            )
        return attrs


class AfterFilter(InputSerializer):
    """Where to read on. It also says that everything before is there (docs/securechat.md)."""

    after = WholeNumberField(min_value=0, required=False)


def read_after(params: QueryDict) -> int:
    """The query parameter `after`, 0 where there is none. Raises DRF's ValidationError."""
    text = params.get("after", "").strip()
    values = AfterFilter(data={"after": text} if text else {}).read()
    after: int = values.get("after", 0)
    return after
