"""JSON in: strict, and never a fault of ours."""

import json
from decimal import Decimal
from io import BytesIO

import pytest
from django.http import HttpResponse
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError
from rest_framework.test import APIClient

from marketplace.rest.encoding import encode_json
from marketplace.rest.parsers import JSONParser
from tests.support.answers import refusal, refused_fields

pytestmark = pytest.mark.urls("tests.rest.things")

MALFORMED = [
    b"{",
    b"nonsense",
    b"NaN",
    b'{"a": Infinity}',
    b'{"a": 1e999}',
    b'{"a": ' + b"1" * 5000 + b"}",
    b'"\\ud800"',
    b'"\xff"',
    b"\xef\xbb\xbf{}",
    b"[" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b"{} {}",
    b"{'a': 1}",
]


def post(client: APIClient, body: bytes, charset: str = "utf-8") -> HttpResponse:
    """The answer to exactly these bytes."""
    content_type = f"application/json; charset={charset}"
    return client.post("/api/things", body, content_type=content_type)


@pytest.mark.parametrize("body", MALFORMED)
def test_it_refuses_what_is_no_json(visitor: APIClient, body: bytes) -> None:
    answer = post(visitor, body)
    assert refusal(answer) == (400, "parse_error")


def test_it_reads_an_absent_body_as_an_empty_object(visitor: APIClient) -> None:
    answer = post(visitor, b"")
    assert refused_fields(answer) == {"someText": "required"}


@given(st.binary())
def test_it_understands_bytes_or_refuses_them(body: bytes) -> None:
    try:
        JSONParser().parse(BytesIO(body))
    except ParseError:
        with pytest.raises((ValueError, RecursionError)):
            _by_the_standard_library(body)


def _by_the_standard_library(body: bytes) -> object:
    """The value; ValueError also for what the standard library allows and RFC 8259 does not."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    text = body.decode("utf-8")
    return json.loads(text, parse_constant=refuse)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_it_reads_what_the_standard_library_writes(value: object) -> None:
    assert JSONParser().parse(BytesIO(json.dumps(value).encode())) == value


@given(JSON)
def test_it_writes_what_the_standard_library_reads(value: object) -> None:
    assert json.loads(encode_json(value)) == value


def test_it_takes_the_last_of_two_equal_keys(visitor: APIClient) -> None:
    body = '{"someText": "first", "someText": "last"}'
    answer = visitor.post("/api/things", body, content_type="application/json")
    assert answer.json() == {"read": {"some_text": "last"}}


@pytest.mark.parametrize("body", ["[]", "7", '"text"', "true", "null"])
def test_it_needs_an_object_where_fields_are_read(visitor: APIClient, body: str) -> None:
    answer = visitor.post("/api/things", body, content_type="application/json")
    assert answer.status_code == 400


def test_it_does_not_mind_the_charset_parameter(visitor: APIClient) -> None:
    body = '{"someText": "ü"}'.encode()
    answer = post(visitor, body, charset="bz2")
    assert json.loads(answer.content) == {"read": {"some_text": "ü"}}


def test_it_writes_money_as_text_and_refuses_what_it_does_not_know() -> None:
    assert encode_json({"price": Decimal("12.50")}) == b'{"price":"12.50"}'
    with pytest.raises(TypeError):
        encode_json(object())
