"""Django's entry to the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RealtimeConfig(AppConfig):
    """The event path."""

    name = "realtime"
    verbose_name = _("Event log")
    default_auto_field = "django.db.models.BigAutoField"
