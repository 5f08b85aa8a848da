"""What the rows of a file mean for the products that a seller has."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from msgspec import UNSET

from marketplace.accounts.models import User
from products.imports.checking import NEEDED, CheckedRow, Complaint
from products.imports.columns import KEY
from products.models import Product, most_stock_of

_TOUR = Product.Kind.TOUR


@dataclass(frozen=True, slots=True)
class Match:
    """A row, and the product that it changes; None for a new one."""

    row: CheckedRow
    before: Product | None

    def wants(self, name: str) -> Any:
        """What the product has in the end; UNSET where neither the row nor the product says."""
        value = getattr(self.row, name)
        return getattr(self.before, name, UNSET) if value is UNSET else value


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
    matches = [Match(row, present.get(row.external_id)) for row in rows]
    tours = [match.row.external_id for match in matches if match.wants("kind") == _TOUR]
    taken = _tours_of_others(tours, seller=seller)
    matched = Matched([], [])
    for match in matches:
        if complaints := list(_complaints(match, taken=taken)):
            matched.complaints.extend(complaints)
        else:
            matched.matches.append(match)
    return matched


def _tours_of_others(keys: Sequence[str], *, seller: User) -> Set[str]:
    """Those of the externalIds that are other sellers' tours."""
    if not keys:
        return frozenset()
    theirs = Product.objects.filter(kind=_TOUR, external_id__in=keys).exclude(seller=seller)
    return set(theirs.values_list("external_id", flat=True))


def _complaints(match: Match, *, taken: Set[str]) -> Iterator[Complaint]:
    """What is wrong with the product that the row would make of it.

    taken: the externalIds of others' tours.
    """
    row = match.row
    missing = [name for name in NEEDED if match.wants(name) is UNSET]
    if missing:
        for name in missing:
            yield Complaint(row.number, name, _("A new product needs it, and there is no column."))
        return
    group = match.wants("max_group_size")
    most = most_stock_of(kind=match.wants("kind"), max_group_size=None if group is UNSET else group)
    if match.wants("stock") > most:
        yield Complaint(row.number, "stock", _("There can be %(most)s at most.") % {"most": most})
    if row.external_id in taken:
        yield Complaint(row.number, KEY, _("Another seller's tour has this externalId."))
