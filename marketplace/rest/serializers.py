"""Bodies in and out: strict inputs, and representations that are declared once, as structs."""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from typing import Any, ClassVar

import msgspec
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from marketplace.rest.naming import camel_case

# What a bigint column holds.
LEAST_INTEGER, GREATEST_INTEGER = -(2**63), 2**63 - 1

# Of more than that nobody reads each; a body may hold a hundred thousand.
MAX_UNKNOWN_FIELDS = 20

Struct = msgspec.Struct


class InputSerializer(serializers.Serializer[Any]):
    """What a client may send. Fields are declared in snake_case and sent in camelCase.

    A field that is not declared is 400 `unknown_field`, unless `representation` (the struct in
    which answers show the object) has it: clients may send back what they were shown, and what
    they may not change is ignored. Whole numbers stay within a bigint.

        class AnswerInput(InputSerializer):
            representation = AnswerData
            closes_at = serializers.DateTimeField()   # "closesAt" on the wire
    """

    representation: ClassVar[type[Struct] | None] = None

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = {}
        for name, declared in super().get_fields().items():
            wire_name = camel_case(name)
            if wire_name != name and declared.source is None:
                declared.source = name
            if isinstance(declared, serializers.IntegerField):
                declared.validators = [*declared.validators, *_bigint_validators(declared)]
            fields[wire_name] = declared
        return fields

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            unknown = (name for name in data if not self._is_known(name))
            errors = {name: [_unknown(name)] for name in islice(unknown, MAX_UNKNOWN_FIELDS)}
        try:
            values = super().to_internal_value(data)
        except ValidationError as error:
            if not errors:
                raise
            errors.update(error.detail)  # type: ignore[arg-type]
        if errors:
            raise ValidationError(errors)
        return values

    def read(self) -> dict[str, Any]:
        """The values that were sent, by the names of the declaration; raises ValidationError."""
        self.is_valid(raise_exception=True)
        return dict(self.validated_data)

    def _is_known(self, name: str) -> bool:
        return name in self.fields or name in _wire_names(self.representation)


@cache
def _wire_names(struct: type[Struct] | None) -> frozenset[str]:
    if struct is None:
        return frozenset()
    return frozenset(field.encode_name for field in msgspec.structs.fields(struct))


def _bigint_validators(field: serializers.IntegerField) -> list[Callable[[Any], None]]:
    validators: list[Callable[[Any], None]] = []
    if field.min_value is None:
        validators.append(MinValueValidator(LEAST_INTEGER))
    if field.max_value is None:
        validators.append(MaxValueValidator(GREATEST_INTEGER))
    return validators


def _unknown(name: str) -> ErrorDetail:
    return ErrorDetail(str(_("There is no such field.")), code="unknown_field")


class BoundedListField(serializers.ListField):
    """A list of so many items and no more, which is asked before any of them is looked at.

    DRF's counts last: a small body of empty objects would cost minutes, and megabytes of errors.
    """

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self.most = max_length

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > self.most:
            self.fail("max_length", max_length=self.most)
        items: list[Any] = super().to_internal_value(data)
        return items


class StructSerializer(serializers.BaseSerializer[Any]):
    """What the API shows, built by the same function as the event that tells of it.

        class ProductSerializer(StructSerializer):
            struct = ProductData
            build = staticmethod(product_data)

    struct: the msgspec struct, from which the OpenAPI schema is made; build: an instance's struct.
    """

    struct: ClassVar[type[Struct]]

    @staticmethod
    def build(instance: Any, /) -> Struct:
        """The struct of an instance; subclasses say which function that is."""
        raise NotImplementedError

    def to_representation(self, instance: Any) -> Any:
        return msgspec.to_builtins(self.build(instance))
