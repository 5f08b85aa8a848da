"""Django's entry to the app."""

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _


class SuggestionsConfig(AppConfig):
    """Suggestions, their votes and answers."""

    name = "products.suggestions"
    label = "suggestions"
    verbose_name = _("Suggestions")

    def ready(self) -> None:
        # What follows needs models, which may be imported from here on only.
        from products.suggestions import channels, notices, signals
        from products.suggestions.models import Suggestion, Vote
        from realtime.api import register_channel_kind, register_notification_kind

        post_save.connect(signals.suggestion_saved, sender=Suggestion)
        post_save.connect(signals.vote_saved, sender=Vote)
        post_delete.connect(signals.vote_deleted, sender=Vote)
        register_channel_kind(channels.SUGGESTIONS)
        register_notification_kind(notices.SUGGESTION_ANSWERED)
