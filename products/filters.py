"""Which products a list shows, and in which order: what REST and pages take from the query."""

from decimal import Decimal

from django.db.models import Q
from django.http import QueryDict
from rest_framework import serializers

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
    """The query parameters of a list of products. All of them are optional."""

    search = serializers.CharField(
        max_length=100,
        required=False,
        help_text="Words, each of which stands in the title, the description or the category.",
    )
    category = serializers.CharField(max_length=60, required=False)
    seller = serializers.IntegerField(min_value=1, required=False, help_text="The seller's id.")
    kind = serializers.ChoiceField(Product.Kind.choices, required=False)
    min_price = serializers.DecimalField(
        max_digits=12, decimal_places=2, min_value=Decimal(0), required=False
    )
    max_price = serializers.DecimalField(
        max_digits=12, decimal_places=2, min_value=Decimal(0), required=False
    )
    in_stock = serializers.BooleanField(
        required=False, help_text="true: only what is left; false: only what is not."
    )
    ordering = serializers.ChoiceField(list(ORDERINGS), required=False, default="-createdAt")


def filter_products(products: ProductQuerySet, params: QueryDict) -> ProductQuerySet:
    """Those of the products that the query asks for, ordered so that pages do not overlap.

    A parameter without a value counts as absent, as a browser sends an empty field. Raises DRF's
    ValidationError for one that is not of its form.
    """
    known = ProductFilter().fields
    query = ProductFilter(
        data={name: value for name, value in params.items() if name in known and value}
    )
    query.is_valid(raise_exception=True)
    wanted = query.validated_data
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
