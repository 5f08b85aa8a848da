"""Who sees which orders, and who may place them; in each test somebody who may not."""

from typing import Any

import msgspec
import pytest
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from orders.channels import ORDER
from realtime.api import NOBODY, Listener
from tests.conftest import ClientFor
from tests.orders.things import line_of, make_order, order, stock_of
from tests.products.things import make_product

SEEN_BY = {"buyer": True, "seller": True, "staff": True, "other_buyer": False,
           "other_seller": False}  # fmt: skip


@pytest.mark.parametrize(("who", "sees"), SEEN_BY.items())
def test_it_shows_an_order_to_its_parties_and_staff(
    request: pytest.FixtureRequest, client_for: ClientFor, who: str, sees: bool
) -> None:
    placed = make_order(
        request.getfixturevalue("buyer"), make_product(request.getfixturevalue("seller"))
    )
    user: User = request.getfixturevalue(who)
    client = client_for(user)
    one = client.get(f"/api/orders/{placed.pk}")
    listed = client.get("/api/orders").json()
    assert one.status_code == (200 if sees else 404)
    assert listed["count"] == int(sees)
    assert listed["results"] == ([one.json()] if sees else [])
    listener = Listener(user_id=user.pk, is_staff=user.is_staff)
    assert ORDER.may_listen(listener, str(placed.pk)) is sees
    assert (ORDER.state(listener, str(placed.pk)) is not None) is sees


def test_it_shows_the_channel_what_rest_shows(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    placed = make_order(buyer, make_product(seller))
    state = ORDER.state(Listener(user_id=buyer.pk), str(placed.pk))
    assert msgspec.to_builtins(state) == client_for(buyer).get(f"/api/orders/{placed.pk}").json()


def test_it_has_nothing_for_nobody(buyer: User, seller: User) -> None:
    placed = make_order(buyer, make_product(seller))
    address = f"/api/orders/{placed.pk}"
    nobody = APIClient()
    for answer in (
        nobody.get("/api/orders"),
        nobody.get(address),
        nobody.post("/api/orders", {}, format="json"),
        nobody.post(f"{address}/transition", {"to": "cancelled"}, format="json"),
    ):
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["code"] == "not_authenticated"
    assert not ORDER.public
    assert not ORDER.may_listen(NOBODY, str(placed.pk))


def test_it_lets_only_buyers_order(seller: User, other_seller: User, client_for: ClientFor) -> None:
    pot = make_product(seller)
    bodies: list[list[dict[str, Any]]] = [[line_of(pot)], []]
    for lines in bodies:
        answer = order(client_for(other_seller), *lines)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "buyers_only")
    assert stock_of(pot) == 10


def test_it_takes_no_orders_by_other_methods(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    placed = make_order(buyer, make_product(seller))
    client = client_for(buyer)
    for method in (client.put, client.patch, client.delete):
        assert method(f"/api/orders/{placed.pk}", {}, format="json").status_code == 405


def test_it_answers_404_for_an_id_that_no_order_can_have(
    buyer: User, client_for: ClientFor
) -> None:
    assert client_for(buyer).get(f"/api/orders/{2**80}").status_code == 404
