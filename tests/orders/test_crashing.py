"""A process that dies in the middle of a placement: nothing is doubled, nothing is lost."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from orders.idempotency import CLAIM_LIFETIME
from orders.models import IdempotencyKey, Order
from realtime.models import OutboxEvent
from tests.conftest import ClientFor, database_url
from tests.orders.things import stock_of
from tests.products.things import make_product
from tests.support.machine import ROOT

KEY = "cart-7"

# Serves one request in a process of its own, which dies by SIGKILL: before the commit of the
# orders and the answer, or right after it, before anybody was answered.
DYING_SERVER = """
import os, signal, sys
import django
django.setup()
from django.db import transaction
from rest_framework.test import APIClient
from marketplace.accounts.models import User
from orders import views

moment, buyer_id, key, body = sys.argv[1:]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class DyingAnswer(views.Answer):
    def __init__(self, **fields):
        super().__init__(**fields)
        transaction.on_commit(die) if moment == "after" else die()

views.Answer = DyingAnswer
client = APIClient(SERVER_NAME="localhost")
client.force_authenticate(User.objects.get(pk=buyer_id))
client.post("/api/orders", body, content_type="application/json", headers={"Idempotency-Key": key})
"""


def send(client: APIClient, body: str) -> Any:
    """Send the cart to this process."""
    return client.post(
        "/api/orders", body, content_type="application/json", headers={"Idempotency-Key": KEY}
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_it_orders_once_when_the_server_dies(
    buyer: User, seller: User, client_for: ClientFor, moment: str
) -> None:
    pot = make_product(seller)
    body = f'{{"lines":[{{"productId":{pot.pk},"quantity":2}}]}}'
    command = [sys.executable, "-c", DYING_SERVER, moment, str(buyer.pk), KEY, body]
    settings = {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    environment = {**os.environ, **settings}
    died = subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=60)
    assert died.returncode == -9

    client = client_for(buyer)
    if moment == "before":
        assert stock_of(pot) == 10
        assert not Order.objects.exists()
        assert not OutboxEvent.objects.exists()
        assert send(client, body).json()["errors"][0]["code"] == "idempotency_in_flight"
        let_time_pass(CLAIM_LIFETIME)
    answer = send(client, body)
    assert answer.status_code == 201
    assert answer.headers.get("Idempotent-Replayed") == ("true" if moment == "after" else None)
    assert [each["id"] for each in answer.json()["orders"]] == [Order.objects.get().pk]
    assert stock_of(pot) == 8
    assert OutboxEvent.objects.filter(type="order-created").count() == 1


def let_time_pass(span: timedelta) -> None:
    """Make the keys older."""
    for row in IdempotencyKey.objects.all():
        row.created_at -= span
        row.claimed_until -= span
        row.save()
