"""What the server keeps of secure conversations: who, when, public keys, and ciphertext."""

import uuid
from collections.abc import Iterable
from typing import ClassVar, Self

from django.conf import settings
from django.db import models, router, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from products.models import Product
from securechat.errors import StaleSession
from securechat.keys import Role

MAX_REASON = 2_000


def public_host() -> str:
    """The name of this site, as it is bound into the keys: in lower case, without a port."""
    host, _colon, port = settings.PUBLIC_HOST.rpartition(":")
    return host if host and port.isdigit() else settings.PUBLIC_HOST


class SessionQuerySet(models.QuerySet["Session"]):
    """Sessions, by who takes part."""

    def of(self, user_id: int) -> Self:
        """Those of which this person is one of the two. Staff are nobody here."""
        return self.filter(Q(buyer_id=user_id) | Q(seller_id=user_id))

    def whole(self) -> Self:
        """With all that session_data() shows."""
        return self.select_related("product", "buyer", "seller")

    def recent_first(self) -> Self:
        """The one that was talked in last first; a new one counts as talked in."""
        return self.order_by(Coalesce("last_message_at", "created_at").desc(), "pk")

    def locked(self) -> Self:
        """The rows, locked until the transaction ends, in key order."""
        return self.select_for_update(of=("self",)).order_by("pk")


class Session(models.Model):
    """The secure channel of one buyer and one seller about one product.

    Each epoch has one key bundle of either; with both it is active. save() announces what it
    changes (securechat.signals); QuerySet.update and bulk_* are silent.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ACTIVE = "active", _("active")
        CLOSED = "closed", _("closed")

    session_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    context = models.CharField(_("host"), max_length=255, default=public_host, editable=False)
    product = models.ForeignKey(
        Product,
        on_delete=models.PROTECT,
        related_name="chat_sessions",
        db_index=False,  # the unique index serves
        verbose_name=_("product"),
    )
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="chats_as_buyer",
        verbose_name=_("buyer"),
    )
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="chats_as_seller",
        verbose_name=_("seller"),
    )
    status = models.CharField(
        _("status"), max_length=7, choices=Status.choices, default=Status.WAITING
    )
    epoch = models.PositiveIntegerField(_("epoch"), default=1)
    buyer_key = models.TextField(_("buyer's key"), blank=True, default="")
    seller_key = models.TextField(_("seller's key"), blank=True, default="")
    last_seq = models.PositiveBigIntegerField(_("messages"), default=0)
    last_message_at = models.DateTimeField(_("last message at"), null=True, blank=True)
    buyer_has = models.PositiveBigIntegerField(
        default=0, help_text="Up to which message the buyer's browsers have the conversation."
    )
    seller_has = models.PositiveBigIntegerField(
        default=0, help_text="Up to which message the seller's browsers have the conversation."
    )
    version = models.PositiveBigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = SessionQuerySet.as_manager()

    # These move with the messages, silently: what an instance says of them may be old.
    COUNTED: ClassVar = ("last_seq", "last_message_at", "buyer_has", "seller_has")

    # The row before the change that is being saved, for the receiver; None for a new one.
    before: "Session | None" = None

    class Meta:
        verbose_name = _("secure conversation")
        verbose_name_plural = _("secure conversations")
        ordering: ClassVar = ["-created_at", "session_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["product", "buyer", "seller"], name="chat_session_of_three"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "active", "closed"]),
                name="chat_session_status_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | (~Q(buyer_key="") & ~Q(seller_key="")),
                name="chat_session_active_has_keys",
            ),
            models.CheckConstraint(
                condition=~Q(buyer=models.F("seller")), name="chat_session_of_two_people"
            ),
        ]

    def __str__(self) -> str:
        return str(self.session_id)

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write the session as one change, which is announced. The row is locked first.

        Raises StaleSession when the session was changed since it was loaded.
        """
        using = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            self.before = None
            if not self._state.adding:
                self.before = Session.objects.using(using).locked().get(pk=self.pk)
                if self.before.version != self.version:
                    raise StaleSession
                self.version += 1
                for name in self.COUNTED:
                    setattr(self, name, getattr(self.before, name))
                if update_fields is not None:
                    update_fields = {*update_fields, "version"}
            super().save(
                force_insert=force_insert,
                force_update=force_update,
                using=using,
                update_fields=update_fields,
            )

    def role_of(self, user_id: int) -> Role:
        """As whom one of the two takes part."""
        return "buyer" if user_id == self.buyer_id else "seller"

    def other_id(self, user_id: int) -> int:
        """The id of the other one."""
        return self.seller_id if user_id == self.buyer_id else self.buyer_id


def key_of(session: Session, role: Role) -> str:
    """The bundle of that side in the present epoch; empty while it is missing."""
    return session.buyer_key if role == "buyer" else session.seller_key


class Message(models.Model):
    """One message, as its sender's browser encrypted it. save() announces it."""

    session = models.ForeignKey(
        Session,
        on_delete=models.CASCADE,
        related_name="messages",
        db_index=False,  # the unique indexes serve
    )
    seq = models.PositiveBigIntegerField(_("number"))
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    epoch = models.PositiveIntegerField(_("epoch"))
    client_message_id = models.UUIDField()
    envelope = models.TextField(help_text="Ciphertext, in base64url.")
    sent_at = models.DateTimeField(_("sent at"), default=timezone.now, db_index=True)

    class Meta:
        ordering: ClassVar = ["session", "seq"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "seq"], name="chat_message_number"),
            models.UniqueConstraint(
                fields=["session", "sender", "client_message_id"], name="chat_message_of_client"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} {self.seq}"

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write a new message, which is announced with it. Raises ValueError for an old one."""
        if not self._state.adding:
            raise ValueError("What was sent stays as it is.")
        using = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            super().save(force_insert=True, using=using)


class Attachment(models.Model):
    """A file, encrypted in a browser under a key that travels in a message.

    It stands in the database: it comes and goes with its conversation in one transaction, and every
    server process has it.
    """

    attachment_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="attachments")
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    content = models.BinaryField()
    size = models.PositiveIntegerField(_("bytes"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return str(self.attachment_id)


class Block(models.Model):
    """One person does not want to hear of another, in no conversation of theirs."""

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("by")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("person"),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["by", "person"], name="chat_block_of_two")
        ]

    def __str__(self) -> str:
        return f"{self.by_id} → {self.person_id}"


class Report(models.Model):
    """What one of the two tells the staff about the other: only what they chose to reveal."""

    session = models.ForeignKey(
        Session, on_delete=models.PROTECT, related_name="reports", verbose_name=_("conversation")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    reason = models.CharField(_("reason"), max_length=MAX_REASON)
    revealed = models.JSONField(
        _("revealed"),
        help_text="Each message as the reporter's browser shows it: the server cannot verify it.",
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering: ClassVar = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return _("report %(id)s") % {"id": self.pk}
