"""What was made for a login is kept by no cache."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from tests.conftest import ClientFor
from tests.support.people import PASSWORD

PRIVATE = "private, no-store"


def test_it_is_said_where_a_token_came(
    visitor: APIClient, client_for: ClientFor, buyer: User
) -> None:
    holder = client_for(buyer)
    for path in ("/api/auth/me", "/api/products", "/api/nothing"):
        assert holder.get(path)["Cache-Control"] == PRIVATE, path


def test_it_is_said_in_a_session(client: Client, buyer: User) -> None:
    client.login(username=buyer.username, password=PASSWORD)
    for path in ("/", "/buyer/", "/account/", "/api/auth/me", "/api/nothing", "/nothing"):
        answer = client.get(path)
        assert "no-store" in answer["Cache-Control"], path
        assert "private" in answer["Cache-Control"], path


@pytest.mark.parametrize("path", ["/", "/api/products", "/api/nothing", "/health/live"])
def test_it_is_not_said_to_visitors(client: Client, buyer: User, path: str) -> None:
    assert "Cache-Control" not in client.get(path)
    client.cookies["sessionid"] = "none-of-ours"
    assert "Cache-Control" not in client.get(path)
