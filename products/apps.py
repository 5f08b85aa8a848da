"""Django's entry to the app."""

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _


class ProductsConfig(AppConfig):
    """Products and their stock."""

    name = "products"
    verbose_name = _("Products")

    def ready(self) -> None:
        # What follows needs models, which may be imported from here on only.
        from products import channels, notices, schema, signals  # noqa: F401 schema registers itself
        from products.models import Product
        from realtime.api import register_channel_kind, register_notification_kind

        post_save.connect(signals.product_saved, sender=Product)
        post_delete.connect(signals.product_deleted, sender=Product)
        post_save.connect(signals.picture_left, sender=Product)
        post_delete.connect(signals.picture_left, sender=Product)
        for kind in (channels.PRODUCT, channels.AVAILABILITY, channels.CATALOGUE):
            register_channel_kind(kind)
        register_notification_kind(notices.STOCK_LOW)
