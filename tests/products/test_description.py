"""The API's description of products and orders says what the server demands."""

from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from tests.conftest import ClientFor
from tests.products.things import BODY, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def description(client: Client) -> dict[str, Any]:
    """GET /api/schema."""
    schema: dict[str, Any] = client.get("/api/schema", HTTP_ACCEPT="application/json").json()
    return schema


@pytest.fixture
def seller_client(client_for: ClientFor, seller: User) -> APIClient:
    """The seller's client."""
    return client_for(seller)


def allows(description: dict[str, Any], operation: tuple[str, str], body: Any) -> bool:
    """Whether the description lets this body through."""
    path, method = operation
    request = description["paths"][path][method]["requestBody"]["content"]["application/json"]
    # References lead into the whole description, so the schema is validated as a part of it.
    whole = {**request["schema"], "components": description["components"]}
    return bool(Draft202012Validator(whole).is_valid(body))


STOCK = ("/api/products/{product_id}/stock", "post")
PUT = ("/api/products/{product_id}", "put")
PATCH = ("/api/products/{product_id}", "patch")
NEW = ("/api/products", "post")


@pytest.mark.parametrize(
    ("operation", "body", "is_allowed"),
    [
        (NEW, BODY, True),
        (NEW, {**BODY, "title": ""}, False),
        (NEW, {**BODY, "currency": ""}, False),
        (NEW, {**BODY, "description": "", "externalId": ""}, True),
        (NEW, {**BODY, "price": ""}, False),
        (NEW, {**BODY, "price": "1."}, False),
        (NEW, {**BODY, "price": "-1"}, False),
        (NEW, {**BODY, "stock": 3.0}, True),
        (NEW, {**BODY, "stock": -1}, False),
        (PUT, BODY, False),
        (PUT, {**BODY, "stockVersion": 1}, True),
        (PATCH, {"title": "Jug"}, True),
        (PATCH, {"title": ""}, False),
        (PATCH, {"stock": 3}, False),
        (PATCH, {"stock": 3, "stockVersion": 1}, True),
        (STOCK, {}, False),
        (STOCK, {"change": 1}, True),
        (STOCK, {"change": 1, "stockVersion": 1}, True),
        (STOCK, {"set": 1}, False),
        (STOCK, {"set": 1, "stockVersion": 1}, True),
        (STOCK, {"change": 1, "set": 1, "stockVersion": 1}, False),
    ],
)
def test_it_demands_what_the_server_demands(
    description: dict[str, Any],
    seller_client: APIClient,
    seller: User,
    operation: tuple[str, str],
    body: Any,
    is_allowed: bool,
) -> None:
    path, method = operation
    url = path.format(product_id=make_product(seller).pk)
    answer = getattr(seller_client, method)(url, body, format="json")
    assert allows(description, operation, body) is is_allowed
    assert (answer.status_code < 400) is is_allowed, answer.content


@pytest.mark.parametrize(
    ("lines", "is_allowed"),
    [(0, False), (1, True), (100, True), (101, False)],
)
def test_it_bounds_the_lines_of_a_cart(
    description: dict[str, Any], lines: int, is_allowed: bool
) -> None:
    cart = {"lines": [{"productId": 1, "quantity": 1}] * lines}
    assert allows(description, ("/api/orders", "post"), cart) is is_allowed


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/api/products", ["search", "category", "kind", "ordering"]),
        ("/api/orders", ["status"]),
        ("/api/suggestions", ["ordering"]),
    ],
)
def test_it_allows_parameters_to_be_empty(
    description: dict[str, Any], seller_client: APIClient, path: str, names: list[str]
) -> None:
    described = {
        each["name"]: each["schema"] for each in description["paths"][path]["get"]["parameters"]
    }
    for name in names:
        assert Draft202012Validator(described[name]).is_valid("")
        assert seller_client.get(f"{path}?{name}=").status_code == 200
