"""What somebody is told of their suggestion beside the page, and in which words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.accounts.models import User
from products.suggestions.models import Suggestion
from realtime.api import NotificationKind, notify

SUGGESTION_ANSWERED = NotificationKind(
    name="suggestion-answered", label=gettext_lazy("Answers to your suggestions")
)


def tell_of_answer(suggestion: Suggestion, *, by: User) -> None:
    """Tell the author that their suggestion was answered. Reads the author."""
    if suggestion.author_id == by.pk:
        return

    def say() -> tuple[str, str]:
        title = _("%(name)s answered your suggestion") % {"name": by.get_username()}
        return title, suggestion.title

    url = f"/suggestions/{suggestion.pk}"
    notify(user=suggestion.author, kind=SUGGESTION_ANSWERED.name, say=say, url=url)
