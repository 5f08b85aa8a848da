"""Which column of a file is which field of a product."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from products.imports.errors import UnreadableFile

# By the names on the wire, in the order of the template.
FIELDS = (
    "externalId",
    "title",
    "description",
    "category",
    "price",
    "currency",
    "kind",
    "stock",
    "maxGroupSize",
    "startsAt",
    "lowStockThreshold",
    "imageUrl",
    "isActive",
)
KEY = "externalId"
MAX_SHOWN = 40

_DECORATION = re.compile(r"[\s_\-]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """fields: the field of each column that is used, by its place; ignored: the other names."""

    fields: Mapping[int, str]
    ignored: Sequence[str]


def match_columns(header: Sequence[str]) -> Columns:
    """Find the fields by their names, whatever their case: "External ID" is externalId.

    Raises UnreadableFile without a column externalId, and where two columns have one field.
    """
    known = {_plain(field): field for field in FIELDS}
    fields: dict[int, str] = {}
    ignored: list[str] = []
    for place, name in enumerate(header):
        field = known.get(_plain(name))
        if field is None:
            ignored += [name[:MAX_SHOWN]] if name else []
        elif field in fields.values():
            raise UnreadableFile(_("Two columns are called %(field)s.") % {"field": field}, row=1)
        else:
            fields[place] = field
    if KEY not in fields.values():
        raise UnreadableFile(
            _("There is no column externalId: your own number for each product."), row=1
        )
    return Columns(fields, ignored)


def _plain(name: str) -> str:
    return _DECORATION.sub("", name).casefold()
