"""Django's entry to the app."""

from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class SecurechatConfig(AppConfig):
    """Secure conversations."""

    name = "securechat"
    verbose_name = _("Secure chat")

    def ready(self) -> None:
        # What follows needs models, which may be imported from here on only.
        from realtime.api import (
            register_channel_kind,
            register_client_message,
            register_notification_kind,
        )
        from securechat import channels, notices, signals, typing_messages
        from securechat.models import Message, Session

        post_save.connect(signals.session_saved, sender=Session)
        post_save.connect(signals.message_saved, sender=Message)
        register_channel_kind(channels.CHAT)
        register_notification_kind(notices.SECURE_CHANNEL)
        register_client_message(typing_messages.Typing, typing_messages.say_typing)
