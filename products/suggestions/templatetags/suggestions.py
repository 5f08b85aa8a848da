"""{% load suggestions %}: the section of a product's page, and times as scripts compare them."""

from datetime import datetime
from typing import Any

from django import template
from django.template.context import RequestContext

from products.models import Product
from products.suggestions.listing import TOP, most_wanted
from products.suggestions.pages import BLANK
from realtime.api import iso_milliseconds

register = template.Library()


@register.filter
def wire_moment(moment: datetime | None) -> str:
    """The time as it stands in events; empty for none."""
    return "" if moment is None else iso_milliseconds(moment)


@register.inclusion_tag("suggestions/_about_product.html", takes_context=True)
def suggestions_about(context: RequestContext, product: Product) -> dict[str, Any]:
    """The few suggestions about the product that most want; nothing for visitors."""
    user = context["request"].user
    return {
        "user": user,
        "product": product,
        "rows": most_wanted(user, product) if user.is_authenticated else [],
        "most": TOP,
        "blank": BLANK,
        "event_position": context.get("event_position"),
    }
