"""Django's entry to the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImportsConfig(AppConfig):
    """Imports of catalogues, and what became of each."""

    name = "products.imports"
    label = "imports"
    verbose_name = _("Imports")

    def ready(self) -> None:
        # What follows needs models, which may be imported from here on only.
        from products.imports import channels, notices
        from realtime.api import register_channel_kind, register_notification_kind

        register_channel_kind(channels.IMPORT)
        register_notification_kind(notices.IMPORT_FINISHED)
