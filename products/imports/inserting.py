"""New products by the hundred, as fast as the database takes them."""

from collections.abc import Sequence

from django.db import connection

from products.models import Product

_FIELDS = [field.attname for field in Product._meta.concrete_fields]
_TABLE = Product._meta.db_table


def insert_products(products: Sequence[Product]) -> None:
    """Insert them in their order, and give them their ids. Raises IntegrityError."""
    if connection.vendor == "postgresql":
        _copy(products)
    else:
        Product.objects.bulk_create(products)


def _copy(products: Sequence[Product]) -> None:
    """COPY takes a third of the time of bulk_create here, and half of the server's."""
    if not products:
        return
    columns = ", ".join(connection.ops.quote_name(name) for name in _FIELDS)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [_TABLE, len(products)],
        )
        for product, (pk,) in zip(products, cursor.fetchall(), strict=True):
            product.pk = pk
        # Errors of a COPY do not come through Django's cursor, which would turn them into its own.
        with (
            connection.wrap_database_errors,
            cursor.copy(f"COPY {_TABLE} ({columns}) FROM STDIN") as copy,
        ):
            for product in products:
                copy.write_row([getattr(product, name) for name in _FIELDS])
