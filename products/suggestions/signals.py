"""Receivers: what was written of a suggestion becomes the events that tell of it."""

from products.suggestions.events import (
    SuggestionCreated,
    SuggestionUpdated,
    SuggestionVoted,
    VoteChanged,
    suggestion_data,
)
from products.suggestions.models import Suggestion, Vote
from realtime.api import publish


def suggestion_saved(*, instance: Suggestion, created: bool, raw: bool, **_: object) -> None:
    """A suggestion was made, answered or corrected."""
    if raw:
        return
    data = suggestion_data(Suggestion.objects.whole().get(pk=instance.pk))
    publish(SuggestionCreated(suggestion=data) if created else SuggestionUpdated(suggestion=data))


def vote_saved(*, instance: Vote, raw: bool, **_: object) -> None:
    """A vote was cast, and counted."""
    if not raw:
        _announce(instance, voted=True)


def vote_deleted(*, instance: Vote, **_: object) -> None:
    """A vote was withdrawn, and counted."""
    _announce(instance, voted=False)


def _announce(vote: Vote, *, voted: bool) -> None:
    suggestion_id = vote.suggestion_id
    publish(SuggestionVoted(suggestion_id=suggestion_id, votes=vote.suggestion.votes))
    own = VoteChanged(suggestion_id=suggestion_id, voted=voted)
    publish(own, audiences=[f"user.{vote.user_id}"])
