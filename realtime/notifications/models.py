"""The tables of notifications: what people were told, and what they do not want to be told."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

MAX_TITLE = 300
MAX_TEXT = 1_000
MAX_URL = 500


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Notifications, by what has become of them."""

    def unread(self) -> Self:
        """Those that nobody has read."""
        return self.filter(read_at=None)

    def leading_to(self, path: str) -> Self:
        """Those that lead to a page; its own parts are the page."""
        return self.filter(Q(url=path) | Q(url__startswith=f"{path}#"))

    def newest_first(self) -> Self:
        """In the order of all lists."""
        return self.order_by("-created_at", "-pk")


class Notification(models.Model):
    """One thing that one person was told, in their language of that moment.

    services.notify() writes it and services alone change it: each change is announced there.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notifications",
        db_index=False,  # the index of a user's newest serves
        verbose_name=_("user"),
    )
    kind = models.CharField(_("kind"), max_length=40)
    title = models.CharField(_("title"), max_length=MAX_TITLE)
    text = models.CharField(_("text"), max_length=MAX_TEXT, blank=True, default="")
    url = models.CharField(_("leads to"), max_length=MAX_URL)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at", "-id"], name="notification_newest"),
            # The count in the header of every page reads nothing else.
            models.Index(
                fields=["user", "-created_at", "-id"],
                condition=Q(read_at=None),
                name="notification_unread",
            ),
            # What retention deletes.
            models.Index(
                fields=["read_at"], condition=Q(read_at__isnull=False), name="notification_read_at"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class MutedKind(models.Model):
    """A kind of notification that one person does not want; without a row they get it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,  # the unique index serves
        verbose_name=_("user"),
    )
    kind = models.CharField(_("kind"), max_length=40)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind"], name="notification_kind_muted_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
