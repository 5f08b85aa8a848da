"""{% load basket %}: the basket, on every page of those who may order."""

from typing import Any

from django import template
from django.template.context import RequestContext

from marketplace.accounts.models import User

register = template.Library()


@register.inclusion_tag("orders/_basket.html", takes_context=True)
def basket(context: RequestContext) -> dict[str, Any]:
    """The drawer, with the address that the buyer has stored; nothing for sellers.

    What is in it only the browser knows: orders/static/orders/basket.js.
    """
    user = context["request"].user
    is_nobody = not user.is_authenticated
    return {
        "request": context["request"],
        "is_nobody": is_nobody,
        "may_order": is_nobody or user.role == User.Role.BUYER,
        "address": {} if is_nobody else user.shipping_address or {},
    }
