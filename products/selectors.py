"""Which products a person may know of. REST, pages and channels all ask here."""

from django.contrib.auth.models import AnonymousUser

from marketplace.accounts.models import User
from products.models import Product, ProductQuerySet

# So many products stand in the state of the channel "availability", from which the board is made.
SCARCEST = 200


def visible_products(user: User | AnonymousUser) -> ProductQuerySet:
    """What this person may see, with the sellers: all on sale, one's own, for staff everything."""
    products = Product.objects.select_related("seller")
    return products.visible_to(user_id=user.pk, is_staff=user.is_staff)


def off_sale_to(user: User | AnonymousUser) -> list[int]:
    """The ids of what this person hears of although it is not on sale."""
    if user.is_anonymous:
        return []
    hidden = Product.objects.visible_to(user_id=user.pk, is_staff=user.is_staff)
    return list(hidden.filter(is_active=False).order_by("pk").values_list("pk", flat=True))


def scarcest_on_sale() -> ProductQuerySet:
    """What is on sale, the scarcest first; the same for everybody."""
    return Product.objects.filter(is_active=True).order_by("stock", "pk")
