"""The header Idempotency-Key: one answer to one request, however often it is sent."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from orders import idempotency
from orders.errors import IdempotencyInFlight
from orders.idempotency import Answer, answer_once
from orders.models import IdempotencyKey, Order
from products.models import Product
from tests.conftest import ClientFor
from tests.orders.things import line_of, make_order, stock_of
from tests.products.things import announced_types, forget_announcements, make_product

KEY = "cart-7:2026-11-21"


@pytest.fixture
def pot(seller: User) -> Product:
    """What is ordered here."""
    return make_product(seller)


@pytest.fixture
def client(buyer: User, client_for: ClientFor) -> APIClient:
    """The buyer's client."""
    return client_for(buyer)


def send(client: APIClient, body: dict[str, Any], key: str | None = KEY) -> Any:
    """Send a cart with a key."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/api/orders", body, format="json", headers=headers)


def code_of(answer: Any) -> tuple[int, str]:
    """The status and the first code of a refusal."""
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_it_answers_the_same_request_again(client: APIClient, pot: Product) -> None:
    cart = {"lines": [line_of(pot, 2)]}
    first, again = send(client, cart), send(client, cart)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert stock_of(pot) == 8
    assert announced_types().count("order-created") == 1


def test_it_takes_the_same_json_in_another_spelling_for_the_same(
    client: APIClient, pot: Product
) -> None:
    line = f'{{"productId":{pot.pk},"quantity":1}}'
    spelled = f'{{ "note": "x", "lines": [{line}] }}'
    other = f'{{"lines":[{{"quantity":1, "productId":{pot.pk}}}],"note":"\\u0078"}}'
    headers = {"Idempotency-Key": KEY}
    for body in (spelled, other):
        answer = client.post("/api/orders", body, content_type="application/json", headers=headers)
        assert answer.status_code == 201
    assert Order.objects.count() == 1


def test_it_places_two_orders_without_a_key_or_with_two(client: APIClient, pot: Product) -> None:
    cart = {"lines": [line_of(pot)]}
    for key in (None, None, "one", "two"):
        assert send(client, cart, key).status_code == 201
    assert Order.objects.count() == 4


@pytest.mark.parametrize("quantity", [2, 0])
def test_it_refuses_another_body_with_the_key(
    client: APIClient, pot: Product, quantity: int
) -> None:
    send(client, {"lines": [line_of(pot)]})
    answer = send(client, {"lines": [line_of(pot, quantity)]})
    assert code_of(answer) == (422, "idempotency_mismatch")
    assert Order.objects.count() == 1


def test_it_keeps_the_keys_of_two_users_apart(
    client: APIClient, pot: Product, other_buyer: User, client_for: ClientFor
) -> None:
    cart = {"lines": [line_of(pot)]}
    first = send(client, cart)
    other = send(client_for(other_buyer), cart)
    assert other.status_code == 201
    assert "Idempotent-Replayed" not in other.headers
    assert other.json() != first.json()


def test_it_frees_the_key_after_an_error(client: APIClient, pot: Product) -> None:
    cart = {"lines": [line_of(pot, 11)]}
    assert code_of(send(client, cart)) == (409, "insufficient_stock")
    assert code_of(send(client, {"lines": []})) == (400, "empty")
    pot.stock = 11
    pot.save()
    answer = send(client, cart)
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers


@pytest.mark.parametrize("key", ["", " ", "two words", "ä", "tab\there", "x" * 256])
def test_it_refuses_a_malformed_key(client: APIClient, pot: Product, key: str) -> None:
    answer = send(client, {"lines": [line_of(pot)]}, key)
    assert code_of(answer) == (400, "invalid_idempotency_key")
    assert not Order.objects.exists()


@pytest.mark.parametrize("key", ["!", "~" * 255])
def test_it_takes_any_visible_ascii(client: APIClient, pot: Product, key: str) -> None:
    assert send(client, {"lines": [line_of(pot)]}, key).status_code == 201


def test_it_forgets_a_key_after_a_day(client: APIClient, buyer: User, pot: Product) -> None:
    cart = {"lines": [line_of(pot)]}
    send(client, cart)
    send(client, cart, "another")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert send(client, cart).headers["Idempotent-Replayed"] == "true"
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24))
    assert "Idempotent-Replayed" not in send(client, cart).headers
    # Claiming one has removed all that were too old.
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == [KEY]


def test_it_takes_a_step_once(client: APIClient, buyer: User, pot: Product) -> None:
    order = make_order(buyer, pot)
    path, headers = f"/api/orders/{order.pk}/transition", {"Idempotency-Key": KEY}
    first, again = (
        client.post(path, {"to": "cancelled"}, format="json", headers=headers) for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert code_of(send(client, {"to": "cancelled"})) == (422, "idempotency_mismatch")


def test_it_says_that_the_first_request_is_still_running(buyer: User) -> None:
    arguments: dict[str, Any] = {"user": buyer, "key": KEY, "fingerprint": "f"}

    def try_meanwhile() -> Answer:
        with pytest.raises(IdempotencyInFlight) as refused:
            answer_once(**arguments, perform=lambda: Answer(status=500, body=b""))
        assert (refused.value.status, refused.value.retry_after) == (409, 1)
        return Answer(status=201, body=b"{}")

    assert answer_once(**arguments, perform=try_meanwhile).status == 201
    assert answer_once(**arguments, perform=try_meanwhile).replayed


def test_it_changes_nothing_when_another_took_its_claim_over(buyer: User, pot: Product) -> None:
    def stall() -> Answer:
        make_order(buyer, pot)
        IdempotencyKey.objects.update(claim="00000000-0000-4000-8000-000000000000")
        return Answer(status=201, body=b"{}")

    forget_announcements()
    with pytest.raises(IdempotencyInFlight):
        answer_once(user=buyer, key=KEY, fingerprint="f", perform=stall)
    assert not Order.objects.exists()
    assert stock_of(pot) == 10
    assert announced_types() == []


def test_it_lets_a_dead_claim_go_within_a_minute() -> None:
    assert timedelta(seconds=60) >= idempotency.CLAIM_LIFETIME
