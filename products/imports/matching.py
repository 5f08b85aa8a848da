"""What the rows of a file mean for the products that a seller has."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from products.imports.checking import NEEDED, CheckedRow, Complaint
from products.models import Product


@dataclass(frozen=True, slots=True)
class Change:
    """A product as it is, None for a new one, and as the row wants it."""

    before: Product | None
    after: Product

    @property
    def is_change(self) -> bool:
        """Whether anything would be written."""
        return self.before is not self.after


@dataclass(frozen=True, slots=True)
class Matched:
    """What a lot of rows comes to."""

    changes: list[Change]
    complaints: list[Complaint]


def match_rows(rows: Sequence[CheckedRow], *, seller: User, lock: bool) -> Matched:
    """Find the seller's products by their externalIds, and what becomes of them.

    lock: inside a transaction that will write; the products are locked then, in key order.
    """
    keys = [row.external_id for row in rows]
    own = Product.objects.filter(seller=seller, external_id__in=keys)
    present = {product.external_id: product for product in (own.locked() if lock else own)}
    others_tours = Product.objects.filter(kind=Product.Kind.TOUR, external_id__in=keys)
    taken = set(others_tours.exclude(seller=seller).values_list("external_id", flat=True))
    changes: list[Change] = []
    complaints: list[Complaint] = []
    for row in rows:
        found = _match(row, present.get(row.external_id), seller=seller, taken=taken)
        if isinstance(found, Change):
            changes.append(found)
        else:
            complaints += found
    return Matched(changes, complaints)


def _match(
    row: CheckedRow, before: Product | None, *, seller: User, taken: set[str]
) -> Change | list[Complaint]:
    values = row.values()
    if before is None:
        if missing := [name for name in NEEDED if name not in values]:
            return [
                Complaint(row.number, name, _("A new product needs it, and there is no column."))
                for name in missing
            ]
        after = Product(seller=seller, **values)
    else:
        written = {name: value for name, value in values.items() if value != getattr(before, name)}
        after = before.changed(written) if written else before
    if after.stock > after.most_stock:
        message = _("There can be %(most)s at most.") % {"most": after.most_stock}
        return [Complaint(row.number, "stock", message)]
    if after.kind == Product.Kind.TOUR and after.external_id in taken:
        message = _("Another seller's tour has this externalId.")
        return [Complaint(row.number, "externalId", message)]
    return Change(before, after)
