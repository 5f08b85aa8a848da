"""What the pages show of suggestions: rows, and which products they may name."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from marketplace.accounts.models import User
from marketplace.rest.numbers import NumberedPage, read_page_number
from products.models import Product
from products.selectors import visible_products
from products.suggestions.errors import SuggestionNotFound
from products.suggestions.filters import filter_suggestions, product_asked_for, read_filter
from products.suggestions.models import Suggestion
from products.suggestions.selectors import voted_by

PAGE_SIZE = 20
# So many of the newest products on sale a page can name when a suggestion about one arrives:
# events say which product by its id alone.
NAMED = 200
TOP = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One suggestion as a page shows it to somebody.

    product: None also where this person may not know of it; voted, may_answer: this person.
    """

    suggestion: Suggestion
    product: Product | None
    voted: bool
    may_answer: bool


@dataclass(frozen=True, slots=True)
class Sheet(NumberedPage):
    """One page of suggestions; product: of which they are asked for; number: from 1."""

    rows: list[Row]
    product: Product | None
    ordering: str
    number: int
    has_next: bool


def read_sheet(user: User, *, params: QueryDict) -> Sheet:
    """The page that the query asks for.

    Raises DRF's ValidationError for a parameter that is not of its form, ProductNotFound.
    """
    try:
        number = read_page_number(params.get("page") or "1")
    except ValueError as error:
        raise ValidationError({"page": _("There is no such page.")}) from error
    wanted = read_filter(params)
    product = product_asked_for(wanted, by=user)
    start = (number - 1) * PAGE_SIZE
    found = filter_suggestions(wanted, product=product)[start : start + PAGE_SIZE + 1]
    suggestions = list(found)
    return Sheet(
        rows=rows_for(user, suggestions[:PAGE_SIZE]),
        product=product,
        ordering=wanted["ordering"],
        number=number,
        has_next=len(suggestions) > PAGE_SIZE,
    )


def read_one(user: User, *, suggestion_id: int) -> Sheet:
    """One suggestion alone. Raises SuggestionNotFound."""
    rows = rows_for(user, Suggestion.objects.whole().filter(pk=suggestion_id))
    if not rows:
        raise SuggestionNotFound
    return Sheet(rows, product=None, ordering="-createdAt", number=1, has_next=False)


def most_wanted(user: User, product: Product) -> list[Row]:
    """The few suggestions about the product that most want."""
    wanted = {"ordering": "-votes"}
    return rows_for(user, filter_suggestions(wanted, product=product)[:TOP])


def rows_for(user: User, suggestions: Iterable[Suggestion]) -> list[Row]:
    """The suggestions as a page shows them to this person: two queries for any number."""
    suggestions = list(suggestions)
    voted = voted_by(user, suggestions)
    products = visible_products(user).in_bulk(
        {each.product_id for each in suggestions if each.product_id is not None}
    )
    return [_row(each, products, user=user, voted=each.pk in voted) for each in suggestions]


def _row(suggestion: Suggestion, products: dict[int, Product], *, user: User, voted: bool) -> Row:
    product = products.get(suggestion.product_id or 0)
    is_own = product is not None and product.seller_id == user.pk
    return Row(suggestion, product, voted=voted, may_answer=user.is_staff or is_own)


def named_products(user: User, sheet: Sheet) -> dict[int, dict[str, object]]:
    """Title and seller of the products that a page can name: those on it, and the newest."""
    fields = ("pk", "title", "seller_id")
    newest = visible_products(user).values_list(*fields)[:NAMED]
    shown = [row.product for row in sheet.rows] + [sheet.product]
    known = [*newest, *((each.pk, each.title, each.seller_id) for each in shown if each)]
    return {pk: {"title": title, "sellerId": seller_id} for pk, title, seller_id in known}
