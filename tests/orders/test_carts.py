"""What a cart looks like, and what is refused before anything is looked up."""

from typing import Any

import pytest

from marketplace.accounts.models import User
from tests.conftest import ClientFor
from tests.orders.things import line_of, order
from tests.products.things import make_product
from tests.support.people import ADDRESS


@pytest.mark.parametrize(
    ("cart", "code", "attr"),
    [
        ({}, "required", "lines"),
        ({"lines": []}, "empty", "lines"),
        ({"lines": "two pots"}, "not_a_list", "lines"),
        ({"lines": [{"productId": 1, "quantity": 1}] * 101}, "max_length", "lines"),
        ({"lines": [{"quantity": 1}]}, "required", "lines.0.productId"),
        ({"lines": [{"productId": 1}]}, "required", "lines.0.quantity"),
        ({"lines": [{"productId": 1, "quantity": 0}]}, "min_value", "lines.0.quantity"),
        ({"lines": [{"productId": 1, "quantity": -1}]}, "min_value", "lines.0.quantity"),
        ({"lines": [{"productId": 1, "quantity": 100_001}]}, "max_value", "lines.0.quantity"),
        ({"lines": [{"productId": 2**63, "quantity": 1}]}, "max_value", "lines.0.productId"),
        ({"lines": [{"productId": 1, "quantity": 1.5}]}, "invalid", "lines.0.quantity"),
        ({"lines": [{"productId": 1, "quantity": 1, "gift": 1}]}, "unknown_field", "lines.0.gift"),
        (
            {"lines": [{"productId": 1, "quantity": 1, "unitPrice": "1.234"}]},
            "max_decimal_places",
            "lines.0.unitPrice",
        ),
        ({"note": "x" * 2_001}, "max_length", "note"),
        ({"coupon": "ABC"}, "unknown_field", "coupon"),
        ({"shippingAddress": {**ADDRESS, "city": ""}}, "blank", "shippingAddress.city"),
    ],
)
def test_it_refuses_what_is_no_cart(
    buyer: User, client_for: ClientFor, cart: dict[str, Any], code: str, attr: str
) -> None:
    body = {"lines": [{"productId": 1, "quantity": 1}], **cart} if cart else {}
    answer = client_for(buyer).post("/api/orders", body, format="json")
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert [(error["code"], error["attr"]) for error in errors] == [(code, attr)]


def test_it_ignores_what_only_answers_say(buyer: User, seller: User, client_for: ClientFor) -> None:
    pot = make_product(seller)
    answer = order(
        client_for(buyer), line_of(pot, title="Gold"), status="delivered", total="0.01", note=None
    )
    (placed,) = answer.json()["orders"]
    assert (placed["status"], placed["total"], placed["note"]) == ("pending", "12.50", "")
    assert placed["lines"][0]["title"] == "Teapot"
