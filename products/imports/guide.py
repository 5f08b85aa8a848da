"""What is said to sellers of each column that a file may have."""

from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from products.imports.checking import NEEDED
from products.imports.columns import FIELDS, KEY

# By the names on the wire; the model's are the same where a column is needed.
_NOTES = {
    "externalId": _("Your own number for the product, at most 100 characters."),
    "title": _("At most 200 characters."),
    "description": _("At most 10,000 characters."),
    "category": _("One word or two, at most 60 characters."),
    "price": _("An amount like 12.50 or 12,50, without a currency sign."),
    "currency": _("Its code, like EUR."),
    "kind": _("goods or tour."),
    "stock": _("A whole number: pieces, or free places of a tour."),
    "maxGroupSize": _("A tour’s places in all."),
    "startsAt": _("When a tour starts, like 2026-05-01T09:30Z."),
    "lowStockThreshold": _("From which stock on it is almost gone; 5 when empty."),
    "imageUrl": _("An https address of its picture."),
    "isActive": _("true or false: whether it is on sale; true when empty."),
}


class Column(NamedTuple):
    """A column: its name, what stands in it, and for which rows a file needs it."""

    name: str
    note: Any  # translated when it is written
    is_key: bool
    is_needed: bool


COLUMNS = [Column(name, _NOTES[name], name == KEY, name in NEEDED) for name in FIELDS]
