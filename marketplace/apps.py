"""Django's entry to the composition root: here the apps that know nothing of one another meet."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MarketplaceConfig(AppConfig):
    """Templates and static files of the whole site, and what concerns several apps at once."""

    name = "marketplace"
    label = "marketplace"
    verbose_name = _("Marketplace")

    def ready(self) -> None:
        # What follows needs models, which may be imported from here on only.
        from prometheus_client import REGISTRY

        from marketplace import streams
        from marketplace.accounts.signals import login_ended, user_changed
        from marketplace.dashboards.operations import METRICS, ShopCollector
        from marketplace.rest import schema  # noqa: F401 registers itself
        from orders.models import Order
        from realtime.api import register_authenticator, register_channel_kind
        from securechat.introductions import register_introduction

        register_authenticator(streams.StreamLogins())
        login_ended.connect(streams.login_has_ended)
        user_changed.connect(streams.user_has_changed)
        register_channel_kind(METRICS)
        REGISTRY.register(ShopCollector())
        register_introduction(
            lambda buyer_id, seller_id: Order.objects.filter(
                buyer_id=buyer_id, seller_id=seller_id
            ).exists()
        )
