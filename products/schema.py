"""OpenAPI: what the inputs of products demand of several fields together."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction


class ProductChangesExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A stock comes with its stockVersion; PUT, which needs a stock, always needs it."""

    target_class = "products.serializers.ProductChanges"

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        if "required" in schema:
            schema["required"] = [*schema["required"], "stockVersion"]
        return {**schema, "dependentRequired": {"stock": ["stockVersion"]}}


class StockInputExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Either `change` or `set`, and `set` with its stockVersion."""

    target_class = "products.serializers.StockInput"

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        return {
            **schema,
            "oneOf": [{"required": ["change"]}, {"required": ["set"]}],
            "dependentRequired": {"set": ["stockVersion"]},
        }
