"""What is announced of suggestions: the data and the events."""

from collections.abc import Iterable

from products.suggestions.models import Suggestion
from realtime.api import Event, Fields, iso_milliseconds


class AnswerData(Fields, frozen=True, kw_only=True):
    """What the product's seller, or staff, say to a suggestion."""

    text: str
    by_id: int
    at: str


class SuggestionData(Fields, frozen=True, kw_only=True):
    """A suggestion, as events show it. productId is null where the shop as a whole is meant."""

    id: int
    author_id: int
    author_name: str
    product_id: int | None
    title: str
    text: str
    votes: int
    answer: AnswerData | None
    created_at: str


def suggestion_data(suggestion: Suggestion) -> SuggestionData:
    """The suggestion in its one form for the wire. Load it with whole()."""
    return SuggestionData(
        id=suggestion.pk,
        author_id=suggestion.author_id,
        author_name=suggestion.author.get_username(),
        product_id=suggestion.product_id,
        title=suggestion.title,
        text=suggestion.text,
        votes=suggestion.votes,
        answer=answer_data(suggestion),
        created_at=iso_milliseconds(suggestion.created_at),
    )


def answer_data(suggestion: Suggestion) -> AnswerData | None:
    """What was answered, in its one form for the wire; None where nothing was."""
    by_id, at = suggestion.answered_by_id, suggestion.answered_at
    if by_id is None or at is None:
        return None
    return AnswerData(text=suggestion.answer, by_id=by_id, at=iso_milliseconds(at))


class SuggestionCreated(Event, frozen=True, kw_only=True):
    """Somebody made a suggestion. It has no votes yet."""

    suggestion: SuggestionData

    def audiences(self) -> Iterable[str]:
        return ("suggestions",)


class SuggestionUpdated(Event, frozen=True, kw_only=True):
    """A suggestion was answered, or staff corrected it.

    Not sent for votes, nor for what becomes of the product: a suggestion names it by its id alone.
    """

    suggestion: SuggestionData

    def audiences(self) -> Iterable[str]:
        return ("suggestions",)


class SuggestionVoted(Event, frozen=True, kw_only=True):
    """A suggestion has a vote more, or one fewer. It does not say whose.

    Not sent when somebody votes who has voted already, or withdraws what is not there.
    """

    suggestion_id: int
    votes: int

    def audiences(self) -> Iterable[str]:
        return ("suggestions",)


class VoteChanged(Event, frozen=True, kw_only=True):
    """The user's own vote was cast or withdrawn, after suggestion-voted: for their other pages.

    For that user alone. Not sent when it was so already.
    """

    suggestion_id: int
    voted: bool
