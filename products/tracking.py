"""Instances that remember what the database said, so that a save can write only what was set."""

from collections.abc import Collection, Iterable, Mapping, Set
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar, Self

from django.db import models


def is_expression(value: object) -> bool:
    """Whether the value is reckoned by the database, as F("stock") - 1 is."""
    return hasattr(value, "resolve_expression")


def as_stored(field: "models.Field[Any, Any]", value: Any) -> Any:
    """The value in the type and precision in which the column gives it back."""
    value = field.to_python(value)
    if isinstance(field, models.DecimalField) and isinstance(value, Decimal):
        value = round(value, field.decimal_places)
        return value if value else abs(value)  # an amount of -0.00 is 0.00
    return value


class Tracked(models.Model):
    """The base of a model whose save() writes only what was set since the instance was loaded."""

    # A field, and the field that counts its changes: known only when both were read in one query.
    counted_by: ClassVar[Mapping[str, str]] = {}

    # What the database said, by attribute, when this instance last heard of it.
    _loaded: Mapping[str, Any] = MappingProxyType({})

    class Meta:
        abstract = True

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any
    ) -> Self:
        instance = super().from_db(db, field_names, values, **options)
        instance._loaded = dict(zip(field_names, values, strict=True))
        return instance

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Self] | None = None,
    ) -> None:
        """As Django's, which loads deferred fields too; a counted field brings its count."""
        if fields is not None:
            fields = set(fields)
            fields.update(count for name, count in self.counted_by.items() if name in fields)
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)
        fresh = {
            field.attname: self.__dict__[field.attname]
            for field in self._meta.concrete_fields
            if field.attname in self.__dict__
            and (fields is None or not {field.name, field.attname}.isdisjoint(fields))
        }
        for name, count in self.counted_by.items():
            if name not in fresh:
                fresh.pop(count, None)
        self._loaded = {**self._loaded, **fresh}

    def attributes(self, names: Iterable[str] | None) -> frozenset[str]:
        """The attributes that these field names mean; all but the key for None.

        Raises ValueError for a name that is no field of the row.
        """
        known = {
            name: field.attname
            for field in self._meta.concrete_fields
            if not field.primary_key
            for name in (field.name, field.attname)
        }
        if names is None:
            return frozenset(known.values())
        names = frozenset(names)
        if unknown := names - known.keys():
            raise ValueError(f"There are no such fields to write: {', '.join(sorted(unknown))}.")
        return frozenset(known[name] for name in names)

    def expressions(self) -> "dict[str, models.ExpressionWrapper[Any]]":
        """Annotations that reckon this instance's expressions on its row (see values_set)."""
        return {
            f"reckoned_{field.attname}": models.ExpressionWrapper(value, output_field=field)
            for field in self._meta.concrete_fields
            if is_expression(value := self.__dict__.get(field.attname))
        }

    def values_set(self, row: Self) -> dict[str, Any]:
        """What was set on this instance since it was loaded, by attribute, key aside.

        row: the present row, annotated with expressions(), which stand here with their values.
        """
        values = {}
        for field in self._meta.concrete_fields:
            name = field.attname
            if field.primary_key or name not in self.__dict__:
                continue
            if is_expression(self.__dict__[name]):
                values[name] = as_stored(field, getattr(row, f"reckoned_{name}"))
                continue
            value = as_stored(field, self.__dict__[name])
            if name not in self._loaded or self._loaded[name] != value:
                values[name] = value
        return values

    def has_present(self, name: str, row: Self) -> bool:
        """Whether the counted field was loaded, and its row has not changed it since."""
        count = self.counted_by[name]
        return name in self._loaded and self._loaded.get(count) == getattr(row, count)

    def take_over(self, row: Self, *, but: Set[str]) -> None:
        """Have the row's values and remember them as loaded, but for these attributes."""
        loaded = {}
        for field in self._meta.concrete_fields:
            name = field.attname
            if name not in but:
                loaded[name] = getattr(row, name)
                setattr(self, name, loaded[name])
        unknown = but | {self.counted_by[name] for name in but if name in self.counted_by}
        kept = {name: self._loaded[name] for name in unknown if name in self._loaded}
        self._loaded = {name: loaded[name] for name in loaded if name not in unknown} | kept
