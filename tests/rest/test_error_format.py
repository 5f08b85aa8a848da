"""Every answer of 400 or above under /api/ has one format, whoever gives it."""

import json

import pytest
from django.test import override_settings
from rest_framework.test import APIClient

from tests.support.answers import errors, refusal, refused_fields

own_api = pytest.mark.urls("tests.rest.things")


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/products/", "/api/products/0x1"])
def test_it_is_kept_for_unknown_paths(visitor: APIClient, path: str, debug: bool) -> None:
    with override_settings(DEBUG=debug):
        assert refusal(visitor.get(path)) == (404, "not_found")
        assert refusal(visitor.post(path, {}, format="json")) == (404, "not_found")


@pytest.mark.parametrize("number", ["0", "99999999999999999999999999", "9" * 5000])
def test_it_is_kept_for_ids_that_no_column_holds(visitor: APIClient, number: str) -> None:
    assert refusal(visitor.get(f"/api/products/{number}")) == (404, "not_found")


def test_it_is_kept_for_methods_that_are_not_there(visitor: APIClient) -> None:
    answer = visitor.delete("/api/auth/token")
    assert refusal(answer) == (405, "method_not_allowed")
    assert "POST" in answer["Allow"]


def test_it_is_kept_for_forms(visitor: APIClient) -> None:
    answer = visitor.post("/api/auth/token", {"username": "anna"}, format="multipart")
    assert refusal(answer) == (415, "unsupported_media_type")


def test_it_is_kept_for_what_nobody_can_read(visitor: APIClient) -> None:
    answer = visitor.get("/api/products", HTTP_ACCEPT="image/png")
    assert refusal(answer) == (406, "not_acceptable")


def test_it_answers_in_json_whatever_format_is_named(visitor: APIClient) -> None:
    answer = visitor.get("/api/products?format=xml")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("path", ["/api/events", "/api/webhook/events"])
def test_it_is_kept_for_heads_of_streams(visitor: APIClient, path: str) -> None:
    answer = visitor.head(path)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, OPTIONS")


def test_it_is_kept_for_foreign_hosts(visitor: APIClient) -> None:
    answer = visitor.get("/api/products", HTTP_HOST="evil.example")
    assert refusal(answer) == (400, "bad_request")


def test_it_is_kept_for_csrf_failures_outside_the_framework(db: None) -> None:
    strict = APIClient(enforce_csrf_checks=True)
    with override_settings(ROOT_URLCONF="tests.rest.things"):
        assert refusal(strict.post("/api/plain/teapot")) == (403, "csrf_failed")


@pytest.mark.parametrize("path", ["/api/products?search=%00", "/api/\0", "/api/products?a=b&%00=1"])
def test_it_is_kept_for_nul_characters(visitor: APIClient, path: str) -> None:
    assert refusal(visitor.get(path)) == (400, "bad_request")


def test_it_refuses_nul_characters_in_cookies(visitor: APIClient) -> None:
    answer = visitor.get("/api/products", HTTP_COOKIE='sessionid="\\000"')
    assert refusal(answer) == (400, "bad_request")


@pytest.mark.parametrize("debug", [True, False])
def test_it_refuses_too_many_parameters(visitor: APIClient, debug: bool) -> None:
    parameters = "&".join(f"p{n}=1" for n in range(1001))
    with override_settings(DEBUG=debug):
        assert refusal(visitor.get(f"/api/products?{parameters}")) == (400, "bad_request")
        for page in ("/", "/login", "/nothing"):
            answer = visitor.get(f"{page}?{parameters}")
            assert answer.status_code == 400
            assert "could not be understood" in answer.content.decode()


def test_it_reads_a_thousand_parameters(visitor: APIClient) -> None:
    answer = visitor.get("/api/products?" + "&".join(f"p{n}=1" for n in range(1000)))
    assert answer.status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_it_is_kept_for_large_bodies(visitor: APIClient, method: str) -> None:
    body = json.dumps({"username": "x" * 1024 * 1024})
    answer = getattr(visitor, method)("/api/auth/token", body, content_type="application/json")
    assert refusal(answer) == (413, "too_large")


def test_it_reads_a_body_of_one_mebibyte(visitor: APIClient) -> None:
    body = '{"username":"anna","password":"x"}'
    body += " " * (1024 * 1024 - len(body))
    answer = visitor.post("/api/auth/token", body, content_type="application/json")
    assert refusal(answer) == (401, "invalid_credentials")


@own_api
def test_it_shows_a_domain_error_with_its_fields(visitor: APIClient) -> None:
    answer = visitor.get("/api/fails/stale")
    assert answer.status_code == 409
    assert answer.json() == {
        "type": "client_error",
        "errors": [
            {
                "code": "stale_thing",
                "detail": "The thing was changed.",
                "attr": None,
                "stockVersion": 7,
            }
        ],
    }


@own_api
def test_it_shows_each_reason_of_a_domain_error(visitor: APIClient) -> None:
    answer = visitor.get("/api/fails/several")
    assert answer.status_code == 409
    assert errors(answer) == [
        {
            "code": "too_few_things",
            "detail": "Only 2 are left.",
            "attr": "lines.0",
            "productId": 7,
            "available": 2,
        },
        {"code": "too_few_things", "detail": "None are left.", "attr": "lines.3"},
    ]


@own_api
def test_it_says_when_to_come_back(visitor: APIClient) -> None:
    answer = visitor.get("/api/fails/later")
    assert refusal(answer) == (429, "later")
    assert answer["Retry-After"] == "12"


@own_api
def test_it_says_how_to_log_in(visitor: APIClient) -> None:
    answer = visitor.get("/api/fails/unknown")
    assert refusal(answer) == (401, "not_known")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@own_api
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("kind", ["fails", "plain"])
@pytest.mark.parametrize(
    ("why", "status", "code"),
    [
        ("suspicious", 400, "bad_request"),
        ("bad", 400, "bad_request"),
        ("denied", 403, "permission_denied"),
        ("missing", 404, "not_found"),
        ("broken", 500, "error"),
    ],
)
def test_it_is_kept_for_whatever_is_raised(
    visitor: APIClient, kind: str, why: str, status: int, code: str, debug: bool
) -> None:
    with override_settings(DEBUG=debug):
        answer = visitor.get(f"/api/{kind}/{why}")
    assert refusal(answer) == (status, code)
    assert b"secret" not in answer.content


@own_api
def test_it_names_the_fields_of_models_as_the_wire_does(visitor: APIClient) -> None:
    assert refused_fields(visitor.get("/api/fails/invalid")) == {"someText": "ugly"}


@own_api
def test_it_keeps_headers_and_cookies_of_what_it_replaces(visitor: APIClient) -> None:
    answer = visitor.get("/api/plain/teapot")
    assert refusal(answer) == (418, "bad_request")
    assert answer["Retry-After"] == "9"
    assert answer.cookies["kept"].value == "yes"


@own_api
def test_it_leaves_pages_alone(visitor: APIClient) -> None:
    answer = visitor.get("/page/teapot")
    assert (answer.status_code, answer.content) == (418, b"<h1>No</h1>")
