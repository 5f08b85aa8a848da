"""One row of a file: from texts to the values of a product, or what is wrong with them.

The rules are those of REST (products.serializers.ProductInput), written for speed: that takes a
millisecond a row, this a fiftieth. tests/imports/test_checking.py holds the two together.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from msgspec import UNSET, UnsetType

from products.models import MAX_STOCK
from products.validators import current_currencies, validate_image_url

# What a spreadsheet would take for a formula, as marketplace.rest.csv_export defuses it.
_DEFUSED = re.compile(r"'(?='*[=+\-@\t\r])")
_PRICE = re.compile(r"(-?0{0,20}[0-9]{1,10})(?:[.,]([0-9]{1,2}))?")
_WHOLE = re.compile(r"-?0{0,20}[0-9]{1,10}")
_TRUE = {"true", "yes", "1"}
_FALSE = {"false", "no", "0"}
# What a new product cannot do without, by the names of the model.
NEEDED = ("title", "price", "currency", "kind", "stock")


class CheckedRow(msgspec.Struct, omit_defaults=True):
    """A row whose values are valid one by one. UNSET is what the file has no column for."""

    number: int
    external_id: str
    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    price: Decimal | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    stock: int | UnsetType = UNSET
    max_group_size: int | UnsetType | None = UNSET
    starts_at: datetime | UnsetType | None = UNSET
    low_stock_threshold: int | UnsetType = UNSET
    image_url: str | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET

    def values(self) -> dict[str, Any]:
        """What it says of the product, by the model's names."""
        return {
            name: value
            for name in self.__struct_fields__[1:]
            if (value := getattr(self, name)) is not UNSET
        }


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with one field of a row, in its owner's language; field "": with the row."""

    row: int
    field: str
    message: str


class _Wrong(Exception):
    """A text is not what its field needs."""

    def __init__(self, message: str | Promise) -> None:
        self.message = str(message)
        super().__init__(self.message)


def check_row(
    number: int, cells: list[str], fields: Mapping[int, str]
) -> CheckedRow | list[Complaint]:
    """The row's values, or all that is wrong with them one by one.

    fields: from match_columns(). A cell that the row does not have is empty.
    """
    values: dict[str, Any] = {}
    complaints: list[Complaint] = []
    present = len(cells)
    for place, field in fields.items():
        name, read = _READERS[field]
        try:
            values[name] = read(cells[place] if place < present else "")
        except _Wrong as wrong:
            complaints.append(Complaint(number, field, wrong.message))
    return complaints or CheckedRow(number=number, **values)


# --- The fields -----------------------------------------------------------------------------


def _text(most: int, *, needed: bool = False) -> Callable[[str], str]:
    def read(cell: str) -> str:
        text = cell[1:] if _DEFUSED.match(cell) else cell
        if needed and not text:
            raise _Wrong(_("This field is needed."))
        if len(text) > most:
            raise _Wrong(_("It has more than %(most)s characters.") % {"most": most})
        return text

    return read


def _whole(*, least: int = 0, empty: Any = _Wrong) -> Callable[[str], Any]:
    """A whole number up to what the column holds; empty: what an empty cell means."""

    def read(cell: str) -> Any:
        if not cell:
            if empty is _Wrong:
                raise _Wrong(_("This field is needed."))
            return empty
        if not _WHOLE.fullmatch(cell) or not least <= (number := int(cell)) <= MAX_STOCK:
            raise _Wrong(
                _("It is no whole number from %(least)s to %(most)s.")
                % {"least": least, "most": MAX_STOCK}
            )
        return number

    return read


def _price(cell: str) -> Decimal:
    found = _PRICE.fullmatch(cell)
    if found is None:
        raise _Wrong(_("It is no amount like 12.50."))
    whole, cents = found.groups("")
    amount = Decimal(f"{whole}.{cents:0<2}")
    if amount < 0:
        raise _Wrong(_("It is no amount like 12.50."))
    return abs(amount)  # minus zero is zero


def _currency(cell: str) -> str:
    code = cell.upper()
    if code not in current_currencies():
        raise _Wrong(_("It is no current currency, like EUR."))
    return code


def _kind(cell: str) -> str:
    kind = cell.lower()
    if kind not in {"goods", "tour"}:
        raise _Wrong(_("It is neither goods nor tour."))
    return kind


def _moment(cell: str) -> datetime | None:
    if not cell:
        return None
    try:
        moment = datetime.fromisoformat(cell)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Wrong(_("It is no time like 2026-05-01T09:30Z.")) from None


def _flag(cell: str) -> bool:
    word = cell.lower()
    if word in _TRUE or not word:
        return True
    if word in _FALSE:
        return False
    raise _Wrong(_("It is neither true nor false."))


@lru_cache(maxsize=1024)
def _is_image_url(url: str) -> bool:
    try:
        validate_image_url(url)
    except ValidationError:
        return False
    return True


def _image_url(cell: str) -> str:
    url = _text(500)(cell)
    if url and not _is_image_url(url):
        raise _Wrong(_("It is neither a path of this site nor an https address."))
    return url


_READERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "externalId": ("external_id", _text(100, needed=True)),
    "title": ("title", _text(200, needed=True)),
    "description": ("description", _text(10_000)),
    "category": ("category", _text(60)),
    "price": ("price", _price),
    "currency": ("currency", _currency),
    "kind": ("kind", _kind),
    "stock": ("stock", _whole()),
    "maxGroupSize": ("max_group_size", _whole(least=1, empty=None)),
    "startsAt": ("starts_at", _moment),
    "lowStockThreshold": ("low_stock_threshold", _whole(empty=5)),
    "imageUrl": ("image_url", _image_url),
    "isActive": ("is_active", _flag),
}
