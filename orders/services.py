"""What can be done with orders. Every change is announced in the transaction that makes it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.addresses import validate_address
from marketplace.accounts.models import User
from orders.cart import CartLine, needs_address, one_line, parcels, refusals, total_quantities
from orders.errors import (
    AddressRequired,
    BuyersOnly,
    CartRefused,
    IllegalTransition,
    NotYourStep,
    OrderNotFound,
    TotalTooLarge,
)
from orders.models import MAX_TOTAL, Order, OrderLine, OrderStep
from orders.notices import tell_of_new_order, tell_of_step
from orders.selectors import orders_visible_to
from orders.transitions import PARTIES, Party, is_allowed, is_ever_allowed
from products.models import Product
from products.services import give_back_stock, take_stock

Address = Mapping[str, Any]


def require_buyer(user: User) -> None:
    """Raises BuyersOnly unless the user may place orders."""
    if user.role != User.Role.BUYER:
        raise BuyersOnly


@transaction.atomic
def place_orders(
    *,
    buyer: User,
    lines: Sequence[CartLine],
    shipping_address: Address | None = None,
    note: str = "",
) -> list[Order]:
    """Order all lines (one or more), or nothing: one order for each seller and currency.

    shipping_address: as accounts stores it; None for the buyer's own, which only orders with goods
    get. note: at most MAX_NOTE characters. Returns the orders, loaded whole.
    Raises BuyersOnly, CartRefused with every line that cannot be had, AddressRequired,
    TotalTooLarge, ValidationError for an address of another form.
    """
    require_buyer(buyer)
    quantities = total_quantities(lines)
    # Locked in key order before anything is looked at: what is said here is true at the commit.
    present = {
        product.pk: product for product in Product.objects.locked().filter(pk__in=quantities)
    }
    refused = refusals(lines, products=present, buyer_id=buyer.pk, at=timezone.now())
    if refused:
        raise CartRefused(refused)
    if shipping_address is None and needs_address(present.values()):
        _refuse_without_address(buyer)
    products = take_stock(quantities=quantities, buyer_id=buyer.pk)
    placed = []
    for parcel in parcels(products[product_id] for product_id in quantities):
        address = shipping_address
        if address is None and needs_address(parcel):
            address = buyer.shipping_address
        placed.append(_write_order(buyer, parcel, quantities, address=address, note=note))
    orders = list(Order.objects.whole().filter(pk__in=placed).order_by("pk"))
    for order in orders:
        tell_of_new_order(order)
    return orders


@transaction.atomic
def transition_order(*, order_id: int, to: Order.Status, by: User, reason: str = "") -> Order:
    """Bring an order to another status, on behalf of its buyer, its seller or staff.

    reason: at most MAX_REASON characters. Cancelling gives the stock back. Returns the order,
    loaded whole. Raises OrderNotFound, NotYourStep, IllegalTransition.
    """
    order = orders_visible_to(by).locked().filter(pk=order_id).first()
    if order is None:
        raise OrderNotFound
    parties = parties_of(order, by)
    if not is_ever_allowed(parties, to=to):
        raise NotYourStep
    before = Order.Status(order.status)
    if not is_allowed(parties, status=before, to=to):
        raise IllegalTransition(present=before)
    if to == Order.Status.CANCELLED:
        give_back_stock(quantities=dict(order.lines.values_list("product_id", "quantity")))
    now = timezone.now()
    # Silent, and past the guard of save(): the step below announces the order.
    Order.objects.filter(pk=order.pk).update(status=to, version=order.version + 1, updated_at=now)
    OrderStep(order=order, from_status=before, to_status=to, by=by, at=now, reason=reason).save()
    order = Order.objects.whole().get(pk=order.pk)
    tell_of_step(order, by=by)
    return order


def parties_of(order: Order, user: User) -> tuple[Party, ...]:
    """As whom this user may take the order's steps; staff act for either side."""
    if user.is_staff:
        return PARTIES
    return tuple(
        party
        for party, user_id in zip(PARTIES, (order.buyer_id, order.seller_id), strict=True)
        if user_id == user.pk
    )


def _refuse_without_address(buyer: User) -> None:
    if not buyer.shipping_address:
        raise AddressRequired
    validate_address(buyer.shipping_address)


def _write_order(
    buyer: User,
    parcel: Sequence[Product],
    quantities: Mapping[int, int],
    *,
    address: Address | None,
    note: str,
) -> int:
    """Write the order of one seller's products, announce it, and return its id."""
    total = sum(product.price * quantities[product.pk] for product in parcel)
    if total > MAX_TOTAL:
        raise TotalTooLarge
    order = Order(
        buyer=buyer,
        seller=parcel[0].seller,
        total=total,
        currency=parcel[0].currency,
        shipping_address=address,
        note=note,
    )
    order.updated_at = order.created_at
    # Silent, and past save(): the order is announced whole, by its first step.
    Order.objects.bulk_create([order])
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            product=product,
            title=one_line(product.title),
            quantity=quantities[product.pk],
            unit_price=product.price,
        )
        for product in parcel
    )
    OrderStep(order=order, to_status=order.status, by=buyer, at=order.created_at).save()
    return order.pk
