"""What the two of a conversation are told beside its page. Never anything of what they write."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.accounts.models import User
from realtime.api import NotificationKind, notify
from securechat.models import Session

SECURE_CHANNEL = NotificationKind(
    name="secure-channel", label=gettext_lazy("Secure channels opened with you")
)


def tell_of_channel(session: Session, *, by: User) -> None:
    """Tell the other one that a channel was opened, or opened again. session: loaded whole."""
    other = session.seller if by.pk == session.buyer_id else session.buyer

    def say() -> tuple[str, str]:
        title = _("%(name)s opened a secure channel with you") % {"name": by.get_username()}
        return title, _("About %(product)s") % {"product": session.product.title}

    notify(user=other, kind=SECURE_CHANNEL.name, say=say, url=f"/chat/{session.pk}")
