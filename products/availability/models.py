"""What the AMQP bridge remembers: the messages that it took in, and how many of each kind."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ReceivedMessage(models.Model):
    """A message that was taken in: it is not taken in again, and what it made is not sent out.

    product_id and stock_version name the change of stock that it made; both are null of one that
    made none. Forgotten after a while (incoming.forget_old).
    """

    event_id = models.CharField(primary_key=True, max_length=200)
    # No foreign key: a product may be deleted, and what was received stays received.
    product_id = models.BigIntegerField(null=True)
    stock_version = models.PositiveBigIntegerField(null=True)
    received_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["product_id", "stock_version"], name="availability_what_came_in")
        ]

    def __str__(self) -> str:
        return self.event_id


class MessageCount(models.Model):
    """How many messages came to this end since the bridge was set up."""

    name = models.CharField(_("messages"), primary_key=True, max_length=20)
    number = models.PositiveBigIntegerField(_("number"), default=0)

    class Meta:
        verbose_name = _("count of the AMQP bridge")
        verbose_name_plural = _("counts of the AMQP bridge")

    def __str__(self) -> str:
        return f"{self.name}: {self.number}"
