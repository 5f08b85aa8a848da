"""The public pages of products: rendered once, then patched by their scripts from events."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.generic import DetailView, TemplateView
from rest_framework.exceptions import ValidationError

from marketplace.accounts.models import User
from products.availability.board import StockChange, read_board, read_changes
from products.catalogue import ORDERINGS, PAGE_SIZE, largest_categories, read_sheet
from products.events import availability_data
from products.filters import asked_for
from products.models import Product, ProductQuerySet
from products.selectors import off_sale_to, visible_products

# What a <template> is rendered from; the page's script puts a real product's values in.
BLANK = Product(pk=0, seller=User(), price=0, currency="EUR", kind="goods", stock=0, version=0)
BLANK_CHANGE = StockChange(
    position=0, at=BLANK.created_at, told=availability_data(BLANK), is_on_sale=True
)


class CataloguePage(TemplateView):
    """What is on sale, page by page, as the address asks for it.

    Context: sheet (None where the address is not understood), page_size, blank, categories,
    orderings, ordering, narrowed (whether the address leaves anything out), seller_name (see
    Sheet; absent where the address is not understood).
    """

    template_name = "products/catalogue.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            sheet = read_sheet(visible_products(request.user), params=request.GET)
        except ValidationError as error:
            return self._render(sheet=None, status=error.status_code)
        return self._render(sheet=sheet, seller_name=sheet.seller_name, status=200)

    def _render(self, *, status: int, **context: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(**context), status=status)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        asked = asked_for(self.request.GET)
        return super().get_context_data(
            blank=BLANK,
            categories=largest_categories(),
            orderings=ORDERINGS,
            ordering=asked.get("ordering", "-createdAt"),
            page_size=PAGE_SIZE,
            narrowed=bool(asked.keys() - {"ordering"}),
            **context,
        )


class ProductPage(DetailView):  # type: ignore[type-arg] # no generic at run time
    """One product, with what its seller needs to change it.

    Context: product, is_own (whether this person may change it), has_begun, is_for_sale.
    """

    template_name = "products/product.html"
    context_object_name = "product"
    pk_url_kwarg = "product_id"

    def get_queryset(self) -> ProductQuerySet:
        return visible_products(self.request.user)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        user, product, now = self.request.user, self.object, timezone.now()
        return super().get_context_data(
            is_own=user.is_staff or product.seller_id == user.pk,
            has_begun=product.has_begun(at=now),
            is_for_sale=product.stock > 0 and product.is_for_sale_to(user.pk, at=now),
            **context,
        )


class BoardPage(TemplateView):
    """How much is left of tours and of what is scarce, and what changed last: to be read from afar.

    It is the same for everybody. Context: board, changes, shows_changes (whether any of them is
    shown), off_sale (ids of what this person hears of, and the board does not show), blank,
    blank_change.
    """

    template_name = "products/board.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        changes = read_changes()
        return super().get_context_data(
            board=read_board(),
            changes=changes,
            shows_changes=any(change.is_on_sale for change in changes),
            off_sale=off_sale_to(self.request.user),
            blank=BLANK,
            blank_change=BLANK_CHANGE,
            **context,
        )
