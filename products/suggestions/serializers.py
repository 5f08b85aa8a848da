"""What clients send of suggestions, and what they are shown."""

from rest_framework import serializers

from marketplace.rest.numbers import WholeNumberField
from marketplace.rest.serializers import InputSerializer, StructSerializer
from products.suggestions.events import AnswerData
from products.suggestions.models import MAX_TEXT, MAX_TITLE
from products.suggestions.selectors import ShownSuggestion


class SuggestionSerializer(StructSerializer):
    """A suggestion; its instance is what selectors.shown_suggestions() made of it."""

    struct = ShownSuggestion

    @staticmethod
    def build(suggestion: ShownSuggestion) -> ShownSuggestion:
        """The suggestion itself: whether it is voted for depends on who asks."""
        return suggestion


class SuggestionInput(InputSerializer):
    """A new suggestion."""

    representation = ShownSuggestion

    product_id = WholeNumberField(
        allow_null=True, required=False, help_text="Null or absent: the shop as a whole."
    )
    title = serializers.CharField(max_length=MAX_TITLE)
    text = serializers.CharField(max_length=MAX_TEXT)


class VoteInput(InputSerializer):
    """Nothing: the address says for what one votes, and the login who."""

    representation = ShownSuggestion


class AnswerInput(InputSerializer):
    """What is said to a suggestion."""

    representation = AnswerData

    text = serializers.CharField(max_length=MAX_TEXT)
    answered_at = serializers.DateTimeField(
        allow_null=True,
        required=False,
        help_text="`at` of the answer that this one replaces, null for none, to have it checked.",
    )
