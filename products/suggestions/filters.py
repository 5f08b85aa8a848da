"""Which suggestions a list shows, and in which order: what REST and pages take from the query."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from marketplace.accounts.models import User
from marketplace.rest.numbers import WholeNumberField
from marketplace.rest.serializers import InputSerializer
from products.errors import ProductNotFound
from products.models import Product
from products.selectors import visible_products
from products.suggestions.models import Suggestion, SuggestionQuerySet

ORDERINGS = {
    "-createdAt": ("-created_at", "-pk"),
    "-votes": ("-votes", "-created_at", "-pk"),
}


class SuggestionFilter(InputSerializer):
    """The query parameters of a list of suggestions. All of them are optional.

    allow_blank says in the schema what read_filter does before it asks this serializer.
    """

    product = WholeNumberField(min_value=1, required=False, help_text="The product's id.")
    ordering = serializers.ChoiceField(
        list(ORDERINGS), required=False, allow_blank=True, default="-createdAt"
    )


def read_filter(params: QueryDict) -> dict[str, Any]:
    """What the query asks for; a parameter without a value counts as absent.

    Raises DRF's ValidationError for a parameter that is not of its form.
    """
    known = SuggestionFilter().fields
    values = {name: str(value).strip() for name, value in params.items() if name in known}
    return SuggestionFilter(data={name: value for name, value in values.items() if value}).read()


def product_asked_for(wanted: Mapping[str, Any], *, by: User) -> Product | None:
    """The product of which suggestions are asked for; None where it is not about one.

    Raises ProductNotFound for one that this person may not know of.
    """
    if "product" not in wanted:
        return None
    product = visible_products(by).filter(pk=wanted["product"]).first()
    if product is None:
        raise ProductNotFound
    return product


def filter_suggestions(wanted: Mapping[str, Any], *, product: Product | None) -> SuggestionQuerySet:
    """The suggestions that are asked for, whole, ordered so that pages do not overlap.

    wanted: from read_filter; product: from product_asked_for.
    """
    suggestions = Suggestion.objects.whole().order_by(*ORDERINGS[wanted["ordering"]])
    return suggestions if product is None else suggestions.filter(product=product)
