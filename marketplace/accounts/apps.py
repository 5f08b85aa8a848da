"""Django's entry to the app."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import pre_delete
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Users and their logins."""

    name = "marketplace.accounts"
    label = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        # What follows needs models, which may be imported from here on only.
        from marketplace.accounts import receivers, schema  # noqa: F401 registers itself
        from marketplace.accounts.models import Login

        user_logged_in.connect(receivers.session_logged_in)
        user_logged_out.connect(receivers.session_logged_out)
        pre_delete.connect(receivers.login_is_deleted, sender=Login)
