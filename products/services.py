"""What can be done with products. Every change is announced in the transaction that makes it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import IO, Literal, TypedDict

from django.db import IntegrityError, transaction
from django.utils import timezone

from marketplace.accounts.models import User
from products.errors import (
    InsufficientStock,
    NotYourProduct,
    ProductNotFound,
    ProductUnavailable,
    SellersOnly,
    Shortage,
    StaleVersion,
)
from products.images import discard_image, store_image
from products.models import Product
from products.selectors import visible_products

TakenOver = Literal["applied", "unchanged", "stale"]


class ProductFields(TypedDict, total=False):
    """What a seller says of a product."""

    title: str
    description: str
    category: str
    price: Decimal
    currency: str
    kind: str
    stock: int
    max_group_size: int | None
    starts_at: datetime | None
    low_stock_threshold: int
    external_id: str
    image_url: str
    is_active: bool


def require_seller(user: User) -> None:
    """Raises SellersOnly unless the user may offer products."""
    if user.role != User.Role.SELLER:
        raise SellersOnly


def require_own(*, product_id: int, by: User) -> Product:
    """The product as it stands, not locked, for somebody who means to change it.

    Raises ProductNotFound, or NotYourProduct unless it is theirs or they are staff. Every change
    asks again under its lock.
    """
    return _refuse_stranger(visible_products(by).filter(pk=product_id).first(), by=by)


@transaction.atomic
def create_product(*, seller: User, fields: ProductFields) -> Product:
    """Offer a new product. Raises SellersOnly, or ValidationError with all that is wrong."""
    require_seller(seller)
    product = Product(seller=seller, **fields)
    _save_valid(product)
    return product


@transaction.atomic
def update_product(
    *,
    product_id: int,
    by: User,
    changes: ProductFields,
    version: int | None = None,
    stock_version: int | None = None,
) -> Product:
    """Change these fields of a product, on behalf of its seller or staff.

    version: the one that the changes are based on, None to change whatever is there now;
    stock_version: the one that a stock among them is based on, without which none is set.
    Raises ProductNotFound, NotYourProduct, StaleVersion, ValidationError; nothing is changed then.
    """
    product = _lock_own(product_id=product_id, by=by)
    _refuse_stale(product, version=version)
    if "stock" in changes and stock_version != product.stock_version:
        raise StaleVersion(version=product.version, stock_version=product.stock_version)
    for name, value in changes.items():
        setattr(product, name, value)
    _save_valid(product)
    return product


@transaction.atomic
def change_stock(
    *, product_id: int, by: User, change: int, stock_version: int | None = None
) -> Product:
    """Add pieces to a product's stock, or take some out (change below zero).

    stock_version: the one that the change is based on, None to change whatever is there now.
    Raises ProductNotFound, NotYourProduct, StaleVersion, InsufficientStock, ValidationError (more
    seats than a tour's group).
    """
    product = _lock_own(product_id=product_id, by=by)
    _refuse_stale(product, stock_version=stock_version)
    if product.stock + change < 0:
        raise InsufficientStock([Shortage(product.pk, asked=-change, available=product.stock)])
    product.stock += change
    _save_valid(product)
    return product


def set_stock(*, product_id: int, by: User, stock: int, stock_version: int) -> Product:
    """Set a product's stock to what was counted, if nobody changed it since stock_version.

    Raises as update_product does.
    """
    return update_product(
        product_id=product_id, by=by, changes={"stock": stock}, stock_version=stock_version
    )


@transaction.atomic
def take_stock(*, quantities: Mapping[int, int], buyer_id: int) -> dict[int, Product]:
    """Take pieces (one or more) of each product for a buyer: all of them, or none.

    quantities: pieces by product id. Returns the products by id, locked until the caller's
    transaction ends, with their sellers.
    Raises ProductUnavailable, or else InsufficientStock, with every product that it is true of.
    """
    # Locked in key order: two buyers of the same products would deadlock.
    products = {
        product.pk: product for product in Product.objects.locked().filter(pk__in=quantities)
    }
    now = timezone.now()
    unavailable = [
        product_id
        for product_id in quantities
        if product_id not in products or not products[product_id].is_for_sale_to(buyer_id, at=now)
    ]
    if unavailable:
        raise ProductUnavailable(unavailable)
    shortages = [
        Shortage(product_id, asked=quantity, available=products[product_id].stock)
        for product_id, quantity in quantities.items()
        if quantity > products[product_id].stock
    ]
    if shortages:
        raise InsufficientStock(shortages)
    for product in products.values():
        product.stock -= quantities[product.pk]
        product.save()
    return products


@transaction.atomic
def give_back_stock(*, quantities: Mapping[int, int]) -> None:
    """Put pieces back that an order had taken; quantities: pieces by product id.

    A tour whose group was made smaller meanwhile gets no more seats than it has.
    """
    for product in Product.objects.locked().filter(pk__in=quantities):
        product.stock = min(product.stock + quantities[product.pk], product.most_stock)
        product.save()


@transaction.atomic
def take_over_stock(*, product: Product, stock: int, as_of: datetime) -> TakenOver:
    """Have the stock that another system knows, of the moment as_of, if nothing later is known.

    product: locked by the caller; stock: what it may have (see most_stock). A value that is the
    present one changes and announces nothing, but is known of that moment then.
    """
    if as_of <= product.stock_as_of:
        return "stale"
    if stock == product.stock:
        # Silent: this moment is no news to anybody.
        Product.objects.filter(pk=product.pk).update(stock_as_of=as_of)
        return "unchanged"
    product.stock, product.told_as_of = stock, as_of
    product.save()
    product.told_as_of = None
    return "applied"


def set_image(*, product_id: int, by: User, upload: IO[bytes]) -> Product:
    """Give the product a picture: a JPEG, PNG or WebP of at most 5 MB, which is encoded again.

    Raises ProductNotFound, NotYourProduct, ImageTooLarge, InvalidImage.
    """
    require_own(product_id=product_id, by=by)  # before the work of decoding
    # Decoded outside the transaction: nobody waits for a row while pixels are reckoned.
    image_url = store_image(upload)
    try:
        return update_product(product_id=product_id, by=by, changes={"image_url": image_url})
    except Exception:
        # Deleted, or given away, while pixels were reckoned: nobody will ever name the file.
        discard_image(image_url)
        raise


@transaction.atomic
def delete_product(*, product_id: int, by: User, version: int | None = None) -> None:
    """Delete a product, or take it off sale when there are orders or suggestions of it.

    Raises ProductNotFound, NotYourProduct, StaleVersion.
    """
    product = _lock_own(product_id=product_id, by=by)
    _refuse_stale(product, version=version)
    product.delete()


def _lock_own(*, product_id: int, by: User) -> Product:
    product = visible_products(by).locked().filter(pk=product_id).first()
    return _refuse_stranger(product, by=by)


def _refuse_stranger(product: Product | None, *, by: User) -> Product:
    if product is None:
        raise ProductNotFound
    if product.seller_id != by.pk and not by.is_staff:
        raise NotYourProduct
    return product


def _refuse_stale(
    product: Product, *, version: int | None = None, stock_version: int | None = None
) -> None:
    if version not in (None, product.version) or stock_version not in (None, product.stock_version):
        raise StaleVersion(version=product.version, stock_version=product.stock_version)


def _save_valid(product: Product) -> None:
    """Save the product, or raise ValidationError with all that is wrong."""
    _validate(product)
    try:
        with transaction.atomic():
            product.save()
    except IntegrityError:
        # Another transaction may have taken the external id between the look and the write.
        _validate(product)
        raise


def _validate(product: Product) -> None:
    # clean() says the same as the constraints, of which each would ask the database.
    product.full_clean(exclude=["seller"], validate_unique=False, validate_constraints=False)
