"""A seller's products as a file, which can be imported again as it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from marketplace.accounts.models import User
from marketplace.rest.csv_export import CsvView, csv_response, newest_first
from products.imports.columns import FIELDS
from products.models import Product
from products.services import require_seller
from realtime.api import iso_milliseconds

# Behind the columns of an import, what only we say of a product: an import passes it over.
COLUMNS = (*FIELDS, "id", "level", "version", "createdAt", "updatedAt")


class ProductsExportView(CsvView):
    """One's own products as CSV."""

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> StreamingHttpResponse:
        """All that one offers, off sale too, newest first (sellers)."""
        seller = cast(User, request.user)
        require_seller(seller)
        return csv_response(file_name="products.csv", header=COLUMNS, rows=_rows(seller))


def _rows(seller: User) -> Iterator[list[object]]:
    for product in newest_first(Product.objects.filter(seller=seller)):
        cells = _cells(product)
        yield [cells[name] for name in COLUMNS]


def _cells(product: Product) -> dict[str, object]:
    """What stands in each column. None is an empty cell, as it is to an import."""
    return {
        "externalId": product.external_id,
        "title": product.title,
        "description": product.description,
        "category": product.category,
        "price": product.price,
        "currency": product.currency,
        "kind": product.kind,
        "stock": product.stock,
        "maxGroupSize": product.max_group_size,
        "startsAt": _exact(product.starts_at),
        "lowStockThreshold": product.low_stock_threshold,
        "imageUrl": product.image_url,
        "isActive": "true" if product.is_active else "false",
        "id": product.pk,
        "level": product.level,
        "version": product.version,
        "createdAt": iso_milliseconds(product.created_at),
        "updatedAt": iso_milliseconds(product.updated_at),
    }


def _exact(moment: datetime | None) -> str | None:
    """The moment as it is stored: cut to milliseconds, an import would take it for a change."""
    if moment is None:
        return None
    precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).removesuffix("+00:00") + "Z"
