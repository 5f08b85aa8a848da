"""What can be done with suggestions. Every change is announced in its own transaction."""

from datetime import datetime
from types import EllipsisType

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from products.errors import ProductNotFound
from products.models import Product
from products.selectors import visible_products
from products.suggestions.errors import NotYoursToAnswer, StaleAnswer, SuggestionNotFound
from products.suggestions.events import answer_data
from products.suggestions.models import Suggestion, Vote
from products.suggestions.notices import tell_of_answer
from realtime.api import iso_milliseconds


@transaction.atomic
def create_suggestion(
    *, author: User, title: str, text: str, product_id: int | None = None
) -> Suggestion:
    """Suggest something of one product, or of the shop as a whole.

    Raises ProductNotFound for a product that the author may not know of.
    """
    if product_id is not None:
        _lock_product(product_id, visible_to=author)
    suggestion = Suggestion(author=author, product_id=product_id, title=title, text=text)
    suggestion.save()
    return suggestion


@transaction.atomic
def cast_vote(*, suggestion_id: int, by: User) -> Suggestion:
    """Have the user's vote counted, once. Raises SuggestionNotFound."""
    suggestion = _locked(suggestion_id)
    if not suggestion.cast_votes.filter(user=by).exists():
        Vote(suggestion=suggestion, user=by).save()
    return Suggestion.objects.whole().get(pk=suggestion_id)


@transaction.atomic
def withdraw_vote(*, suggestion_id: int, by: User) -> Suggestion:
    """Have the user's vote counted no more, if there is one. Raises SuggestionNotFound."""
    suggestion = _locked(suggestion_id)
    suggestion.cast_votes.filter(user=by).delete()
    return Suggestion.objects.whole().get(pk=suggestion_id)


@transaction.atomic
def answer_suggestion(
    *, suggestion_id: int, by: User, text: str, answered_at: datetime | EllipsisType | None = ...
) -> Suggestion:
    """Answer a suggestion, in place of the answer that it has. The same one again changes nothing.

    answered_at: when the answer that the caller has read was given, None where there was none;
    left out, it takes the place of whatever is there.
    Raises SuggestionNotFound, NotYoursToAnswer, StaleAnswer.
    """
    suggestion = _locked(suggestion_id)
    _refuse_stranger(suggestion, by=by)
    if (suggestion.answer, suggestion.answered_by_id) != (text, by.pk):
        if answered_at is not ...:
            _refuse_stale(suggestion, answered_at=answered_at)
        suggestion.answer = text
        suggestion.answered_by, suggestion.answered_at = by, timezone.now()
        suggestion.save()
        tell_of_answer(suggestion, by=by)
    return Suggestion.objects.whole().get(pk=suggestion_id)


def require_answerable(*, suggestion_id: int, by: User) -> None:
    """Raises SuggestionNotFound, or NotYoursToAnswer unless this person may answer it."""
    suggestion = Suggestion.objects.filter(pk=suggestion_id).first()
    if suggestion is None:
        raise SuggestionNotFound
    _refuse_stranger(suggestion, by=by)


def _lock_product(product_id: int, *, visible_to: User) -> None:
    """Hold the product as it is: nobody takes it off sale, or deletes it, in between."""
    if visible_products(visible_to).locked().filter(pk=product_id).first() is None:
        raise ProductNotFound


def _locked(suggestion_id: int) -> Suggestion:
    suggestion = Suggestion.objects.locked().filter(pk=suggestion_id).first()
    if suggestion is None:
        raise SuggestionNotFound
    return suggestion


def _refuse_stale(suggestion: Suggestion, *, answered_at: datetime | None) -> None:
    """What the caller has read says the time in milliseconds."""
    present = answer_data(suggestion)
    known = None if answered_at is None else iso_milliseconds(answered_at)
    if known != (None if present is None else present.at):
        raise StaleAnswer(present)


def _refuse_stranger(suggestion: Suggestion, *, by: User) -> None:
    product_id = suggestion.product_id
    is_own = product_id is not None and Product.objects.filter(pk=product_id, seller=by).exists()
    if not is_own and not by.is_staff:
        raise NotYoursToAnswer
