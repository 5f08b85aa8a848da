"""Products in the admin: what is changed here is saved and announced like everywhere else."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from marketplace.accounts.models import User
from products.events import AvailabilityUpdated, ProductCreated, ProductDeleted, ProductUpdated
from products.imports.events import ProductsImported
from products.models import Product, ProductQuerySet
from realtime.api import LiveListAdmin


class ProductForm(forms.ModelForm):  # type: ignore[type-arg] # no generic at run time
    """Knows which state of the product it was opened on, and refuses to write over a newer one."""

    based_on_version = forms.IntegerField(widget=forms.HiddenInput)
    based_on_stock_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["based_on_version"].initial = self.instance.version
        self.fields["based_on_stock_version"].initial = self.instance.stock_version
        # Sent back with the form, so that a stock that nobody touched is told from one that was.
        self.fields["stock"].show_hidden_initial = True

    def clean_seller(self) -> User:
        """Only sellers offer products."""
        seller: User = self.cleaned_data["seller"]
        if seller.role != User.Role.SELLER:
            raise forms.ValidationError(_("This user is no seller."), code="sellers_only")
        return seller

    def clean(self) -> dict[str, Any]:
        """Compare with the row, which ProductAdmin.get_object locked for this request."""
        values = super().clean() or self.cleaned_data
        if self.instance.pk is None:
            return values
        if values.get("based_on_version") != self.instance.version:
            raise forms.ValidationError(
                _("Somebody changed this product after you opened it. Open it again to see how."),
                code="stale_version",
            )
        if "stock" not in self.changed_data:
            values["stock"] = self.instance.stock
        elif values.get("based_on_stock_version") != self.instance.stock_version:
            raise forms.ValidationError(
                _("The stock changed after you opened this product: now it is %(stock)s."),
                code="stale_version",
                params={"stock": self.instance.stock},
            )
        return values


@admin.register(Product)
class ProductAdmin(LiveListAdmin):
    """All products. Deleting one that others hold on to (orders, say) takes it off sale."""

    form = ProductForm
    list_display = ("title", "seller", "category", "cost", "kind", "stock", "scarcity",
                    "is_active", "updated_at")  # fmt: skip
    list_select_related = ("seller",)
    list_filter = ("is_active", "kind", "currency", "created_at")
    search_fields = ("title", "category", "external_id", "seller__username")
    raw_id_fields = ("seller",)
    readonly_fields = (
        "version",
        "stock_version",
        "stock_changed_at",
        "stock_as_of",
        "created_at",
        "updated_at",
    )
    show_full_result_count = False
    actions = ("put_on_sale", "take_off_sale")
    live_events = {
        ProductCreated: "product.id",
        ProductUpdated: "product.id",
        ProductDeleted: "productId",
        AvailabilityUpdated: "productId",
        ProductsImported: "products.*.id",
    }

    @admin.display(description=_("price"), ordering="price")
    def cost(self, product: Product) -> str:
        """The price with its currency, in the list."""
        return f"{product.price} {product.currency}"

    @admin.display(description=_("level"), ordering="stock")
    def scarcity(self, product: Product) -> str:
        """The level, in the list."""
        return product.level

    @admin.action(description=_("Put on sale"), permissions=["change"])
    def put_on_sale(self, request: HttpRequest, products: ProductQuerySet) -> None:
        """Offer the selected products again."""
        _set_on_sale(products, is_active=True)

    @admin.action(description=_("Take off sale"), permissions=["change"])
    def take_off_sale(self, request: HttpRequest, products: ProductQuerySet) -> None:
        """Offer the selected products no more."""
        _set_on_sale(products, is_active=False)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Product | None = None
    ) -> tuple[str, ...]:
        """A product keeps its seller."""
        return self.readonly_fields if obj is None else ("seller", *self.readonly_fields)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Product | None:
        """The product; locked for a request that changes it, which the admin has in atomic()."""
        product = super().get_object(request, object_id, from_field)
        if product is None or request.method != "POST":
            return product
        return Product.objects.locked().filter(pk=product.pk).first()

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What the page before a deletion shows: orders and the like do not forbid it."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        shown: list[Any] = [*deleted]
        if protected:
            shown.append(
                _("What has orders, conversations or suggestions is not deleted: it goes off sale.")
            )
        # What holds on to a product stays: nobody needs the right to delete it.
        return shown, counts, needed & {str(self.opts.verbose_name)}, []

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Say what became of the product."""
        if not Product.objects.filter(pk=obj_id).exists():
            return super().response_delete(request, obj_display, obj_id)
        self._tell_of_kept(request, 1)
        return HttpResponseRedirect(reverse("admin:products_product_changelist"))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Delete the selected products, one by one, and tell how many stay, off sale."""
        chosen = set(queryset.values_list("pk", flat=True))
        Product.objects.filter(pk__in=chosen).delete()
        kept = Product.objects.filter(pk__in=chosen).count()
        if kept:
            self._tell_of_kept(request, kept)

    def _tell_of_kept(self, request: HttpRequest, kept: int) -> None:
        text = ngettext(
            "%(kept)d product has orders, conversations or suggestions: "
            "it is not deleted, but off sale.",
            "%(kept)d products have orders, conversations or suggestions: "
            "they are not deleted, but off sale.",
            kept,
        )
        self.message_user(request, text % {"kept": kept}, messages.WARNING)


def _set_on_sale(products: ProductQuerySet, *, is_active: bool) -> None:
    # Locked by key: the list's own order and joins are not for locking.
    chosen = list(products.values_list("pk", flat=True))
    with transaction.atomic():
        for product in Product.objects.locked().filter(pk__in=chosen):
            product.is_active = is_active
            product.save()
