"""Pages of ALLOWED_ORIGINS may call the API with a token, and never with cookies."""

import pytest
from django.http import HttpResponse
from django.test import override_settings
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from tests.conftest import ClientFor

SHOP = "https://shop.example"
HERE = override_settings(CORS_ALLOWED_ORIGINS=[SHOP])


def preflight(client: APIClient, path: str, origin: str) -> HttpResponse:
    """What a browser asks before it sends a request with a token."""
    return client.options(
        path,
        HTTP_ORIGIN=origin,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization,content-type,idempotency-key",
    )


@HERE
@pytest.mark.parametrize("path", ["/api/orders", "/api/events/ticket", "/api/auth/token"])
def test_it_answers_a_preflight(visitor: APIClient, path: str) -> None:
    answer = preflight(visitor, path, SHOP)
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert "POST" in answer["Access-Control-Allow-Methods"]
    allowed = {name.strip() for name in answer["Access-Control-Allow-Headers"].split(",")}
    assert allowed >= {"authorization", "content-type", "idempotency-key", "last-event-id"}
    assert "Access-Control-Allow-Credentials" not in answer


@HERE
def test_it_lets_no_other_origin_read(visitor: APIClient) -> None:
    for origin in ("https://evil.example", "null", "http://shop.example"):
        assert "Access-Control-Allow-Origin" not in preflight(visitor, "/api/orders", origin)
        answer = visitor.get("/api/products", HTTP_ORIGIN=origin)
        assert "Access-Control-Allow-Origin" not in answer
        assert "origin" in answer["Vary"].lower()


@HERE
def test_it_lets_pages_read_answers_errors_and_headers(
    client_for: ClientFor, buyer: User, visitor: APIClient
) -> None:
    for answer in (
        client_for(buyer).get("/api/auth/me", HTTP_ORIGIN=SHOP),
        visitor.get("/api/auth/me", HTTP_ORIGIN=SHOP),
        visitor.get("/api/nothing", HTTP_ORIGIN=SHOP),
        visitor.get("/api/products?search=%00", HTTP_ORIGIN=SHOP),
    ):
        assert answer["Access-Control-Allow-Origin"] == SHOP
        assert "Access-Control-Allow-Credentials" not in answer
        exposed = {name.strip() for name in answer["Access-Control-Expose-Headers"].split(",")}
        assert exposed == {"Event-Position", "Idempotent-Replayed", "Retry-After"}


@HERE
def test_it_says_nothing_about_pages(visitor: APIClient) -> None:
    answer = visitor.get("/static/nothing.css", HTTP_ORIGIN=SHOP)
    assert "Access-Control-Allow-Origin" not in answer
