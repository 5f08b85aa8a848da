"""What the catalogue page shows: one page of what is on sale, and the ways to narrow it down."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from marketplace.accounts.models import User
from marketplace.rest.numbers import NumberedPage, read_page_number
from products.filters import filter_products, read_filter
from products.models import Product, ProductQuerySet

PAGE_SIZE = 24
# A page shows so many categories; they may be this old, in seconds, which spares a count a page.
MAX_CATEGORIES = 12
CATEGORIES_KEPT = 60

ORDERINGS: Mapping[str, object] = {
    "-createdAt": _("Newest first"),
    "price": _("Lowest price first"),
    "-price": _("Highest price first"),
    "stock": _("Scarcest first"),
    "title": _("A to Z"),
}


@dataclass(frozen=True, slots=True)
class Sheet(NumberedPage):
    """One page of the catalogue.

    number: from 1; has_next: whether a further one follows. How many there are is not counted:
    it would be old with the next event. seller_name: whose products were asked for; empty for
    everybody's, or nobody's.
    """

    products: list[Product]
    number: int
    has_next: bool
    seller_name: str


def read_sheet(products: ProductQuerySet, *, params: QueryDict) -> Sheet:
    """The page that the query asks for, of those products that are on sale.

    A seller's own products that are off sale stand on the dashboard, not in the shop. Raises
    DRF's ValidationError for a parameter that is not of its form.
    """
    number = _page_number(params.get("page") or "1")
    start = (number - 1) * PAGE_SIZE
    wanted = read_filter(params)
    rows = filter_products(products.filter(is_active=True), wanted)
    found = list(rows[start : start + PAGE_SIZE + 1])
    return Sheet(
        products=found[:PAGE_SIZE],
        number=number,
        has_next=len(found) > PAGE_SIZE,
        seller_name=_name_of_user(wanted["seller"]) if "seller" in wanted else "",
    )


def largest_categories() -> list[str]:
    """The categories with most on sale, by name; up to a minute old."""
    return cache.get_or_set("catalogue-categories", _count_categories, CATEGORIES_KEPT) or []


def _page_number(text: str) -> int:
    try:
        return read_page_number(text)
    except ValueError as error:
        raise ValidationError({"page": _("There is no such page.")}) from error


def _name_of_user(user_id: int) -> str:
    user = User.objects.filter(pk=user_id).first()
    return "" if user is None else user.get_username()


def _count_categories() -> list[str]:
    on_sale = Product.objects.filter(is_active=True).exclude(category="").order_by()
    counted = on_sale.values("category").annotate(count=Count("pk")).order_by("-count", "category")
    return sorted(counted.values_list("category", flat=True)[:MAX_CATEGORIES], key=str.casefold)
