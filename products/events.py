"""What is announced of products: the data, the events, and which change makes which event."""

from collections.abc import Iterable
from typing import Literal, Self

from msgspec.structs import asdict

from products.availability.levels import Level
from products.models import Product
from realtime.api import Event, Fields, iso_milliseconds


class ProductData(Fields, frozen=True, kw_only=True):
    """A product, as REST answers and events show it. Money is a string with two decimals."""

    id: int
    seller_id: int
    seller_name: str
    title: str
    description: str
    category: str
    price: str
    currency: str
    kind: Literal["goods", "tour"]
    stock: int
    stock_version: int
    max_group_size: int | None
    starts_at: str | None
    low_stock_threshold: int
    level: Level
    external_id: str
    image_url: str
    is_active: bool
    version: int
    created_at: str
    updated_at: str


def product_data(product: Product) -> ProductData:
    """The product in its one form for the wire. Reads the seller: select it with the product."""
    return ProductData(
        id=product.pk,
        seller_id=product.seller_id,
        seller_name=product.seller.get_username(),
        title=product.title,
        description=product.description,
        category=product.category,
        price=f"{product.price:.2f}",
        currency=product.currency,
        kind="tour" if product.kind == Product.Kind.TOUR else "goods",
        stock=product.stock,
        stock_version=product.stock_version,
        max_group_size=product.max_group_size,
        starts_at=None if product.starts_at is None else iso_milliseconds(product.starts_at),
        low_stock_threshold=product.low_stock_threshold,
        level=product.level,
        external_id=product.external_id,
        image_url=product.image_url,
        is_active=product.is_active,
        version=product.version,
        created_at=iso_milliseconds(product.created_at),
        updated_at=iso_milliseconds(product.updated_at),
    )


class AvailabilityData(Fields, frozen=True, kw_only=True):
    """How much of a product is left; of a tour, the free seats."""

    product_id: int
    title: str
    kind: Literal["goods", "tour"]
    stock: int
    stock_version: int
    level: Level
    low_stock_threshold: int
    max_group_size: int | None


def availability_data(product: Product) -> AvailabilityData:
    """What the availability board shows of the product."""
    return AvailabilityData(
        product_id=product.pk,
        title=product.title,
        kind="tour" if product.kind == Product.Kind.TOUR else "goods",
        stock=product.stock,
        stock_version=product.stock_version,
        level=product.level,
        low_stock_threshold=product.low_stock_threshold,
        max_group_size=product.max_group_size,
    )


class ProductCreated(Event, frozen=True, kw_only=True):
    """A product became visible: it is new, or it came back on sale.

    Of a new product that is not on sale only its seller and staff hear.
    """

    product: ProductData

    def audiences(self) -> Iterable[str]:
        circle = _seller_and_staff(self.product.seller_id)
        return ("catalogue", "buyers", *circle) if self.product.is_active else circle


class ProductUpdated(Event, frozen=True, kw_only=True):
    """A product changed in a field other than stock, level and stockVersion.

    Not sent for a change of stock alone, nor when it comes back on sale (product-created tells
    all of it). Of a product that is not on sale only its seller and staff hear: so they learn,
    after product-deleted, how a product stands that went off sale.
    """

    product: ProductData

    def audiences(self) -> Iterable[str]:
        if self.product.is_active:
            return ("catalogue", "all", f"product.{self.product.id}")
        return _seller_and_staff(self.product.seller_id)


class OfProduct(Fields, frozen=True, kw_only=True, dict=True):
    """Knows, beside its fields and off the wire, whose product it is and whether it is on sale.

    The audience depends on both, and neither stands in these events' data.
    """

    def of(self, product: Product) -> Self:
        """This event, addressed to those who may know of the product."""
        self.__dict__.update(seller_id=product.seller_id, on_sale=product.is_active)
        return self

    @property
    def circle(self) -> tuple[str, str]:
        """Those who hear of the product in any case."""
        return _seller_and_staff(self.__dict__["seller_id"])

    def on_sale_to(self, *audiences: str) -> Iterable[str]:
        """These audiences while the product is on sale, else the circle alone."""
        return audiences if self.__dict__["on_sale"] else self.circle


class ProductDeleted(OfProduct, Event, frozen=True, kw_only=True):
    """A product was deleted or taken off sale.

    Of one that was off sale before it was deleted only its seller and staff hear. Not sent when
    a product with orders or suggestions is deleted that is off sale already: it stays as it is.
    """

    product_id: int

    def audiences(self) -> Iterable[str]:
        return self.on_sale_to("catalogue", "all", f"product.{self.product_id}")


class AvailabilityUpdated(AvailabilityData, OfProduct, Event, frozen=True, kw_only=True):
    """The stock of a product changed. Not sent when it is created, nor for another threshold."""

    def audiences(self) -> Iterable[str]:
        return self.on_sale_to("availability", f"product.{self.product_id}", *self.circle)


class AvailabilityLow(AvailabilityData, OfProduct, Event, frozen=True, kw_only=True):
    """The stock of a product fell to its lowStockThreshold or under it, after availability-updated.

    Sent once, until the stock has been above the threshold again. Not sent when the threshold
    rises over a stock that did not fall: whoever sets it sees the level in product-updated.
    """

    def audiences(self) -> Iterable[str]:
        return self.on_sale_to("availability", f"product.{self.product_id}", *self.circle, "all")


def announcements(*, before: Product | None, after: Product | None) -> list[Event]:
    """What is told of a change of one row: before is None for a new one, after for a deleted one.

    Both are the row as it stood under the change's lock, seller included.
    """
    if after is None:
        return [] if before is None else [_deleted(before)]
    if before is None:
        return [ProductCreated(product=product_data(after))]
    return [*_of_its_fields(before, after), *_of_its_stock(before, after)]


def _of_its_fields(before: Product, after: Product) -> list[Event]:
    if before.version == after.version:
        return []
    if after.is_active and not before.is_active:
        return [ProductCreated(product=product_data(after))]
    updated = ProductUpdated(product=product_data(after))
    if before.is_active and not after.is_active:
        # To everybody it is gone; its seller and staff hear next that it is still there.
        return [_deleted(before), updated]
    return [updated]


def _of_its_stock(before: Product, after: Product) -> list[Event]:
    if before.stock == after.stock:
        return []
    data = asdict(availability_data(after))
    events: list[Event] = [AvailabilityUpdated(**data).of(after)]
    was_above = before.stock > before.low_stock_threshold
    if was_above and after.stock < before.stock and after.stock <= after.low_stock_threshold:
        events.append(AvailabilityLow(**data).of(after))
    return events


def _deleted(before: Product) -> ProductDeleted:
    return ProductDeleted(product_id=before.pk).of(before)


def _seller_and_staff(seller_id: int) -> tuple[str, str]:
    return f"user.{seller_id}", "staff"
