"""Orders with their lines and history: written by services, changed step by step, never deleted."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar, NoReturn, Self, TypeVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models, router, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.addresses import validate_address
from orders.errors import StaleOrder
from products.models import Product

MAX_NOTE = 2_000
MAX_REASON = 500
# Fifteen digits: what SQLite keeps exactly.
MAX_TOTAL = Decimal("9999999999999.99")

Row = TypeVar("Row", bound=models.Model)


class KeptQuerySet(models.QuerySet[Row]):
    """Rows that are never deleted."""

    def delete(self) -> NoReturn:
        """Raises ProtectedError: what was ordered stays on record."""
        raise models.ProtectedError("Orders are never deleted.", set())


class Kept(models.Model):
    """The base of what is never deleted."""

    class Meta:
        abstract = True

    def delete(self, using: str | None = None, keep_parents: bool = False) -> NoReturn:
        """Raises ProtectedError: what was ordered stays on record."""
        raise models.ProtectedError("Orders are never deleted.", {self})


class OrderQuerySet(KeptQuerySet["Order"]):
    """Orders, by who may see them and for what they are read."""

    def visible_to(self, *, user_id: int | None, is_staff: bool) -> Self:
        """What this person may know of: the orders they gave or got, and for staff all.

        Lists, single orders and the channel all ask here, so that they cannot drift apart.
        """
        if is_staff:
            return self
        if user_id is None:
            return self.none()
        return self.filter(Q(buyer_id=user_id) | Q(seller_id=user_id))

    def whole(self) -> Self:
        """With all that order_data() shows: three queries for any number of orders."""
        return self.select_related("buyer", "seller").prefetch_related("lines", "steps")

    def locked(self) -> Self:
        """The rows, locked until the transaction ends, in key order."""
        return self.select_for_update(of=("self",)).order_by("pk")


class Order(Kept):
    """What one buyer ordered of one seller, in one currency.

    orders.services places orders and takes their steps. save() announces itself too, and changes
    everything but status and the two parties; QuerySet.update and bulk_* are silent.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        CONFIRMED = "confirmed", _("confirmed")
        SHIPPED = "shipped", _("shipped")
        DELIVERED = "delivered", _("delivered")
        CANCELLED = "cancelled", _("cancelled")

    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="orders_given",
        db_index=False,  # the index of a buyer's orders, newest first, serves
        verbose_name=_("buyer"),
    )
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="orders_received",
        db_index=False,  # the index of a seller's orders, newest first, serves
        verbose_name=_("seller"),
    )
    status = models.CharField(
        _("status"), max_length=9, choices=Status.choices, default=Status.PENDING
    )
    total = models.DecimalField(_("total"), max_digits=15, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    shipping_address = models.JSONField(
        _("shipping address"), null=True, blank=True, validators=[validate_address]
    )
    note = models.CharField(_("note"), max_length=MAX_NOTE, blank=True, default="")
    version = models.PositiveBigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(total__gte=0), name="order_total_not_negative"),
            models.CheckConstraint(
                condition=Q(
                    status__in=["pending", "confirmed", "shipped", "delivered", "cancelled"]
                ),
                name="order_status_is_known",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="order_newest"),
            models.Index(fields=["buyer", "-created_at", "-id"], name="order_of_buyer"),
            models.Index(fields=["seller", "-created_at", "-id"], name="order_of_seller"),
            models.Index(fields=["status", "-created_at", "-id"], name="order_of_status"),
        ]

    def __str__(self) -> str:
        return _("order %(id)s") % {"id": self.pk}

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write the order as one change, which is announced.

        A new order gets the first step of its history with it. Of a present one the row is locked
        first; version and updated_at move by themselves, and without a change nothing is written.

        Raises StaleOrder when the order was changed since it was loaded, ValueError for another
        status, buyer or seller.
        """
        using = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            if self._state.adding:
                super().save(force_insert=force_insert, using=using, update_fields=update_fields)
                first = OrderStep(
                    order=self, to_status=self.status, by_id=self.buyer_id, at=self.created_at
                )
                first.save(using=using)
            else:
                self._write_changes(using=using, update_fields=update_fields)

    def _write_changes(self, *, using: str, update_fields: Iterable[str] | None) -> None:
        update_fields = None if update_fields is None else frozenset(update_fields)
        row = Order.objects.using(using).locked().get(pk=self.pk)
        if self.version != row.version:
            raise StaleOrder
        changed = {
            field.attname
            for field in self._meta.concrete_fields
            if field.attname not in {"id", "version", "updated_at"}
            and (update_fields is None or not {field.name, field.attname}.isdisjoint(update_fields))
            and getattr(self, field.attname) != getattr(row, field.attname)
        }
        if fixed := changed & {"status", "buyer_id", "seller_id"}:
            raise ValueError(
                f"An order keeps its {', '.join(sorted(fixed))}: services.transition_order() "
                "changes the status, and nothing the parties."
            )
        if changed:
            self.version, self.updated_at = row.version + 1, timezone.now()
            changed |= {"version", "updated_at"}
            super().save(force_update=True, using=using, update_fields=changed)
            # What was set as an expression has its value now.
            self.refresh_from_db(using=using, fields=changed)


class OrderLine(Kept):
    """So many pieces of one product, with the title and price that it had when it was ordered."""

    order = models.ForeignKey(
        Order,
        on_delete=models.PROTECT,
        related_name="lines",
        db_index=False,  # the unique index serves
        verbose_name=_("order"),
    )
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="order_lines", verbose_name=_("product")
    )
    title = models.CharField(_("title"), max_length=200)
    quantity = models.PositiveIntegerField(_("quantity"), validators=[MinValueValidator(1)])
    unit_price = models.DecimalField(_("unit price"), max_digits=12, decimal_places=2)

    objects = KeptQuerySet["OrderLine"].as_manager()

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "product"], name="order_line_of_product"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_line_has_pieces"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises ValueError: place_orders() writes the lines with their order, in bulk, and what
        was agreed stays."""
        raise ValueError("The lines of an order are written with it and stay as they are.")


class OrderStep(Kept):
    """One step of an order's history, its first (from nothing) included.

    It is the last row that a placement or transition writes: its receiver announces the order.
    """

    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="steps", verbose_name=_("order")
    )
    from_status = models.CharField(
        _("from"), max_length=9, choices=Order.Status.choices, blank=True, default=""
    )
    to_status = models.CharField(_("to"), max_length=9, choices=Order.Status.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="order_steps",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    reason = models.CharField(_("reason"), max_length=MAX_REASON, blank=True, default="")

    objects = KeptQuerySet["OrderStep"].as_manager()

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("history")
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.from_status or '–'} → {self.to_status}"

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write a new step, which is announced with it. Raises ValueError for one that is there."""
        if not self._state.adding:
            raise ValueError("History stays as it is.")
        using = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            super().save(force_insert=True, using=using)


class IdempotencyKey(models.Model):
    """A client's own name for one request, and the answer to it once there is one.

    While status is empty the request is being answered by whoever holds the claim, until
    claimed_until: then whoever ran it is taken for dead (see orders.idempotency).
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="A hash of what was asked.")
    claim = models.UUIDField()
    claimed_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_of_user")
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "created_at"], name="idempotency_key_age")
        ]

    def __str__(self) -> str:
        return self.key
