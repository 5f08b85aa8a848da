"""Inputs and representations."""

import pytest
from rest_framework.test import APIClient

from marketplace.rest.naming import camel_case
from tests.support.answers import refused_fields

pytestmark = pytest.mark.urls("tests.rest.things")


@pytest.mark.parametrize(
    ("name", "wire_name"),
    [
        ("title", "title"),
        ("max_group_size", "maxGroupSize"),
        ("line1", "line1"),
        ("isStaff", "isStaff"),
    ],
)
def test_it_writes_names_in_camel_case(name: str, wire_name: str) -> None:
    assert camel_case(name) == wire_name


def test_it_reads_camel_case_into_the_declared_names(visitor: APIClient) -> None:
    body = {"someText": "  text ", "count": 3, "inner": {"deepNumber": 4}}
    answer = visitor.post("/api/things", body, format="json")
    assert answer.json() == {"read": {"some_text": "text", "count": 3, "inner": {"deep_number": 4}}}


def test_it_ignores_what_is_only_shown(visitor: APIClient) -> None:
    answer = visitor.post("/api/things", {"someText": "text", "id": 99}, format="json")
    assert answer.json() == {"read": {"some_text": "text"}}


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"some_text": "x"}, {"some_text": "unknown_field", "someText": "required"}),
        ({"someText": "x", "": 1}, {"": "unknown_field"}),
        ({"someText": "x" * 11, "more": 1}, {"more": "unknown_field", "someText": "max_length"}),
        (
            {"someText": "x", "inner": {"id": 1}},
            {"inner.id": "unknown_field", "inner.deepNumber": "required"},
        ),
        ({"someText": "x", "count": 2**63}, {"count": "max_value"}),
        ({"someText": "x", "count": -(2**63) - 1}, {"count": "min_value"}),
        ({"someText": "x", "count": 10**30}, {"count": "max_value"}),
        ({"someText": "x", "count": 1.5}, {"count": "invalid"}),
        ({"someText": "x", "small": 10}, {"small": "max_value"}),
        ({"someText": "x\0"}, {"someText": "null_characters_not_allowed"}),
        ({"someText": ["x"]}, {"someText": "invalid"}),
    ],
)
def test_it_says_what_is_wrong(visitor: APIClient, body: object, refused: dict[str, str]) -> None:
    assert refused_fields(visitor.post("/api/things", body, format="json")) == refused


@pytest.mark.parametrize("count", [2**63 - 1, -(2**63)])
def test_it_reads_what_a_bigint_holds(visitor: APIClient, count: int) -> None:
    answer = visitor.post("/api/things", {"someText": "x", "count": count}, format="json")
    assert answer.json()["read"]["count"] == count


def test_it_shows_structs(visitor: APIClient) -> None:
    assert visitor.get("/api/things").json() == {"id": 1, "someText": "text", "inner": None}
