"""What a save writes: what was set on the instance, over whatever the row has become."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.accounts.models import User
from products.errors import StaleVersion
from products.models import Product
from tests.products.things import announced, announced_types, make_product, make_tour

pytestmark = pytest.mark.django_db


def sell_one(product: Product) -> None:
    """What a buyer does meanwhile."""
    row = Product.objects.get(pk=product.pk)
    row.stock -= 1
    row.save()


def test_it_writes_only_what_was_set(seller: User) -> None:
    product = make_product(seller)
    mine, theirs = Product.objects.get(pk=product.pk), Product.objects.get(pk=product.pk)
    theirs.description = "Blue"
    theirs.save()

    mine.title = "Coffee pot"
    mine.save()

    row = Product.objects.get(pk=product.pk)
    assert (row.title, row.description) == ("Coffee pot", "Blue")
    assert mine.description == "Blue"
    assert (mine.version, row.version) == (3, 3)


def test_it_gives_no_sold_piece_back_with_a_price(seller: User) -> None:
    product = make_product(seller)
    old = Product.objects.get(pk=product.pk)
    sell_one(product)

    old.price = Decimal("9.00")
    old.save()

    row = Product.objects.get(pk=product.pk)
    assert (row.stock, row.stock_version, row.version) == (9, 2, 2)
    assert old.stock == 9


def test_it_refuses_a_stock_that_was_set_on_an_old_instance(seller: User) -> None:
    product = make_product(seller)
    old = Product.objects.get(pk=product.pk)
    sell_one(product)

    old.stock = 50
    with pytest.raises(StaleVersion):
        old.save()
    # Even where the number is the row's own: it was counted before the sale.
    old.stock = 9
    with pytest.raises(StaleVersion):
        old.save()

    assert Product.objects.get(pk=product.pk).stock == 9


def test_it_takes_a_stock_that_was_set_after_a_refresh(seller: User) -> None:
    product = make_product(seller)
    old = Product.objects.get(pk=product.pk)
    sell_one(product)

    old.refresh_from_db()
    old.stock = 50
    old.save()

    assert Product.objects.get(pk=product.pk).stock == 50


@pytest.mark.parametrize("refreshed", ["stock", "stock_version"])
def test_it_knows_a_stock_by_the_version_that_was_read_with_it(
    seller: User, refreshed: str
) -> None:
    product = make_product(seller)
    old = Product.objects.get(pk=product.pk)
    sell_one(product)

    old.refresh_from_db(fields=[refreshed])
    old.stock += 5

    if refreshed == "stock":
        old.save()
        assert Product.objects.get(pk=product.pk).stock == 14
    else:
        with pytest.raises(StaleVersion):
            old.save()


def test_it_loads_deferred_fields_before_it_compares(seller: User) -> None:
    pk = make_product(seller).pk

    blind = Product.objects.only("title").get(pk=pk)
    blind.stock = 3
    with pytest.raises(StaleVersion):
        blind.save()

    seeing = Product.objects.only("title").get(pk=pk)
    assert seeing.stock == 10
    seeing.stock = 3
    seeing.save()
    assert Product.objects.get(pk=pk).stock == 3

    titled = Product.objects.defer("title", "stock").get(pk=pk)
    titled.title = "Kettle"
    titled.save()
    assert Product.objects.get(pk=pk).title == "Kettle"
    assert titled.stock == 3


def test_it_reckons_expressions_on_the_row_and_reads_them_back(seller: User) -> None:
    product = make_product(seller)
    old = Product.objects.get(pk=product.pk)
    sell_one(product)

    old.stock = F("stock") - 2
    old.price = F("price") * Decimal("1.115")
    old.save()

    assert (old.stock, old.stock_version) == (7, 3)
    assert old.price == Decimal("13.94")
    row = Product.objects.get(pk=product.pk)
    assert (row.stock, row.price) == (7, Decimal("13.94"))


def test_it_says_nothing_of_an_expression_that_changes_nothing(seller: User) -> None:
    product = make_product(seller)

    product.stock = F("stock") + 0
    product.save()

    assert (product.stock, product.stock_version) == (10, 1)
    assert announced_types() == []


def test_it_writes_and_announces_nothing_without_a_change(seller: User) -> None:
    product = make_product(seller)
    stranger = Product.objects.get(pk=product.pk)
    sell_one(product)
    before = announced_types()

    product.title = "Teapot"
    product.price = "12.50"
    with CaptureQueriesContext(connection) as queries:
        product.save()
    stranger.save()

    assert not [query for query in queries if query["sql"].startswith(("UPDATE", "INSERT"))]
    assert announced_types() == before
    row = Product.objects.get(pk=product.pk)
    assert (row.stock, row.version, stranger.stock) == (9, 1, 9)


def test_it_moves_version_and_updated_at_with_every_field_but_stock(seller: User) -> None:
    product = make_product(seller, created_at=timezone.now() - timedelta(days=1))
    assert product.updated_at == product.created_at
    values = {
        "title": "Kettle", "description": "Blue", "category": "kitchen", "price": Decimal(1),
        "currency": "USD", "low_stock_threshold": 1, "external_id": "7", "is_active": False,
        "image_url": "/media/a.png", "max_group_size": 30, "starts_at": timezone.now(),
        "kind": "tour",
    }  # fmt: skip
    for count, (name, value) in enumerate(values.items(), start=2):
        stamped = product.updated_at
        setattr(product, name, value)
        product.save()
        assert (product.version, product.stock_version) == (count, 1), name
        assert product.updated_at > stamped, name

    stamped = product.updated_at
    assert product.stock_changed_at == product.created_at
    product.stock = 4
    product.save()
    row = Product.objects.get(pk=product.pk)
    assert (row.version, row.stock_version) == (len(values) + 1, 2)
    assert row.updated_at == stamped < row.stock_changed_at


def test_it_reckons_versions_itself(seller: User) -> None:
    product = make_product(seller)

    product.version, product.stock_version, product.title = 99, 99, "Kettle"
    product.save()

    assert (product.version, product.stock_version) == (2, 1)


def test_it_honours_update_fields(seller: User) -> None:
    product = make_product(seller)

    product.title, product.stock = "Kettle", 4
    product.save(update_fields=["stock"])
    row = Product.objects.get(pk=product.pk)
    assert (row.title, row.stock, row.version, row.stock_version) == ("Teapot", 4, 1, 2)
    assert announced_types() == ["availability-updated", "availability-low"]

    # What was left out is still waiting on the instance.
    sell_one(product)
    product.save()
    row = Product.objects.get(pk=product.pk)
    assert (row.title, row.stock) == ("Kettle", 3)

    product.save(update_fields=[])
    with pytest.raises(ValueError, match="no such fields to write: colour"):
        product.save(update_fields=["colour"])  # type: ignore[misc]


def test_it_keeps_a_stock_stale_that_update_fields_left_out(seller: User) -> None:
    product = make_product(seller)
    old = Product.objects.get(pk=product.pk)
    sell_one(product)

    old.title, old.stock = "Kettle", 50
    old.save(update_fields=["title"])
    assert old.stock == 50
    with pytest.raises(StaleVersion):
        old.save()


def test_it_creates_with_a_chosen_key_but_never_overwrites_by_it(seller: User) -> None:
    made = Product(pk=77, seller=seller, title="A", price=1, currency="EUR", kind="goods", stock=5)
    made.save()
    assert Product.objects.get(pk=77).title == "A"

    again = Product(pk=77, seller=seller, title="B", price=1, currency="EUR", kind="goods", stock=9)
    with pytest.raises(StaleVersion):
        again.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save(force_insert=True)
    assert Product.objects.get(pk=77).title == "A"


def test_it_does_not_bring_a_deleted_product_back(seller: User) -> None:
    product = make_product(seller)
    old = Product.objects.get(pk=product.pk)
    product.delete()

    old.title = "Kettle"
    with pytest.raises(Product.DoesNotExist):
        old.save()
    assert old.delete() == (0, {})
    assert announced_types() == ["product-deleted"]


def test_it_keeps_its_seller(seller: User, other_seller: User) -> None:
    product = make_product(seller)

    product.seller = other_seller
    with pytest.raises(ValueError, match="keeps its seller"):
        product.save()


def test_it_is_found_as_new_and_updated_by_update_or_create(seller: User) -> None:
    values = {"title": "A", "price": 1, "currency": "EUR", "kind": "goods", "stock": 5}
    Product.objects.update_or_create(seller=seller, external_id="7", defaults=values)
    changed, created = Product.objects.update_or_create(
        seller=seller, external_id="7", defaults={**values, "stock": 9}
    )

    assert not created
    assert (changed.stock, changed.version, changed.stock_version) == (9, 1, 2)
    assert announced_types() == ["product-created", "availability-updated"]


@pytest.mark.parametrize(
    "values",
    [
        {"stock": -1},
        {"price": Decimal(-1)},
        {"kind": "idea"},
        {"kind": "tour", "max_group_size": 9},
    ],
)
def test_it_is_kept_within_its_limits_by_the_database(
    seller: User, values: dict[str, object]
) -> None:
    product = make_product(seller)
    with pytest.raises(IntegrityError), transaction.atomic():
        Product.objects.filter(pk=product.pk).update(**values)
    for name, value in values.items():
        setattr(product, name, value)
    with pytest.raises(IntegrityError):
        product.save()


def test_it_has_an_external_id_of_its_own(seller: User, other_seller: User) -> None:
    make_product(seller, external_id="7")
    make_product(seller, external_id="")
    make_product(seller, external_id="")
    make_product(other_seller, external_id="7")
    make_tour(seller, external_id="8")

    with pytest.raises(IntegrityError), transaction.atomic():
        make_product(seller, external_id="7")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_tour(other_seller, external_id="8")


def test_it_announces_nothing_that_was_rolled_back(seller: User) -> None:
    product = make_product(seller)
    pk = product.pk

    class Stop(Exception):
        pass

    with pytest.raises(Stop), transaction.atomic():
        product.stock = 0
        product.save()
        product.title = "Kettle"
        product.save()
        product.delete()
        assert len(announced_types()) == 4
        raise Stop

    assert announced_types() == []
    assert Product.objects.get(pk=pk).stock == 10


@pytest.mark.parametrize("zero", ["-0.00", Decimal("-0.001")])
def test_it_knows_no_amount_below_zero_that_is_zero(seller: User, zero: object) -> None:
    product = make_product(seller, price=zero)
    assert str(product.price) == "0.00"
    product.price = Decimal("-0.00")
    product.title = "Jug"
    product.save()
    assert str(product.price) == "0.00"
    assert announced()[-1][2]["product"]["price"] == "0.00"
