"""Migrations of the products while the site runs."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from marketplace.accounts.models import User
from products.models import Product
from products.services import take_over_stock
from tests.products.things import make_product

HOUR = timedelta(hours=1)
backfill = import_module("products.migrations.0003_stock_as_of_the_last_change")


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([("products", name)])


def moments() -> list[datetime]:
    """Of which moment each stock is known, in the order of the products."""
    return list(Product.objects.order_by("pk").values_list("stock_as_of", flat=True))


def tell_unchanged(product: Product, at: datetime) -> None:
    """Another system tells the stock that is known already."""
    with transaction.atomic():
        locked = Product.objects.locked().get(pk=product.pk)
        assert take_over_stock(product=locked, stock=locked.stock, as_of=at) == "unchanged"


@pytest.mark.django_db(transaction=True)
def test_a_stock_is_known_of_its_last_change_unless_it_changes_while_that_is_found_out(
    seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_at = timezone.now() - HOUR
    products = [make_product(seller) for _ in range(5)]
    Product.objects.update(stock_changed_at=changed_at)
    migrate("0001_initial")
    try:
        migrate("0002_stock_as_of")
        # Nothing that was there can pass for later than the change, and all is of one moment.
        assert len(set(moments())) == 1
        assert moments()[0] > changed_at
        told_at = timezone.now() + timedelta(seconds=30)
        tell_unchanged(products[0], told_at)
        ours = Product.objects.get(pk=products[2].pk)
        ours.stock -= 1
        ours.save()
        # What a process of the last release does, which does not know the column.
        late = timezone.now()
        Product.objects.filter(pk=products[4].pk).update(stock=1, stock_changed_at=late)
    finally:
        monkeypatch.setattr(backfill, "BATCH", 2)
        migrate("0003_stock_as_of_the_last_change")

    assert moments() == [told_at, changed_at, ours.stock_as_of, changed_at, late]


@pytest.mark.django_db
def test_it_goes_on_where_it_was_and_changes_nothing_when_it_runs_again(seller: User) -> None:
    changed_at = timezone.now() - HOUR
    for _ in range(3):
        make_product(seller)
    Product.objects.update(stock_changed_at=changed_at)
    done, told, left = Product.objects.order_by("pk")
    recorded: Any = backfill.MigrationRecorder(connection).migration_qs.get(
        app="products", name="0002_stock_as_of"
    )
    Product.objects.filter(pk=done.pk).update(stock_as_of=changed_at)
    Product.objects.filter(pk=left.pk).update(stock_as_of=recorded.applied)
    told_at = recorded.applied + 2 * backfill.SKEW
    Product.objects.filter(pk=told.pk).update(stock_as_of=told_at)

    for _ in range(2):
        backfill.know_of_the_last_change(apps, connection.schema_editor())
        assert moments() == [changed_at, told_at, changed_at]
