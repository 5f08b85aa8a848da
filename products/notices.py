"""What a seller is told of their products beside the pages, and in which words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace.accounts.models import User
from products.models import Product
from realtime.api import NotificationKind, notify

STOCK_LOW = NotificationKind(
    name="stock-low",
    label=gettext_lazy("Products that run low"),
    concerns=lambda user: user.role == User.Role.SELLER,
)


def tell_of_low_stock(product: Product) -> None:
    """Tell the seller that a product is almost gone. product: with its seller."""

    def say() -> tuple[str, str]:
        if product.stock == 0:
            return _("Sold out: %(title)s") % {"title": product.title}, ""
        left = ngettext("%(count)d is left.", "%(count)d are left.", product.stock)
        return _("Almost gone: %(title)s") % {"title": product.title}, left % {
            "count": product.stock
        }

    notify(user=product.seller, kind=STOCK_LOW.name, say=say, url=f"/products/{product.pk}")
