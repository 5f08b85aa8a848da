"""The channels of products: who may listen, and what they find there."""

from products.events import AvailabilityData, ProductData, availability_data, product_data
from products.models import Product, ProductQuerySet
from products.selectors import SCARCEST, scarcest_on_sale
from realtime.api import ChannelKind, Fields, Listener


class AvailabilityState(Fields, frozen=True, kw_only=True):
    """The present state of `availability`: the scarcest products on sale, and how many are."""

    products: list[AvailabilityData]
    total: int


PRODUCT = ChannelKind(
    name="product",
    id_form="integer",
    public=True,
    may_listen=lambda listener, product_id: _named(listener, product_id).exists(),
    state=lambda listener, product_id: product_state(listener, product_id),
)
AVAILABILITY = ChannelKind(
    name="availability",
    id_form="none",
    public=True,
    may_listen=lambda _listener, _id: True,
    state=lambda _listener, _id: availability_state(),
)
CATALOGUE = ChannelKind(
    name="catalogue",
    id_form="none",
    public=True,
    may_listen=lambda _listener, _id: True,
    state=lambda _listener, _id: None,
)


def product_state(listener: Listener, product_id: str) -> ProductData | None:
    """The product itself; None when it is gone."""
    product = _named(listener, product_id).select_related("seller").first()
    return None if product is None else product_data(product)


def availability_state() -> AvailabilityState:
    """What the availability board starts from; the same for everybody, as its events are."""
    products = scarcest_on_sale()
    return AvailabilityState(
        products=[availability_data(product) for product in products[:SCARCEST]],
        total=products.count(),
    )


def _named(listener: Listener, product_id: str) -> ProductQuerySet:
    products = Product.objects.visible_to(user_id=listener.user_id, is_staff=listener.is_staff)
    return products.filter(pk=int(product_id))
