"""Django's entry to the app."""

from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    """The event path."""

    name = "realtime"
    default_auto_field = "django.db.models.BigAutoField"
