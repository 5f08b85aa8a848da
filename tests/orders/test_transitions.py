"""Every step of an order, for everybody who may and may not take it."""

from itertools import product as combinations
from typing import Any

import pytest

from marketplace.accounts.models import User
from orders.events import order_data
from orders.models import Order
from tests.conftest import ClientFor
from tests.orders.things import Status, make_order, stock_of
from tests.products.things import announced, make_product

ALLOWED = {
    ("buyer", "pending", "cancelled"),
    ("buyer", "shipped", "delivered"),
    ("seller", "pending", "confirmed"),
    ("seller", "pending", "cancelled"),
    ("seller", "confirmed", "shipped"),
    ("seller", "confirmed", "cancelled"),
}
PARTIES = ("buyer", "seller", "staff")
OUTSIDERS = ("other_buyer", "other_seller")


def expected(who: str, status: str, to: str) -> tuple[int, str | None]:
    """The status and code of the answer, by the letter of the contract."""
    if who in OUTSIDERS:
        return 404, "not_found"
    parties = ("buyer", "seller") if who == "staff" else (who,)
    if any((party, status, to) in ALLOWED for party in parties):
        return 200, None
    if any(party in parties and to == target for party, _before, target in ALLOWED):
        return 409, "illegal_transition"
    return 403, "not_your_step"


@pytest.mark.parametrize(
    ("who", "status", "to"),
    list(combinations((*PARTIES, *OUTSIDERS), Status.values, Status.values)),
)
def test_it_lets_each_take_the_steps_that_are_theirs(
    request: pytest.FixtureRequest, client_for: ClientFor, who: str, status: str, to: str
) -> None:
    buyer, seller = request.getfixturevalue("buyer"), request.getfixturevalue("seller")
    user = request.getfixturevalue(who)
    order = make_order(buyer, make_product(seller), quantity=4, status=Status(status))
    answer = client_for(user).post(
        f"/api/orders/{order.pk}/transition", {"to": to, "reason": "Because"}, format="json"
    )
    code = None if answer.status_code == 200 else answer.json()["errors"][0]["code"]
    assert (answer.status_code, code) == expected(who, status, to)
    after = Order.objects.whole().get()
    if code:
        assert (after.status, after.version) == (status, order.version)
        assert announced() == []
    else:
        assert (after.status, after.version) == (to, order.version + 1)
        assert after.updated_at > order.updated_at
        assert [(step.to_status, step.reason) for step in after.steps.all()][-1] == (to, "Because")
    assert stock_of(order.lines.get().product) == (10 if after.status == "cancelled" else 6)


def test_it_says_from_which_status_a_step_is_not_possible(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    order = make_order(buyer, make_product(seller), status=Status.SHIPPED)
    answer = client_for(seller).post(
        f"/api/orders/{order.pk}/transition", {"to": "cancelled"}, format="json"
    )
    (error,) = answer.json()["errors"]
    assert (error["code"], error["presentStatus"]) == ("illegal_transition", "shipped")


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ({"to": "teleported"}, "invalid_choice", "to"),
        ({}, "required", "to"),
        ({"to": "confirmed", "reason": "x" * 501}, "max_length", "reason"),
        ({"to": "confirmed", "force": True}, "unknown_field", "force"),
    ],
)
def test_it_refuses_what_is_no_step(
    buyer: User, seller: User, client_for: ClientFor, body: dict[str, Any], code: str, attr: str
) -> None:
    order = make_order(buyer, make_product(seller))
    answer = client_for(seller).post(f"/api/orders/{order.pk}/transition", body, format="json")
    assert answer.status_code == 400
    assert [(error["code"], error["attr"]) for error in answer.json()["errors"]] == [(code, attr)]
    assert Order.objects.get().status == "pending"


def test_it_says_whose_step_is_next_in_every_status(buyer: User, seller: User) -> None:
    pot = make_product(seller)
    for status in Status:
        data = order_data(Order.objects.whole().get(pk=make_order(buyer, pot, status=status).pk))
        for party in ("buyer", "seller"):
            listed = getattr(data.allowed_transitions, party)
            assert {(party, status, to) for to in listed} == {
                step for step in ALLOWED if step[:2] == (party, status)
            }
