"""The availability board: what stands on it. static/products/board.js knows the same rules."""

from dataclasses import dataclass
from datetime import datetime

from products.events import AvailabilityData, AvailabilityUpdated
from products.models import Product
from products.selectors import SCARCEST, scarcest_on_sale
from realtime.api import iso_milliseconds, latest_events

# How many of the last changes stand beside the cards. board-changes.js keeps as many.
CHANGES = 10


@dataclass(frozen=True, slots=True)
class Board:
    """What the board shows, the scarcest first.

    looked_at: all that it was chosen from, at most SCARCEST.
    """

    products: list[Product]
    looked_at: list[Product]

    @property
    def stocks(self) -> list[dict[str, int | str]]:
        """All that was looked at, for the page: its stock, and when that changed last.

        Also of what the board does not show: it pushes out what is less scarce, and comes in for
        another threshold without any news of its stock.
        """
        return [
            {
                "id": product.pk,
                "stock": product.stock,
                "stockVersion": product.stock_version,
                "stockChangedAt": iso_milliseconds(product.stock_changed_at),
            }
            for product in self.looked_at
        ]


def is_on_board(product: Product) -> bool:
    """Whether the board shows it: every tour, and goods that are about to run out."""
    return product.kind == Product.Kind.TOUR or product.level != "ok"


def read_board() -> Board:
    """The board as it is now, from the products from which its channel starts."""
    scarcest = list(scarcest_on_sale()[:SCARCEST])
    return Board(
        products=[product for product in scarcest if is_on_board(product)],
        looked_at=scarcest,
    )


@dataclass(frozen=True, slots=True)
class StockChange:
    """A change of a stock that everybody was told of.

    position: of its event, by which the page knows it again; told: what the event said;
    is_on_sale: whether the product is (still): what is not, no list shows.
    """

    position: int
    at: datetime
    told: AvailabilityData
    is_on_sale: bool


def read_changes() -> list[StockChange]:
    """The last changes that everybody was told of, the newest first: out of the log of events."""
    logged = latest_events(AvailabilityUpdated, audience="availability", limit=CHANGES)
    products = Product.objects.filter(pk__in={each.event.product_id for each in logged})
    on_sale = set(products.filter(is_active=True).values_list("pk", flat=True))
    return [
        StockChange(each.position, each.at, each.event, each.event.product_id in on_sale)
        for each in logged
    ]
