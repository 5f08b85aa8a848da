"""What the rows of a file mean for the products that a seller has."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from products.imports.checking import NEEDED, CheckedRow, Complaint
from products.imports.columns import KEY
from products.models import Product, most_stock_of

# What has to go together.
_TOGETHER = ("kind", "max_group_size", "stock")


@dataclass(frozen=True, slots=True)
class Match:
    """A row, and the product that it changes; None for a new one."""

    row: CheckedRow
    before: Product | None


@dataclass(frozen=True, slots=True)
class Matched:
    """What some rows come to."""

    matches: list[Match]
    complaints: list[Complaint]


def match_rows(rows: Sequence[CheckedRow], *, seller: User, lock: bool) -> Matched:
    """Find the seller's products by their externalIds, and whether the rows go with them.

    lock: inside a transaction that will write; the products are locked then, in key order.
    """
    keys = [row.external_id for row in rows]
    own = Product.objects.filter(seller=seller, external_id__in=keys)
    present = {product.external_id: product for product in (own.locked() if lock else own)}
    others_tours = Product.objects.filter(kind=Product.Kind.TOUR, external_id__in=keys)
    taken = set(others_tours.exclude(seller=seller).values_list("external_id", flat=True))
    matched = Matched([], [])
    for row in rows:
        match = Match(row, present.get(row.external_id))
        if complaints := list(_complaints(match, taken=taken)):
            matched.complaints.extend(complaints)
        else:
            matched.matches.append(match)
    return matched


def _complaints(match: Match, *, taken: Set[str]) -> Iterator[Complaint]:
    """What is wrong with the product that the row would make of it.

    taken: the externalIds of others' tours.
    """
    row, values = match.row, match.row.values()
    if match.before is None:
        missing = [name for name in NEEDED if name not in values]
        for name in missing:
            yield Complaint(row.number, name, _("A new product needs it, and there is no column."))
        if missing:
            return
    after: dict[str, Any] = {
        name: values.get(name, getattr(match.before, name, None)) for name in _TOGETHER
    }
    most = most_stock_of(kind=after["kind"], max_group_size=after["max_group_size"])
    if after["stock"] > most:
        yield Complaint(row.number, "stock", _("There can be %(most)s at most.") % {"most": most})
    if after["kind"] == Product.Kind.TOUR and row.external_id in taken:
        yield Complaint(row.number, KEY, _("Another seller's tour has this externalId."))
