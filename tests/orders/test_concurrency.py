"""Many at once: no piece is sold twice or given back twice, and nobody waits for ever."""

from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.errors import IdempotencyInFlight
from orders.idempotency import Answer, answer_once
from orders.models import IdempotencyKey, Order, OrderStep
from orders.services import place_orders, transition_order
from products.models import Product
from realtime.models import OutboxEvent
from tests.orders.things import Status, make_order, stock_of
from tests.products.things import make_product
from tests.support.races import Work, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_sells_the_last_fifty_pieces_to_fifty_of_two_hundred(buyer: User, seller: User) -> None:
    pot = make_product(seller, stock=50)

    def buy() -> str:
        place_orders(buyer=buyer, lines=[CartLine(product_id=pot.pk, quantity=1)])
        return "bought"

    assert at_once([buy] * 200) == {"bought": 50, "insufficient_stock": 150}
    assert stock_of(pot) == 0
    assert Order.objects.count() == 50
    types = Counter(OutboxEvent.objects.values_list("type", flat=True))
    assert types == {
        "order-created": 50,
        "availability-updated": 50,
        "availability-low": 1,
        "notification": 51,
    }


def test_it_does_not_deadlock_on_carts_in_opposite_order(
    buyer: User, seller: User, other_seller: User
) -> None:
    pots = [make_product(seller, stock=100), make_product(other_seller, stock=100)]

    def buy(products: list[Product]) -> str:
        lines = [CartLine(product_id=product.pk, quantity=1) for product in products]
        place_orders(buyer=buyer, lines=lines)
        return "bought"

    there, back = (lambda: buy(pots)), (lambda: buy(pots[::-1]))
    assert at_once([there, back] * 20) == {"bought": 40}
    assert [stock_of(pot) for pot in pots] == [60, 60]


def test_it_does_not_deadlock_when_orders_come_and_go(buyer: User, seller: User) -> None:
    pots = [make_product(seller, stock=100) for _ in range(2)]
    lines = [CartLine(product_id=pot.pk, quantity=1) for pot in pots]
    placed = [place_orders(buyer=buyer, lines=lines[:: 1 - 2 * (n % 2)])[0] for n in range(20)]

    def cancel(order: Order) -> str:
        return transition_order(order_id=order.pk, to=Status.CANCELLED, by=buyer).status

    def buy() -> str:
        return place_orders(buyer=buyer, lines=lines[::-1])[0].status

    works: list[Work] = [buy] * 20
    works += [lambda order=order: cancel(order) for order in placed]  # type: ignore[misc]
    assert at_once(works) == {"pending": 20, "cancelled": 20}
    assert [stock_of(pot) for pot in pots] == [80, 80]


def test_it_gives_the_stock_back_once(buyer: User, seller: User) -> None:
    pot = make_product(seller, stock=10)
    order = make_order(buyer, pot, quantity=4)

    def cancel(by: User) -> str:
        return transition_order(order_id=order.pk, to=Status.CANCELLED, by=by).status

    works = [lambda: cancel(buyer), lambda: cancel(seller)] * 5
    assert at_once(works) == {"cancelled": 1, "illegal_transition": 9}
    assert stock_of(pot) == 10
    assert OrderStep.objects.filter(to_status="cancelled").count() == 1


def test_it_places_one_order_for_fifty_requests_with_one_key(buyer: User, seller: User) -> None:
    pot = make_product(seller, stock=100)

    def place() -> Answer:
        (order,) = place_orders(buyer=buyer, lines=[CartLine(product_id=pot.pk, quantity=1)])
        return Answer(status=201, body=str(order.pk).encode())

    def send() -> tuple[bytes, bool]:
        answer = answer_once(user=buyer, key="k", fingerprint="f", perform=place)
        return answer.body, answer.replayed

    answers = at_once([send] * 50)
    body = str(Order.objects.get().pk).encode()
    assert answers.pop((body, False)) == 1
    assert set(answers) <= {(body, True), "idempotency_in_flight"}
    assert stock_of(pot) == 99


@pytest.mark.postgresql
def test_it_lets_one_of_two_claims_place_the_order(buyer: User, seller: User) -> None:
    pot = make_product(seller)
    arguments: dict[str, Any] = {"user": buyer, "key": "k", "fingerprint": "f"}

    def place() -> Answer:
        place_orders(buyer=buyer, lines=[CartLine(product_id=pot.pk, quantity=1)])
        return Answer(status=201, body=b"{}")

    def take_over() -> str:
        IdempotencyKey.objects.update(claimed_until=timezone.now())
        return "replayed" if answer_once(**arguments, perform=place).replayed else "placed"

    def stall() -> Answer:
        # Its transaction is open: another process takes it for dead, and answers in its place.
        assert at_once([take_over]) == {"placed": 1}
        return place()

    with pytest.raises(IdempotencyInFlight):
        answer_once(**arguments, perform=stall)
    assert answer_once(**arguments, perform=place).replayed
    assert Order.objects.count() == 1
    assert stock_of(pot) == 9
