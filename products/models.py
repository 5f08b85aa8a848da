"""The product, and what a save of it means: only what was changed is written, and announced."""

from collections.abc import Iterable, Mapping, Set
from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, router, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from products.availability.levels import Level, level_of
from products.availability.moments import next_moment
from products.errors import StaleVersion
from products.tracking import Tracked, as_stored, is_expression
from products.validators import validate_currency, validate_image_url

MAX_STOCK = 2_147_483_647  # what the column holds

# These move by themselves, counted from the locked row: what an instance says of them is not read.
KEPT_BY_SAVE = frozenset(
    {"version", "stock_version", "stock_changed_at", "stock_as_of", "updated_at"}
)


def most_stock_of(*, kind: str, max_group_size: int | None) -> int:
    """The largest stock of such a product: a tour has no more seats than its group."""
    if kind == Product.Kind.TOUR and max_group_size is not None:
        return max_group_size
    return MAX_STOCK


class ProductQuerySet(models.QuerySet["Product"]):
    """Products, by who may see them and for whom they are locked."""

    def visible_to(self, *, user_id: int | None, is_staff: bool) -> Self:
        """What this person may know of: all that is on sale, one's own, and for staff everything.

        Lists, single products and channels all ask here, so that they cannot drift apart.
        """
        if is_staff:
            return self
        return self.filter(Q(is_active=True) | Q(seller_id=user_id))

    def locked(self) -> Self:
        """The rows with their sellers, locked until the transaction ends, in key order."""
        return self.select_for_update(of=("self",)).select_related("seller").order_by("pk")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete one by one, as Product.delete() does: what others hold on to goes off sale.

        Returns what was really deleted, as Django does: the number, and the number by model.
        """
        deleted: dict[str, int] = {}
        with transaction.atomic(using=self.db):
            for product in self.order_by("pk"):
                for label, count in product.delete(using=self.db)[1].items():
                    deleted[label] = deleted.get(label, 0) + count
        return sum(deleted.values()), deleted

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class Product(Tracked):
    """Something that one seller offers: goods, or seats of a tour.

    save() and delete() announce themselves (products.signals); QuerySet.update and bulk_* do not.
    """

    class Kind(models.TextChoices):
        GOODS = "goods", _("goods")
        TOUR = "tour", _("tour")

    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="products",
        db_index=False,  # the index of a seller's products, newest first, serves
        verbose_name=_("seller"),
    )
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), max_length=10_000, blank=True, default="")
    category = models.CharField(_("category"), max_length=60, blank=True, default="")
    price = models.DecimalField(
        _("price"), max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency], help_text=_("ISO 4217: EUR")
    )
    kind = models.CharField(_("kind"), max_length=5, choices=Kind.choices)
    stock = models.PositiveIntegerField(
        _("stock"),
        validators=[MaxValueValidator(MAX_STOCK)],
        help_text=_("For a tour: the free seats."),
    )
    stock_version = models.PositiveBigIntegerField(default=1, editable=False)
    stock_changed_at = models.DateTimeField(default=timezone.now, editable=False)
    # The moment of which the stock is known: what somebody else says of an earlier one is stale.
    # A change of our own sets it to the milliseconds of stock_changed_at, later with each change.
    stock_as_of = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    max_group_size = models.PositiveIntegerField(
        _("largest group"), null=True, blank=True, help_text=_("For a tour: all its seats.")
    )
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    low_stock_threshold = models.PositiveIntegerField(_("low at or under"), default=5)
    external_id = models.CharField(
        _("external id"),
        max_length=100,
        blank=True,
        default="",
        help_text=_("Your own number for it; empty for none."),
    )
    image_url = models.CharField(
        _("image"), max_length=500, blank=True, default="", validators=[validate_image_url]
    )
    is_active = models.BooleanField(_("on sale"), default=True)
    version = models.PositiveBigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now, editable=False)

    objects = ProductQuerySet.as_manager()

    # The row before and after the change that is being saved or deleted, for the receivers.
    before: "Product | None" = None
    after: "Product | None" = None

    # The moment of which another system told the stock that is being saved (take_over_stock).
    told_as_of: datetime | None = None

    counted_by = {"stock": "stock_version"}

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price_not_negative"),
            models.CheckConstraint(condition=Q(stock__gte=0), name="product_stock_not_negative"),
            models.CheckConstraint(
                condition=Q(kind__in=["goods", "tour"]), name="product_kind_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind="tour")
                | Q(max_group_size=None)
                | Q(stock__lte=F("max_group_size")),
                name="product_tour_within_group",
            ),
            models.UniqueConstraint(
                fields=["seller", "external_id"],
                condition=~Q(external_id=""),
                name="product_external_id_of_seller",
            ),
            models.UniqueConstraint(
                fields=["external_id"],
                condition=Q(kind="tour") & ~Q(external_id=""),
                name="product_external_id_of_tour",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="product_newest"),
            models.Index(fields=["seller", "-created_at", "-id"], name="product_of_seller"),
            models.Index(fields=["category", "-created_at", "-id"], name="product_of_category"),
            models.Index(fields=["kind", "-created_at", "-id"], name="product_of_kind"),
            models.Index(fields=["price", "id"], name="product_cheapest"),
            models.Index(fields=["stock", "id"], name="product_scarcest"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def level(self) -> Level:
        """How scarce it is."""
        return level_of(stock=self.stock, low_stock_threshold=self.low_stock_threshold)

    @property
    def most_stock(self) -> int:
        """The largest stock it can have."""
        return most_stock_of(kind=self.kind, max_group_size=self.max_group_size)

    def is_for_sale_to(self, user_id: int, *, at: datetime) -> bool:
        """Whether this user may buy it at that time, as long as there is any."""
        return self.is_active and self.seller_id != user_id and not self.has_begun(at=at)

    def has_begun(self, *, at: datetime) -> bool:
        """Whether it is a tour that has started at that time."""
        return self.kind == self.Kind.TOUR and self.starts_at is not None and self.starts_at <= at

    def clean(self) -> None:
        """Raises ValidationError for values that do not go together (see the constraints)."""
        errors = {}
        if self.stock is not None and self.most_stock < self.stock <= MAX_STOCK:
            errors["stock"] = ValidationError(
                _("There can be %(most)s at most."),
                code="max_value",
                params={"most": self.most_stock},
            )
        if self.external_id and self._external_id_is_taken():
            errors["external_id"] = ValidationError(
                _("Another product has this external id."), code="unique"
            )
        if errors:
            raise ValidationError(errors)

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write what was set on this instance since it was loaded, and nothing else.

        The row is locked first; what others changed meanwhile stays and is taken over into this
        instance. Expressions (F("stock") - 1) are reckoned on the locked row and read back.
        version and updated_at move with every field but stock; stock_version, stock_changed_at and
        stock_as_of with stock.
        Without a change nothing is written, and nobody hears of it.

        Raises StaleVersion for a stock that was set without knowing the present one, ValueError
        for another seller, Product.DoesNotExist when the row was deleted meanwhile.
        """
        using = using or router.db_for_write(type(self), instance=self)
        allowed = self.attributes(update_fields)
        with transaction.atomic(using=using):
            row = None if force_insert or self.pk is None else self._lock_row(using)
            if row is not None:
                self._write_changes(row, allowed=allowed, using=using)
            elif self._state.adding:
                self._prepare_insert()
                super().save(
                    force_insert=force_insert,
                    force_update=force_update,
                    using=using,
                    update_fields=update_fields,
                )
                self.take_over(self, but=frozenset())
            else:
                raise self.DoesNotExist("The product was deleted meanwhile.")

    def delete(
        self, using: str | None = None, keep_parents: bool = False
    ) -> tuple[int, dict[str, int]]:
        """Delete the product, or take it off sale when others (orders, suggestions) hold on to it.

        Returns what was deleted: nothing when it went off sale or was deleted before.
        """
        using = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            self.before, self.after = self._lock_row(using), None
            if self.before is None:
                return 0, {}
            try:
                return super().delete(using=using, keep_parents=keep_parents)
            except (models.ProtectedError, models.RestrictedError):
                self.is_active = False
                self.save(using=using, update_fields=["is_active"])
                return 0, {}

    def begin(self) -> None:
        """Date all of a new product by its creation.

        save() does it; whoever inserts many at once, silently, calls it for each.
        """
        self.updated_at = self.stock_changed_at = self.stock_as_of = self.created_at

    def changed(
        self, written: Mapping[str, Any], *, told_as_of: datetime | None = None
    ) -> "Product":
        """This row, which is locked, as it will be when these values are written, by attribute.

        told_as_of: the moment of which another system told a stock among them.
        """
        after = copy(self)
        for name, value in written.items():
            setattr(after, name, value)
        now = timezone.now()
        if written.keys() - {"stock"}:
            after.version += 1
            after.updated_at = now
        if "stock" in written:
            after.stock_version += 1
            after.stock_as_of = told_as_of or next_moment(self.stock_as_of, now=now)
            after.stock_changed_at = now if told_as_of else max(now, after.stock_as_of)
        return after

    def _external_id_is_taken(self) -> bool:
        rivals = Q(seller_id=self.seller_id)
        if self.kind == self.Kind.TOUR:
            rivals |= Q(kind=self.Kind.TOUR)
        others = Product.objects.exclude(pk=self.pk).filter(rivals, external_id=self.external_id)
        return others.exists()

    def _lock_row(self, using: str) -> "Product | None":
        """The present row, locked, with this instance's expressions reckoned on it."""
        rows = Product.objects.using(using).locked().annotate(**self.expressions())
        return rows.filter(pk=self.pk).first()

    def _prepare_insert(self) -> None:
        """Bring the values into the form that they are announced in."""
        for field in self._meta.concrete_fields:
            value = getattr(self, field.attname)
            if not is_expression(value):
                setattr(self, field.attname, as_stored(field, value))
        self.begin()
        self.before, self.after = None, self

    def _write_changes(self, row: "Product", *, allowed: Set[str], using: str) -> None:
        """Write what was set and is allowed to the locked row; take over the rest of the row."""
        stock_is_relative = is_expression(self.__dict__.get("stock"))
        were_set = self.values_set(row)
        written = {
            name: value
            for name, value in were_set.items()
            if name in allowed - KEPT_BY_SAVE and value != getattr(row, name)
        }
        if "seller_id" in written:
            raise ValueError("A product keeps its seller.")
        blind = "stock" in were_set and not stock_is_relative and not self.has_present("stock", row)
        if blind and "stock" in allowed:
            raise StaleVersion(version=row.version, stock_version=row.stock_version)
        self.before, self.after = row, row.changed(written, told_as_of=self.told_as_of)
        if written:
            for name in written.keys() | KEPT_BY_SAVE:
                setattr(self, name, getattr(self.after, name))
            super().save(
                force_update=True, using=using, update_fields=written.keys() | KEPT_BY_SAVE
            )
        self.take_over(self.after, but=were_set.keys() - allowed - KEPT_BY_SAVE)
