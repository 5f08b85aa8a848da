"""Django's entry to the app."""

from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    """Orders and their steps."""

    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        # What follows needs models, which may be imported from here on only.
        from orders import channels, notices, signals
        from orders.models import Order, OrderStep
        from realtime.api import register_channel_kind, register_notification_kind

        post_save.connect(signals.order_saved, sender=Order)
        post_save.connect(signals.step_saved, sender=OrderStep)
        register_channel_kind(channels.ORDER)
        for kind in (notices.NEW_ORDER, notices.ORDER_STATUS):
            register_notification_kind(kind)
