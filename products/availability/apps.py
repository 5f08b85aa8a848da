"""Django's entry to the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AvailabilityConfig(AppConfig):
    """How much is left, and the bridge by which other systems tell and hear it."""

    name = "products.availability"
    verbose_name = _("Availability")
