"""The availability board: what stands on it. static/products/board.js knows the same rules."""

from dataclasses import dataclass

from products.models import Product
from products.selectors import SCARCEST, scarcest_on_sale


@dataclass(frozen=True, slots=True)
class Board:
    """What the board shows, the scarcest first.

    bound: where there is more on sale than the board looks at, the largest stock that it looked
    at; None where it saw everything.
    """

    products: list[Product]
    bound: int | None


def is_on_board(product: Product) -> bool:
    """Whether the board shows it: every tour, and goods that are about to run out."""
    return product.kind == Product.Kind.TOUR or product.level != "ok"


def read_board() -> Board:
    """The board as it is now, from the products from which its channel starts."""
    scarcest = list(scarcest_on_sale()[:SCARCEST])
    return Board(
        products=[product for product in scarcest if is_on_board(product)],
        bound=scarcest[-1].stock if len(scarcest) == SCARCEST else None,
    )
