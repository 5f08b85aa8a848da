"""OpenAPI: the schema of a StructSerializer is that of its struct; errors have one shape."""

from typing import Any, Literal

import msgspec
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentIdentity, ResolvedComponent
from drf_spectacular.utils import Direction

from marketplace.rest.serializers import StructSerializer

REF_TEMPLATE = "#/components/schemas/{name}"


class ErrorDetail(msgspec.Struct, kw_only=True):
    """One reason; some codes come with further fields. docs/errors.md lists the codes."""

    code: str
    detail: str
    attr: str | None


class ErrorAnswer(msgspec.Struct, kw_only=True):
    """Every answer of 400 or above."""

    type: Literal["validation_error", "client_error", "server_error"]
    errors: list[ErrorDetail]


class ErrorSerializer(StructSerializer):
    """Says in the schema what errors look like; handling.ExceptionFormatter writes them."""

    struct = ErrorAnswer


class StructSerializerExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Shows each struct, and those inside it, as a component under its own name."""

    target_class = "marketplace.rest.serializers.StructSerializer"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        name: str = self.target.struct.__name__
        return name

    def get_identity(self, auto_schema: AutoSchema, direction: Direction) -> ComponentIdentity:
        return _identity(self.get_name(auto_schema, direction))

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        struct = self.target.struct
        _, components = msgspec.json.schema_components([struct], ref_template=REF_TEMPLATE)
        own: dict[str, Any] = components.pop(struct.__name__)
        for name, schema in components.items():
            component = ResolvedComponent(  # type: ignore[no-untyped-call]
                name=name,
                type=ResolvedComponent.SCHEMA,
                schema=schema,
                object=_identity(name),
            )
            auto_schema.registry.register_on_missing(component)
        return own


def _identity(name: str) -> ComponentIdentity:
    """By name: the same struct may be met inside another one and under its own serializer."""
    return ComponentIdentity(name)  # type: ignore[no-untyped-call]
