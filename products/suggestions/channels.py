"""The channel of all suggestions: for everybody with a login."""

from products.suggestions.events import SuggestionData, suggestion_data
from products.suggestions.models import Suggestion
from realtime.api import ChannelKind

NEWEST = 50


def newest_suggestions() -> list[SuggestionData]:
    """The newest suggestions, as events show them: the same for everybody."""
    rows = Suggestion.objects.whole().newest_first()[:NEWEST]
    return [suggestion_data(suggestion) for suggestion in rows]


SUGGESTIONS = ChannelKind(
    name="suggestions",
    id_form="none",
    public=False,
    may_listen=lambda listener, _id: listener.user_id is not None,
    state=lambda _listener, _id: newest_suggestions(),
)
