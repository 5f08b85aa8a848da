"""Which products a list shows, and in which order: what REST and pages take from the query."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.http import QueryDict
from rest_framework import serializers

from marketplace.rest.numbers import MoneyField, WholeNumberField
from marketplace.rest.serializers import InputSerializer
from products.models import Product, ProductQuerySet

ORDERINGS = {
    "createdAt": ("created_at", "pk"),
    "-createdAt": ("-created_at", "-pk"),
    "updatedAt": ("updated_at", "pk"),
    "-updatedAt": ("-updated_at", "-pk"),
    "price": ("price", "pk"),
    "-price": ("-price", "-pk"),
    "stock": ("stock", "pk"),
    "-stock": ("-stock", "-pk"),
    "title": ("title", "pk"),
    "-title": ("-title", "-pk"),
}


class ProductFilter(InputSerializer):
    """The query parameters of a list of products. All of them are optional.

    allow_blank says in the schema what asked_for does before it asks this serializer.
    """

    search = serializers.CharField(
        max_length=100,
        required=False,
        allow_blank=True,
        help_text="Words, each of which stands in the title, the description or the category.",
    )
    category = serializers.CharField(max_length=60, required=False, allow_blank=True)
    seller = WholeNumberField(min_value=1, required=False, help_text="The seller's id.")
    kind = serializers.ChoiceField(Product.Kind.choices, required=False, allow_blank=True)
    min_price = MoneyField(required=False)
    max_price = MoneyField(required=False)
    in_stock = serializers.BooleanField(
        required=False, help_text="true: only what is left; false: only what is not."
    )
    ordering = serializers.ChoiceField(
        list(ORDERINGS), required=False, allow_blank=True, default="-createdAt"
    )


def asked_for(params: QueryDict) -> dict[str, str]:
    """The parameters of ProductFilter that have a value, by their names on the wire.

    One without a value, or with blanks alone, counts as absent, as a browser sends an empty field.
    """
    known = ProductFilter().fields
    values = {name: str(value).strip() for name, value in params.items() if name in known}
    return {name: value for name, value in values.items() if value}


def read_filter(params: QueryDict) -> dict[str, Any]:
    """What the query asks for, by the names of ProductFilter's declaration.

    Raises DRF's ValidationError for a parameter that is not of its form.
    """
    return ProductFilter(data=asked_for(params)).read()


def filter_products(products: ProductQuerySet, wanted: Mapping[str, Any]) -> ProductQuerySet:
    """Those of the products that are asked for, ordered so that pages do not overlap.

    wanted: from read_filter.
    """
    conditions = {
        "category": Q(category=wanted.get("category")),
        "seller": Q(seller_id=wanted.get("seller")),
        "kind": Q(kind=wanted.get("kind")),
        "min_price": Q(price__gte=wanted.get("min_price")),
        "max_price": Q(price__lte=wanted.get("max_price")),
        "in_stock": Q(stock__gt=0) if wanted.get("in_stock") else Q(stock=0),
    }
    for name, condition in conditions.items():
        if name in wanted:
            products = products.filter(condition)
    for word in wanted.get("search", "").split():
        products = products.filter(
            Q(title__icontains=word) | Q(description__icontains=word) | Q(category__icontains=word)
        )
    return products.order_by(*ORDERINGS[wanted["ordering"]])
