"""Suggestions for the tests."""

from typing import Any

from marketplace.accounts.models import User
from products.models import Product
from products.suggestions.models import Suggestion
from products.suggestions.services import create_suggestion
from realtime.models import OutboxEvent

URL = "/api/suggestions"
BODY: dict[str, Any] = {"title": "Longer hours", "text": "Until ten in the evening."}


def suggest(author: User, product: Product | None = None, **fields: Any) -> Suggestion:
    """A suggestion, about the shop unless a product is given. Its announcement is dropped."""
    product_id = None if product is None else product.pk
    suggestion = create_suggestion(author=author, product_id=product_id, **{**BODY, **fields})
    OutboxEvent.objects.all().delete()
    return suggestion


def votes_of(suggestion: Suggestion) -> tuple[int, int]:
    """The counter, and how many votes there really are."""
    row = Suggestion.objects.get(pk=suggestion.pk)
    return row.votes, row.cast_votes.count()
