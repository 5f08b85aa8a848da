"""Numbers as clients write them: ASCII digits. Python reads "1_0" and "１０" as well."""

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MAX_PAGE = 10_000

_WHOLE = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


class WholeNumberField(serializers.IntegerField):
    """A whole number: of JSON (10, and 10.0, which is the same there), or digits in a text."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        is_number = isinstance(data, int) and not isinstance(data, bool)
        if not is_number and not (isinstance(data, str) and _WHOLE.fullmatch(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(
    {"type": "string", "format": "decimal", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,2})?$"}
)
class MoneyField(serializers.DecimalField):
    """An amount from 0 to 9,999,999,999.99: a text like "12.50".

    A number of JSON is taken by its shortest form, which 12.1 has in common with 12.10. Minus
    zero is zero: the form of an amount is one.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=12, decimal_places=2, min_value=Decimal(0), **options)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # DRF reads an empty text as null; here it is no amount.
        return serializers.Field.validate_empty_values(self, data)

    def to_internal_value(self, data: Any) -> Decimal:
        is_number = isinstance(data, (int, float)) and not isinstance(data, bool)
        text = str(data) if is_number else data
        if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
            self.fail("invalid")
        amount = super().to_internal_value(text)
        return amount if amount else abs(amount)


def read_page_number(text: str) -> int:
    """The number of a page, from an address. Raises ValueError unless it is 1 to MAX_PAGE."""
    # The length comes first: what is longer may be no number at all for int().
    if len(text) > len(str(MAX_PAGE)) or not text.isascii() or not text.isdigit():
        raise ValueError("This is no number of a page.")
    number = int(text)
    if not 1 <= number <= MAX_PAGE:
        raise ValueError("There is no such page.")
    return number


class NumberedPage:
    """A page of a list that knows its number, from 1."""

    __slots__ = ()
    number: int

    @property
    def previous(self) -> int:
        """The number of the page before."""
        return self.number - 1

    @property
    def next(self) -> int:
        """The number of the page behind."""
        return self.number + 1
