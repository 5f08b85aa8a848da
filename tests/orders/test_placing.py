"""A cart becomes orders: one for each seller and currency, all or nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from marketplace.accounts.models import User
from orders.models import Order
from tests.conftest import ClientFor
from tests.orders.things import line_of, order, stock_of
from tests.products.things import announced, make_product, make_tour
from tests.support.people import ADDRESS, make_user

OTHER_ADDRESS = {**ADDRESS, "line1": "Rosenweg 9", "line2": "2nd floor"}


def test_it_places_an_order_and_takes_its_stock(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    pot = make_product(seller, stock=10)
    answer = order(client_for(buyer), line_of(pot, 3), note="Ring twice")
    assert answer.status_code == 201
    (placed,) = answer.json()["orders"]
    row = Order.objects.get()
    moment = placed["createdAt"]
    assert placed == {
        "id": row.pk,
        "buyerId": buyer.pk,
        "buyerName": "buyer",
        "sellerId": seller.pk,
        "sellerName": "seller",
        "status": "pending",
        "lines": [
            {"productId": pot.pk, "title": "Teapot", "quantity": 3, "unitPrice": "12.50"},
        ],
        "total": "37.50",
        "currency": "EUR",
        "shippingAddress": ADDRESS,
        "note": "Ring twice",
        "allowedTransitions": {"buyer": ["cancelled"], "seller": ["confirmed", "cancelled"]},
        "version": 1,
        "createdAt": moment,
        "updatedAt": moment,
        "history": [
            {"from": None, "to": "pending", "byId": buyer.pk, "at": moment, "reason": ""},
        ],
    }
    assert stock_of(pot) == 7


def test_it_makes_one_order_for_each_seller_and_currency(
    buyer: User, seller: User, other_seller: User, client_for: ClientFor
) -> None:
    pot = make_product(seller)
    clock = make_product(other_seller, title="Clock", price=Decimal(30))
    samovar = make_product(seller, title="Samovar", price=Decimal(99), currency="USD")
    cup = make_product(seller, title="Cup", price=Decimal("4.20"))
    answer = order(
        client_for(buyer), line_of(pot), line_of(clock, 2), line_of(samovar), line_of(cup, 3)
    )
    placed = answer.json()["orders"]
    assert [
        (each["sellerName"], each["currency"], each["total"], len(each["lines"])) for each in placed
    ] == [
        ("seller", "EUR", "25.10", 2),
        ("other-seller", "EUR", "60.00", 1),
        ("seller", "USD", "99.00", 1),
    ]


def test_it_sums_the_lines_of_one_product(buyer: User, seller: User, client_for: ClientFor) -> None:
    pot = make_product(seller, stock=5)
    client = client_for(buyer)
    refused = order(client, line_of(pot, 3), line_of(pot, 3))
    assert refused.status_code == 409
    assert [
        (error["code"], error["attr"], error["available"]) for error in refused.json()["errors"]
    ] == [("insufficient_stock", "lines.0", 5), ("insufficient_stock", "lines.1", 5)]
    (placed,) = order(client, line_of(pot, 3), line_of(pot, 2)).json()["orders"]
    assert [line["quantity"] for line in placed["lines"]] == [5]
    assert stock_of(pot) == 0


def test_it_names_every_line_that_cannot_be_had_and_takes_nothing(
    buyer: User, seller: User, other_seller: User, client_for: ClientFor
) -> None:
    few = make_product(seller, stock=1)
    dearer = make_product(seller, price=Decimal("13.00"))
    gone = make_product(seller, is_active=False)
    past = make_tour(other_seller, starts_at=timezone.now() - timedelta(minutes=1))
    good = make_product(other_seller)
    answer = order(
        client_for(buyer),
        line_of(good, unitPrice="12.50"),
        line_of(few, 2, unitPrice="12.00"),
        line_of(dearer, unitPrice="12.50"),
        line_of(gone),
        line_of(past),
        {"productId": 987_654, "quantity": 1},
    )
    assert answer.status_code == 409
    body = answer.json()
    assert body["type"] == "client_error"
    for error in body["errors"]:
        assert error.pop("detail")
    unavailable = {"code": "product_unavailable", "available": 0}
    assert body["errors"] == [
        {
            "code": "insufficient_stock",
            "attr": "lines.1",
            "productId": few.pk,
            "available": 1,
        },
        {
            "code": "price_changed",
            "attr": "lines.1",
            "productId": few.pk,
            "unitPrice": "12.50",
        },
        {
            "code": "price_changed",
            "attr": "lines.2",
            "productId": dearer.pk,
            "unitPrice": "13.00",
        },
        {**unavailable, "attr": "lines.3", "productId": gone.pk},
        {**unavailable, "attr": "lines.4", "productId": past.pk},
        {**unavailable, "attr": "lines.5", "productId": 987_654},
    ]
    assert stock_of(good) == 10
    assert not Order.objects.exists()
    assert announced() == []


def test_it_does_not_sell_people_their_own_products(seller: User, client_for: ClientFor) -> None:
    pot = make_product(seller)
    seller.role = User.Role.BUYER
    seller.save()
    answer = order(client_for(seller), line_of(pot))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "product_unavailable")
    assert stock_of(pot) == 10


def test_it_sells_a_tour_until_it_starts(buyer: User, seller: User, client_for: ClientFor) -> None:
    tour = make_tour(seller, stock=10, starts_at=timezone.now() + timedelta(hours=1))
    assert order(client_for(buyer), line_of(tour, 2)).status_code == 201
    assert stock_of(tour) == 8


def test_it_takes_a_price_that_is_still_true(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    pot = make_product(seller)
    answer = order(client_for(buyer), line_of(pot, unitPrice="12.5"), line_of(pot, unitPrice=None))
    assert answer.status_code == 201


def test_it_refuses_a_sum_that_nobody_pays(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    palace = make_product(seller, price=Decimal("9999999999.99"), stock=2_000)
    answer = order(client_for(buyer), line_of(palace, 1_001))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "total_too_large")
    assert stock_of(palace) == 2_000
    (placed,) = order(client_for(buyer), line_of(palace, 1_000)).json()["orders"]
    assert placed["total"] == "9999999999990.00"


def test_it_counts_the_lines_before_it_looks_at_them(buyer: User, client_for: ClientFor) -> None:
    client = client_for(buyer)
    answer = order(client, *[{}] * 120_000)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["code"], error["attr"]) == ("max_length", "lines")
    assert [(error["code"], error["attr"]) for error in order(client).json()["errors"]] == [
        ("empty", "lines")
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unitPrice", "1_0"),
        ("unitPrice", "\uff11\uff12"),
        ("unitPrice", ""),
        ("quantity", "1_0"),
        ("quantity", True),
        ("productId", "1_0"),
    ],
)
def test_it_refuses_numbers_that_are_none(
    buyer: User, seller: User, client_for: ClientFor, name: str, value: object
) -> None:
    pot = make_product(seller)
    answer = order(client_for(buyer), {**line_of(pot), name: value})
    assert answer.status_code == 400
    assert [(error["code"], error["attr"]) for error in answer.json()["errors"]] == [
        ("invalid", f"lines.0.{name}")
    ]
    assert stock_of(pot) == 10


# --- Addresses ------------------------------------------------------------------------------


def test_it_sends_goods_to_the_address_in_the_body_before_the_stored_one(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    answer = order(client_for(buyer), line_of(make_product(seller)), shippingAddress=OTHER_ADDRESS)
    assert answer.json()["orders"][0]["shippingAddress"] == OTHER_ADDRESS


def test_it_refuses_goods_without_any_address(seller: User, client_for: ClientFor) -> None:
    pot = make_product(seller)
    answer = order(client_for(make_user("vagabond")), line_of(pot), shippingAddress=None)
    assert answer.status_code == 400
    body = answer.json()
    assert body["type"] == "validation_error"
    assert [(error["code"], error["attr"]) for error in body["errors"]] == [
        ("required", "shippingAddress")
    ]
    assert stock_of(pot) == 10


def test_it_refuses_goods_with_a_broken_stored_address(seller: User, client_for: ClientFor) -> None:
    # As the shell may leave it: full_clean() would not have let it through.
    vagabond = make_user("vagabond", shipping_address={"city": "Berlin"})
    answer = order(client_for(vagabond), line_of(make_product(seller)))
    assert answer.status_code == 400


def test_it_needs_no_address_for_a_tour(seller: User, client_for: ClientFor) -> None:
    tour = make_tour(seller)
    answer = order(client_for(make_user("vagabond")), line_of(tour))
    assert answer.json()["orders"][0]["shippingAddress"] is None


def test_it_keeps_the_stored_address_from_sellers_of_tours(
    buyer: User, seller: User, other_seller: User, client_for: ClientFor
) -> None:
    tour, pot = make_tour(other_seller), make_product(seller)
    placed = order(client_for(buyer), line_of(tour), line_of(pot)).json()["orders"]
    assert [each["shippingAddress"] for each in placed] == [None, ADDRESS]
