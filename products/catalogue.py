"""What the catalogue page shows: one page of what is on sale, and the ways to narrow it down."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from marketplace.accounts.models import User
from products.filters import filter_products
from products.models import Product, ProductQuerySet

PAGE_SIZE = 24
MAX_PAGE = 10_000
# A page shows so many categories; they may be this old, in seconds, which spares a count a page.
MAX_CATEGORIES = 12
CATEGORIES_KEPT = 60

NARROWING = ("search", "category", "seller", "kind", "minPrice", "maxPrice", "inStock")
ORDERINGS: Mapping[str, object] = {
    "-createdAt": _("Newest first"),
    "price": _("Lowest price first"),
    "-price": _("Highest price first"),
    "stock": _("Scarcest first"),
    "title": _("A to Z"),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of the catalogue.

    number: from 1; has_next: whether a further one follows. How many there are is not counted:
    it would be old with the next event.
    """

    products: list[Product]
    number: int
    has_next: bool

    @property
    def previous(self) -> int:
        """The number of the page before."""
        return self.number - 1

    @property
    def next(self) -> int:
        """The number of the page behind."""
        return self.number + 1


def read_sheet(products: ProductQuerySet, *, params: QueryDict) -> Sheet:
    """The page that the query asks for, of those products that are on sale.

    A seller's own products that are off sale stand on the dashboard, not in the shop. Raises
    DRF's ValidationError for a parameter that is not of its form.
    """
    number = _page_number(params.get("page") or "1")
    start = (number - 1) * PAGE_SIZE
    wanted = filter_products(products.filter(is_active=True), params)
    found = list(wanted[start : start + PAGE_SIZE + 1])
    return Sheet(products=found[:PAGE_SIZE], number=number, has_next=len(found) > PAGE_SIZE)


def largest_categories() -> list[str]:
    """The categories with most on sale, by name; up to a minute old."""
    return cache.get_or_set("catalogue-categories", _count_categories, CATEGORIES_KEPT) or []


def name_of_seller(params: QueryDict) -> str:
    """Whose products the query asks for; empty for everybody's, or nobody's."""
    text = params.get("seller", "")
    seller = User.objects.filter(pk=text).first() if text.isdecimal() else None
    return "" if seller is None else seller.get_username()


def _page_number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:6]) <= MAX_PAGE:
        raise ValidationError({"page": _("There is no such page.")})
    return int(text)


def _count_categories() -> list[str]:
    on_sale = Product.objects.filter(is_active=True).exclude(category="").order_by()
    counted = on_sale.values("category").annotate(count=Count("pk")).order_by("-count", "category")
    return sorted(counted.values_list("category", flat=True)[:MAX_CATEGORIES], key=str.casefold)
