"""Where goods are sent to: the one shape of a shipping address."""

import json
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import EMPTY_VALUES
from rest_framework import serializers

from marketplace.rest.serializers import InputSerializer


class ShippingAddress(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """An address as it is stored and shown: JSON with the names of the wire."""

    name: str
    line1: str
    line2: str = ""
    postal_code: str
    city: str
    country: str


class AddressInput(InputSerializer):
    """An address that a client sends; its validated form is the JSON that is stored."""

    name = serializers.CharField(max_length=100)
    line1 = serializers.CharField(max_length=200)
    line2 = serializers.CharField(max_length=200, allow_blank=True, default="")
    postal_code = serializers.CharField(max_length=20)
    city = serializers.CharField(max_length=100)
    country = serializers.CharField(max_length=60)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        values = super().to_internal_value(data)
        address: dict[str, str] = msgspec.to_builtins(ShippingAddress(**values))
        return address


class AddressDecoder(json.JSONDecoder):
    """Reads JSON that a person types into a form, by the letter of RFC 8259 as the API does; raises
    JSONDecodeError, which forms expect, for deep nesting too, which nothing behind them expects."""

    def decode(self, s: str, *_where: Any) -> Any:
        # No text nests deeper than it has brackets. An address has two, and a few in its lines.
        if s.count("{") + s.count("[") > 50:
            raise json.JSONDecodeError("Nested too deeply", s, 0)
        try:
            return msgspec.json.decode(s)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise json.JSONDecodeError(str(error), s, 0) from error


def normalize_address(value: Any) -> Any:
    """What is stored for a value: None for nothing, an address with all its parts; whatever is
    neither stays as it is, for validate_address to refuse."""
    if value in EMPTY_VALUES:
        return None
    checked = AddressInput(data=value)
    return checked.validated_data if checked.is_valid() else value


def validate_address(value: Any) -> None:
    """Validator of the model's field: ValidationError unless it is such an address."""
    checked = AddressInput(data=value)
    if not checked.is_valid():
        raise ValidationError(
            [f"{name}: {problems[0]}" for name, problems in checked.errors.items()]
        )
