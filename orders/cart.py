"""What somebody wants to buy, and whether it can be had: no I/O here."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from marketplace.rest.errors import ErrorItem
from products.models import Product

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLine:
    """Pieces (one or more) of a product; unit_price: what the buyer was shown, if they say so."""

    product_id: int
    quantity: int
    unit_price: Decimal | None = None


def total_quantities(lines: Sequence[CartLine]) -> dict[int, int]:
    """The pieces by product id, those of all lines summed, in the order of the lines."""
    quantities: dict[int, int] = {}
    for line in lines:
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    return quantities


def refusals(
    lines: Sequence[CartLine], *, products: Mapping[int, Product], buyer_id: int, at: datetime
) -> list[ErrorItem]:
    """Every reason why these lines cannot be had, by line; none if they can.

    products: the present rows by id, as many as exist.
    """
    quantities = total_quantities(lines)
    return [
        item
        for number, line in enumerate(lines)
        for item in _refusals_of_line(
            line,
            attr=f"lines.{number}",
            product=products.get(line.product_id),
            asked=quantities[line.product_id],
            buyer_id=buyer_id,
            at=at,
        )
    ]


def _refusals_of_line(
    line: CartLine,
    *,
    attr: str,
    product: Product | None,
    asked: int,
    buyer_id: int,
    at: datetime,
) -> Iterator[ErrorItem]:
    """Why this line cannot be had; asked: the pieces of its product in the whole cart."""
    if product is None or not product.is_for_sale_to(buyer_id, at=at):
        yield ErrorItem(
            code="product_unavailable",
            detail=_("This product cannot be bought."),
            attr=attr,
            extra={"product_id": line.product_id, "available": 0},
        )
        return
    if asked > product.stock:
        left = ngettext("Only %(left)d is left.", "Only %(left)d are left.", product.stock)
        yield ErrorItem(
            code="insufficient_stock",
            detail=left % {"left": product.stock},
            attr=attr,
            extra={"product_id": product.pk, "available": product.stock},
        )
    if line.unit_price is not None and line.unit_price != product.price:
        yield ErrorItem(
            code="price_changed",
            detail=_("The price is another one now."),
            attr=attr,
            extra={"product_id": product.pk, "unit_price": f"{product.price:.2f}"},
        )


def needs_address(products: Collection[Product]) -> bool:
    """Whether there are goods among them, which must be sent somewhere."""
    return any(product.kind == Product.Kind.GOODS for product in products)


def parcels(products: Iterable[Product]) -> list[list[Product]]:
    """The products by seller and currency, each of which becomes one order."""
    by_order: dict[tuple[int, str], list[Product]] = {}
    for product in products:
        by_order.setdefault((product.seller_id, product.currency), []).append(product)
    return list(by_order.values())


def one_line(title: str) -> str:
    """The title as an order keeps it, with blanks in place of control characters.

    JSON writes such a character in six bytes: without them a hundred lines with the longest
    titles stay under the 128 KiB that an event may have.
    """
    return _CONTROL_CHARACTERS.sub(" ", title)
