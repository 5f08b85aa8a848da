"""{% load products %}: filters of the catalogue, and what scripts know of a product."""

from typing import Any

import msgspec
from django import template
from django.template.context import RequestContext

from products.events import product_data
from products.models import Product

register = template.Library()


@register.filter
def wire_form(product: Product) -> str:
    """The product as JSON, as its events show it but for the description, for data-product."""
    # A page of long descriptions would weigh more than all else on it.
    data = msgspec.to_builtins(product_data(product))
    del data["description"]
    return msgspec.json.encode(data).decode()


@register.inclusion_tag("products/_chip.html", takes_context=True)
def filter_chip(context: RequestContext, name: str, value: str, label: str) -> dict[str, Any]:
    """A filter of the catalogue as a link that sets it, or takes it off where it is set."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    is_current = query.get(name) == value
    if is_current:
        del query[name]
    else:
        query[name] = value
    return {"href": f"?{query.urlencode()}", "label": label, "is_current": is_current}
