"""OpenAPI: the schema of a StructSerializer is that of its struct."""

from typing import Any

import msgspec
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction

REF_TEMPLATE = "#/components/schemas/{name}"


class StructSerializerExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Shows each struct, and those inside it, as a component under its own name."""

    target_class = "marketplace.rest.serializers.StructSerializer"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        name: str = self.target.struct.__name__
        return name

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        struct = self.target.struct
        _, components = msgspec.json.schema_components([struct], ref_template=REF_TEMPLATE)
        own: dict[str, Any] = components.pop(struct.__name__)
        for name, schema in components.items():
            component = ResolvedComponent(  # type: ignore[no-untyped-call]
                name=name, type=ResolvedComponent.SCHEMA, schema=schema, object=schema
            )
            auto_schema.registry.register_on_missing(component)
        return own
