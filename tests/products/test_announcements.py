"""Which change makes which event, and for whom."""

from copy import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.accounts.models import User
from products.availability.levels import level_of
from products.events import announcements, availability_data, product_data
from products.models import Product
from realtime.api import Event

SELLER = User(pk=3, username="sam", role="seller")
NOON = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)

TO_ALL = {"catalogue", "all", "product.7"}
TO_FEW = {"user.3", "staff"}
TO_BOARD = {"availability", "product.7", "user.3", "staff"}


def teapot(**fields: Any) -> Product:
    """A product that no database knows."""
    values = {
        "title": "Teapot", "price": Decimal("12.5"), "currency": "EUR", "kind": "goods",
        "stock": 10, "created_at": NOON, "updated_at": NOON, **fields,
    }  # fmt: skip
    return Product(pk=7, seller=SELLER, **values)


def changed(before: Product, **fields: Any) -> Product:
    """The row after a save of these fields."""
    after = copy(before)
    for name, value in fields.items():
        setattr(after, name, value)
    after.version += bool(fields.keys() - {"stock"})
    after.stock_version += "stock" in fields
    return after


def told(events: list[Event]) -> list[tuple[str, set[str]]]:
    """The events' names and audiences."""
    return [(event.type_name, set(event.audiences())) for event in events]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"title": "Pot"}, [("product-updated", TO_ALL)]),
        ({"low_stock_threshold": 20}, [("product-updated", TO_ALL)]),
        ({"stock": 11}, [("availability-updated", TO_BOARD)]),
        (
            {"stock": 5},
            [("availability-updated", TO_BOARD), ("availability-low", TO_BOARD | {"all"})],
        ),
        (
            {"stock": 0, "price": Decimal(1)},
            [
                ("product-updated", TO_ALL),
                ("availability-updated", TO_BOARD),
                ("availability-low", TO_BOARD | {"all"}),
            ],
        ),
        ({"is_active": False}, [("product-deleted", TO_ALL), ("product-updated", TO_FEW)]),
        (
            {"is_active": False, "stock": 9},
            [
                ("product-deleted", TO_ALL),
                ("product-updated", TO_FEW),
                ("availability-updated", TO_FEW),
            ],
        ),
        ({}, []),
    ],
)
def test_it_tells_of_a_product_on_sale(fields: dict[str, Any], expected: Any) -> None:
    before = teapot()
    assert told(announcements(before=before, after=changed(before, **fields))) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"title": "Pot"}, [("product-updated", TO_FEW)]),
        ({"stock": 5}, [("availability-updated", TO_FEW), ("availability-low", TO_FEW)]),
        (
            {"is_active": True, "title": "Pot"},
            [("product-created", {"catalogue", "buyers", "user.3", "staff"})],
        ),
        (
            {"is_active": True, "stock": 12},
            [
                ("product-created", {"catalogue", "buyers", "user.3", "staff"}),
                ("availability-updated", TO_BOARD),
            ],
        ),
    ],
)
def test_it_tells_only_seller_and_staff_of_one_off_sale(
    fields: dict[str, Any], expected: Any
) -> None:
    before = teapot(is_active=False)
    assert told(announcements(before=before, after=changed(before, **fields))) == expected


@pytest.mark.parametrize(
    ("is_active", "born", "gone"),
    [(True, {"catalogue", "buyers", "user.3", "staff"}, TO_ALL), (False, TO_FEW, TO_FEW)],
)
def test_it_tells_of_beginning_and_end(is_active: bool, born: set[str], gone: set[str]) -> None:
    product = teapot(is_active=is_active, stock=0)
    assert told(announcements(before=None, after=product)) == [("product-created", born)]
    assert told(announcements(before=product, after=None)) == [("product-deleted", gone)]
    assert announcements(before=None, after=None) == []


def test_it_keeps_the_seller_of_a_hidden_product_off_the_wire() -> None:
    (event,) = announcements(before=teapot(is_active=False), after=None)
    assert event.encode(NOON).endswith('"data":{"productId":7}}')


def test_it_has_the_form_of_the_contract() -> None:
    product = teapot(kind="tour", stock=8, max_group_size=12, starts_at=NOON)
    assert product_data(product).price == "12.50"
    assert product_data(product).starts_at == "2026-11-21T12:00:00.123Z"
    assert product_data(product).seller_name == "sam"
    assert " ".join(type(product_data(product)).__struct_encode_fields__) == (
        "id sellerId sellerName title description category price currency kind stock stockVersion "
        "maxGroupSize startsAt lowStockThreshold level externalId imageUrl isActive version "
        "createdAt updatedAt"
    )
    assert " ".join(type(availability_data(product)).__struct_encode_fields__) == (
        "productId title kind stock stockVersion level lowStockThreshold maxGroupSize"
    )


@given(stocks=st.lists(st.integers(0, 12), min_size=2, max_size=30), threshold=st.integers(0, 8))
def test_it_warns_once_for_each_fall_through_the_threshold(
    stocks: list[int], threshold: int
) -> None:
    warned, may_warn = 0, stocks[0] > threshold
    row = teapot(stock=stocks[0], low_stock_threshold=threshold)
    for stock in stocks[1:]:
        after = changed(row, **({"stock": stock} if stock != row.stock else {}))
        types = [event.type_name for event in announcements(before=row, after=after)]
        assert types.count("availability-updated") == (stock != row.stock)
        is_due = may_warn and stock <= threshold
        assert types.count("availability-low") == is_due
        warned += is_due
        may_warn = stock > threshold or (may_warn and not is_due)
        row = after
    assert warned <= sum(stock > threshold for stock in stocks)


@given(
    before=st.integers(0, 30),
    after=st.integers(0, 30),
    old=st.integers(0, 30),
    new=st.integers(0, 30),
)
def test_it_warns_of_a_fall_only_whatever_the_threshold_does(
    before: int, after: int, old: int, new: int
) -> None:
    row = teapot(stock=before, low_stock_threshold=old)
    fields = {"stock": after} if after != before else {}
    then = changed(row, **fields, **({"low_stock_threshold": new} if new != old else {}))
    types = {event.type_name for event in announcements(before=row, after=then)}
    assert ("availability-low" in types) == (before > old and after < before and after <= new)


@given(stock=st.integers(0, 100), threshold=st.integers(0, 60))
def test_it_has_one_level_for_each_stock(stock: int, threshold: int) -> None:
    level = level_of(stock=stock, low_stock_threshold=threshold)
    assert (level == "out") == (stock == 0)
    assert (level == "low") == (0 < stock <= threshold)
    assert (level == "few") == (stock > 0 and threshold < stock <= 2 * threshold)
    assert (level == "ok") == (stock > 0 and stock > 2 * threshold)
