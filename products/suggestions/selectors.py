"""What a person is shown of suggestions. REST and pages ask here."""

from collections.abc import Iterable, Set

from msgspec.structs import asdict

from marketplace.accounts.models import User
from products.suggestions.events import SuggestionData, suggestion_data
from products.suggestions.models import Suggestion, Vote


class ShownSuggestion(SuggestionData, frozen=True, kw_only=True):
    """A suggestion, as REST answers show it. voted: whether the one who asks has voted for it."""

    voted: bool


def shown_suggestions(suggestions: Iterable[Suggestion], *, to: User) -> list[ShownSuggestion]:
    """The suggestions as this person is shown them, loaded whole: one query for any number."""
    suggestions = list(suggestions)
    voted = voted_by(to, suggestions)
    return [
        ShownSuggestion(**asdict(suggestion_data(each)), voted=each.pk in voted)
        for each in suggestions
    ]


def voted_by(user: User, suggestions: Iterable[Suggestion]) -> Set[int]:
    """The ids of those of the suggestions that this user has voted for."""
    votes = Vote.objects.filter(user=user, suggestion__in=[each.pk for each in suggestions])
    return set(votes.values_list("suggestion_id", flat=True))
